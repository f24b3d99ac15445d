//! Vector code chosen at run time, and the functions it computes lane by lane.
//!
//! A kernel is written once, as plain loops over slices. [`vectorized!`] compiles it several times
//! for different instruction sets, and the compiler turns the loops into vector instructions.

use std::hint::black_box;

/// Numbers a kernel works on at once: one AVX-512 register of `f32`.
pub const LANES: usize = 16;

/// Compiles a kernel for every instruction set; its first argument, a [`packed::Level`], picks one.
///
/// Inside the body `FUSED` tells whether `a · b + c` is one instruction; hand it to [`mul_add`].
macro_rules! vectorized {
    ($($(#[$meta:meta])* pub fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $body:block)*) => { $(
        $(#[$meta])*
        pub fn $name(level: packed::Level, $($arg: $ty),*) {
            #[inline(always)]
            fn body<const FUSED: bool>($($arg: $ty),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn avx512($($arg: $ty),*) {
                body::<true>($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $ty),*) {
                body::<true>($($arg),*)
            }

            match level.vectors() {
                // SAFETY: the processor was asked for the features of a level's vectors.
                #[cfg(target_arch = "x86_64")]
                packed::Vectors::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                packed::Vectors::Avx2 => unsafe { avx2($($arg),*) },
                packed::Vectors::Portable => {
                    body::<{ cfg!(target_arch = "aarch64") }>($($arg),*)
                }
            }
        }
    )* };
}
pub(crate) use vectorized;

/// `a · b + c`, with one rounding if the instruction set has it (`FUSED`) and two if not.
///
/// Without the instruction, `f32::mul_add` would call a slow library function.
#[inline(always)]
pub fn mul_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// The larger of two; `b` if `a` is NaN. One instruction, unlike `f32::max`.
#[inline(always)]
pub fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The sum of the lanes, in one fixed order.
#[inline(always)]
pub fn sum(lanes: [f32; LANES]) -> f32 {
    fold(lanes, |a, b| a + b)
}

/// The largest lane.
#[inline(always)]
pub fn max(lanes: [f32; LANES]) -> f32 {
    fold(lanes, larger)
}

#[inline(always)]
fn fold(lanes: [f32; LANES], combine: impl Fn(f32, f32) -> f32) -> f32 {
    // Without this the compiler lets the order of the fold below choose the vectors of the loop
    // before, and takes two lanes at a time there instead of sixteen.
    let mut lanes = black_box(lanes);
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = combine(lanes[i], lanes[i + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// Below this, [`exp_negative`] is 0: the true value leaves the normal numbers at −87.34.
const EXP_FLUSHED: f32 = -87.3;

/// eˣ for x ≤ 0, to 1e-7 relative; 0 below −87.3; NaN for NaN.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2; the polynomial in r is a Chebyshev fit of
/// (eʳ − 1 − r) / r² with an error of 1e-8 in eʳ.
#[inline(always)]
pub fn exp_negative<const FUSED: bool>(x: f32) -> f32 {
    // Adding 1.5 · 2²³ leaves the nearest integer in the low bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts: the product of n with the first is exact.
    const LN_2_HIGH: f32 = 0.693_115_23;
    const LN_2_LOW: f32 = 3.194_618_3e-5;
    let shifted = mul_add::<FUSED>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = mul_add::<FUSED>(n, -LN_2_HIGH, x);
    let r = mul_add::<FUSED>(n, -LN_2_LOW, r);
    let p = mul_add::<FUSED>(1.392_625_e-3, r, 8.363_233e-3);
    let p = mul_add::<FUSED>(p, r, 4.166_655_2e-2);
    let p = mul_add::<FUSED>(p, r, 1.666_657_6e-1);
    let p = mul_add::<FUSED>(p, r, 0.5);
    let p = mul_add::<FUSED>(p, r * r, r) + 1.0;
    // Multiplies by 2ⁿ: n goes from the low bits of the sum to the exponent.
    let scaled = f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23));
    if x < EXP_FLUSHED { 0.0 } else { scaled }
}

/// Where the tail of the normal distribution is 0 in `f32`.
const TAIL_ENDS: f32 = 14.0;

/// (Φ(−|x|), e^(−x²/2)): the tail of the standard normal distribution, to 1e-6 relative.
///
/// Φ(−z) = e^(−z²/2) · P(t) / (z + k) with t = (z − k) / (z + k); P is a Chebyshev fit over
/// 0 ≤ z ≤ 14 with an error of 5e-8. Relative accuracy in the tail, where 1 + erf would cancel.
#[inline(always)]
pub fn normal_tail<const FUSED: bool>(x: f32) -> (f32, f32) {
    const K: f32 = 3.75;
    let z = x.abs();
    let z = if z > TAIL_ENDS { TAIL_ENDS } else { z };
    let square = z * z;
    // Far out, the rounding error of z² alone would cost 1e-5 of the exponential.
    let lost = square_error::<FUSED>(z, square);
    let exp = exp_negative::<FUSED>(-0.5 * square);
    let exp = mul_add::<FUSED>(exp, -0.5 * lost, exp);
    let inverse = 1.0 / (z + K);
    let t = (z - K) * inverse;
    let p = mul_add::<FUSED>(4.499_425_7e-4, t, 5.218_146e-4);
    let p = mul_add::<FUSED>(p, t, -4.167_097e-3);
    let p = mul_add::<FUSED>(p, t, 1.193_251_1e-3);
    let p = mul_add::<FUSED>(p, t, 3.749_020_5e-2);
    let p = mul_add::<FUSED>(p, t, -1.515_197e-1);
    let p = mul_add::<FUSED>(p, t, 3.529_399_6e-1);
    let p = mul_add::<FUSED>(p, t, -5.881_883_5e-1);
    let p = mul_add::<FUSED>(p, t, 7.502_941e-1);
    (exp * (p * inverse), exp)
}

/// z² − `square`, where `square` is z² rounded.
#[inline(always)]
fn square_error<const FUSED: bool>(z: f32, square: f32) -> f32 {
    if FUSED {
        z.mul_add(z, -square)
    } else {
        (f64::from(z) * f64::from(z) - f64::from(square)) as f32
    }
}
