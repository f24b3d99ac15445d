//! Flex tensors as slices: reading them, and filling new ones in parallel.

use std::mem::MaybeUninit;
use std::ops::Range;

use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};
use packed::Matrix;
use rayon::prelude::*;

/// Numbers one task works on: 16 KiB, half of a first-level cache.
///
/// The same on every machine, and never derived from the number of threads: how a sum is split
/// decides its rounding, and results must not depend on who computed them.
const CHUNK: usize = 4096;

/// Parts that threads take from each other.
const PARTS: usize = 64;

/// How many rows of this width make one task.
pub fn rows_per_chunk(width: usize) -> usize {
    (CHUNK / width.max(1)).max(1)
}

/// A tensor whose values lie in row-major order without gaps.
#[derive(Clone, Debug)]
pub struct Dense(FlexTensor);

impl Dense {
    /// Copies only if the values lie otherwise.
    pub fn new(x: FlexTensor) -> Self {
        if x.is_contiguous() { Self(x) } else { Self(x.to_contiguous()) }
    }

    /// The values, row by row.
    pub fn values(&self) -> &[f32] {
        let start = self.0.layout().start_offset();
        &self.0.storage()[start..start + self.len()]
    }

    /// The values for writing, if no other tensor shares them.
    fn values_mut(&mut self) -> Option<&mut [f32]> {
        let range = self.0.layout().start_offset()..;
        let len = self.len();
        self.0.try_storage_mut().map(|storage| &mut storage[range][..len])
    }

    /// The values for writing, copied first if another tensor shares them.
    pub fn own_values(&mut self) -> &mut [f32] {
        let range = self.0.layout().start_offset()..;
        let len = self.len();
        &mut self.0.storage_mut()[range][..len]
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.0.layout().num_elements()
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        self.0.layout().shape()
    }

    /// The width of a row: the last axis.
    pub fn width(&self) -> usize {
        self.shape().last().copied().unwrap_or(1)
    }

    /// Applies `kernel` to whole rows in parallel: in place if nobody else holds the values.
    ///
    /// The kernel gets where its rows start, counted in values, and the rows.
    pub fn map_rows(self, kernel: impl Fn(usize, &mut [f32]) + Sync) -> FlexTensor {
        let chunk = rows_per_chunk(self.width()) * self.width().max(1);
        self.map_chunks(chunk, kernel)
    }

    /// [`map_rows`](Self::map_rows) with a given number of values per task.
    pub fn map_chunks(
        mut self,
        chunk: usize,
        kernel: impl Fn(usize, &mut [f32]) + Sync,
    ) -> FlexTensor {
        if let Some(values) = self.values_mut() {
            let chunks: Vec<_> = values.chunks_mut(chunk).enumerate().collect();
            run(chunks, |(i, rows)| kernel(i * chunk, rows));
            return self.0;
        }
        let source = self.values();
        let out = filled(source.len(), chunk, |start, slots| {
            let rows = slots.write_copy_of_slice(&source[start..start + slots.len()]);
            kernel(start, rows);
            rows
        });
        tensor(out, self.shape().clone())
    }

    /// The tensor.
    pub fn into_tensor(self) -> FlexTensor {
        self.0
    }
}

/// A tensor as a matrix of its last axis and all others, read where it lies.
pub struct Rows {
    x: FlexTensor,
    shape: [usize; 2],
    /// Values from a row to the next.
    by_row: usize,
}

impl Rows {
    /// Copies only if rows do not start evenly apart, or have gaps.
    pub fn new(x: FlexTensor) -> Self {
        let by_row = even_rows(x.layout());
        let x = if by_row.is_some() { x } else { x.to_contiguous() };
        let width = x.layout().shape().last().copied().unwrap_or(1);
        let n_rows = x.layout().num_elements() / width.max(1);
        Self { x, shape: [n_rows, width], by_row: by_row.unwrap_or(width) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.shape[0]
    }

    /// Some of them.
    pub fn matrix(&self, rows: Range<usize>) -> Matrix<'_> {
        let start = self.x.layout().start_offset() + rows.start * self.by_row;
        let values = self.x.storage().get(start..).unwrap_or_default();
        Matrix::new(values, [rows.len(), self.shape[1]], [self.by_row, 1])
    }
}

/// Values from a row to the next, if that is the same everywhere and rows have no gaps.
fn even_rows(layout: &Layout) -> Option<usize> {
    let (shape, strides) = (layout.shape(), layout.strides());
    let n = shape.len();
    let by_row = *strides[..n - 1].last()?;
    let even = (0..n - 2).all(|i| strides[i] == strides[i + 1] * shape[i + 1] as isize);
    (strides[n - 1] == 1 && even).then(|| usize::try_from(by_row).ok()).flatten()
}

/// A tensor of these values.
pub fn tensor(values: Vec<f32>, shape: Shape) -> FlexTensor {
    debug_assert_eq!(values.len(), shape.num_elements());
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(shape), DType::F32)
}

/// Part `i` of some values: `len` of them, or what is left.
pub fn part(values: &[f32], i: usize, len: usize) -> &[f32] {
    let rest = &values[i * len..];
    &rest[..len.min(rest.len())]
}

