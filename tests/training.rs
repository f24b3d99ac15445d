//! A few optimizer steps on a made-up task.

use backbones::{Pooling, Tokens};
use burn::{
    optim::{AdamWConfig, GradientsParams, ModuleOptimizer},
    tensor::{Gradients, Tensor, TensorData},
};
use methods::{Method, Progress};

use crate::subject::{ROWS, Subject, batch};

/// Pulls the sentence vectors of one batch towards fixed ones.
pub struct Training<'a> {
    subject: &'a Subject,
    batch: Tokens,
    goal: Tensor<2>,
    optimizer: ModuleOptimizer,
}

impl<'a> Training<'a> {
    pub fn of(subject: &'a Subject) -> Self {
        let d_model = subject.spec.d_model;
        let goal = (0..ROWS.len() * d_model).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<_>>();
        let goal = TensorData::new(goal, [ROWS.len(), d_model]);
        Self {
            subject,
            batch: batch(&ROWS, 8, 0, &subject.device),
            goal: Tensor::from_data(goal, &subject.device),
            optimizer: AdamWConfig::new().init(),
        }
    }

    /// All gradients that the backward pass leaves.
    pub fn gradients(&self, method: &Method) -> Gradients {
        let backbone = &self.subject.backbone;
        let vectors = backbone.features(&self.batch, method, Pooling::Mean);
        let loss = (vectors - self.goal.clone()).square().mean();
        match method.penalty() {
            None => loss.backward(),
            Some(penalty) => (loss + penalty).backward(),
        }
    }

    /// One step, as the trainer of the suite takes it.
    pub fn step(&mut self, method: Method, grads: GradientsParams, progress: Progress) -> Method {
        let method = method.observe(&grads);
        let rate = self.subject.config.card().learning_rate;
        self.optimizer.step(rate, method, grads).after_step(progress)
    }

    /// The first `n_steps` of `total` steps; `each` sees the method after every one of them.
    pub fn run(
        mut self,
        mut method: Method,
        n_steps: usize,
        total: usize,
        mut each: impl FnMut(&Method),
    ) -> Method {
        for step in 1..=n_steps {
            let grads = GradientsParams::from_grads(self.gradients(&method), &method);
            method = self.step(method, grads, Progress { step, total });
            each(&method);
        }
        method
    }
}
