//! The tensors that a run trained.

use std::{fs, path::Path};

use bench_suite::{
    arm::{Arm, Baseline},
    trainable::Trainable,
};
use burn::tensor::Device;
use methods::{CARDS, MethodConfig};
use rand::{SeedableRng, rngs::StdRng};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::{
    reader::{Reader, Seed},
    tiny_model::tiny_model,
};

const FILE: &str = "trained.safetensors";
/// What training needs beside it to go on.
const STATE: &str = "trained.state.safetensors";

const N_CLASSES: usize = 3;

/// What an untrained arm saves, and its state if it has one.
fn saved(arm: &Arm) -> (Vec<u8>, Option<Vec<u8>>) {
    let device = Device::flex();
    let rng = &mut StdRng::seed_from_u64(0);
    let fresh = Trainable::init(arm, &tiny_model(&device), N_CLASSES, rng, &device).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fresh.save(&folder.path().join(FILE)).unwrap();
    (fs::read(folder.path().join(FILE)).unwrap(), fs::read(folder.path().join(STATE)).ok())
}

/// Every arm that trains more than nothing.
fn arms() -> impl Iterator<Item = Arm> {
    let baselines = [Baseline::HeadOnly, Baseline::Full].map(Arm::Baseline);
    let methods = CARDS.iter().map(|card| MethodConfig::named(card.name).unwrap()).map(Arm::Peft);
    baselines.into_iter().chain(methods)
}

/// Loads it. What is loaded is whole and finite.
fn load(arm: &Arm, folder: &Path) -> Result<(), String> {
    let device = Device::flex();
    let trained =
        Trainable::load(arm, &tiny_model(&device), N_CLASSES, &folder.join(FILE), &device)
            .map_err(|error| format!("{error:#}"))?;
    for (name, data) in trained.stored() {
        assert!(data.iter::<f32>().all(f32::is_finite), "{name} is not finite");
    }
    Ok(())
}

#[test]
fn trained_tensors_of_every_arm() {
    for arm in arms() {
        let (name, seed) = (arm.name(), Seed::safetensors(&saved(&arm).0));
        Reader::new(FILE, vec![seed], move |folder| load(&arm, folder))
            .one_in(4)
            .holds(&format!("trained-{name}"));
    }
}

#[test]
fn states_of_every_arm_that_has_one() {
    let mut n = 0;
    for arm in arms() {
        let (name, (trained, Some(state))) = (arm.name(), saved(&arm)) else {
            continue;
        };
        n += 1;
        let resume = move |folder: &Path| {
            let (device, path) = (Device::flex().autodiff(), folder.join(FILE));
            let model = tiny_model(&Device::flex());
            let resumed = Trainable::resume(&arm, &model, N_CLASSES, &path, &device);
            resumed.map(drop).map_err(|error| format!("{error:#}"))
        };
        Reader::new(STATE, vec![Seed::safetensors(&state)], resume)
            .beside(FILE, trained)
            .or_names(FILE)
            .one_in(4)
            .holds(&format!("state-{name}"));
    }
    assert!(n > 0, "no arm has a state");
}

/// What is said of the head's bias when it is stored like this.
fn error(dtype: Dtype, shape: Vec<usize>, bytes: &[u8]) -> String {
    let arm = Arm::Baseline(Baseline::HeadOnly);
    let (file, _) = saved(&arm);
    let file = SafeTensors::deserialize(&file).unwrap();
    let bias = TensorView::new(dtype, shape, bytes).unwrap();
    let tensors = [("head.weight", file.tensor("head.weight").unwrap()), ("head.bias", bias)];
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE), safetensors::serialize(tensors, None).unwrap()).unwrap();
    let error = load(&arm, folder.path()).unwrap_err();
    assert!(error.starts_with(&folder.path().join(FILE).display().to_string()), "{error}");
    error
}

#[test]
fn a_number_that_is_not_finite_is_named_with_tensor_and_index() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let bytes = [1.0, value, 2.0].map(f32::to_le_bytes).concat();
        let error = error(Dtype::F32, vec![3], &bytes);
        assert!(error.contains("'head.bias'") && error.contains(&format!("{value} at index 1")));
    }
}

#[test]
fn a_tensor_of_another_type_or_shape_is_named() {
    let whole = error(Dtype::I64, vec![3], &[0; 24]);
    assert!(whole.contains("'head.bias' is of type I64; F32, F16 and BF16 are read"), "{whole}");
    let shape = error(Dtype::F32, vec![2, 2], &[0; 16]);
    assert!(shape.contains("'head.bias'") && shape.contains("another shape"), "{shape}");
}
