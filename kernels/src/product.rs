//! Products of matrices both of which change: the `gemm` crate behind a safe interface.

use std::mem::MaybeUninit;

use packed::Matrix;

/// Writes `a · b` row by row, without gaps.
///
/// # Panics
/// If the shapes do not fit together.
pub fn product<'a>(a: Matrix, b: Matrix, out: &'a mut [MaybeUninit<f32>]) -> &'a mut [f32] {
    let [m, n] = [a.shape()[0], b.shape()[1]];
    assert_eq!(out.len(), m * n, "the result of a product does not fit");
    // SAFETY: `out` has exactly m rows of n values.
    unsafe { multiply(a, b, out.as_mut_ptr().cast(), false) };
    // SAFETY: the product just wrote all of them.
    unsafe { out.assume_init_mut() }
}

/// Adds `a · b` to rows that follow each other without gaps.
///
/// # Panics
/// If the shapes do not fit together.
pub fn add_product(a: Matrix, b: Matrix, out: &mut [f32]) {
    assert_eq!(out.len(), a.shape()[0] * b.shape()[1], "the result of a product does not fit");
    // SAFETY: `out` has exactly the rows of the result, and the values to add to are there.
    unsafe { multiply(a, b, out.as_mut_ptr(), true) }
}

/// `out = a · b`, or `out += a · b` if `accumulate`, on all threads of rayon's pool; the result
/// does not depend on how many they are.
///
/// # Safety
/// `out` must be valid for writes of `a.shape()[0]` rows of `b.shape()[1]` values without gaps,
/// and hold values there if `accumulate`.
unsafe fn multiply(a: Matrix, b: Matrix, out: *mut f32, accumulate: bool) {
    let ([m, k], [k_b, n]) = (a.shape(), b.shape());
    assert_eq!(k, k_b, "inner widths of a product differ");
    // SAFETY: `Matrix` holds that every element of `a` and `b` lies in its borrowed memory; the
    // caller answers for `out`, which gemm reads only if `accumulate`.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out,
            1,
            n as isize,
            accumulate,
            a.as_ptr(),
            a.strides()[1] as isize,
            a.strides()[0] as isize,
            b.as_ptr(),
            b.strides()[1] as isize,
            b.strides()[0] as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::Rayon(0),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_over_no_inner_columns_is_zero_or_adds_nothing() {
        let a = Matrix::rows(&[], [2, 0]);
        let b = Matrix::rows(&[], [0, 2]);
        let mut out = [7.0; 4];
        add_product(a, b, &mut out);
        assert_eq!(out, [7.0; 4]);
        let mut out = [MaybeUninit::new(7.0); 4];
        assert_eq!(product(a, b, &mut out), [0.0; 4]);
    }
}
