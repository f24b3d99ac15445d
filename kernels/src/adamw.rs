//! A step of AdamW in one pass: every number is read once and written where it was.

use burn::backend::flex::FlexTensor;
use packed::Level;

use crate::buffer::{Dense, run};
use crate::simd::vectorized;

/// Numbers of a tensor that one task changes.
const CHUNK: usize = 16 * 1024;

/// A step of AdamW (Loshchilov and Hutter, 2019, <https://arxiv.org/abs/1711.05101>):
///
/// ```text
/// m ← β₁ m + (1 − β₁) g          v ← β₂ v + (1 − β₂) g²
/// x ← x (1 − η λ) − η · m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε)
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AdamW {
    /// Learning rate η.
    pub rate: f64,
    /// Weight decay λ.
    pub weight_decay: f64,
    /// β₁ and β₂.
    pub betas: [f32; 2],
    /// ε.
    pub epsilon: f32,
    /// Number t of the step, from 1 on.
    pub time: usize,
}

/// The tensor and its two moments after a step.
pub fn step(
    x: FlexTensor,
    grad: FlexTensor,
    moments: [FlexTensor; 2],
    with: AdamW,
) -> (FlexTensor, [FlexTensor; 2]) {
    let level = Level::best();
    let grad = Dense::new(grad);
    let mut x = Dense::new(x);
    let [mut first, mut second] = moments.map(Dense::new);
    let parts = x.own_values().chunks_mut(CHUNK).zip(grad.values().chunks(CHUNK));
    let firsts = first.own_values().chunks_mut(CHUNK);
    let parts = parts.zip(firsts.zip(second.own_values().chunks_mut(CHUNK))).collect();
    run(parts, |((x, grad), (first, second))| update(level, x, grad, first, second, with));
    (x.into_tensor(), [first, second].map(Dense::into_tensor))
}

vectorized! {
    // One operation after the other, each rounded, as Burn's own optimizer does them.
    pub fn update(x: &mut [f32], grad: &[f32], first: &mut [f32], second: &mut [f32], with: AdamW) {
        let AdamW { rate, weight_decay, betas, epsilon, time } = with;
        let left = (1.0 - rate * weight_decay) as f32;
        let rate = rate as f32;
        let news = betas.map(|beta| 1.0 - beta);
        let corrections = betas.map(|beta| 1.0 - beta.powi(time as i32));
        let moments = first.iter_mut().zip(second);
        for ((x, grad), (first, second)) in x.iter_mut().zip(grad).zip(moments) {
            *first = *first * betas[0] + *grad * news[0];
            *second = *second * betas[1] + *grad * *grad * news[1];
            let delta = *first / corrections[0] / ((*second / corrections[1]).sqrt() + epsilon);
            *x = *x * left - delta * rate;
        }
    }
}