/// Calls `task` on every item, in parallel if there is more than one.
pub fn run<T: Send>(items: Vec<T>, task: impl Fn(T) + Send + Sync) {
    if items.len() == 1 {
        items.into_iter().for_each(task);
    } else {
        // Parts small enough that a thread which wakes late or is disturbed leaves its share to
        // the others.
        let part = items.len().div_ceil(PARTS);
        items.into_par_iter().with_max_len(part).for_each(task);
    }
}

/// A new vector of `len` values, `chunk` of them by each call of `fill`, in parallel.
///
/// `fill` gets where its chunk starts and the unwritten chunk, and proves that it wrote all of it
/// by giving it back as numbers.
pub fn filled(
    len: usize,
    chunk: usize,
    fill: impl for<'a> Fn(usize, &'a mut [MaybeUninit<f32>]) -> &'a mut [f32] + Sync,
) -> Vec<f32> {
    let [out] = filled_together([(len, chunk)], |i, [slots]| [fill(i * chunk, slots)]);
    out
}

/// Like [`filled`] for several vectors at once, each given by its length and the size of its
/// chunks; `fill` gets the number of the chunk, and one chunk of each (of an empty one, nothing).
///
/// # Panics
/// If the vectors do not have the same number of chunks, and are not empty.
pub fn filled_together<const N: usize>(
    sizes: [(usize, usize); N],
    fill: impl for<'a> Fn(usize, [&'a mut [MaybeUninit<f32>]; N]) -> [&'a mut [f32]; N] + Sync,
) -> [Vec<f32>; N] {
    let mut outs = sizes.map(|(len, _)| Vec::with_capacity(len));
    let mut parts: [_; N] = std::array::from_fn(|_| Vec::new());
    for ((out, (len, chunk)), part) in outs.iter_mut().zip(sizes).zip(&mut parts) {
        let out: &mut Vec<f32> = out;
        *part = out.spare_capacity_mut()[..len].chunks_mut(chunk.max(1)).collect();
    }
    let n_chunks = parts.iter().map(Vec::len).max().unwrap_or(0);
    let even = parts.iter().all(|part| part.is_empty() || part.len() == n_chunks);
    assert!(even, "uneven chunks: {sizes:?}");
    let mut parts = parts.map(Vec::into_iter);
    let tasks = (0..n_chunks)
        .map(|i| (i, parts.each_mut().map(|part| part.next().unwrap_or_default())))
        .collect();
    run(tasks, |(i, slots): (usize, [&mut [MaybeUninit<f32>]; N])| {
        let expected = slots.each_ref().map(|slots| (slots.as_ptr().cast::<f32>(), slots.len()));
        let written = fill(i, slots).map(|values| (values.as_ptr(), values.len()));
        assert_eq!(written, expected, "`fill` must give back the chunk it was given");
    });
    for (out, (len, _)) in outs.iter_mut().zip(sizes) {
        // SAFETY: the chunks cover the first `len` slots, and each came back from `fill` as
        // numbers, at the same address and of the same length: all are written.
        unsafe { out.set_len(len) };
    }
    outs
}

/// Writes zeros.
pub fn zeroed(slots: &mut [MaybeUninit<f32>]) -> &mut [f32] {
    for slot in slots.iter_mut() {
        slot.write(0.0);
    }
    // SAFETY: each was written above.
    unsafe { slots.assume_init_mut() }
}

/// Writes `row` again and again; the slots are whole rows.
pub fn repeated<'a>(row: &[f32], slots: &'a mut [MaybeUninit<f32>]) -> &'a mut [f32] {
    for slots in slots.chunks_exact_mut(row.len()) {
        slots.write_copy_of_slice(row);
    }
    assert!(slots.len().is_multiple_of(row.len()), "slots are not whole rows");
    // SAFETY: each whole row was written above, and there is nothing but whole rows.
    unsafe { slots.assume_init_mut() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(rows: &Rows) -> Vec<f32> {
        let matrix = rows.matrix(0..rows.len());
        let [m, n] = matrix.shape();
        (0..m).flat_map(|i| (0..n).map(move |j| matrix.at(i, j))).collect()
    }

    #[test]
    fn rows_are_the_same_numbers_wherever_they_lie() {
        let x = tensor((0..24_u8).map(f32::from).collect(), Shape::from([2, 3, 4]));
        for x in [x.clone(), x.narrow(2, 1, 2), x.narrow(1, 1, 2), x.transpose(0, 1)] {
            let dense = Dense::new(x.clone());
            let rows = Rows::new(x);
            assert_eq!(numbers(&rows), dense.values());
            let last = rows.matrix(rows.len() - 1..rows.len());
            assert_eq!(last.at(0, 0), dense.values()[dense.len() - dense.width()]);
        }
    }

    #[test]
    fn a_part_of_the_last_axis_is_not_copied() {
        let x = tensor(vec![0.0; 24], Shape::from([2, 3, 4]));
        let rows = Rows::new(x.narrow(2, 2, 2));
        assert_eq!(rows.matrix(0..rows.len()).as_ptr(), x.storage::<f32>()[2..].as_ptr());
    }
}
