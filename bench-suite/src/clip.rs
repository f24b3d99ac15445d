//! Clipping by the global norm of all gradients.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::Tensor,
};

/// Scales all gradients by `min(1, largest / ‖g‖)`, where ‖g‖ runs over every trained tensor.
///
/// Burn's own clipping treats each tensor by itself. Nothing is read back from the device.
pub fn clip_global_norm<M: Module>(module: &M, grads: &mut GradientsParams, largest: f64) {
    let mut squares = SumOfSquares { grads, sum: None };
    module.visit(&mut squares);
    let Some(sum) = squares.sum else { return };
    let factor = ((sum.sqrt() + 1e-6).recip() * largest).clamp_max(1.0);
    module.visit(&mut Scale { grads, factor });
}

struct SumOfSquares<'a> {
    grads: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for SumOfSquares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.get::<D>(param.id) {
            let square = grad.square().sum();
            self.sum = Some(match self.sum.take() {
                None => square,
                Some(sum) => sum + square,
            });
        }
    }
}

struct Scale<'a> {
    grads: &'a mut GradientsParams,
    factor: Tensor<1>,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.remove::<D>(param.id) {
            let factor = self.factor.clone().reshape([1; D]);
            self.grads.register(param.id, grad * factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::{nn::LinearConfig, tensor::Device};

    fn clipped(largest: f64) -> (f32, f32) {
        let device = Device::flex();
        let linear = LinearConfig::new(1, 1).init(&device);
        let bias = linear.bias.as_ref().unwrap().id;
        let mut grads = GradientsParams::new();
        grads.register(linear.weight.id, Tensor::<2>::full([1, 1], 3.0, &device));
        grads.register(bias, Tensor::<1>::full([1], 4.0, &device));
        clip_global_norm(&linear, &mut grads, largest);
        let weight = grads.get::<2>(linear.weight.id).unwrap().into_scalar::<f32>();
        (weight, grads.get::<1>(bias).unwrap().into_scalar::<f32>())
    }

    #[test]
    fn one_norm_over_all_tensors_is_clipped() {
        // ‖(3, 4)‖ = 5, so both are divided by 5.
        let (weight, bias) = clipped(1.0);
        assert!((weight - 0.6).abs() < 1e-5 && (bias - 0.8).abs() < 1e-5);
    }

    #[test]
    fn small_gradients_are_left_alone() {
        assert_eq!(clipped(6.0), (3.0, 4.0));
    }
}
