//! The inner loops: what a kernel does to the rows one task was given.

use std::array::from_fn;

use packed::bf16;

use crate::simd::{LANES, exp_negative, larger, max, mul_add, normal_tail, sum, vectorized};

/// 1 / √(2π), the density of the standard normal distribution at 0.
const NORMAL_PEAK: f32 = 0.398_942_3;

vectorized! {
    /// Each row becomes `softmax(row · scale + bias)`; zeros if no key has a score above −∞.
    ///
    /// The width is `bias.len()`, a multiple of [`LANES`].
    pub fn softmax(rows: &mut [f32], bias: &[f32], scale: f32) {
        let (bias, _) = bias.as_chunks::<LANES>();
        if bias.is_empty() {
            return;
        }
        for row in rows.chunks_exact_mut(bias.len() * LANES) {
            let (row, _) = row.as_chunks_mut::<LANES>();
            for (x, bias) in row.as_flattened_mut().iter_mut().zip(bias.as_flattened()) {
                *x = mul_add::<FUSED>(*x, scale, *bias);
            }
            let mut largest = [f32::NEG_INFINITY; LANES];
            for x in row.iter() {
                largest = from_fn(|i| larger(x[i], largest[i]));
            }
            // In a row of −∞ alone, −∞ − (−∞) would be NaN; with any finite shift it is 0.
            let shift = larger(max(largest), f32::MIN);
            let mut total = [0.0; LANES];
            for x in row.iter_mut() {
                for i in 0..LANES {
                    x[i] = exp_negative::<FUSED>(x[i] - shift);
                    total[i] += x[i];
                }
            }
            let total = sum(total);
            let inverse = if total == 0.0 { 0.0 } else { 1.0 / total };
            for x in row.as_flattened_mut() {
                *x *= inverse;
            }
        }
    }

    /// Each row of gradients g becomes `scale · y · (g − ⟨g, y⟩)`, where y is the softmax.
    pub fn softmax_backward(grads: &mut [f32], softmax: &[f32], width: usize, scale: f32) {
        for (grad, y) in grads.chunks_exact_mut(width).zip(softmax.chunks_exact(width)) {
            let mut products = [0.0; LANES];
            let (blocks, rest) = grad.as_chunks::<LANES>();
            let (y_blocks, y_rest) = y.as_chunks::<LANES>();
            for (g, y) in blocks.iter().zip(y_blocks) {
                for i in 0..LANES {
                    products[i] = mul_add::<FUSED>(g[i], y[i], products[i]);
                }
            }
            let mut shift = sum(products);
            for (g, y) in rest.iter().zip(y_rest) {
                shift = mul_add::<FUSED>(*g, *y, shift);
            }
            for (g, y) in grad.iter_mut().zip(y) {
                *g = (*g - shift) * (*y * scale);
            }
        }
    }

    /// x becomes x Φ(x).
    pub fn gelu(values: &mut [f32]) {
        for x in values {
            let (tail, _) = normal_tail::<FUSED>(*x);
            let cdf = if *x < 0.0 { tail } else { 1.0 - tail };
            // −∞ · 0 would be NaN; NaN itself stays NaN.
            *x = if *x < f32::MIN { 0.0 } else { *x * cdf };
        }
    }

    /// Each gradient is multiplied by the derivative of x Φ(x), which is Φ(x) + x φ(x).
    pub fn gelu_backward(grads: &mut [f32], values: &[f32]) {
        for (grad, x) in grads.iter_mut().zip(values) {
            let (tail, exp) = normal_tail::<FUSED>(*x);
            let cdf = if *x < 0.0 { tail } else { 1.0 - tail };
            let density = exp * NORMAL_PEAK;
            // Where the density is 0, x may be infinite.
            let product = if density == 0.0 { 0.0 } else { *x * density };
            *grad *= cdf + product;
        }
    }

    /// Each row becomes `(h − mean h) / √(var h + eps)` with `h = row + residual`; the factor
    /// `1 / √(var h + eps)` of each row goes to `inverse_stds`.
    pub fn normalize(rows: &mut [f32], residual: &[f32], inverse_stds: &mut [f32], eps: f32) {
        let width = rows.len() / inverse_stds.len();
        let rows = rows.chunks_exact_mut(width).zip(residual.chunks_exact(width));
        for ((row, residual), inverse_std) in rows.zip(inverse_stds) {
            let mut total = [0.0; LANES];
            let (blocks, rest) = row.as_chunks_mut::<LANES>();
            let (residual_blocks, residual_rest) = residual.as_chunks::<LANES>();
            for (x, residual) in blocks.iter_mut().zip(residual_blocks) {
                for i in 0..LANES {
                    x[i] += residual[i];
                    total[i] += x[i];
                }
            }
            let mut total = sum(total);
            for (x, residual) in rest.iter_mut().zip(residual_rest) {
                *x += residual;
                total += *x;
            }
            let mean = total / width as f32;
            let mut squares = [0.0; LANES];
            for x in blocks.iter_mut() {
                for i in 0..LANES {
                    x[i] -= mean;
                    squares[i] = mul_add::<FUSED>(x[i], x[i], squares[i]);
                }
            }
            let mut squares = sum(squares);
            for x in rest {
                *x -= mean;
                squares = mul_add::<FUSED>(*x, *x, squares);
            }
            *inverse_std = 1.0 / (squares / width as f32 + eps).sqrt();
            for x in row {
                *x *= *inverse_std;
            }
        }
    }

    /// Each row becomes `gamma · row + beta`.
    pub fn affine(rows: &mut [f32], gamma: &[f32], beta: &[f32]) {
        for row in rows.chunks_exact_mut(gamma.len()) {
            for (x, (gamma, beta)) in row.iter_mut().zip(gamma.iter().zip(beta)) {
                *x = mul_add::<FUSED>(*x, *gamma, *beta);
            }
        }
    }

    /// Each row of gradients g becomes `(s − mean s − n · mean(s n)) / std` with `s = g · gamma`,
    /// where n is the normalized row.
    pub fn normalize_backward(
        grads: &mut [f32],
        normalized: &[f32],
        inverse_stds: &[f32],
        gamma: &[f32],
    ) {
        let width = gamma.len();
        let rows = grads.chunks_exact_mut(width).zip(normalized.chunks_exact(width));
        for ((grad, normalized), inverse_std) in rows.zip(inverse_stds) {
            let mut total = [0.0; LANES];
            let mut products = [0.0; LANES];
            let (blocks, rest) = grad.as_chunks_mut::<LANES>();
            let (normal_blocks, normal_rest) = normalized.as_chunks::<LANES>();
            let (gamma_blocks, gamma_rest) = gamma.as_chunks::<LANES>();
            for ((g, n), gamma) in blocks.iter_mut().zip(normal_blocks).zip(gamma_blocks) {
                for i in 0..LANES {
                    g[i] *= gamma[i];
                    total[i] += g[i];
                    products[i] = mul_add::<FUSED>(g[i], n[i], products[i]);
                }
            }
            let (mut total, mut products) = (sum(total), sum(products));
            for ((g, n), gamma) in rest.iter_mut().zip(normal_rest).zip(gamma_rest) {
                *g *= gamma;
                total += *g;
                products = mul_add::<FUSED>(*g, *n, products);
            }
            let (mean, slope) = (total / width as f32, products / width as f32);
            for (g, n) in grad.iter_mut().zip(normalized) {
                *g = mul_add::<FUSED>(-slope, *n, *g - mean) * inverse_std;
            }
        }
    }

    /// Adds the nearest bfloat16 of each number, as bits.
    pub fn round(values: &[f32], bits: &mut Vec<u16>) {
        bits.extend(values.iter().map(|&x| bf16::round(x)));
    }

    /// Adds the number of each bfloat16.
    pub fn widen(bits: &[u16], values: &mut Vec<f32>) {
        values.extend(bits.iter().map(|&bits| bf16::widen(bits)));
    }

    /// Adds each row to `sums`.
    pub fn add_rows(sums: &mut [f32], rows: &[f32]) {
        for row in rows.chunks_exact(sums.len()) {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }

    /// Adds the product of each row with its partner to `sums`.
    pub fn add_products(sums: &mut [f32], rows: &[f32], partners: &[f32]) {
        let width = sums.len();
        for (row, partner) in rows.chunks_exact(width).zip(partners.chunks_exact(width)) {
            for (sum, (x, y)) in sums.iter_mut().zip(row.iter().zip(partner)) {
                *sum = mul_add::<FUSED>(*x, *y, *sum);
            }
        }
    }
}
