//! One optimizer step: forward, backward, clip, update.

use std::rc::Rc;

use backbones::Tokens;
use burn::{
    nn::{
        Linear,
        loss::{CrossEntropyLoss, CrossEntropyLossConfig},
    },
    optim::{GradientsParams, ModuleOptimizer},
    tensor::{Device, Int, Tensor, TensorData},
};
use datasets::Batch;
use methods::Progress;

use crate::{
    adamw::AdamW,
    clip::clip_global_norm,
    data::tokens,
    features::Features,
    model::Model,
    train::{Phase, Trainer, Watcher},
    trainable::Trainable,
};

/// Takes optimizer steps.
pub struct Steps<'a> {
    trainer: &'a Trainer<'a>,
    /// Sentence vectors that never change, where there are any.
    pub features: Rc<Features>,
    optimizers: Optimizers,
    cross_entropy: CrossEntropyLoss,
    /// Optimizer steps planned.
    pub total: usize,
}

impl<'a> Steps<'a> {
    /// Steps for a trained part, from a fresh optimizer.
    pub fn new(trainer: &'a Trainer<'a>, trainable: &Trainable) -> Self {
        let &Trainer { model, data, training, device, .. } = trainer;
        Self {
            trainer,
            features: Features::where_frozen(trainable, model, data, device),
            optimizers: Optimizers::new(training.weight_decay),
            cross_entropy: CrossEntropyLossConfig::new().init(device),
            total: training.n_steps(data.train.labels.len()),
        }
    }

    /// Learning rate of a step, for all but the head.
    pub fn rate(&self, step: usize) -> f64 {
        self.trainer.training.rate_at(self.trainer.peak_rate, step, self.total)
    }

    /// True tokens that a step on this batch sends through the backbone.
    pub fn tokens_through_backbone(&self, batch: &Batch) -> usize {
        if self.features.train.is_some() { 0 } else { batch.n_tokens }
    }

    /// Forward and backward: the task loss, penalty not included, and the gradients of both, on
    /// the device.
    pub fn gradients(
        &self,
        trainable: &Trainable,
        batch: &Batch,
        watcher: &mut dyn Watcher,
    ) -> (Tensor<1>, GradientsParams) {
        let &Trainer { model, device, .. } = self.trainer;
        let input = Input::of(batch, &self.features.train, device);
        let labels = labels(batch, device);
        watcher.lap(Phase::Data);
        let task_loss = self.cross_entropy.forward(input.logits(trainable, model), labels);
        let loss = match trainable.penalty() {
            Some(penalty) => task_loss.clone() + penalty,
            None => task_loss.clone(),
        };
        watcher.lap(Phase::Forward);
        let grads = GradientsParams::from_grads(loss.backward(), trainable);
        watcher.lap(Phase::Backward);
        (task_loss.without_autodiff(), grads)
    }

    /// One step: forward, backward, clip, update. Gives the task loss, penalty not included,
    /// on the device.
    pub fn take(
        &mut self,
        trainable: Trainable,
        batch: &Batch,
        step: usize,
        watcher: &mut dyn Watcher,
    ) -> (Trainable, Tensor<1>) {
        let training = self.trainer.training;
        let (task_loss, mut grads) = self.gradients(&trainable, batch, watcher);
        if training.clip_norm > 0.0 {
            clip_global_norm(&trainable, &mut grads, training.clip_norm);
        }
        let head_rate = training.rate_at(training.head_learning_rate, step, self.total);
        let trainable = trainable.observe(&grads);
        let trainable = self.optimizers.step(self.rate(step), head_rate, trainable, grads);
        let trainable = trainable.after_step(Progress { step, total: self.total });
        watcher.lap(Phase::Optimizer);
        (trainable, task_loss)
    }
}

/// AdamW for the head, and for everything else.
struct Optimizers {
    body: ModuleOptimizer,
    head: ModuleOptimizer,
}

impl Optimizers {
    fn new(weight_decay: f64) -> Self {
        let [body, head] = [0; 2].map(|_| AdamW::for_module(weight_decay));
        Self { body, head }
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

/// What a batch's scores are computed from.
#[expect(clippy::large_enum_variant, reason = "there is one of them at a time")]
enum Input {
    Tokens(Tokens),
    /// Sentence vectors that are known already, `[batch, d_model]`.
    Features(Tensor<2>),
}

impl Input {
    fn of(batch: &Batch, features: &Option<Tensor<2>>, device: &Device) -> Self {
        match features {
            None => Self::Tokens(tokens(batch, device)),
            Some(features) => {
                let rows: Vec<i32> = batch.rows.iter().map(|&row| row as i32).collect();
                let rows = Tensor::from_ints(rows.as_slice(), device);
                Self::Features(features.clone().select(0, rows))
            }
        }
    }

    fn logits(self, trainable: &Trainable, model: &Model) -> Tensor<2> {
        match self {
            Self::Tokens(tokens) => trainable.logits(model, &tokens),
            Self::Features(features) => trainable.head.forward(features),
        }
    }
}

/// Scores of a batch, from known features or through the backbone.
pub fn logits(
    trainable: &Trainable,
    model: &Model,
    features: &Option<Tensor<2>>,
    batch: &Batch,
    device: &Device,
) -> Tensor<2> {
    Input::of(batch, features, device).logits(trainable, model)
}

fn labels(batch: &Batch, device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(batch.labels.clone(), [batch.n]), device)
}
