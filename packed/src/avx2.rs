//! Tiles in AVX2: 8 columns a register.

use std::arch::x86_64::*;

use crate::tile::Job;

/// Rows of a tile: 4 × 3 accumulators leave registers for a row of `b` and one value of `a`.
pub const ROWS: usize = 4;

/// Columns of a register.
const WIDTH: usize = 8;

/// Columns that one pass over the inner axis covers.
const STRIP: usize = 3 * WIDTH;

/// Words are `f32`.
///
/// # Safety
/// The processor has AVX2 and FMA, and the pointers of the job are valid for its extent.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn f32(job: Job) {
    let mut column = 0;
    while column < job.n_columns {
        let n_columns = (job.n_columns - column).min(STRIP);
        let start = if job.start.is_null() { job.start } else { job.start.wrapping_add(column) };
        // SAFETY: the caller's promise, for a part of the columns.
        unsafe {
            let strip =
                Job { b: job.b.add(column), start, out: job.out.add(column), n_columns, ..job };
            match job.n_rows {
                1 => columns::<1>(strip),
                2 => columns::<2>(strip),
                3 => columns::<3>(strip),
                _ => columns::<ROWS>(strip),
            }
        }
        column += n_columns;
    }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn columns<const R: usize>(job: Job) {
    // SAFETY: the caller's promise.
    unsafe {
        match job.n_columns.div_ceil(WIDTH) {
            1 => tile::<R, 1>(job),
            2 => tile::<R, 2>(job),
            _ => tile::<R, 3>(job),
        }
    }
}

/// All ones in the first `n` lanes.
#[target_feature(enable = "avx2")]
fn first(n: usize) -> __m256i {
    _mm256_cmpgt_epi32(_mm256_set1_epi32(n as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
}

#[target_feature(enable = "avx2,fma")]
unsafe fn tile<const R: usize, const V: usize>(job: Job) {
    let Job { mut a, mut b, .. } = job;
    let last = first(job.n_columns - (V - 1) * WIDTH);
    let load = |from: *const f32| {
        let mut vectors = [_mm256_setzero_ps(); V];
        for (i, vector) in vectors.iter_mut().enumerate() {
            // SAFETY: all vectors but the last are whole, and the last is masked.
            *vector = unsafe {
                if i + 1 < V {
                    _mm256_loadu_ps(from.add(i * WIDTH))
                } else {
                    _mm256_maskload_ps(from.add(i * WIDTH), last)
                }
            };
        }
        vectors
    };
    let start = if job.start.is_null() { [_mm256_setzero_ps(); V] } else { load(job.start) };
    let mut sums = [start; R];
    for _ in 0..job.depth {
        let row = load(b.cast());
        for (i, sums) in sums.iter_mut().enumerate() {
            // SAFETY: the caller's promise about `a`.
            let x = unsafe { _mm256_broadcast_ss(&*a.add(i * job.a_strides[0]).cast::<f32>()) };
            for (sum, row) in sums.iter_mut().zip(row) {
                *sum = _mm256_fmadd_ps(x, row, *sum);
            }
        }
        // Past the last step these point outside, and are not read.
        a = a.wrapping_add(job.a_strides[1]);
        b = b.wrapping_add(job.b_stride);
    }
    for (i, sums) in sums.iter().enumerate() {
        for (j, sum) in sums.iter().enumerate() {
            // SAFETY: the caller's promise about `out`; the last vector is masked.
            unsafe {
                let out = job.out.add(i * job.out_stride + j * WIDTH);
                if j + 1 < V {
                    _mm256_storeu_ps(out, *sum);
                } else {
                    _mm256_maskstore_ps(out, last, *sum);
                }
            }
        }
    }
}
