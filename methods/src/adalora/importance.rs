//! AdaLoRA's importance: how much the loss would feel the loss of a triplet.
//!
//! Smoothed sensitivity |w · ∂w| times its smoothed variation, per number; see
//! [`super`] for the formulas. Statistics stay on the device; only the scores of the
//! triplets are read back, and only when pruning.

use std::collections::BTreeMap;

use backbones::Site;
use burn::{
    optim::GradientsParams,
    tensor::{Tensor, TensorData},
};

use super::Triplets;
use crate::method::{ConfigError, take_stored};

/// Names of the factors of a triplet, in the order of everything here.
pub(super) const FACTORS: [&str; 3] = ["q", "lambda", "p"];

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

    /// The statistics by name, e.g. `3.query.q.sensitivity`; none before the first update.
    pub(super) fn state(&self, triplets: &[Triplets]) -> Vec<(String, TensorData)> {
        let of_site = |(triplets, statistics): (&Triplets, &[Statistics; 3])| {
            let named = |(name, statistics): (&str, &Statistics)| {
                let Statistics { sensitivity, uncertainty } = statistics;
                let at = format!("{}.{name}", triplets.site);
                [
                    (format!("{at}.sensitivity"), sensitivity.to_data()),
                    (format!("{at}.uncertainty"), uncertainty.to_data()),
                ]
            };
            FACTORS.into_iter().zip(statistics).flat_map(named).collect::<Vec<_>>()
        };
        triplets.iter().zip(&self.statistics).flat_map(of_site).collect()
    }

    /// Takes up what [`state`](Self::state) gave.
    pub(super) fn resume(
        &mut self,
        triplets: &[Triplets],
        state: &BTreeMap<String, Tensor<2>>,
    ) -> Result<(), ConfigError> {
        if !state.keys().any(|name| name.ends_with(".sensitivity")) {
            return Ok(());
        }
        let of_factor = |site: Site, name: &str, shape: [usize; 2]| {
            let take = |what: &str| take_stored(state, &format!("{site}.{name}.{what}"), shape);
            let (sensitivity, uncertainty) = (take("sensitivity")?, take("uncertainty")?);
            Ok::<_, ConfigError>(Statistics { sensitivity, uncertainty })
        };
        let of_site = |Triplets { q, lambda, p, site }: &Triplets| {
            Ok([
                of_factor(*site, FACTORS[0], q.dims())?,
                of_factor(*site, FACTORS[1], lambda.dims())?,
                of_factor(*site, FACTORS[2], p.dims())?,
            ])
        };
        self.statistics = triplets.iter().map(of_site).collect::<Result<_, ConfigError>>()?;
        Ok(())
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
