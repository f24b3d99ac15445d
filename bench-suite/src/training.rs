//! Settings of the training, the same for every arm unless a suite says otherwise.

use serde::{Deserialize, Serialize};

/// The course of the learning rate after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Straight down to 0.
    #[default]
    Linear,
    /// Down to 0 along half a cosine.
    Cosine,
    /// Unchanged.
    Constant,
}

/// How a run trains.
///
/// | field | default | range | meaning |
/// | --- | --- | --- | --- |
/// | `epochs` | 1 | > 0 | passes over the training rows; fractions are fine |
/// | `train_rows` | all | ≥ classes | rows used, the same for every method and seed |
/// | `batch_size` | 32 | ≥ 1 | rows a step |
/// | `learning_rate` | the method's | > 0 | highest rate of AdamW for all but the head |
/// | `head_learning_rate` | 0.01 | > 0 | highest rate for the head, the same for every method |
/// | `schedule` | linear | | course after the warm-up |
/// | `warmup_share` | 0.1 | 0 to 1 | share of steps in which the rate rises from 0 |
/// | `weight_decay` | 0.01 | ≥ 0 | decoupled, on every trained tensor |
/// | `clip_norm` | 1 | ≥ 0 | global gradient norm; 0 switches it off |
/// | `evaluations` | 4 | ≥ 1 | looks at the validation split; the best one is kept |
/// | `validation_rows` | all | ≥ 1 | validation rows used, the same for every method |
/// | `patience` | none | ≥ 1 | evaluations without a better one before stopping |
/// | `gradient_checkpointing` | false | | cheap activations are computed again, not kept |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// Passes over the training rows.
    pub epochs: f64,
    /// Training rows used.
    pub train_rows: Option<usize>,
    /// Rows a step.
    pub batch_size: usize,
    /// Highest rate of AdamW for all but the head; the method's own default if `None`.
    pub learning_rate: Option<f64>,
    /// Highest rate of AdamW for the head. A fresh head needs a much higher one than most
    /// methods do, and with one rate for both their comparison would be one of heads.
    pub head_learning_rate: f64,
    /// Course after the warm-up.
    pub schedule: Schedule,
    /// Share of steps in which the rate rises.
    pub warmup_share: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Global gradient norm; 0 switches clipping off.
    pub clip_norm: f64,
    /// Looks at the validation split.
    pub evaluations: usize,
    /// Validation rows used.
    pub validation_rows: Option<usize>,
    /// Evaluations without a better one before stopping.
    pub patience: Option<usize>,
    /// Cheap activations are computed again in the backward pass instead of being kept: Burn's
    /// balanced strategy, which takes element-wise operations for cheap.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gradient_checkpointing: bool,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            epochs: 1.0,
            train_rows: None,
            batch_size: 32,
            learning_rate: None,
            head_learning_rate: 1e-2,
            schedule: Schedule::default(),
            warmup_share: 0.1,
            weight_decay: 0.01,
            clip_norm: 1.0,
            evaluations: 4,
            validation_rows: None,
            patience: None,
            gradient_checkpointing: false,
        }
    }
}

impl Training {
    /// Refuses settings that make no sense.
    ///
    /// # Errors
    /// A line that names the field, its value and the range.
    pub fn check(&self) -> Result<(), String> {
        let refuse = |field: &str, value: &dyn std::fmt::Display, expected: &str| {
            Err(format!("training.{field} is {value}; it must be {expected}"))
        };
        let above_zero = |value: f64| value.is_finite() && value > 0.0;
        if !above_zero(self.epochs) {
            return refuse("epochs", &self.epochs, "a number above 0");
        }
        if self.batch_size == 0 {
            return refuse("batch_size", &0, "at least 1");
        }
        for (field, rate) in [
            ("learning_rate", self.learning_rate),
            ("head_learning_rate", Some(self.head_learning_rate)),
        ] {
            if let Some(rate) = rate
                && !above_zero(rate)
            {
                return refuse(field, &rate, "a number above 0");
            }
        }
        if !(0.0..=1.0).contains(&self.warmup_share) {
            return refuse("warmup_share", &self.warmup_share, "0 to 1");
        }
        for (field, value) in [("weight_decay", self.weight_decay), ("clip_norm", self.clip_norm)] {
            if !(value.is_finite() && value >= 0.0) {
                return refuse(field, &value, "a number from 0 up");
            }
        }
        if self.evaluations == 0 {
            return refuse("evaluations", &0, "at least 1");
        }
        for (field, value) in [
            ("train_rows", self.train_rows),
            ("validation_rows", self.validation_rows),
            ("patience", self.patience),
        ] {
            if value == Some(0) {
                return refuse(field, &0, "at least 1");
            }
        }
        Ok(())
    }

    /// Optimizer steps for a number of training rows.
    pub fn n_steps(&self, n_rows: usize) -> usize {
        let steps_per_epoch = n_rows.div_ceil(self.batch_size);
        ((steps_per_epoch as f64 * self.epochs).round() as usize).max(1)
    }

    /// The learning rate of a step, counted from 1, of `total`.
    pub fn rate_at(&self, peak: f64, step: usize, total: usize) -> f64 {
        let warmup = (self.warmup_share * total as f64).round();
        let step = step as f64;
        if step <= warmup {
            return peak * step / warmup;
        }
        // The last step still moves: the rate would reach 0 one step after it.
        let done = (step - warmup - 1.0) / (total as f64 - warmup).max(1.0);
        peak * match self.schedule {
            Schedule::Linear => 1.0 - done,
            Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
            Schedule::Constant => 1.0,
        }
    }

    /// Whether to look at the validation split after this step.
    pub fn is_evaluation(&self, step: usize, total: usize) -> bool {
        let due = |step: usize| step * self.evaluations / total;
        step == total || due(step) > due(step - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_to_its_peak_and_falls_towards_zero() {
        let training = Training { warmup_share: 0.2, ..Default::default() };
        let rates: Vec<f64> = (1..=10).map(|step| training.rate_at(1.0, step, 10)).collect();
        assert_eq!(rates[..3], [0.5, 1.0, 1.0]);
        assert!((rates[9] - 0.125).abs() < 1e-12);
        let cosine = Training { schedule: Schedule::Cosine, ..training };
        assert!((cosine.rate_at(2.0, 7, 10) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_last_step_is_always_an_evaluation() {
        let training = Training { evaluations: 4, ..Default::default() };
        let at: Vec<usize> = (1..=10).filter(|&step| training.is_evaluation(step, 10)).collect();
        assert_eq!(at, [3, 5, 8, 10]);
        let few: Vec<usize> = (1..=2).filter(|&step| training.is_evaluation(step, 2)).collect();
        assert_eq!(few, [1, 2]);
    }

    #[test]
    fn bad_settings_are_named() {
        let bad = Training { clip_norm: f64::NAN, ..Default::default() };
        assert!(bad.check().unwrap_err().contains("training.clip_norm is NaN"));
        let bad = Training { train_rows: Some(0), ..Default::default() };
        assert!(bad.check().unwrap_err().contains("training.train_rows is 0"));
    }
}
