//! The training loop, and the evaluation pass.

use std::time::Instant;

use backbones::Tokens;
use burn::{
    module::Module,
    nn::{Linear, loss::CrossEntropyLossConfig},
    optim::{AdamWConfig, GradientsParams, ModuleOptimizer},
    tensor::{Device, Int, Tensor, TensorData},
};
use datasets::{Batch, eval_batches, train_batches};
use methods::Progress;
use report::record::{CurvePoint, Status};

use crate::{
    clip::clip_global_norm,
    data::{Data, Rows, tokens},
    features::Features,
    measure::{Evaluation, Tally, log_softmax},
    model::Model,
    trainable::Trainable,
    training::Training,
};

/// Rows a batch in evaluation, where no graph is kept.
const EVALUATION_BATCH: usize = 64;

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
    /// Seconds in steps alone.
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

/// Told of the progress of a training.
pub trait Watcher {
    /// After some steps: mean loss since the last call.
    fn step(&mut self, _step: usize, _total: usize, _loss: f64) {}
    /// After an evaluation.
    fn evaluated(&mut self, _point: &CurvePoint) {}
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
        let Self {
            model,
            data,
            training,
            peak_rate,
            seed,
            device,
        } = *self;
        let total = training.n_steps(data.train.labels.len());
        let clock = Instant::now();
        let features = Features::where_frozen(&trainable, model, data, device);
        let feature_seconds = clock.elapsed().as_secs_f64();
        let mut optimizers = Optimizers::new(training.weight_decay);
        let cross_entropy = CrossEntropyLossConfig::new().init(&device.clone().autodiff());
        let mut batches = Batches::new(&data.train, training.batch_size, seed);
        let mut run = Trained {
            train_seconds: feature_seconds,
            ..Trained::default()
        };
        let mut losses = Losses::default();
        let mut misses = 0;

        for step in 1..=total {
            let clock = Instant::now();
            let batch = batches.next();
            let rate = training.rate_at(peak_rate, step, total);
            let head_rate = training.rate_at(training.head_learning_rate, step, total);

            let logits = logits(&trainable, model, &features.train, &batch, device);
            let labels = labels(&batch, device);
            let loss = cross_entropy.forward(logits, labels.autodiff());
            losses.add(loss.clone().without_autodiff());
            let loss = match trainable.penalty() {
                Some(penalty) => loss + penalty,
                None => loss,
            };
            let mut grads = GradientsParams::from_grads(loss.backward(), &trainable);
            if training.clip_norm > 0.0 {
                clip_global_norm(&trainable, &mut grads, training.clip_norm);
            }
            trainable = trainable.observe(&grads);
            trainable = optimizers.step(rate, head_rate, trainable, grads);
            trainable = trainable.after_step(Progress { step, total });

            run.steps = step;
            run.n_tokens += batch.n_tokens;
            let is_evaluation = training.is_evaluation(step, total);
            if is_evaluation || step.is_multiple_of(LOOK) {
                let recent = losses.look();
                if !recent.is_finite() {
                    run.status = Status::Diverged { step };
                    run.train_seconds += clock.elapsed().as_secs_f64();
                    break;
                }
                watcher.step(step, total, recent);
            }
            run.train_seconds += clock.elapsed().as_secs_f64();
            if !is_evaluation {
                continue;
            }

            let clock = Instant::now();
            let frozen = trainable.valid();
            let validation = self.evaluate(&frozen, &data.validation, &features.validation);
            run.evaluation_seconds += clock.elapsed().as_secs_f64();
            // A curve holds numbers alone: a record with a NaN could not be read again.
            if !validation.loss.is_finite() {
                run.status = Status::Diverged { step };
                break;
            }
            let point = CurvePoint {
                step,
                epoch: step as f64 * training.epochs / total as f64,
                train_loss: losses.mean(),
                learning_rate: rate,
                validation_loss: validation.loss,
                validation_accuracy: validation.accuracy,
            };
            watcher.evaluated(&point);
            run.curve.push(point);
            if !frozen.is_settled() {
                continue;
            }
            let key = |e: &Evaluation| (e.accuracy, -e.loss);
            if run
                .best
                .as_ref()
                .is_none_or(|best| key(&validation) > key(&best.validation))
            {
                run.best = Some(Checkpoint {
                    trainable: frozen,
                    step,
                    validation,
                });
                misses = 0;
            } else {
                misses += 1;
                if step < total && training.patience.is_some_and(|patience| misses >= patience) {
                    run.status = Status::StoppedEarly { step };
                    break;
                }
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
        let mut tally = Tally::new(self.data.info.classes.len());
        for batch in eval_batches(&rows.encoded, &rows.labels, EVALUATION_BATCH) {
            let scores = log_softmax(logits(trainable, self.model, features, &batch, self.device));
            for (scores, &label) in scores.iter().zip(&batch.labels) {
                tally.add(scores, label as usize);
            }
        }
        tally.evaluation()
    }
}

/// Scores of a batch, from known features or through the backbone.
fn logits(
    trainable: &Trainable,
    model: &Model,
    features: &Option<Tensor<2>>,
    batch: &Batch,
    device: &Device,
) -> Tensor<2> {
    match features {
        None => {
            let tokens: Tokens = tokens(batch, device);
            trainable.logits(model, &tokens)
        }
        Some(features) => {
            let rows: Vec<i32> = batch.rows.iter().map(|&row| row as i32).collect();
            let rows = Tensor::from_ints(rows.as_slice(), device);
            trainable.head.forward(features.clone().select(0, rows))
        }
    }
}

fn labels(batch: &Batch, device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(batch.labels.clone(), [batch.n]), device)
}

/// AdamW for the head, and for everything else.
struct Optimizers {
    body: ModuleOptimizer,
    head: ModuleOptimizer,
}

impl Optimizers {
    fn new(weight_decay: f64) -> Self {
        let adamw = AdamWConfig::new()
            .with_weight_decay(weight_decay as f32)
            .with_epsilon(1e-8);
        Self {
            body: adamw.init(),
            head: adamw.init(),
        }
    }

    fn step(
        &mut self,
        rate: f64,
        head_rate: f64,
        mut trainable: Trainable,
        mut grads: GradientsParams,
    ) -> Trainable {
        let mut head_grads = GradientsParams::new();
        let Linear { weight, bias } = &trainable.head;
        if let Some(grad) = grads.remove::<2>(weight.id) {
            head_grads.register(weight.id, grad);
        }
        for bias in bias.iter() {
            if let Some(grad) = grads.remove::<1>(bias.id) {
                head_grads.register(bias.id, grad);
            }
        }
        trainable.head = self.head.step(head_rate, trainable.head, head_grads);
        self.body.step(rate, trainable, grads)
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
        let mut batches = Self {
            rows,
            batch_size,
            seed,
            epoch: 0,
            left: vec![].into_iter(),
        };
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
