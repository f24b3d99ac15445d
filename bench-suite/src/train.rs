//! The training loop, and the evaluation pass.

use std::time::Instant;

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};
use datasets::{Batch, eval_batches, train_batches};
use report::record::{CurvePoint, Status};

use crate::{
    data::{Data, Rows},
    measure::{Evaluation, Tally, log_softmax},
    model::Model,
    steps::{Steps, logits},
    trainable::Trainable,
    training::Training,
};

/// Rows a batch where no graph is kept: in evaluation, and wherever else nothing is trained.
pub const EVALUATION_BATCH: usize = 64;

/// Steps between two looks at the loss; a look waits for the device.
const LOOK: usize = 10;

/// What a training gave.
#[derive(Debug)]
pub struct Trained {
    /// The best checkpoint by validation, for inference; `None` if the run diverged before one.
    pub best: Option<Checkpoint>,
    /// How it ended.
    pub status: Status,
    /// The learning curve.
    pub curve: Vec<CurvePoint>,
    /// Optimizer steps done.
    pub steps: usize,
    /// Seconds in steps alone, and those that the vectors took which replace the backbone in them,
    /// whether they were computed now or for a training before.
    pub train_seconds: f64,
    /// Seconds in evaluation.
    pub evaluation_seconds: f64,
    /// True tokens through training steps.
    pub n_tokens: usize,
}

impl Default for Trained {
    /// A training of no steps.
    fn default() -> Self {
        Self {
            best: None,
            status: Status::Finished,
            curve: vec![],
            steps: 0,
            train_seconds: 0.0,
            evaluation_seconds: 0.0,
            n_tokens: 0,
        }
    }
}

impl Trained {
    /// Keeps a checkpoint if it is the best so far by accuracy, then loss; says whether it is.
    fn keep_if_better(
        &mut self,
        trainable: Trainable,
        step: usize,
        validation: Evaluation,
    ) -> bool {
        let key = |e: &Evaluation| (e.accuracy, -e.loss);
        let best = self.best.as_ref().map(|best| key(&best.validation));
        let is_better = best.is_none_or(|best| key(&validation) > best);
        if is_better {
            self.best = Some(Checkpoint { trainable, step, validation });
        }
        is_better
    }
}

/// A trained part and its validation figures.
#[derive(Debug)]
pub struct Checkpoint {
    /// The trained part, off the autodiff side.
    pub trainable: Trainable,
    /// Optimizer steps done.
    pub step: usize,
    /// Its figures on the validation split.
    pub validation: Evaluation,
}

/// A part of the training that time is spent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// What is between two steps: looks at the loss, evaluation.
    Between,
    /// Making the batch and giving it to the device.
    Data,
    /// From the tokens to the loss.
    Forward,
    /// From the loss to the gradients.
    Backward,
    /// Clipping, the update, and what the method does beside it.
    Optimizer,
}

/// Told of the progress of a training.
pub trait Watcher {
    /// After each phase. The device may still compute it: who measures time must wait for it.
    fn lap(&mut self, _over: Phase) {}
    /// After some steps: mean loss since the last call.
    fn step(&mut self, _step: usize, _total: usize, _loss: f64) {}
    /// After an evaluation.
    fn evaluated(&mut self, _point: &CurvePoint) {}
    /// Whether the training must end with this step, because its time is over.
    fn is_over(&mut self) -> bool {
        false
    }
}

/// Watches nothing.
pub struct Unwatched;

impl Watcher for Unwatched {}

/// Everything a training needs beside what it trains.
pub struct Trainer<'a> {
    /// The frozen model.
    pub model: &'a Model,
    /// The rows.
    pub data: &'a Data,
    /// The settings.
    pub training: &'a Training,
    /// Highest learning rate of all but the head.
    pub peak_rate: f64,
    /// Seed of the data order.
    pub seed: u64,
    /// The plain device; the trained part lives on its autodiff side.
    pub device: &'a Device,
}

