//! softmax(scores · scale + key bias) over the last axis.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::{Flex, FlexTensor};
use packed::Level;

use crate::buffer::Dense;
use crate::rows;
use crate::simd::LANES;

/// The key biases of one batch element, padded with −∞ to whole vectors: a padded key has weight 0
/// whatever its score.
pub fn padded_bias(bias: Option<&[f32]>, n_keys: usize) -> Vec<f32> {
    let mut padded = vec![f32::NEG_INFINITY; n_keys.next_multiple_of(LANES)];
    match bias {
        Some(bias) => padded[..n_keys].copy_from_slice(bias),
        None => padded[..n_keys].fill(0.0),
    }
    padded
}

/// softmax(scores · scale + key bias); `scores`: `[batch, heads, queries, keys]`.
pub fn forward(scores: FlexTensor, key_bias: Option<FlexTensor>, scale: f32) -> FlexTensor {
    let level = Level::best();
    let scores = Dense::new(scores);
    let key_bias = key_bias.map(Dense::new);
    let [_, n_heads, n_queries, n_keys] = axes(&scores);
    if scores.len() == 0 {
        return scores.into_tensor();
    }
    // One task is one head of one batch element, so that it has one bias.
    scores.map_chunks(n_queries * n_keys, |start, values| {
        let batch = start / (n_heads * n_queries * n_keys);
        let bias = key_bias.as_ref().map(|bias| &bias.values()[batch * n_keys..][..n_keys]);
        let bias = padded_bias(bias, n_keys);
        if bias.len() == n_keys {
            return rows::softmax(level, values, &bias, scale);
        }
        let mut padded = vec![0.0; bias.len()];
        for row in values.chunks_exact_mut(n_keys) {
            padded[..n_keys].copy_from_slice(row);
            padded[n_keys..].fill(0.0);
            rows::softmax(level, &mut padded, &bias, scale);
            row.copy_from_slice(&padded[..n_keys]);
        }
    })
}

/// The gradient of the scores, from the softmax.
fn backward(softmax: FlexTensor, grad: FlexTensor, scale: f32) -> FlexTensor {
    let level = Level::best();
    let softmax = Dense::new(softmax);
    let grad = Dense::new(grad);
    let width = grad.width();
    if grad.len() == 0 {
        return grad.into_tensor();
    }
    grad.map_rows(|start, grads| {
        let softmax = &softmax.values()[start..start + grads.len()];
        rows::softmax_backward(level, grads, softmax, width, scale);
    })
}

/// The four axes of the scores.
fn axes(scores: &Dense) -> [usize; 4] {
    let shape = scores.shape();
    [shape[0], shape[1], shape[2], shape[3]]
}

/// What the backward pass needs.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The result of the forward pass.
    pub softmax: FlexTensor,
    /// The factor of the scores.
    pub scale: f32,
}

/// The recorded step; its parent are the scores.
#[derive(Debug)]
pub struct Softmax;

impl Backward<Flex, 1> for Softmax {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 1>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        if let [Some(scores)] = ops.parents {
            let grad = backward(ops.state.softmax, grad, ops.state.scale);
            grads.register::<Flex>(scores.id, grad);
        }
    }
}
