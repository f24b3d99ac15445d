//! Which keys count.

use burn::tensor::Tensor;

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
