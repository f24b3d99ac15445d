//! How large a method is, and what must be kept of it.

use std::{collections::BTreeMap, fs, path::Path};

use backbones::{Injection, Tokens, Untouched};
use bench_suite::{arm::Arm, trainable::Trainable};
use burn::{
    module::Module,
    tensor::{Device, TensorData},
};
use methods::{Method, init};
use rand::{SeedableRng, rngs::StdRng};
use safetensors::SafeTensors;

use crate::{
    numbers::{assert_close, distance, numbers, parameters},
    subject::{ROWS, Subject, batch},
    tiny_model::tiny_model,
    training::Training,
};

const N_CLASSES: usize = 3;

pub fn measured_counts_equal_the_plan(device: &Device) {
    for subject in Subject::all(device) {
        let plan = subject.config.plan(&subject.spec).unwrap();
        let method = subject.fresh();
        assert_eq!(method.num_params(), plan.trainable(), "{subject}: trainable");
        let method = Training::of(&subject).run(method, 4, 4, |_| {});
        assert!(method.is_settled(), "{subject}: trained to the end, but not settled");
        let stored: usize = method.stored().iter().map(|(_, t)| t.shape().num_elements()).sum();
        assert_eq!(stored, plan.stored, "{subject}: stored");

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trained.safetensors");
        let trained = with_head(&subject, method.valid());
        let n_bytes = trained.save(&path).unwrap();
        assert_eq!(n_numbers(&path, "method."), plan.stored, "{subject}: on disk");
        let head = (subject.spec.d_model + 1) * N_CLASSES;
        assert_eq!(n_numbers(&path, "head."), head, "{subject}: head on disk");
        assert_eq!(n_numbers(&path, ""), plan.stored + head, "{subject}: nothing else on disk");
        assert_eq!(n_bytes, fs::metadata(&path).unwrap().len(), "{subject}");
    }
}

pub fn what_is_stored_is_enough_to_use_the_method(device: &Device) {
    let batch = batch(&ROWS, 8, 0, device);
    for subject in Subject::all(device) {
        for method in [subject.fresh().valid(), subject.random()] {
            assert_restores(&subject, &method, &batch);
        }
    }
}

pub fn a_settled_method_is_stored_whole_at_every_step(device: &Device) {
    let batch = batch(&ROWS, 8, 0, device);
    for subject in Subject::all(device) {
        Training::of(&subject).run(subject.fresh(), 6, 6, |method| {
            if method.is_settled() {
                assert_restores(&subject, &method.valid(), &batch);
            }
        });
    }
}

/// The state of a method by name, as bits.
fn bits(method: &Method) -> BTreeMap<String, Vec<u32>> {
    let bits = |data: TensorData| data.iter::<f32>().map(f32::to_bits).collect();
    method.state().into_iter().map(|(name, data)| (name, bits(data))).collect()
}

pub fn what_is_resumed_is_the_same_and_trains_on_in_the_same_way(device: &Device) {
    const TOTAL: usize = 3;
    for subject in Subject::all(device) {
        for n_steps in [1, TOTAL] {
            let method = Training::of(&subject).run(subject.fresh(), n_steps, TOTAL, |_| {});
            let saved = method.valid().state().into_iter().collect();
            let resumed = subject.config.resume(&subject.spec, &saved, device);
            let resumed = resumed.unwrap_or_else(|error| panic!("{subject}: {error}"));
            assert_eq!(bits(&resumed), bits(&method), "{subject} after {n_steps} steps");
            assert_eq!(resumed.is_settled(), method.is_settled(), "{subject}");
            let parameters = parameters(&resumed);
            assert!(parameters.iter().all(|p| p.is_autodiff), "{subject}: cannot be trained");
            assert_eq!(resumed.num_params(), method.num_params(), "{subject}");
            if subject.drops_out() {
                continue;
            }
            // The optimizer starts anew in both, so nothing but the method can tell them apart.
            let next = |method: Method| bits(&Training::of(&subject).run(method, 1, TOTAL, |_| {}));
            assert_eq!(next(resumed), next(method), "{subject} after {n_steps} steps");
        }
    }
}

pub fn what_goes_on_from_a_settled_method_stays_whole(device: &Device) {
    let batch = batch(&ROWS, 8, 0, device);
    for subject in Subject::all(device) {
        let parent = Training::of(&subject).run(subject.fresh(), 3, 3, |_| {});
        assert!(parent.is_settled(), "{subject}");
        let saved = parent.state().into_iter().collect();
        let resumed = subject.config.resume(&subject.spec, &saved, device).unwrap();
        Training::of(&subject).run(resumed, 2, 3, |method| {
            assert!(method.is_settled(), "{subject}: grew again");
            assert_restores(&subject, &method.valid(), &batch);
        });
    }
}

pub fn a_state_that_lacks_a_tensor_is_refused(device: &Device) {
    for subject in Subject::all(device) {
        let method = Training::of(&subject).run(subject.fresh(), 1, 4, |_| {});
        let saved: BTreeMap<_, _> = method.state().into_iter().collect();
        for name in saved.keys() {
            let mut lacking = saved.clone();
            lacking.remove(name);
            let error = subject.config.resume(&subject.spec, &lacking, device).unwrap_err();
            assert!(error.to_string().contains(&format!("'{name}'")), "{subject}: {error}");
        }
    }
}

/// Asserts that a method and a head equal themselves after being saved and loaded.
fn assert_restores(subject: &Subject, method: &Method, batch: &Tokens) {
    let model = tiny_model(&subject.device);
    let saved = with_head(subject, method.clone());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trained.safetensors");
    saved.save(&path).unwrap();
    let arm = Arm::Peft(subject.config.clone());
    let loaded = Trainable::load(&arm, &model, N_CLASSES, &path, &subject.device);
    let loaded = loaded.unwrap_or_else(|error| panic!("{subject}: {error:#}"));
    let outputs = [&saved, &loaded].map(|trained| numbers(trained.logits(&model, batch)));
    assert_close(&outputs[0], &outputs[1], 1e-5, subject);
    // The logits tell one method from another.
    let untouched = Trainable { method: None, ..saved };
    let untouched = numbers(untouched.logits(&model, batch));
    let seen = distance(&outputs[0], &untouched) > 1e-4;
    let hidden = [method as &dyn Injection, &Untouched].map(|x| subject.hidden(x, batch));
    assert!(seen || distance(&hidden[0], &hidden[1]) < 1e-2, "{subject}: it changes no logit");
}

fn with_head(subject: &Subject, method: Method) -> Trainable {
    let rng = &mut StdRng::seed_from_u64(4);
    let head = init::linear(rng, subject.spec.d_model, N_CLASSES, &subject.device);
    Trainable { method: Some(method), unfrozen: None, head }
}

/// How many numbers a file has in the tensors whose names start so.
fn n_numbers(path: &Path, start: &str) -> usize {
    let bytes = fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let tensors = header.tensors().into_iter().filter(|(name, _)| name.starts_with(start));
    tensors.map(|(_, info)| info.shape.iter().product::<usize>()).sum()
}
