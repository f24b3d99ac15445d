//! Random starts, drawn on the host: one seed gives the same numbers on every device.

use burn::{
    module::{Module, ModuleMapper, Param},
    nn::Linear,
    tensor::{Device, Tensor, TensorData},
};
use rand::{Rng, rngs::StdRng};
use rand_distr::{Distribution, Normal};

/// A trainable matrix drawn from N(0, std²).
///
/// `std` is finite and not negative.
pub fn normal(rng: &mut StdRng, std: f64, shape: [usize; 2], device: &Device) -> Param<Tensor<2>> {
    let normal = Normal::new(0.0, std).expect("callers give a finite standard deviation");
    matrix((0..shape[0] * shape[1]).map(|_| normal.sample(rng) as f32).collect(), shape, device)
}

/// A trainable matrix drawn from U(-bound, bound).
pub fn uniform(
    rng: &mut StdRng,
    bound: f64,
    shape: [usize; 2],
    device: &Device,
) -> Param<Tensor<2>> {
    let draw = |_| rng.random_range(-bound..=bound) as f32;
    matrix((0..shape[0] * shape[1]).map(draw).collect(), shape, device)
}

/// A trainable matrix of zeros.
pub fn zeros(shape: [usize; 2], device: &Device) -> Param<Tensor<2>> {
    matrix(vec![0.0; shape[0] * shape[1]], shape, device)
}

/// A trainable matrix of given numbers, row by row.
pub fn matrix(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Param<Tensor<2>> {
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}

/// A linear map with bias, both from U(-1/√d_in, 1/√d_in) as in PyTorch.
pub fn linear(rng: &mut StdRng, d_in: usize, d_out: usize, device: &Device) -> Linear {
    let bound = 1.0 / (d_in as f64).sqrt();
    let bias = (0..d_out).map(|_| rng.random_range(-bound..=bound) as f32).collect::<Vec<_>>();
    Linear {
        weight: uniform(rng, bound, [d_in, d_out], device),
        bias: Some(Param::from_tensor(Tensor::from_data(TensorData::new(bias, [d_out]), device))),
    }
}

/// Draws every float parameter of a module anew from U(-bound, bound).
pub fn redraw<M: Module>(module: M, rng: &mut StdRng, bound: f64) -> M {
    module.map(&mut Redraw { rng, bound })
}

struct Redraw<'a> {
    rng: &'a mut StdRng,
    bound: f64,
}

impl ModuleMapper for Redraw<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.lazy_shape();
        let device = param.lazy_device();
        let bound = self.bound;
        let values: Vec<f32> = (0..shape.num_elements())
            .map(|_| self.rng.random_range(-bound..=bound) as f32)
            .collect();
        Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), &device))
    }
}
