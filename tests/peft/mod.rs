//! Every method equals Hugging Face PEFT, step by step. `fixtures/README.md` says what of.

mod case;

use bench_suite::{train::Unwatched, trainable::Trainable};
use burn::{optim::GradientsParams, tensor::TensorData};
use methods::Method;

use crate::numbers::{self, assert_close};
use case::{Case, batches, logits, model, parameters};

/// How far scores may be apart before the training.
const FORWARD: f32 = 1e-5;
/// How far gradients and importance may be apart, as a share of a tensor's largest.
const GRADIENT_SHARE: f32 = 1e-4;
/// How far trained tensors and losses may be apart. A step of AdamW moves a number by about the
/// learning rate whatever its gradient is, so a gradient that is hardly more than rounding moves
/// it by as much as any other.
const TRAINED: f32 = 1e-4;
/// How far scores may be apart after the training.
const TRAINED_LOGITS: f32 = 1e-4;

fn f32s(data: &TensorData) -> Vec<f32> {
    data.iter::<f32>().collect()
}

/// Asserts that two tensors differ by a share of the largest number at most.
#[track_caller]
fn assert_close_in_share(found: &[f32], expected: &[f32], share: f32, what: &str) {
    let largest = expected.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    assert_close(found, expected, share * largest, what);
}

#[test]
fn the_forward_pass_equals_that_of_hugging_face_peft() {
    let (model, batches) = (model(), batches());
    for case in Case::all() {
        let found = case.with_steps(&model, |_, start| logits(&start, &model, &batches));
        for (i, found) in found.iter().enumerate() {
            let expected = case.numbers(&format!("start.logits.{i}"));
            assert_close(found, &expected, FORWARD, format!("{}: batch {i}", case.name));
        }
    }
}

#[test]
fn every_gradient_equals_that_of_hugging_face_peft() {
    let (model, batches) = (model(), batches());
    for case in Case::all() {
        let expected = case.trained("gradient");
        case.with_steps(&model, |steps, start| {
            let (_, gradients) = steps.gradients(&start, &batches[0], &mut Unwatched);
            for (name, found) in by_name(&start, &gradients) {
                let what = format!("{}: gradient of {name}", case.name);
                assert_close_in_share(&found, &f32s(&expected[&name]), GRADIENT_SHARE, &what);
            }
        });
    }
}

/// The gradients of all trained tensors.
fn by_name(trainable: &Trainable, gradients: &GradientsParams) -> Vec<(String, Vec<f32>)> {
    let ids = numbers::parameters(&trainable.method).into_iter();
    let ids = ids.chain(numbers::parameters(&trainable.head));
    let gradient = |((name, value), parameter): ((String, TensorData), numbers::Parameter)| {
        let found = match value.shape().to_vec().len() {
            1 => gradients.get::<1>(parameter.id).map(numbers::numbers),
            _ => gradients.get::<2>(parameter.id).map(numbers::numbers),
        };
        let found = found.unwrap_or_else(|| panic!("{name} has no gradient"));
        (name, found)
    };
    parameters(trainable).into_iter().zip(ids).map(gradient).collect()
}

#[test]
fn training_moves_every_tensor_as_hugging_face_peft_does() {
    let (model, batches) = (model(), batches());
    for case in Case::all() {
        let losses = case.numbers("losses");
        let mut checked = 0;
        let end = train(&case, |step, loss, trainable| {
            let what = format!("{}: loss of step {step}", case.name);
            assert_close(&[loss], &[losses[step - 1]], TRAINED, what);
            if !case.is_stored(step) {
                return;
            }
            let expected = case.trained(&format!("step_{step}"));
            for (name, found) in parameters(trainable) {
                let what = format!("{}: {name} after {step} steps", case.name);
                assert_close(&f32s(&found), &f32s(&expected[&name]), TRAINED, what);
            }
            checked += 1;
        });
        assert!(checked >= 3, "{}", case.name);
        for (i, found) in logits(&end, &model, &batches).iter().enumerate() {
            let expected = case.numbers(&format!("end.logits.{i}"));
            assert_close(found, &expected, TRAINED_LOGITS, format!("{}: batch {i}", case.name));
        }
    }
}

/// Takes all steps of a case; `each` sees step, loss and trained part after every one.
fn train(case: &Case, mut each: impl FnMut(usize, f32, &Trainable)) -> Trainable {
    let (model, batches) = (model(), batches());
    case.with_steps(&model, |steps, mut trainable| {
        for step in 1..=case.n_steps {
            let batch = &batches[(step - 1) % batches.len()];
            let loss;
            (trainable, loss) = steps.take(trainable, batch, step, &mut Unwatched);
            each(step, loss.into_scalar(), &trainable);
        }
        trainable
    })
}

#[test]
fn adalora_keeps_the_triplets_that_hugging_face_peft_keeps() {
    let cases: Vec<Case> =
        Case::all().into_iter().filter(|case| !case.prunings.is_empty()).collect();
    assert_eq!(cases.len(), 2);
    for case in &cases {
        let (lambdas, scores) = (case.numbers("lambdas"), case.numbers("scores"));
        let n_triplets = lambdas.len() / case.n_steps;
        let mut prunings = case.prunings.iter().zip(scores.chunks(n_triplets)).peekable();
        train(case, |step, _, trainable| {
            let what = format!("{}: step {step}", case.name);
            // Dead is what is zero, at this step as there.
            let found = lambda(trainable);
            let expected = &lambdas[(step - 1) * n_triplets..step * n_triplets];
            let alive = |lambda: &[f32]| lambda.iter().map(|&x| x != 0.0).collect::<Vec<_>>();
            assert_eq!(alive(&found), alive(expected), "{what}");
            assert_close(&found, expected, TRAINED, &what);

            let Some((pruning, expected)) = prunings.next_if(|(p, _)| p.step == step) else {
                return;
            };
            let (importance, ranks) = (importance(trainable), surviving_ranks(trainable));
            assert_close_in_share(&importance, expected, GRADIENT_SHARE, &what);
            assert_eq!(ranks, pruning.surviving_rank, "{what}");
            assert_eq!(ranks.iter().sum::<usize>(), pruning.budget, "{what}");
            let pruned = importance.iter().zip(&found).filter(|(_, lambda)| **lambda == 0.0);
            let threshold = pruned.map(|(score, _)| *score).fold(0.0, f32::max);
            assert_close_in_share(&[threshold], &[pruning.threshold], 1e-3, &what);
        });
        assert!(prunings.next().is_none(), "{}: prunings left", case.name);
    }
}

/// λ of all sites.
fn lambda(trainable: &Trainable) -> Vec<f32> {
    let is_lambda = |(name, _): &(String, TensorData)| name.ends_with(".lambda");
    parameters(trainable).into_iter().filter(is_lambda).flat_map(|(_, data)| f32s(&data)).collect()
}

/// The importance of all triplets.
fn importance(trainable: &Trainable) -> Vec<f32> {
    let Some(Method::AdaLora(method)) = &trainable.method else { panic!("not AdaLoRA") };
    method.importance().concat()
}

/// The rank that would be stored for each site.
fn surviving_ranks(trainable: &Trainable) -> Vec<usize> {
    let stored = trainable.method.as_ref().unwrap().stored();
    let lambdas = stored.iter().filter(|(name, _)| name.ends_with(".lambda"));
    lambdas.map(|(_, lambda)| lambda.dims()[1]).collect()
}
