//! Tiles in plain Rust: for every processor, and what the others are tested against.

use crate::tile::{Job, PANEL};

/// Whether `a · b + c` is one instruction. Without it `f32::mul_add` would call a slow function.
const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

/// Words are `f32`.
///
/// # Safety
/// The pointers of the job are valid for its extent.
pub unsafe fn f32(job: Job) {
    let n = job.n_columns;
    for i in 0..job.n_rows {
        let mut sums = [0.0; PANEL];
        if !job.start.is_null() {
            // SAFETY: the row that the sums start with has `n` numbers.
            sums[..n].copy_from_slice(unsafe { std::slice::from_raw_parts(job.start, n) });
        }
        for k in 0..job.depth {
            // SAFETY: inner word `k` of row `i` of `a`, and row `k` of `b`, are in their extent.
            let (x, row) = unsafe {
                let x = *job.a.add(i * job.a_strides[0] + k * job.a_strides[1]).cast::<f32>();
                (x, std::slice::from_raw_parts(job.b.add(k * job.b_stride).cast::<f32>(), n))
            };
            for (sum, w) in sums.iter_mut().zip(row) {
                *sum = if FUSED { x.mul_add(*w, *sum) } else { x * *w + *sum };
            }
        }
        // SAFETY: row `i` of the result has `n` numbers.
        unsafe { job.out.add(i * job.out_stride).copy_from_nonoverlapping(sums.as_ptr(), n) };
    }
}
