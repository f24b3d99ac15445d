//! Tiles in AVX-512: 16 columns a register.

use std::arch::x86_64::*;

use crate::bf16;
use crate::tile::{Job, LANES, VECTORS};

/// Rows of a tile: 8 × 3 accumulators leave registers for a row of `b` and one value of `a`.
pub const ROWS: usize = 8;

/// Makes the kernel of a number type: `$step` adds the product of a broadcast word of `a` and a
/// vector of words of `b` to an accumulator.
macro_rules! kernel {
    ($(#[$doc:meta])* $name:ident, $features:literal, $step:expr) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// The processor has the features, and the pointers of the job are valid for its extent.
        #[target_feature(enable = $features)]
        pub unsafe fn $name(job: Job) {
            #[target_feature(enable = $features)]
            unsafe fn tile<const R: usize, const V: usize>(job: Job) {
                let Job { mut a, mut b, out, .. } = job;
                let width = job.n_columns - (V - 1) * LANES;
                let last = if width >= LANES { !0 } else { (1 << width) - 1 };
                let load = |from: *const f32| {
                    let mut vectors = [_mm512_setzero_ps(); V];
                    for (i, vector) in vectors.iter_mut().enumerate() {
                        // SAFETY: all vectors but the last are whole, and the last is masked.
                        *vector = unsafe {
                            if i + 1 < V {
                                _mm512_loadu_ps(from.add(i * LANES))
                            } else {
                                _mm512_maskz_loadu_ps(last, from.add(i * LANES))
                            }
                        };
                    }
                    vectors
                };
                let start = if job.start.is_null() { [_mm512_setzero_ps(); V] } else { load(job.start) };
                let mut sums = [start; R];
                for _ in 0..job.depth {
                    let row = load(b.cast());
                    for (i, sums) in sums.iter_mut().enumerate() {
                        // SAFETY: the caller's promise about `a`.
                        let word = unsafe { _mm512_set1_epi32(*a.add(i * job.a_strides[0]).cast()) };
                        for (sum, row) in sums.iter_mut().zip(row) {
                            *sum = $step(*sum, word, row);
                        }
                    }
                    // Past the last step these point outside, and are not read.
                    a = a.wrapping_add(job.a_strides[1]);
                    b = b.wrapping_add(job.b_stride);
                }
                for (i, sums) in sums.iter().enumerate() {
                    for (j, sum) in sums.iter().enumerate() {
                        // SAFETY: the caller's promise about `out`.
                        unsafe {
                            let out = out.add(i * job.out_stride + j * LANES);
                            if j + 1 < V || last == !0 {
                                _mm512_storeu_ps(out, *sum);
                            } else {
                                _mm512_mask_storeu_ps(out, last, *sum);
                            }
                        }
                    }
                }
            }

            #[target_feature(enable = $features)]
            unsafe fn rows<const V: usize>(job: Job) {
                // SAFETY: the caller's promise.
                unsafe {
                    match job.n_rows {
                        1 => tile::<1, V>(job),
                        2 => tile::<2, V>(job),
                        3 => tile::<3, V>(job),
                        4 => tile::<4, V>(job),
                        5 => tile::<5, V>(job),
                        6 => tile::<6, V>(job),
                        7 => tile::<7, V>(job),
                        _ => tile::<ROWS, V>(job),
                    }
                }
            }

            // SAFETY: the caller's promise.
            unsafe {
                match job.n_columns.div_ceil(LANES) {
                    1 => rows::<1>(job),
                    2 => rows::<2>(job),
                    _ => rows::<VECTORS>(job),
                }
            }
        }
    };
}

kernel! {
    /// Words are `f32`.
    f32, "avx512f",
    |sum, word, row| _mm512_fmadd_ps(_mm512_castsi512_ps(word), row, sum)
}

kernel! {
    /// Words are pairs of bfloat16 that follow each other along the inner axis.
    bf16_pairs, "avx512f,avx512bf16",
    |sum, word, row| unsafe {
        // SAFETY: registers of 512 bits, whatever they are said to hold.
        let [word, row] = [word, _mm512_castps_si512(row)].map(|x| std::mem::transmute::<__m512i, __m512bh>(x));
        _mm512_dpbf16_ps(sum, word, row)
    }
}

/// Rounds rows of `width` numbers to bfloat16, as [`bf16::pairs`](crate::bf16::pairs) does.
///
/// Numbers below the normal ones become 0, which is what the products take them for anyway.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
pub fn pairs(rows: &[f32], width: usize, out: &mut Vec<u32>) {
    out.clear();
    for row in rows.chunks_exact(width) {
        let (blocks, rest) = row.as_chunks::<LANES>();
        for block in blocks {
            // SAFETY: the block is as long as the register, and both registers as the arrays.
            out.extend_from_slice(&unsafe {
                let rounded = _mm512_cvtneps_pbh(_mm512_loadu_ps(block.as_ptr()));
                std::mem::transmute::<__m256bh, [u32; LANES / 2]>(rounded)
            });
        }
        let (whole, odd) = rest.as_chunks::<2>();
        out.extend(whole.iter().map(|&[first, second]| bf16::pair(first, second)));
        out.extend(odd.iter().map(|&first| bf16::pair(first, 0.0)));
    }
}
