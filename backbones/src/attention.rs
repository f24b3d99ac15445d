//! Multi-head attention that accepts a prefix.

use burn::tensor::Tensor;

use crate::injection::KeyValue;

/// Added to the score of a padding token: after softmax exactly 0 in float32, and still finite.
const MASKED: f64 = -1e9;

/// The additive bias of each key: 0 for a true token, −10⁹ for padding.
///
/// # Shapes
/// `mask`: `[batch, seq]` with 1 for a true token and 0 for padding; result `[batch, n_before +
/// seq]`, where the `n_before` virtual tokens in front (prompt, prefix) are never padding.
pub fn key_bias(mask: &Tensor<2>, n_before: usize) -> Tensor<2> {
    let bias = (mask.clone() - 1.0) * -MASKED;
    if n_before == 0 {
        return bias;
    }
    let [batch, _] = bias.dims();
    let open = Tensor::zeros([batch, n_before], &bias.device());
    Tensor::cat(vec![open, bias], 1)
}

/// Attention over the heads of `query`, `key`, `value`, with a prefix before keys and values.
///
/// # Shapes
/// `query`, `key`, `value`: `[batch, seq, heads · d_head]`; `prefix`: `[heads, n_prefix, d_head]`;
/// `key_bias`: `[batch, n_prefix + seq]`; result `[batch, seq, heads · d_head]`.
pub fn attend(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    prefix: Option<&KeyValue>,
    key_bias: Tensor<2>,
    n_heads: usize,
) -> Tensor<3> {
    let [batch, seq, d_model] = query.dims();
    let heads = |x: Tensor<3>| {
        let [_, seq, width] = x.dims();
        x.reshape([batch, seq, n_heads, width / n_heads]).swap_dims(1, 2)
    };
    let before = |own: Tensor<4>, prefix: Option<&Tensor<3>>| match prefix {
        None => own,
        Some(prefix) => {
            let [n_heads, n_prefix, d_head] = prefix.dims();
            let prefix = prefix.clone().unsqueeze::<4>().expand([batch, n_heads, n_prefix, d_head]);
            concat(prefix, own, 2)
        }
    };
    let key = before(heads(key), prefix.map(|p| &p.key));
    let value = before(heads(value), prefix.map(|p| &p.value));
    kernels::attention(heads(query), key, value, Some(key_bias))
        .swap_dims(1, 2)
        .reshape([batch, seq, d_model])
}

/// Concatenates along `dim` when one of the two may be on the autodiff side of the device.
pub fn concat<const D: usize>(a: Tensor<D>, b: Tensor<D>, dim: usize) -> Tensor<D> {
    if a.is_autodiff() || b.is_autodiff() {
        Tensor::cat(vec![a.autodiff(), b.autodiff()], dim)
    } else {
        Tensor::cat(vec![a, b], dim)
    }
}
