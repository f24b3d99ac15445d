//! Matrix products: the `gemm` crate behind a safe interface.

use std::mem::MaybeUninit;

/// A matrix in borrowed memory: element (i, j) is `values[i · row_stride + j · column_stride]`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    values: &'a [f32],
    shape: [usize; 2],
    strides: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// # Panics
    /// If an element lies outside `values`.
    pub fn new(values: &'a [f32], shape: [usize; 2], strides: [usize; 2]) -> Self {
        assert!(
            extent(shape, strides) <= values.len(),
            "a matrix {shape:?} with strides {strides:?} needs more than {} values",
            values.len()
        );
        Self { values, shape, strides }
    }

    /// A matrix of rows that follow each other without gaps.
    pub fn rows(values: &'a [f32], [n_rows, n_columns]: [usize; 2]) -> Self {
        Self::new(values, [n_rows, n_columns], [n_columns, 1])
    }

    /// The transposed matrix, in the same memory.
    pub fn transposed(self) -> Self {
        let ([n_rows, n_columns], [row, column]) = (self.shape, self.strides);
        Self { shape: [n_columns, n_rows], strides: [column, row], ..self }
    }
}

/// The number of values from the first element to the last.
fn extent(shape: [usize; 2], strides: [usize; 2]) -> usize {
    match shape {
        [0, _] | [_, 0] => 0,
        [m, n] => (m - 1) * strides[0] + (n - 1) * strides[1] + 1,
    }
}

/// Who computes a product.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// The thread that asks.
    One,
    /// All threads of rayon's pool; the result does not depend on how many they are.
    All,
}

/// Writes `a · b` row by row, without gaps.
///
/// # Panics
/// If the shapes do not fit together.
pub fn product<'a>(
    a: Matrix,
    b: Matrix,
    out: &'a mut [MaybeUninit<f32>],
    threads: Threads,
) -> &'a mut [f32] {
    let [m, n] = [a.shape[0], b.shape[1]];
    assert_eq!(out.len(), m * n, "the result of a product does not fit");
    // SAFETY: `out` has exactly m rows of n values.
    unsafe { multiply(a, b, out.as_mut_ptr().cast(), n, false, threads) };
    // SAFETY: the product just wrote all of them.
    unsafe { out.assume_init_mut() }
}

/// Writes `a · b` over the first columns of rows that start `row_stride` apart.
///
/// # Panics
/// If the shapes do not fit together.
pub fn set_product(a: Matrix, b: Matrix, out: &mut [f32], row_stride: usize, threads: Threads) {
    assert_fits(a, b, out, row_stride);
    // SAFETY: `assert_fits`.
    unsafe { multiply(a, b, out.as_mut_ptr(), row_stride, false, threads) }
}

/// Adds `a · b` to rows that follow each other without gaps.
///
/// # Panics
/// If the shapes do not fit together.
pub fn add_product(a: Matrix, b: Matrix, out: &mut [f32], threads: Threads) {
    assert_fits(a, b, out, b.shape[1]);
    // SAFETY: `assert_fits`; the values to add to are there.
    unsafe { multiply(a, b, out.as_mut_ptr(), b.shape[1], true, threads) }
}

fn assert_fits(a: Matrix, b: Matrix, out: &[f32], row_stride: usize) {
    let shape = [a.shape[0], b.shape[1]];
    assert!(row_stride >= shape[1], "rows of the result overlap");
    assert!(extent(shape, [row_stride, 1]) <= out.len(), "the result of a product does not fit");
}

/// `out = a · b`, or `out += a · b` if `accumulate`.
///
/// # Safety
/// `out` must be valid for writes of `a.shape[0]` rows of `b.shape[1]` values, `row_stride` apart
/// and not overlapping, and hold values there if `accumulate`.
unsafe fn multiply(
    a: Matrix,
    b: Matrix,
    out: *mut f32,
    row_stride: usize,
    accumulate: bool,
    threads: Threads,
) {
    let ([m, k], [k_b, n]) = (a.shape, b.shape);
    assert_eq!(k, k_b, "inner widths of a product differ");
    let parallelism = match threads {
        Threads::One => gemm::Parallelism::None,
        Threads::All => gemm::Parallelism::Rayon(0),
    };
    // SAFETY: `Matrix` holds that every element of `a` and `b` lies in its borrowed memory; the
    // caller answers for `out`, which gemm reads only if `accumulate`.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out,
            1,
            row_stride as isize,
            accumulate,
            a.values.as_ptr(),
            a.strides[1] as isize,
            a.strides[0] as isize,
            b.values.as_ptr(),
            b.strides[1] as isize,
            b.strides[0] as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_with_a_transposed_matrix_is_written_between_the_columns_of_others() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let a = Matrix::rows(&a, [2, 3]);
        let mut out = [9.0; 6];
        set_product(a, a.transposed(), &mut out, 3, Threads::One);
        assert_eq!(out, [14.0, 32.0, 9.0, 32.0, 77.0, 9.0]);
    }

    #[test]
    fn a_product_over_no_inner_columns_is_zero_or_adds_nothing() {
        let a = Matrix::rows(&[], [2, 0]);
        let b = Matrix::rows(&[], [0, 2]);
        let mut out = [7.0; 4];
        add_product(a, b, &mut out, Threads::All);
        assert_eq!(out, [7.0; 4]);
        set_product(a, b, &mut out, 2, Threads::All);
        assert_eq!(out, [0.0; 4]);
    }

    #[test]
    #[should_panic(expected = "needs more than 5 values")]
    fn a_matrix_that_reaches_outside_its_memory_is_refused() {
        Matrix::rows(&[0.0; 5], [2, 3]);
    }
}
