//! AdaLoRA's settings, and the schedule that follows from them.

use backbones::{BackboneSpec, Role};
use serde::{Deserialize, Serialize};

use crate::{
    method::ConfigError,
    sites::{DEFAULT_ROLES, Target, check_alpha, check_rank, select},
};

/// Settings of [`AdaLora`](super::AdaLora).
///
/// | field | symbol | default | range | meaning |
/// | --- | --- | --- | --- | --- |
/// | `target_rank` | b_T / sites | 8 | 1 to `initial_rank` | mean rank that survives |
/// | `initial_rank` | r₀ | 12 | 1 to the smaller width | rank of every site at first |
/// | `alpha` | α | 64 | > 0 to 10⁶ | strength; the branch is scaled by α/r₀ |
/// | `roles` | | query, value | the backbone's | linear maps to act on |
/// | `layers` | | all | the backbone's | layers to act on |
/// | `orthogonality` | γ | 0.1 | 0 to 10⁶ | weight of the penalty |
/// | `beta_sensitivity` | β₁ | 0.85 | 0 to < 1 | smoothing of the importance |
/// | `beta_uncertainty` | β₂ | 0.85 | 0 to < 1 | smoothing of its variation |
/// | `warmup_share` | t_i / T | 0.15 | sum < 1 | share of steps before the first pruning |
/// | `final_share` | t_f / T | 0.35 | sum < 1 | share of steps after the last pruning |
/// | `interval` | ΔT | 5 | ≥ 1 | steps between prunings |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaLoraConfig {
    /// Mean rank that survives.
    pub target_rank: usize,
    /// r₀
    pub initial_rank: usize,
    /// α
    pub alpha: f64,
    /// Linear maps to act on.
    pub roles: Vec<Role>,
    /// Layers to act on; all if `None`.
    pub layers: Option<Vec<usize>>,
    /// γ
    pub orthogonality: f64,
    /// β₁
    pub beta_sensitivity: f64,
    /// β₂
    pub beta_uncertainty: f64,
    /// t_i / T
    pub warmup_share: f64,
    /// t_f / T
    pub final_share: f64,
    /// ΔT
    pub interval: usize,
}

impl Default for AdaLoraConfig {
    fn default() -> Self {
        Self {
            target_rank: 8,
            initial_rank: 12,
            alpha: 64.0,
            roles: DEFAULT_ROLES.to_vec(),
            layers: None,
            orthogonality: 0.1,
            beta_sensitivity: 0.85,
            beta_uncertainty: 0.85,
            warmup_share: 0.15,
            final_share: 0.35,
            interval: 5,
        }
    }
}

impl AdaLoraConfig {
    /// The sites to act on.
    ///
    /// # Errors
    /// The first setting that makes no sense.
    pub(super) fn targets(&self, spec: &BackboneSpec) -> Result<Vec<Target>, ConfigError> {
        let refuse = |field, value: f64, expected: &str| {
            Err(ConfigError::out_of_range(field, value, expected))
        };
        check_alpha(self.alpha)?;
        if !(0.0..=1e6).contains(&self.orthogonality) {
            return refuse("orthogonality", self.orthogonality, "0 to 1000000");
        }
        for (field, beta) in [
            ("beta_sensitivity", self.beta_sensitivity),
            ("beta_uncertainty", self.beta_uncertainty),
        ] {
            if !(0.0..1.0).contains(&beta) {
                return refuse(field, beta, "0 to below 1");
            }
        }
        for (field, share) in
            [("warmup_share", self.warmup_share), ("final_share", self.final_share)]
        {
            if !(0.0..1.0).contains(&share) {
                return refuse(field, share, "0 to below 1");
            }
        }
        if self.warmup_share + self.final_share >= 1.0 {
            let expected =
                format!("below {}, so that steps are left to prune in", 1.0 - self.warmup_share);
            return refuse("final_share", self.final_share, &expected);
        }
        if self.interval == 0 {
            return refuse("interval", 0.0, "at least 1");
        }
        let targets = select(spec, &self.roles, self.layers.as_deref())?;
        for target in &targets {
            check_rank("initial_rank", self.initial_rank, target)?;
        }
        if self.target_rank == 0 || self.target_rank > self.initial_rank {
            let expected = format!("1 to initial_rank, which is {}", self.initial_rank);
            return Err(ConfigError::out_of_range("target_rank", self.target_rank, expected));
        }
        Ok(targets)
    }

    /// When how many triplets are left, in a training of `total` steps.
    pub(super) fn schedule(&self, total: usize, n_sites: usize) -> Schedule {
        let steps = |share: f64| (share * total as f64).round() as usize;
        Schedule {
            first: steps(self.warmup_share),
            // A training of a few steps prunes once.
            last: total.saturating_sub(steps(self.final_share)).max(1),
            interval: self.interval,
            start: n_sites * self.initial_rank,
            end: n_sites * self.target_rank,
        }
    }
}

/// When how many triplets are left.
pub(super) struct Schedule {
    /// t_i: steps in which nothing is pruned.
    first: usize,
    /// T − t_f: the step of the last pruning.
    pub(super) last: usize,
    interval: usize,
    /// b₀
    start: usize,
    /// b_T
    end: usize,
}

impl Schedule {
    /// b(t) at a step that prunes, `None` at the others.
    pub(super) fn budget(&self, step: usize) -> Option<usize> {
        if step == self.last {
            return Some(self.end);
        }
        if step <= self.first || step > self.last || !step.is_multiple_of(self.interval) {
            return None;
        }
        let left = 1.0 - (step - self.first) as f64 / (self.last - self.first) as f64;
        // The order of the operations is that of Hugging Face PEFT: rounding decides a rank.
        Some(((self.start - self.end) as f64 * left.powf(3.0) + self.end as f64) as usize)
    }
}
