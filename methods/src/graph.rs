//! The autodiff side of a device.

use burn::tensor::Tensor;

/// `x` on the side of the device that `other` is on: untracked, or part of graphs as `other` is.
/// Tensors whose graphs differ in gradient checkpointing cannot be used together.
pub fn beside<const D: usize, const E: usize>(x: Tensor<D>, other: &Tensor<E>) -> Tensor<D> {
    match other.gradient_checkpointing_strategy() {
        Some(strategy) => x.autodiff().with_gradient_checkpointing_strategy(strategy),
        None => x,
    }
}
