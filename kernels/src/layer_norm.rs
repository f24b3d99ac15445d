//! LayerNorm of a sum.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::{Flex, FlexTensor};
use packed::Level;

use crate::buffer::{self, Dense, filled_together, rows_per_chunk, zeroed};
use crate::rows;
use crate::sums::{column_sums, column_sums_of_products};

/// What the backward pass needs of the forward pass.
#[derive(Clone, Debug)]
pub struct Saved {
    /// (h − mean h) / std h, with h = x + residual.
    normalized: FlexTensor,
    /// 1 / std h, one for each row.
    inverse_stds: Vec<f32>,
    gamma: FlexTensor,
}

/// gamma · (h − mean h) / std h + beta with h = x + residual, keeping nothing.
pub fn forward(
    x: FlexTensor,
    residual: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    eps: f32,
) -> FlexTensor {
    let level = Level::best();
    let [x, residual, gamma, beta] = [x, residual, gamma, beta].map(Dense::new);
    let width = x.width();
    if x.len() == 0 {
        return x.into_tensor();
    }
    let residual = residual.values();
    x.map_rows(|start, rows| {
        let residual = &residual[start..start + rows.len()];
        let mut inverse_stds = vec![0.0; rows.len() / width];
        rows::normalize(level, rows, residual, &mut inverse_stds, eps);
        rows::affine(level, rows, gamma.values(), beta.values());
    })
}

/// The same, with what the backward pass needs.
pub fn forward_saving(
    x: FlexTensor,
    residual: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    eps: f32,
) -> (Saved, FlexTensor) {
    let level = Level::best();
    let [x, residual, gamma, beta] = [x, residual, gamma, beta].map(Dense::new);
    let shape = x.shape().clone();
    let (len, width) = (x.len(), x.width().max(1));
    let n_rows = rows_per_chunk(width);
    let chunk = n_rows * width;
    let sizes = [(len, chunk), (len, chunk), (len / width, n_rows)];
    let [y, normalized, inverse_stds] = filled_together(sizes, |i, [y, normalized, stds]| {
        let range = i * chunk..i * chunk + y.len();
        let normalized = normalized.write_copy_of_slice(&x.values()[range.clone()]);
        let stds = zeroed(stds);
        rows::normalize(level, normalized, &residual.values()[range], stds, eps);
        let y = y.write_copy_of_slice(normalized);
        rows::affine(level, y, gamma.values(), beta.values());
        [y, normalized, stds]
    });
    let normalized = buffer::tensor(normalized, shape.clone());
    let saved = Saved { normalized, inverse_stds, gamma: gamma.into_tensor() };
    (saved, buffer::tensor(y, shape))
}

/// The gradient of h, which is the gradient of x and of the residual.
pub fn backward(saved: &Saved, grad: FlexTensor) -> FlexTensor {
    let level = Level::best();
    let gamma = Dense::new(saved.gamma.clone());
    let normalized = Dense::new(saved.normalized.clone());
    let grad = Dense::new(grad);
    let width = grad.width().max(1);
    grad.map_rows(|start, grads| {
        let normalized = &normalized.values()[start..start + grads.len()];
        let stds = &saved.inverse_stds[start / width..][..grads.len() / width];
        rows::normalize_backward(level, grads, normalized, stds, gamma.values());
    })
}

/// The recorded step; its parents are x, residual, gamma, beta.
#[derive(Debug)]
pub struct AddLayerNorm;

impl Backward<Flex, 4> for AddLayerNorm {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 4>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let saved = ops.state;
        let [x, residual, gamma, beta] = ops.parents;
        if let Some(gamma) = gamma {
            let sums = column_sums_of_products(grad.clone(), saved.normalized.clone());
            grads.register::<Flex>(gamma.id, sums);
        }
        if let Some(beta) = beta {
            grads.register::<Flex>(beta.id, column_sums(grad.clone()));
        }
        let parents: Vec<_> = [x, residual].into_iter().flatten().collect();
        if parents.is_empty() {
            return;
        }
        let grad = backward(&saved, grad);
        for parent in parents {
            grads.register::<Flex>(parent.id, grad.clone());
        }
    }
}
