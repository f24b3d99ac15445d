//! AdaLoRA's importance: how much the loss would feel the loss of a triplet.
//!
//! Smoothed sensitivity |w · ∂w| times its smoothed variation, per number; see
//! [`super`] for the formulas. Statistics stay on the device; only the scores of the
//! triplets are read back, and only when pruning.

use burn::{optim::GradientsParams, tensor::Tensor};

use super::Triplets;

/// Sensitivity and uncertainty of one factor, both of the factor's shape.
#[derive(Clone, Debug)]
struct Statistics {
    sensitivity: Tensor<2>,
    uncertainty: Tensor<2>,
}

impl Statistics {
    fn score(&self) -> Tensor<2> {
        self.sensitivity.clone() * self.uncertainty.clone()
    }
}

/// Running importance of all factors of all sites.
#[derive(Clone, Debug)]
pub(super) struct Importance {
    beta_sensitivity: f64,
    beta_uncertainty: f64,
    /// Gradients of (Q, λ, P) by site, from the last backward pass.
    gradients: Vec<[Option<Tensor<2>>; 3]>,
    /// Statistics of (Q, λ, P) by site.
    statistics: Vec<[Statistics; 3]>,
}

impl Importance {
    pub(super) fn new(beta_sensitivity: f64, beta_uncertainty: f64) -> Self {
        Self { beta_sensitivity, beta_uncertainty, gradients: vec![], statistics: vec![] }
    }

    /// Whether no step was taken in.
    pub(super) fn is_empty(&self) -> bool {
        self.statistics.is_empty()
    }

    /// Keeps the gradients until the optimizer has moved the factors.
    pub(super) fn keep_gradients(&mut self, triplets: &[Triplets], grads: &GradientsParams) {
        let of = |t: &Triplets| [grads.get(t.q.id), grads.get(t.lambda.id), grads.get(t.p.id)];
        self.gradients = triplets.iter().map(of).collect();
    }

    /// Takes the kept gradients into the statistics.
    pub(super) fn update(&mut self, triplets: &[Triplets]) {
        if self.gradients.is_empty() {
            return;
        }
        let factors = |t: &Triplets| {
            [t.q.val(), t.lambda.val(), t.p.val()].map(|factor| factor.without_autodiff())
        };
        if self.statistics.is_empty() {
            let zero = |factor: Tensor<2>| Statistics {
                sensitivity: factor.zeros_like(),
                uncertainty: factor.zeros_like(),
            };
            self.statistics = triplets.iter().map(|t| factors(t).map(zero)).collect();
        }
        let gradients = std::mem::take(&mut self.gradients);
        for ((triplets, gradients), statistics) in
            triplets.iter().zip(gradients).zip(&mut self.statistics)
        {
            for ((factor, gradient), statistics) in
                factors(triplets).into_iter().zip(gradients).zip(statistics)
            {
                if let Some(gradient) = gradient {
                    let now = (factor * gradient.without_autodiff()).abs();
                    smooth(&mut statistics.sensitivity, now.clone(), self.beta_sensitivity);
                    let variation = (now - statistics.sensitivity.clone()).abs();
                    smooth(&mut statistics.uncertainty, variation, self.beta_uncertainty);
                }
            }
        }
    }

    /// S of every triplet, by site.
    pub(super) fn triplet_scores(&self) -> Vec<Vec<f32>> {
        self.statistics
            .iter()
            .map(|[q, lambda, p]| {
                let rank = lambda.sensitivity.dims()[1];
                let score = lambda.score().reshape([rank])
                    + q.score().mean_dim(0).reshape([rank])
                    + p.score().mean_dim(1).reshape([rank]);
                score.into_data().iter::<f32>().collect()
            })
            .collect()
    }
}

/// `average ← beta · average + (1 − beta) · value`
fn smooth(average: &mut Tensor<2>, value: Tensor<2>, beta: f64) {
    *average = average.clone() * beta + value * (1.0 - beta);
}
