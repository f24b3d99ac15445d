//! s (x A) B: two thin matrices, both trained.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::{Flex, FlexTensor};
use burn::tensor::Shape;
use packed::{Level, Matrix, product};

use crate::buffer::{self, Dense, Rows, filled, filled_together, zeroed};
use crate::linear::with_width;
use crate::transpose::transpose;

/// Rows that one task multiplies.
const ROWS: usize = 48;

/// What the backward pass needs of the forward pass.
#[derive(Clone, Debug)]
pub struct Saved {
    x: FlexTensor,
    a: FlexTensor,
    b: FlexTensor,
    /// s x A.
    narrow: FlexTensor,
    scale: f32,
}

/// The matrix `[rows, columns]` that a tensor's last axis and all others make.
fn matrix(x: &Dense) -> Matrix<'_> {
    let width = x.width();
    Matrix::rows(x.values(), [x.len() / width.max(1), width])
}

/// The transposed matrix, laid out row by row.
fn transposed(x: &Dense) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    transpose(matrix(x), &mut out);
    out
}

/// s (x A) B, with what the backward pass needs.
pub fn forward(x: FlexTensor, a: FlexTensor, b: FlexTensor, scale: f32) -> (Saved, FlexTensor) {
    let level = Level::best();
    let [x, a, b] = [x, a, b].map(Dense::new);
    let [d_in, rank, d_out] = [a.shape()[0], a.width(), b.width()];
    let shape = with_width(x.shape(), d_out);
    let n_rows = shape.num_elements() / d_out.max(1);
    let sizes = [(n_rows * rank, ROWS * rank), (n_rows * d_out, ROWS * d_out)];
    let [narrow, y] = filled_together(sizes, |i, [narrow, y]| {
        let n_rows = y.len() / d_out;
        let x = Matrix::rows(&x.values()[i * ROWS * d_in..][..n_rows * d_in], [n_rows, d_in]);
        let [narrow, y] = [zeroed(narrow), zeroed(y)];
        product(level, x, matrix(&a), narrow, rank);
        narrow.iter_mut().for_each(|h| *h *= scale);
        product(level, Matrix::rows(narrow, [n_rows, rank]), matrix(&b), y, d_out);
        [narrow, y]
    });
    let narrow = buffer::tensor(narrow, with_width(x.shape(), rank));
    let [x, a, b] = [x, a, b].map(Dense::into_tensor);
    (Saved { x, a, b, narrow, scale }, buffer::tensor(y, shape))
}

/// The gradients of x, where it is asked for, of A and of B.
fn backward(saved: Saved, grad: FlexTensor, of_x: bool) -> (Option<FlexTensor>, [FlexTensor; 2]) {
    let level = Level::best();
    let scale = saved.scale;
    let [x, a, b, narrow] = [saved.x, saved.a, saved.b, saved.narrow].map(Dense::new);
    // The gradient of a query's delta is a part of that of query, key and value.
    let grad = Rows::new(grad);
    let [d_in, rank, d_out] = [a.shape()[0], a.width(), b.width()];
    let n_rows = grad.len();
    let wide = if of_x { d_in } else { 0 };
    let (a_transposed, b_transposed) = (transposed(&a), transposed(&b));
    let sizes = [(n_rows * rank, ROWS * rank), (n_rows * wide, ROWS * wide)];
    let [inner, dx] = filled_together(sizes, |i, [inner, dx]| {
        let n_rows = inner.len() / rank;
        let grad = grad.matrix(i * ROWS..i * ROWS + n_rows);
        let [inner, dx] = [zeroed(inner), zeroed(dx)];
        let b_transposed = Matrix::rows(&b_transposed, [d_out, rank]);
        product(level, grad, b_transposed, inner, rank);
        inner.iter_mut().for_each(|h| *h *= scale);
        if of_x {
            let a_transposed = Matrix::rows(&a_transposed, [rank, d_in]);
            product(level, Matrix::rows(inner, [n_rows, rank]), a_transposed, dx, d_in);
        }
        [inner, dx]
    });
    // Sums over all rows, each by one task from the first row to the last.
    let inner = Matrix::rows(&inner, [n_rows, rank]);
    let to_a = || {
        filled(d_in * rank, ROWS * rank, |start, slots| {
            let out = zeroed(slots);
            let columns = Matrix::new(
                x.values().get(start / rank..).unwrap_or_default(),
                [n_rows, out.len() / rank],
                [d_in, 1],
            );
            product(level, columns.transposed(), inner, out, rank);
            out
        })
    };
    let to_b = || {
        let mut out = vec![0.0; rank * d_out];
        product(level, matrix(&narrow).transposed(), grad.matrix(0..n_rows), &mut out, d_out);
        out
    };
    let (to_a, to_b) = rayon::join(to_a, to_b);
    let dx = of_x.then(|| buffer::tensor(dx, x.shape().clone()));
    let to_a = buffer::tensor(to_a, Shape::from([d_in, rank]));
    (dx, [to_a, buffer::tensor(to_b, Shape::from([rank, d_out]))])
}

/// The recorded step; its parents are x, A and B.
#[derive(Debug)]
pub struct LowRank;

impl Backward<Flex, 3> for LowRank {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 3>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [x, a, b] = ops.parents;
        let (dx, [da, db]) = backward(ops.state, grad, x.is_some());
        for (parent, gradient) in [(x, dx), (a, Some(da)), (b, Some(db))] {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}
