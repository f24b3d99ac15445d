//! The reference that every method is compared to trains what it says.

use backbones::Pooling;
use bench_suite::{
    arm::{Arm, Baseline},
    model::Model,
    trainable::Trainable,
};
use burn::{module::Module, tensor::Device};
use rand::{SeedableRng, rngs::StdRng};

use crate::{golden::store, numbers::parameters};

#[test]
fn full_fine_tuning_trains_every_number_of_the_backbone() {
    let device = Device::flex();
    let model = Model::load(&store(), "minilm-l6", Pooling::Mean, 32, &device).unwrap();
    let rng = &mut StdRng::seed_from_u64(0);
    let arm = Arm::Baseline(Baseline::Full);
    let full = Trainable::init(&arm, &model, 2, rng, &device.autodiff()).unwrap();
    let unfrozen = full.unfrozen.as_ref().unwrap();
    assert_eq!(unfrozen.num_params(), model.backbone.num_params());
    assert!(parameters(unfrozen).iter().all(|p| p.is_autodiff), "it is still frozen");
    assert!(parameters(&model.backbone).iter().all(|p| !p.is_autodiff), "the original is not");
}
