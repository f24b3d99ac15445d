//! One run, from plan to record.

use std::time::SystemTime;

use anyhow::{Result, bail};
use backbones::Injection;
use burn::{
    module::Param,
    nn::Linear,
    tensor::{Device, Tensor},
};
use methods::init;
use rand::{SeedableRng, rngs::StdRng};
use report::{
    RunRecord,
    record::{Budget, Cost, Counts, Environment, MethodInfo, RowSet, SCHEMA, Scores},
};

use crate::{
    arm::{Arm, Baseline},
    data::Data,
    device::{Chosen, cpu_name, threads},
    measure::{Evaluation, Tally},
    memory::{peak_bytes, reset_peak},
    model::Model,
    plan::{Parent, RunPlan},
    train::{Checkpoint, Trained, Trainer, Watcher},
    trainable::Trainable,
};

/// What a run left behind.
pub struct Outcome {
    /// The record, complete but for the bytes on disk.
    pub record: RunRecord,
    /// The best checkpoint; `None` after a divergence before the first evaluation.
    pub trained: Option<Trainable>,
}

/// Checks that a plan can be run, before hours go into the ones before it.
///
/// # Errors
/// What is wrong with the settings, with the room for the prompt, or with the run to go on from.
pub fn check(plan: &RunPlan, model: &Model, data: &Data) -> Result<()> {
    check_length(plan, model, data, model.encoder.max_tokens())
}

/// As [`check`], for texts of up to `n_text` tokens.
///
/// # Errors
/// As [`check`].
pub fn check_length(plan: &RunPlan, model: &Model, data: &Data, n_text: usize) -> Result<()> {
    plan.training.check().map_err(anyhow::Error::msg)?;
    if let Some(Parent { record, .. }) = &plan.from {
        model.check_is_of(record)?;
        let (known, asked) = (&record.task.classes, &data.info.classes);
        if known != asked {
            bail!(
                "run {} tells {} apart, task '{}' has the classes {}; a head can go on with the \
                 same classes only",
                record.id,
                known.join(", "),
                data.info.name,
                asked.join(", ")
            );
        }
    }
    let tensors = plan.arm.plan(model)?;
    if tensors.is_none() {
        return Ok(());
    }
    // Prompts take positions that the text needs too.
    let device = model.spec.embeddings.device();
    let method = plan.arm.method(model, &mut StdRng::seed_from_u64(0), &device)?;
    let n_prompt = method.map_or(0, |method| {
        method.first_position() + method.prompt().map_or(0, |prompt| prompt.dims()[0])
    });
    let n_positions = model.spec.n_positions;
    if n_prompt + n_text > n_positions {
        bail!(
            "field 'tokens' is {n_prompt}; with texts of up to {n_text} tokens the model's \
             {n_positions} positions leave room for {} (or choose a smaller --max-tokens)",
            n_positions.saturating_sub(n_text)
        );
    }
    Ok(())
}

/// Trains and tests one plan.
///
/// # Errors
/// What is wrong with the settings. A divergence is no error: the record says so.
pub fn execute(
    plan: &RunPlan,
    model: &Model,
    data: &Data,
    chosen: &Chosen,
    watcher: &mut dyn Watcher,
) -> Result<Outcome> {
    let started = report::clock::utc(SystemTime::now());
    reset_peak();
    let device = &chosen.device;
    let tested = match plan.arm {
        Arm::Baseline(Baseline::Majority) => majority(model, data, device),
        _ => train_and_test(plan, model, data, device, watcher)?,
    };
    let Tested { trained, test, counts } = tested;
    let scores = trained.best.as_ref().zip(test).map(|(best, test)| Scores {
        test_accuracy: test.accuracy,
        test_loss: test.loss,
        test_macro_f1: test.macro_f1,
        test_correct: Some(RowSet::of(&test.correct)),
        validation_accuracy: best.validation.accuracy,
        validation_loss: best.validation.loss,
        best_step: best.step,
    });
    let best = trained.best.map(|best| best.trainable);
    let details = best.as_ref().and_then(|best| best.method.as_ref()).map(|m| m.details());
    let record = RunRecord {
        schema: SCHEMA,
        id: plan.id(model, data),
        status: trained.status,
        task: data.info.clone(),
        backbone: model.info.clone(),
        method: planned_method(plan),
        from: plan.from.as_ref().map(|parent| parent.record.id.clone()),
        training: serde_json::to_value(&plan.training)?,
        seed: plan.seed,
        counts,
        scores,
        search: None,
        curve: trained.curve,
        transfer: vec![],
        details: details.unwrap_or_default(),
        cost: Cost {
            steps: trained.steps,
            train_seconds: trained.train_seconds,
            evaluation_seconds: trained.evaluation_seconds,
            tokens_per_second: per_second(trained.n_tokens, trained.train_seconds),
            peak_bytes: peak_bytes(),
        },
        environment: environment(chosen),
        started,
        command: plan.command(),
    };
    Ok(Outcome { record, trained: best })
}

/// A training with its test figures and its counts.
struct Tested {
    trained: Trained,
    test: Option<Evaluation>,
    counts: Counts,
}

/// A training that was done.
pub struct Learned<'a> {
    /// What it was done with.
    pub trainer: Trainer<'a>,
    /// Numbers that the optimizer moved at first, the head not counted.
    pub n_trainable: usize,
    /// What it gave.
    pub trained: Trained,
}

