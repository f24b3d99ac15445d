//! AdamW: Burn's, or in one pass over the memory where the device has that.

use burn::{
    optim::{
        AdamWConfig, AdamWState, AdaptiveMomentumState, LearningRate, ModuleOptimizer, Optimizer,
    },
    tensor::{Device, Tensor},
};

const BETAS: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

/// The optimizer of every training. Both ways give the same numbers.
#[derive(Clone)]
pub struct AdamW {
    weight_decay: f32,
    in_steps: burn::optim::AdamW,
}

impl AdamW {
    /// An optimizer for a module.
    pub fn for_module(weight_decay: f64) -> ModuleOptimizer {
        Self::new(weight_decay as f32).into()
    }

    fn new(weight_decay: f32) -> Self {
        let [beta_1, beta_2] = BETAS;
        let config = AdamWConfig::new().with_beta_1(beta_1).with_beta_2(beta_2);
        let config = config.with_epsilon(EPSILON).with_weight_decay(weight_decay);
        Self { weight_decay, in_steps: config.build() }
    }
}

impl Optimizer for AdamW {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        x: Tensor<D>,
        grad: Tensor<D>,
        state: Option<AdamWState<D>>,
    ) -> (Tensor<D>, Option<AdamWState<D>>) {
        if !kernels::has_adamw(&x) {
            return self.in_steps.step(rate, x, grad, state);
        }
        let (time, moments) = match state {
            None => (0, [grad.zeros_like(), grad.zeros_like()]),
            Some(AdamWState { momentum: of }) => (of.time, [of.moment_1, of.moment_2]),
        };
        let time = time + 1;
        let weight_decay = f64::from(self.weight_decay);
        let with = kernels::AdamW { rate, weight_decay, betas: BETAS, epsilon: EPSILON, time };
        let (x, [first, second]) = kernels::adamw(x, grad, moments, with);
        let momentum = AdaptiveMomentumState::new(time, first, second);
        (x, Some(AdamWState::new(momentum)))
    }

    fn to_device<const D: usize>(state: AdamWState<D>, device: &Device) -> AdamWState<D> {
        burn::optim::AdamW::to_device(state, device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, TensorData};

    fn bytes<const D: usize>(x: &Tensor<D>) -> TensorData {
        x.to_data()
    }

    #[test]
    fn one_pass_gives_the_bytes_of_burns_own_steps() {
        let device = Device::flex();
        let random = |shape| Tensor::<2>::random(shape, Distribution::Default, &device);
        for weight_decay in [0.0, 0.01] {
            let adamw = AdamW::new(weight_decay);
            let mut ours = (random([130, 257]), None);
            let mut burns = (ours.0.clone(), None);
            // What others hold of a tensor is not changed.
            let start = ours.0.clone();
            let before = bytes(&start);
            for rate in [1e-3, 3e-2, 1e-4] {
                // A gradient may lie transposed in memory.
                let grad = (random([257, 130]) - 0.5).transpose();
                ours = adamw.step(rate, ours.0, grad.clone(), ours.1);
                burns = adamw.in_steps.step(rate, burns.0, grad, burns.1);
                assert_eq!(bytes(&ours.0), bytes(&burns.0), "decay {weight_decay}, rate {rate}");
                let moments = |state: &Option<AdamWState<2>>| {
                    let of = &state.as_ref().expect("a step leaves a state").momentum;
                    (of.time, bytes(&of.moment_1), bytes(&of.moment_2))
                };
                assert_eq!(moments(&ours.1), moments(&burns.1));
            }
            assert_eq!(bytes(&start), before);
        }
    }
}
