//! One optimizer step: forward, backward, clip, update.

use burn::{
    nn::{
        Linear,
        loss::{CrossEntropyLoss, CrossEntropyLossConfig},
    },
    optim::{AdamWConfig, GradientsParams, ModuleOptimizer},
    tensor::{Device, Int, Tensor, TensorData},
};
use datasets::Batch;
use methods::Progress;

use crate::{
    clip::clip_global_norm, data::tokens, features::Features, model::Model, train::Trainer,
    trainable::Trainable,
};

/// Takes optimizer steps.
pub struct Steps<'a> {
    trainer: &'a Trainer<'a>,
    /// Sentence vectors that never change, where there are any.
    pub features: Features,
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
            cross_entropy: CrossEntropyLossConfig::new().init(&device.clone().autodiff()),
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
    pub fn gradients(&self, trainable: &Trainable, batch: &Batch) -> (Tensor<1>, GradientsParams) {
        let &Trainer { model, device, .. } = self.trainer;
        let logits = logits(trainable, model, &self.features.train, batch, device);
        let task_loss = self.cross_entropy.forward(logits, labels(batch, device).autodiff());
        let loss = match trainable.penalty() {
            Some(penalty) => task_loss.clone() + penalty,
            None => task_loss.clone(),
        };
        let grads = GradientsParams::from_grads(loss.backward(), trainable);
        (task_loss.without_autodiff(), grads)
    }

    /// One step: forward, backward, clip, update. Gives the task loss, penalty not included,
    /// on the device.
    pub fn take(
        &mut self,
        trainable: Trainable,
        batch: &Batch,
        step: usize,
    ) -> (Trainable, Tensor<1>) {
        let training = self.trainer.training;
        let (task_loss, mut grads) = self.gradients(&trainable, batch);
        if training.clip_norm > 0.0 {
            clip_global_norm(&trainable, &mut grads, training.clip_norm);
        }
        let head_rate = training.rate_at(training.head_learning_rate, step, self.total);
        let trainable = trainable.observe(&grads);
        let trainable = self.optimizers.step(self.rate(step), head_rate, trainable, grads);
        let trainable = trainable.after_step(Progress { step, total: self.total });
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
        let adamw = AdamWConfig::new().with_weight_decay(weight_decay as f32).with_epsilon(1e-8);
        Self { body: adamw.init(), head: adamw.init() }
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

/// Scores of a batch, from known features or through the backbone.
pub fn logits(
    trainable: &Trainable,
    model: &Model,
    features: &Option<Tensor<2>>,
    batch: &Batch,
    device: &Device,
) -> Tensor<2> {
    match features {
        None => {
            let tokens = tokens(batch, device);
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
