//! Products on all threads against the peak of the processor and the `gemm` crate:
//! `cargo bench -p packed`.

use std::{hint::black_box, mem::MaybeUninit, time::Instant};

use packed::{Matrix, Packed, Precision};
use rayon::prelude::*;

const PAIRS: usize = 21;
const ROWS_PER_TASK: usize = 48;

/// The time that nobody else disturbed.
fn shortest(times: Vec<f64>) -> f64 {
    times.into_iter().fold(f64::INFINITY, f64::min)
}

/// The fastest of each of some tasks that take turns, in GFLOP/s.
fn compare(flop: usize, tasks: &mut [(&str, &mut dyn FnMut())]) -> String {
    let mut times = vec![vec![]; tasks.len()];
    for _ in 0..PAIRS {
        for ((_, task), times) in tasks.iter_mut().zip(&mut times) {
            let clock = Instant::now();
            task();
            times.push(clock.elapsed().as_secs_f64());
        }
    }
    let rate = |((name, _), times): (&(&str, &mut dyn FnMut()), Vec<f64>)| {
        format!("{name} {:>4.0}", flop as f64 / shortest(times) / 1e9)
    };
    tasks.iter().zip(times).map(rate).collect::<Vec<_>>().join("   ")
}

fn multiply(packed: &Packed, x: &[f32], out: &mut Vec<f32>) {
    let [k, n] = packed.shape();
    let slots = &mut out.spare_capacity_mut()[..x.len() / k * n];
    slots.par_chunks_mut(ROWS_PER_TASK * n).zip(x.par_chunks(ROWS_PER_TASK * k)).for_each(
        |(slots, x): (&mut [MaybeUninit<f32>], &[f32])| {
            black_box(packed.apply(x, None, slots));
        },
    );
}

/// The most multiplications and additions that the processor does in registers alone.
#[cfg(target_arch = "x86_64")]
mod peak {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    pub const STEPS: usize = 1_000_000;
    const SUMS: usize = 24;

    macro_rules! peak {
        ($name:ident, $features:literal, $lanes:literal, $one:expr, $step:expr) => {
            #[target_feature(enable = $features)]
            pub fn $name() -> usize {
                let x = black_box($one);
                let mut sums = [_mm512_setzero_ps(); SUMS];
                for _ in 0..STEPS {
                    for sum in &mut sums {
                        *sum = $step(*sum, x);
                    }
                }
                black_box(sums);
                2 * $lanes * SUMS * STEPS
            }
        };
    }
    peak!(f32, "avx512f", 16, _mm512_set1_ps(0.5), |sum, x| _mm512_fmadd_ps(x, x, sum));
    peak!(
        bf16,
        "avx512f,avx512bf16",
        32,
        unsafe { std::mem::transmute::<__m512i, __m512bh>(_mm512_set1_epi32(0x3f003f00)) },
        |sum, x| _mm512_dpbf16_ps(sum, x, x)
    );
}

#[cfg(target_arch = "x86_64")]
fn print_peak() {
    if !(is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16")) {
        return;
    }
    for n_threads in [1, rayon::current_num_threads()] {
        let on_all = |task: fn() -> usize| -> f64 {
            let rates = (0..7).map(|_| {
                let clock = Instant::now();
                let flop: usize = (0..n_threads).into_par_iter().map(|_| task()).sum();
                flop as f64 / clock.elapsed().as_secs_f64() / 1e9
            });
            rates.fold(0.0, f64::max)
        };
        // SAFETY: the features were asked for above.
        let (f32, bf16) = (on_all(|| unsafe { peak::f32() }), on_all(|| unsafe { peak::bf16() }));
        println!("peak, {n_threads} thread(s): f32 {f32:.0} GFLOP/s, bf16 {bf16:.0} GFLOP/s");
    }
}

fn main() {
    #[cfg(target_arch = "x86_64")]
    print_peak();
    for [m, k, n] in [
        [2048, 384, 1536],
        [2048, 1536, 384],
        [2048, 384, 384],
        [2048, 384, 1152],
        [960, 384, 1536],
        [960, 1536, 384],
        [960, 384, 384],
        [960, 768, 3072],
        [960, 3072, 768],
    ] {
        let numbers = |n: usize| (0..n).map(|i| (i % 97) as f32 / 97.0 - 0.5).collect::<Vec<_>>();
        let (x, weight) = (numbers(m * k), numbers(k * n));
        let exact = Packed::new(Matrix::rows(&weight, [k, n]), Precision::F32);
        let rounded = Packed::new(Matrix::rows(&weight, [k, n]), Precision::Bf16);
        let (mut out, mut out_bf16) = (Vec::with_capacity(m * n), Vec::with_capacity(m * n));
        let mut out_gemm = vec![0.0; m * n];
        let rates = compare(
            2 * m * k * n,
            &mut [
                ("gemm", &mut || {
                    let threads = gemm::Parallelism::Rayon(0);
                    let (out, x, w) = (out_gemm.as_mut_ptr(), x.as_ptr(), weight.as_ptr());
                    let [m_s, k_s, n_s] = [m, k, n].map(|x| x as isize);
                    _ = m_s;
                    // SAFETY: the three matrices have these shapes.
                    unsafe {
                        gemm::gemm(
                            m, n, k, out, 1, n_s, false, x, 1, k_s, w, 1, n_s, 0.0, 1.0, false,
                            false, false, threads,
                        );
                    }
                }),
                ("packed f32", &mut || multiply(&exact, &x, &mut out)),
                ("packed bf16", &mut || multiply(&rounded, &x, &mut out_bf16)),
            ],
        );
        println!("[{m}, {k}] · [{k}, {n}]: {rates}   GFLOP/s");
    }
}