impl Trainer<'_> {
    /// Trains `trainable` and keeps the best checkpoint by validation accuracy, then loss.
    ///
    /// The order of the rows depends on seed and epoch alone, so all arms see the same batches.
    pub fn train(&self, mut trainable: Trainable, watcher: &mut dyn Watcher) -> Trained {
        let training = self.training;
        if training.gradient_checkpointing {
            trainable = trainable.checkpointed();
        }
        let mut steps = Steps::new(self, &trainable);
        let mut batches = Batches::new(&self.data.train, training.batch_size, self.seed);
        let mut run = Trained {
            train_seconds: steps.features.seconds,
            n_tokens: steps.features.n_tokens,
            ..Trained::default()
        };
        let mut losses = Losses::default();
        let mut misses = 0;

        for step in 1..=steps.total {
            watcher.lap(Phase::Between);
            let clock = Instant::now();
            let batch = batches.next();
            let loss;
            (trainable, loss) = steps.take(trainable, &batch, step, watcher);
            losses.add(loss);
            run.steps = step;
            run.n_tokens += steps.tokens_through_backbone(&batch);
            let is_over = watcher.is_over();
            let is_evaluation = is_over || training.is_evaluation(step, steps.total);
            let recent = (is_evaluation || step.is_multiple_of(LOOK)).then(|| losses.look());
            run.train_seconds += clock.elapsed().as_secs_f64();
            if let Some(loss) = recent {
                if !loss.is_finite() {
                    run.status = Status::Diverged { step };
                    break;
                }
                watcher.step(step, steps.total, loss);
            }
            if !is_evaluation {
                continue;
            }

            let clock = Instant::now();
            let frozen = trainable.valid();
            let known = &steps.features.validation;
            let validation = self.evaluate(&frozen, &self.data.validation, known);
            run.evaluation_seconds += clock.elapsed().as_secs_f64();
            // A curve holds numbers alone: a record with a NaN could not be read again.
            if !validation.loss.is_finite() {
                run.status = Status::Diverged { step };
                break;
            }
            let point = CurvePoint {
                step,
                epoch: step as f64 * training.epochs / steps.total as f64,
                train_loss: losses.mean(),
                learning_rate: steps.rate(step),
                validation_loss: validation.loss,
                validation_accuracy: validation.accuracy,
            };
            watcher.evaluated(&point);
            run.curve.push(point);
            if !frozen.is_settled() && !is_over {
                continue;
            }
            misses = if run.keep_if_better(frozen, step, validation) { 0 } else { misses + 1 };
            let is_patient = training.patience.is_none_or(|patience| misses < patience);
            if step < steps.total && (is_over || !is_patient) {
                run.status = Status::StoppedEarly { step };
                break;
            }
        }
        run
    }

    /// Figures of a trained part on a split. `features` replaces the backbone where it is given.
    pub fn evaluate(
        &self,
        trainable: &Trainable,
        rows: &Rows,
        features: &Option<Tensor<2>>,
    ) -> Evaluation {
        let mut tally = Tally::new(self.data.info.classes.len(), rows.labels.len());
        for batch in eval_batches(&rows.encoded, &rows.labels, EVALUATION_BATCH) {
            let scores = log_softmax(logits(trainable, self.model, features, &batch, self.device));
            for ((scores, &label), &row) in scores.iter().zip(&batch.labels).zip(&batch.rows) {
                tally.add(row, scores, label as usize);
            }
        }
        tally.evaluation()
    }
}

/// The batches of all epochs, one after the other.
struct Batches<'a> {
    rows: &'a Rows,
    batch_size: usize,
    seed: u64,
    epoch: usize,
    left: std::vec::IntoIter<Batch>,
}

impl<'a> Batches<'a> {
    fn new(rows: &'a Rows, batch_size: usize, seed: u64) -> Self {
        let mut batches = Self { rows, batch_size, seed, epoch: 0, left: vec![].into_iter() };
        batches.start_epoch();
        batches
    }

    fn start_epoch(&mut self) {
        let Rows { encoded, labels } = self.rows;
        let batches = train_batches(encoded, labels, self.batch_size, self.seed, self.epoch);
        self.left = batches.into_iter();
        self.epoch += 1;
    }

    /// The next batch. There is always one: a task has at least one training row per class.
    fn next(&mut self) -> Batch {
        loop {
            match self.left.next() {
                Some(batch) => return batch,
                None => self.start_epoch(),
            }
        }
    }
}

/// Task losses, summed on the device and read rarely.
#[derive(Default)]
struct Losses {
    unread: Option<(Tensor<1>, usize)>,
    sum: f64,
    n: usize,
}

impl Losses {
    fn add(&mut self, loss: Tensor<1>) {
        self.unread = Some(match self.unread.take() {
            None => (loss, 1),
            Some((sum, n)) => (sum + loss, n + 1),
        });
    }

    /// Mean since the last look.
    fn look(&mut self) -> f64 {
        let Some((sum, n)) = self.unread.take() else {
            return 0.0;
        };
        let sum = f64::from(sum.into_scalar::<f32>());
        self.sum += sum;
        self.n += n;
        sum / n as f64
    }

    /// Mean since the last call.
    fn mean(&mut self) -> Option<f64> {
        let (sum, n) = (std::mem::take(&mut self.sum), std::mem::take(&mut self.n));
        (n > 0).then(|| sum / n as f64)
    }
}