/// Trains a plan on the training rows and chooses its checkpoint on the validation rows. The
/// test rows stay untouched.
///
/// # Errors
/// What is wrong with the settings. A divergence is no error: the status says so.
pub fn train<'a>(
    plan: &'a RunPlan,
    model: &'a Model,
    data: &'a Data,
    device: &'a Device,
    watcher: &mut dyn Watcher,
) -> Result<Learned<'a>> {
    // Dropout draws on the device; everything else draws on the host from the same seed.
    device.seed(plan.seed);
    let rng = &mut StdRng::seed_from_u64(plan.seed);
    let (n_classes, autodiff) = (data.info.classes.len(), device.clone().autodiff());
    let trainable = match &plan.from {
        None => Trainable::init(&plan.arm, model, n_classes, rng, &autodiff)?,
        Some(parent) => Trainable::resume(&plan.arm, model, n_classes, &parent.tensors, device)?,
    };
    let n_trainable = trainable.n_trainable();
    let training = &plan.training;
    let peak_rate = training.learning_rate.unwrap_or_default();
    let trainer = Trainer { model, data, training, peak_rate, seed: plan.seed, device };
    let trained = trainer.train(trainable, watcher);
    Ok(Learned { trainer, n_trainable, trained })
}

fn train_and_test(
    plan: &RunPlan,
    model: &Model,
    data: &Data,
    device: &Device,
    watcher: &mut dyn Watcher,
) -> Result<Tested> {
    let Learned { trainer, n_trainable, mut trained } = train(plan, model, data, device, watcher)?;
    let tensors = plan.arm.plan(model)?;
    let n_classes = data.info.classes.len();
    let best = trained.best.as_ref();
    let clock = std::time::Instant::now();
    // The one look at the test split.
    let test = best.map(|best| trainer.evaluate(&best.trainable, data.test(), &None));
    trained.evaluation_seconds += clock.elapsed().as_secs_f64();
    let kept = best.and_then(|best| best.trainable.method.as_ref()).map(stored_numbers);
    let counts = Counts {
        trainable: n_trainable,
        stored: kept.unwrap_or(tensors.as_ref().map_or(n_trainable, |plan| plan.stored)),
        active: kept.unwrap_or(tensors.as_ref().map_or(n_trainable, |plan| plan.active)),
        head: model.spec.d_model * n_classes + n_classes,
        bytes_on_disk: 0,
    };
    Ok(Tested { trained, test, counts })
}

/// What is kept takes part in inference, and nothing else of a method does.
pub(crate) fn stored_numbers(method: &methods::Method) -> usize {
    method.stored().iter().map(|(_, tensor)| tensor.shape().num_elements()).sum()
}

/// The majority class as a head that ignores its input: the bias holds the classes' shares.
fn majority(model: &Model, data: &Data, device: &Device) -> Tested {
    let n_classes = data.info.classes.len();
    let count = |class| data.train.labels.iter().filter(|&&label| label == class).count();
    let total = data.train.labels.len();
    // Laplace's rule keeps the loss finite for a class that the training rows lack.
    let log_share = |class| ((count(class) + 1) as f64 / (total + n_classes) as f64).ln();
    let log_shares: Vec<f64> = (0..n_classes).map(log_share).collect();
    let evaluate = |labels: &[usize]| {
        let mut tally = Tally::new(n_classes, labels.len());
        labels.iter().enumerate().for_each(|(row, &label)| tally.add(row, &log_shares, label));
        tally.evaluation()
    };
    let bias: Vec<f32> = log_shares.iter().map(|&share| share as f32).collect();
    let head = Linear {
        weight: init::zeros([model.spec.d_model, n_classes], device),
        bias: Some(Param::from_tensor(Tensor::from_floats(bias.as_slice(), device))),
    };
    let trainable = Trainable { method: None, unfrozen: None, head };
    let validation = evaluate(&data.validation.labels);
    let best = Checkpoint { trainable, step: 0, validation };
    let counts = Counts { trainable: 0, stored: 0, active: 0, head: n_classes, bytes_on_disk: 0 };
    let trained = Trained { best: Some(best), ..Trained::default() };
    Tested { trained, test: Some(evaluate(&data.test().labels)), counts }
}

fn per_second(n: usize, seconds: f64) -> f64 {
    if seconds > 0.0 { n as f64 / seconds } else { 0.0 }
}

fn planned_method(plan: &RunPlan) -> MethodInfo {
    // What had more training than others belongs into no curve of theirs.
    let from = plan.from.as_ref().map(|parent| format!("from {}", parent.record.id));
    let variant = [plan.arm.variant(), from.unwrap_or_default()];
    MethodInfo { variant: variant.join(" ").trim().to_owned(), ..method_info(&plan.arm) }
}

/// What a record says of an arm.
pub(crate) fn method_info(arm: &Arm) -> MethodInfo {
    MethodInfo {
        name: arm.name().to_owned(),
        title: arm.title().to_owned(),
        variant: arm.variant(),
        budget: arm
            .budget()
            .map(|budget| Budget { name: budget.name.to_owned(), value: budget.value }),
        baseline: matches!(arm, Arm::Baseline(_)),
        config: serde_json::to_value(arm).unwrap_or_default(),
    }
}

/// Where this program runs.
pub(crate) fn environment(chosen: &Chosen) -> Environment {
    let cpu = cpu_name();
    let hardware = match chosen.hardware == cpu {
        true => cpu,
        false => format!("{} beside {cpu}", chosen.hardware),
    };
    Environment {
        device: chosen.name.clone(),
        hardware,
        threads: threads(),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        burn: env!("BURN_VERSION").to_owned(),
        commit: env!("COMMIT").to_owned(),
    }
}
