//! How large a method is, and what must be kept of it.

use std::collections::BTreeMap;

use backbones::Tokens;
use burn::{
    module::Module,
    tensor::{Device, Tensor, TensorData},
};
use methods::Method;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::{
    numbers::{assert_close, parameters},
    subject::{ROWS, Subject, batch},
    training::Training,
};

pub fn measured_counts_equal_the_plan(device: &Device) {
    for subject in Subject::all(device) {
        let plan = subject.config.plan(&subject.spec).unwrap();
        let method = subject.fresh();
        assert_eq!(method.num_params(), plan.trainable(), "{subject}: trainable");
        let method = Training::of(&subject).run(method, 4, 4, |_| {});
        assert!(method.is_settled(), "{subject}: trained to the end, but not settled");
        let stored: usize = method.stored().iter().map(|(_, t)| t.shape().num_elements()).sum();
        assert_eq!(stored, plan.stored, "{subject}: stored");
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
    const TOTAL: usize = 6;
    for subject in Subject::all(device) {
        for n_steps in [0, 3, TOTAL] {
            let method = Training::of(&subject).run(subject.fresh(), n_steps, TOTAL, |_| {});
            let saved = method.valid().state().into_iter().collect();
            let resumed = subject.config.resume(&subject.spec, &saved, device);
            let resumed = resumed.unwrap_or_else(|error| panic!("{subject}: {error}"));
            assert_eq!(bits(&resumed), bits(&method), "{subject} after {n_steps} steps");
            assert_eq!(resumed.is_settled(), method.is_settled(), "{subject}");
            let parameters = parameters(&resumed);
            assert!(parameters.iter().all(|p| p.is_autodiff), "{subject}: cannot be trained");
            assert_eq!(resumed.num_params(), method.num_params(), "{subject}");
            // The optimizer starts anew in both, so nothing but the method can tell them apart.
            let next = |method: Method| {
                device.seed(3);
                bits(&Training::of(&subject).run(method, 2, TOTAL, |_| {}))
            };
            assert_eq!(next(resumed), next(method), "{subject} after {n_steps} steps");
        }
    }
}

pub fn what_goes_on_from_a_settled_method_stays_whole(device: &Device) {
    let batch = batch(&ROWS, 8, 0, device);
    for subject in Subject::all(device) {
        let parent = Training::of(&subject).run(subject.fresh(), 4, 4, |_| {});
        assert!(parent.is_settled(), "{subject}");
        let saved = parent.state().into_iter().collect();
        let resumed = subject.config.resume(&subject.spec, &saved, device).unwrap();
        Training::of(&subject).run(resumed, 6, 6, |method| {
            assert!(method.is_settled(), "{subject}: grew again");
            assert_restores(&subject, &method.valid(), &batch);
        });
    }
}

pub fn a_state_that_lacks_a_tensor_is_refused(device: &Device) {
    for subject in Subject::all(device) {
        let method = Training::of(&subject).run(subject.fresh(), 2, 4, |_| {});
        let saved: BTreeMap<_, _> = method.state().into_iter().collect();
        for name in saved.keys() {
            let mut lacking = saved.clone();
            lacking.remove(name);
            let error = subject.config.resume(&subject.spec, &lacking, device).unwrap_err();
            assert!(error.to_string().contains(&format!("'{name}'")), "{subject}: {error}");
        }
    }
}

/// Asserts that a method equals itself after being written to a file and read back.
fn assert_restores(subject: &Subject, method: &Method, batch: &Tokens) {
    let stored = from_bytes(&to_bytes(method.stored()), &subject.device);
    let restored = subject.config.restore(&subject.spec, &stored, &subject.device);
    let restored = restored.unwrap_or_else(|error| panic!("{subject}: {error}"));
    let outputs = [method, &restored].map(|method| subject.hidden(method, batch));
    assert_close(&outputs[0], &outputs[1], 1e-5, subject);
}

fn to_bytes(stored: Vec<(String, Tensor<2>)>) -> Vec<u8> {
    let stored: Vec<(String, TensorData)> =
        stored.into_iter().map(|(name, tensor)| (name, tensor.into_data())).collect();
    let views = stored.iter().map(|(name, data)| {
        (name, TensorView::new(Dtype::F32, data.shape().to_vec(), data.as_bytes()).unwrap())
    });
    let views: BTreeMap<_, _> = views.collect();
    assert_eq!(views.len(), stored.len(), "two stored tensors have one name");
    safetensors::serialize(views, None).unwrap()
}

fn from_bytes(bytes: &[u8], device: &Device) -> BTreeMap<String, Tensor<2>> {
    let tensor = |(name, view): (String, TensorView<'_>)| {
        let numbers =
            view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        let data = TensorData::new(numbers.collect::<Vec<_>>(), view.shape().to_vec());
        (name, Tensor::from_data(data, device))
    };
    SafeTensors::deserialize(bytes).unwrap().tensors().into_iter().map(tensor).collect()
}
