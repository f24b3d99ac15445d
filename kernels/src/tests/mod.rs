//! The fused path against plain Burn, and against arithmetic in `f64`.

mod accuracy;
mod attention;
mod edges;
mod feed_forward;
mod frozen;
mod layer_norm;
mod linear;
mod same_bytes;
mod self_attention;
mod softmax;

use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Shapes and numbers that are the same in every run.
pub fn rng(seed: u64) -> SmallRng {
    SmallRng::seed_from_u64(seed)
}

/// Uniform numbers in `-range..range`.
pub fn random<const D: usize>(shape: [usize; D], range: f32, rng: &mut SmallRng) -> Tensor<D> {
    let n = shape.iter().product();
    let values: Vec<f32> = (0..n).map(|_| rng.random_range(-range..range)).collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

/// The tensor on the autodiff side, tracked or as a constant.
pub fn leaf<const D: usize>(x: &Tensor<D>, tracked: bool) -> Tensor<D> {
    let x = x.clone().autodiff();
    if tracked { x.require_grad() } else { x }
}

/// The numbers of a tensor, row by row.
pub fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_to_vec().expect("float32")
}

/// Gradients of `⟨output, weights⟩` with respect to some leaves.
pub struct Backward {
    grads: burn::tensor::Gradients,
}

impl Backward {
    /// Runs the backward pass; the weights are fixed by the shape of the output.
    pub fn new<const D: usize>(output: &Tensor<D>) -> Self {
        let weights = random(output.dims(), 1.0, &mut rng(99)).autodiff();
        Self { grads: (output.clone() * weights).sum().backward() }
    }

    /// The gradient of a leaf, if it has one.
    pub fn of<const D: usize>(&self, leaf: &Tensor<D>) -> Option<Vec<f32>> {
        leaf.grad(&self.grads).map(numbers)
    }
}

/// Holds that two lists of numbers agree to `tolerance`, relative to the largest of them.
#[track_caller]
pub fn assert_close(what: &str, fused: &[f32], plain: &[f32], tolerance: f32) {
    assert_eq!(fused.len(), plain.len(), "{what}: lengths differ");
    let scale = plain.iter().fold(0.0_f32, |max, x| max.max(x.abs())).max(1e-3);
    for (i, (a, b)) in fused.iter().zip(plain).enumerate() {
        assert!((a - b).abs() <= tolerance * scale, "{what}[{i}]: fused {a}, plain {b}");
    }
}

/// The same for what may be missing: both have it or neither.
#[track_caller]
pub fn assert_same_gradient(what: &str, fused: Option<Vec<f32>>, plain: Option<Vec<f32>>) {
    match (fused, plain) {
        (None, None) => {}
        (Some(fused), Some(plain)) => assert_close(what, &fused, &plain, 2e-5),
        (fused, plain) => {
            panic!("{what}: fused has one: {}, plain: {}", fused.is_some(), plain.is_some())
        }
    }
}
