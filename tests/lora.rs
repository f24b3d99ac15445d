//! LoRA against Burn's own, which adds A B to the weight instead of standing beside it.

use std::collections::BTreeMap;

use backbones::{Injection, Role, Site, tiny::tiny_bert};
use burn::{
    module::{Lora as BurnLora, LoraAdapter, Module, Param},
    nn::{Linear, LinearConfig},
    tensor::{Device, Distribution, Tensor},
};
use methods::{
    PeftMethod, init,
    lora::{Lora, LoraConfig},
};
use rand::{SeedableRng, rngs::StdRng};

use crate::{
    devices::{on_flex, on_wgpu},
    numbers::{assert_close, distance, numbers},
};

const SITE: Site = Site { layer: 0, role: Role::Query };

fn config(rank: usize, alpha: f64) -> LoraConfig {
    LoraConfig {
        rank,
        alpha,
        roles: vec![SITE.role],
        layers: Some(vec![SITE.layer]),
        ..Default::default()
    }
}

/// Ours with given factors, for inference.
fn ours(config: &LoraConfig, a: Tensor<2>, b: Tensor<2>) -> Lora {
    let device = a.device();
    let spec = tiny_bert(0, &device).spec();
    let stored = BTreeMap::from([("0.query.a".to_owned(), a), ("0.query.b".to_owned(), b)]);
    Lora::restore(config, &spec, &stored, &device).unwrap()
}

fn gradients_and_outputs_are_equal(device: &Device) {
    for (rank, alpha) in [(1, 0.5), (3, 7.0), (16, 16.0)] {
        equal_at(rank, alpha, &device.clone().autodiff());
    }
}

fn equal_at(rank: usize, alpha: f64, device: &Device) {
    let rng = &mut StdRng::seed_from_u64(3);
    let theirs = LinearConfig::new(16, 16).init(device).apply_lora(BurnLora::new(rank, alpha));
    let theirs: Linear = init::redraw(theirs, rng, 0.5);
    let LoraAdapter { a, b, .. } = theirs.weight.reparameterization::<LoraAdapter>().unwrap();
    let [our_a, our_b] = [a, b].map(|factor| factor.val().without_autodiff());
    let ours = ours(&config(rank, alpha), our_a, our_b).train();

    let x = init::uniform(rng, 1.0, [10, 16], device).val().without_autodiff();
    let goal = init::uniform(rng, 1.0, [10, 16], device).val().without_autodiff();
    let x = x.reshape([2, 5, 16]);
    let goal = goal.reshape([2, 5, 16]);
    let frozen = Linear {
        weight: Param::from_tensor(theirs.weight.base().without_autodiff()),
        bias: theirs.bias.clone().map(|bias| Param::from_tensor(bias.val().without_autodiff())),
    };
    let our_output = frozen.forward(x.clone()) + ours.linear_delta(SITE).unwrap()(&x);
    let their_output = theirs.forward(x);
    assert_close(&numbers(our_output.clone()), &numbers(their_output.clone()), 1e-5, "output");

    let our_grads = (our_output - goal.clone()).square().mean().backward();
    let their_grads = (their_output - goal).square().mean().backward();
    for ((name, factor), theirs) in ours.stored().into_iter().zip([a, b]) {
        let [ours, theirs] =
            [factor.grad(&our_grads).unwrap(), theirs.val().grad(&their_grads).unwrap()]
                .map(numbers);
        assert!(ours.iter().any(|&g| g.abs() > 1e-3), "gradient of {name} is nothing");
        assert_close(&ours, &theirs, 1e-5, format!("gradient of {name}"));
    }
}

#[test]
fn outputs_and_gradients_equal_those_of_burns_own_lora() {
    on_flex(gradients_and_outputs_are_equal);
}

#[test]
fn outputs_and_gradients_equal_those_of_burns_own_lora_on_wgpu() {
    on_wgpu(gradients_and_outputs_are_equal);
}

#[test]
fn dropout_acts_in_training_at_every_site_and_never_in_inference() {
    let device = Device::flex();
    let config = LoraConfig { dropout: 0.5, ..config(3, 7.0) };
    let ones = |shape| Tensor::ones(shape, &device);
    // Below the lowest site the hidden states are still on the plain side of the device.
    let x = Tensor::<3>::random([2, 5, 16], Distribution::Default, &device);
    let inference = ours(&config, ones([16, 3]), ones([3, 16]));
    let training = inference.clone().train();
    let delta = |lora: &Lora| numbers(lora.linear_delta(SITE).unwrap()(&x));
    assert!(distance(&delta(&training), &delta(&training)) > 0.1, "nothing is dropped");
    assert_eq!(delta(&inference), delta(&inference));
}
