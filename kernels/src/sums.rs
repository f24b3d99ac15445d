//! Sums over all rows, split the same way whatever the number of threads.

use burn::backend::flex::FlexTensor;
use burn::tensor::Shape;
use packed::Level;

use crate::buffer::{self, Dense, filled, zeroed};
use crate::rows;

/// Rows that one task adds up, one after the other.
const ROWS_PER_SUM: usize = 64;

/// The sum of all rows of `x`.
pub fn column_sums(x: FlexTensor) -> FlexTensor {
    let level = Level::best();
    let x = Dense::new(x);
    let width = x.width();
    let sums = in_parts(x.len(), width, |sums, range| {
        rows::add_rows(level, sums, &x.values()[range]);
    });
    buffer::tensor(sums, Shape::from([width]))
}

/// The sum of all rows of `x · y`, element by element.
pub fn column_sums_of_products(x: FlexTensor, y: FlexTensor) -> FlexTensor {
    let level = Level::best();
    let [x, y] = [x, y].map(Dense::new);
    let width = x.width();
    let sums = in_parts(x.len(), width, |sums, range| {
        rows::add_products(level, sums, &x.values()[range.clone()], &y.values()[range]);
    });
    buffer::tensor(sums, Shape::from([width]))
}

/// Sums each [`ROWS_PER_SUM`] rows by `add`, in parallel, and then their sums, in order.
fn in_parts(
    len: usize,
    width: usize,
    add: impl Fn(&mut [f32], std::ops::Range<usize>) + Sync,
) -> Vec<f32> {
    if len == 0 {
        return vec![0.0; width];
    }
    let n_parts = (len / width).div_ceil(ROWS_PER_SUM);
    let parts = filled(n_parts * width, width, |start, slots| {
        let start = start * ROWS_PER_SUM;
        let sums = zeroed(slots);
        add(sums, start..len.min(start + ROWS_PER_SUM * width));
        sums
    });
    let mut total = vec![0.0; width];
    rows::add_rows(Level::best(), &mut total, &parts);
    total
}
