//! The same operations in plain Burn: readable, right on every device, and what the fused ones are
//! tested against.

use burn::tensor::{Tensor, activation, module};

/// See [`softmax`](crate::softmax()).
pub fn softmax(scores: Tensor<4>, scale: f32, key_bias: Option<Tensor<2>>) -> Tensor<4> {
    let mut scores = scores * scale;
    if let Some(bias) = key_bias {
        scores = scores + bias.detach().unsqueeze_dims(&[1, 1]);
    }
    // In a row of −∞ alone, −∞ − (−∞) would be NaN; with any finite shift it is 0, and the sum too.
    let shift = scores.clone().detach().max_dim(3).clamp_min(f32::MIN);
    let exp = (scores - shift).exp();
    let total = exp.clone().sum_dim(3);
    let empty = total.clone().detach().equal_elem(0.0).float();
    exp / (total + empty)
}

/// See [`gelu`](crate::gelu()).
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activation::gelu(x)
}

/// See [`add_layer_norm`](crate::add_layer_norm).
pub fn add_layer_norm<const D: usize>(
    x: Tensor<D>,
    residual: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    eps: f64,
) -> Tensor<D> {
    let x = x + residual;
    let centred = x.clone() - x.mean_dim(D - 1);
    let variance = centred.clone().square().mean_dim(D - 1);
    centred / (variance + eps).sqrt() * gamma.unsqueeze() + beta.unsqueeze()
}

/// See [`linear`](crate::linear()).
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    module::linear(x, weight, bias)
}

/// See [`low_rank`](crate::low_rank()).
pub fn low_rank<const D: usize>(x: Tensor<D>, a: Tensor<2>, b: Tensor<2>, scale: f64) -> Tensor<D> {
    // The scale is applied where the tensor is smallest.
    module::linear(module::linear(x, a, None) * scale, b, None)
}

/// See [`attention`](crate::attention()).
pub fn attention(
    query: Tensor<4>,
    key: Tensor<4>,
    value: Tensor<4>,
    key_bias: Option<Tensor<2>>,
) -> Tensor<4> {
    let scale = 1.0 / (query.dims()[3] as f32).sqrt();
    softmax(query.matmul(key.transpose()), scale, key_bias).matmul(value)
}
