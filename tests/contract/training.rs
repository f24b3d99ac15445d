//! What training moves, and what it costs.

use std::collections::BTreeMap;

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{Device, Tensor},
};
use methods::Progress;

use crate::{
    numbers::{numbers, parameters},
    subject::Subject,
    training::Training,
};

pub fn every_trainable_tensor_gets_a_gradient_within_two_steps(device: &Device) {
    for subject in Subject::all(device) {
        let mut training = Training::of(&subject);
        let mut method = subject.fresh();
        let mut reached = BTreeMap::new();
        for step in 1..=2 {
            let grads = GradientsParams::from_grads(training.gradients(&method), &method);
            let mut look = Look { grads: &grads, n_tensors: 0, reached: &mut reached };
            method.visit(&mut look);
            assert!(look.n_tensors > 0, "{subject}: nothing to train");
            let n_tensors = look.n_tensors;
            assert_eq!(reached.len(), n_tensors, "{subject}: a tensor without gradient");
            method = training.step(method, grads, Progress { step, total: 20 });
        }
        for (i, reached) in &reached {
            // A rectifier may keep some numbers from the loss, a mistake keeps a part of a tensor.
            let share = reached.iter().filter(|&&reached| reached).count() as f32;
            let share = share / reached.len() as f32;
            assert!(share >= 0.25, "{subject}: tensor {i}: gradient for {share} of its numbers");
        }
    }
}

/// Notes the numbers of each tensor, by its place in the module, whose gradient was not zero.
struct Look<'a> {
    grads: &'a GradientsParams,
    n_tensors: usize,
    reached: &'a mut BTreeMap<usize, Vec<bool>>,
}

impl ModuleVisitor for Look<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.grads.get::<D>(param.id).map(numbers) {
            assert!(gradient.iter().all(|g| g.is_finite()), "tensor {}: NaN", self.n_tensors);
            let reached = self.reached.entry(self.n_tensors).or_default();
            reached.resize(gradient.len(), false);
            reached.iter_mut().zip(&gradient).for_each(|(reached, &g)| *reached |= g != 0.0);
        }
        self.n_tensors += 1;
    }
}

pub fn training_moves_the_method_and_leaves_the_backbone_as_it_is(device: &Device) {
    for subject in Subject::all(device) {
        let backbone = parameters(&subject.backbone);
        let method = subject.fresh();
        let before = parameters(&method);
        let mut moved = vec![false; before.len()];
        let method = Training::of(&subject).run(method, 4, 4, |method| {
            // Each at some step: what is pruned may end where it began.
            for (moved, (now, before)) in
                moved.iter_mut().zip(parameters(method).iter().zip(&before))
            {
                *moved |= now.bits != before.bits;
            }
        });
        let after = parameters(&method);
        assert!(parameters(&subject.backbone) == backbone, "{subject}: the backbone changed");
        assert_eq!(before.len(), after.len(), "{subject}");
        for (i, (before, after)) in before.iter().zip(&after).enumerate() {
            assert!(moved[i], "{subject}: tensor {i} did not move");
            // With another id the optimizer would forget what it knows of the tensor.
            assert_eq!(before.id, after.id, "{subject}: tensor {i} became another one");
            assert!(after.is_autodiff, "{subject}: tensor {i} can no longer be trained");
        }
    }
}

/// Three observations, each of which fails if a weight-shaped gradient of a frozen matrix exists:
///
/// 1. The backbone's parameters are on the plain side of the device. A tensor there has no node in
///    the graph, and the backward pass computes gradients for nodes alone.
/// 2. What the backward pass leaves is as many gradients as the method has tensors, and asking for
///    those of the backbone finds none.
/// 3. On flex, `kernels` counts each weight gradient that its linear map computes.
///    [`an_unfrozen_backbone_is_seen_by_the_same_observations`] shows that they can fail.
pub fn gradients_are_those_of_the_method_alone(device: &Device) {
    for subject in Subject::all(device) {
        assert!(parameters(&subject.backbone).iter().all(|p| !p.is_autodiff), "{subject}");
        let method = subject.fresh();
        let counted = kernels::n_weight_gradients();
        let mut grads = Training::of(&subject).gradients(&method);
        assert_eq!(kernels::n_weight_gradients(), counted, "{subject}");
        assert!(GradientsParams::from_module(&mut grads, &subject.backbone).is_empty());
        let of_method = GradientsParams::from_module(&mut grads, &method);
        assert_eq!(of_method.len(), parameters(&method).len(), "{subject}");
    }
}

#[test]
fn an_unfrozen_backbone_is_seen_by_the_same_observations() {
    let device = Device::flex();
    for subject in Subject::all(&device) {
        let backbone = subject.backbone.clone().unfreeze().train();
        let subject = Subject { backbone, ..subject };
        assert!(parameters(&subject.backbone).iter().all(|p| p.is_autodiff));
        let counted = kernels::n_weight_gradients();
        let mut grads = Training::of(&subject).gradients(&subject.fresh());
        // Every linear map has one.
        assert_eq!(kernels::n_weight_gradients() - counted, subject.spec.sites().count());
        let of_backbone = GradientsParams::from_module(&mut grads, &subject.backbone);
        // Nothing reads the pooler.
        assert_eq!(of_backbone.len(), parameters(&subject.backbone).len() - 2);
    }
}
