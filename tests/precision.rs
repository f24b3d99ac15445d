//! Frozen matrices in bfloat16: close to float32, the same every time, and for frozen ones alone.

use backbones::Precision;
use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{Device, Tensor},
};
use methods::Method;

use crate::{
    numbers::{numbers, parameters},
    subject::{ROWS, Subject, batch},
    training::Training,
};

fn rounding(subject: Subject) -> Subject {
    Subject { backbone: subject.backbone.with_precision(Precision::Bf16), ..subject }
}

/// The length of a difference, relative to the length of what it should be.
fn relative_error(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let length = |x: &mut dyn Iterator<Item = f32>| x.map(|x| x * x).sum::<f32>().sqrt();
    let difference = length(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    difference / length(&mut expected.iter().copied())
}

/// All gradients of a method's tensors, one after the other.
fn gradients(subject: &Subject, method: &Method) -> Vec<f32> {
    struct All<'a>(&'a GradientsParams, Vec<f32>);
    impl ModuleVisitor for All<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.extend(self.0.get::<D>(param.id).into_iter().flat_map(numbers));
        }
    }
    let grads = GradientsParams::from_grads(Training::of(subject).gradients(method), method);
    let mut all = All(&grads, vec![]);
    method.visit(&mut all);
    all.1
}

#[test]
fn outputs_and_gradients_in_bfloat16_are_within_three_percent_of_float32_and_not_the_same() {
    let device = Device::flex();
    for subject in Subject::all(&device) {
        let exact = &subject;
        let method = subject.random();
        let tokens = batch(&ROWS, 8, 0, &device);
        let hidden = subject.hidden(&method, &tokens);
        let trained = (!subject.drops_out()).then(|| {
            let method = subject.random().unfreeze().train();
            let grads = gradients(exact, &method);
            (method, grads)
        });
        let name = subject.to_string();
        let subject = rounding(subject);
        let error = relative_error(&subject.hidden(&method, &tokens), &hidden);
        assert!(error > 0.0 && error < 0.03, "{name}: output {error}");
        assert_eq!(
            subject.hidden(&method, &tokens),
            subject.hidden(&method, &tokens),
            "{name}: not the same every time"
        );
        if let Some((method, expected)) = trained {
            let error = relative_error(&gradients(&subject, &method), &expected);
            assert!(error > 0.0 && error < 0.03, "{name}: gradients {error}");
        }
    }
}

#[test]
fn a_backbone_in_bfloat16_keeps_its_numbers_and_trains_methods() {
    for subject in Subject::all(&Device::flex()) {
        let subject = rounding(subject);
        let before = parameters(&subject.backbone);
        let method = subject.fresh();
        let start = parameters(&method);
        let trained = parameters(&Training::of(&subject).run(method, 2, 2, |_| {}));
        assert!(parameters(&subject.backbone) == before, "{subject}");
        assert!(trained.iter().zip(&start).all(|(a, b)| a.bits != b.bits), "{subject}");
    }
}

#[test]
fn an_unfrozen_backbone_is_not_rounded() {
    let device = Device::flex();
    let method = || Subject::all(&device).remove(0);
    let hidden = |subject: Subject| {
        let backbone = subject.backbone.clone().unfreeze().train();
        let untrained = subject.fresh();
        let subject = Subject { backbone, ..subject };
        subject.hidden(&untrained, &batch(&ROWS, 8, 0, &device))
    };
    assert_eq!(hidden(method()), hidden(rounding(method())));
}
