//! The arithmetic of a transformer block in plain Burn: readable, and right on every device.

use burn::tensor::{Tensor, activation, module};

/// `x W + b` over the last axis.
///
/// # Shapes
/// `x`: `[batch, seq, d_in]`, `weight`: `[d_in, d_out]`, result `[batch, seq, d_out]`.
pub fn linear(x: Tensor<3>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<3> {
    module::linear(x, weight, bias)
}

/// `x Φ(x)` with the exact normal distribution function Φ.
pub fn gelu(x: Tensor<3>) -> Tensor<3> {
    activation::gelu(x)
}

/// `LayerNorm(x + residual)` over the last axis.
pub fn add_layer_norm(
    x: Tensor<3>,
    residual: Tensor<3>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    eps: f64,
) -> Tensor<3> {
    let x = x + residual;
    let centred = x.clone() - x.mean_dim(2);
    let variance = centred.clone().square().mean_dim(2);
    centred / (variance + eps).sqrt() * gamma.unsqueeze() + beta.unsqueeze()
}

/// `softmax(Q Kᵀ / √d_head + key_bias) V`.
///
/// # Shapes
/// `query`: `[batch, heads, seq, d_head]`, `key` and `value`: `[batch, heads, n_keys, d_head]`,
/// `key_bias`: `[batch, n_keys]`, result as `query`.
pub fn attention(
    query: Tensor<4>,
    key: Tensor<4>,
    value: Tensor<4>,
    key_bias: Option<Tensor<2>>,
) -> Tensor<4> {
    let d_head = query.dims()[3] as f64;
    let mut scores = query.matmul(key.transpose()) / d_head.sqrt();
    if let Some(bias) = key_bias {
        scores = scores + bias.unsqueeze_dims(&[1, 1]);
    }
    activation::softmax(scores, 3).matmul(value)
}
