//! How a learning rate was found: the rule, every rate that was tried, and the choice.

use serde::{Deserialize, Serialize};

use super::{CurvePoint, Status};

/// A search for the learning rate on the validation split, shared by the seeds of one
/// configuration. No trial reads the test split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// The rule in words.
    pub rule: String,
    /// The training setting that was searched: `learning_rate`, or `head_learning_rate` where
    /// nothing but the head is trained.
    pub setting: String,
    /// Seed of every trial; no final run has it.
    pub seed: u64,
    /// Every rate of the grid, from low to high.
    pub grid: Vec<f64>,
    /// One trial for each rate, in the grid's order.
    pub trials: Vec<Trial>,
    /// The rate that the final runs take.
    pub chosen: f64,
    /// The choice is the lowest or the highest rate: a better one may lie beyond the grid. The
    /// grid is not extended, so that every configuration gets the same number of trials.
    pub edge: bool,
}

/// One short training at one learning rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Hash of all that decides it: that of a run of this length at this rate.
    pub id: String,
    /// The rate that was tried.
    pub learning_rate: f64,
    /// How it ended.
    pub status: Status,
    /// Optimizer steps done.
    pub steps: usize,
    /// Its best look at the validation split; `None` if it diverged before one.
    pub best: Option<Best>,
    /// Its learning curve.
    pub curve: Vec<CurvePoint>,
    /// Seconds in training steps and evaluation, as [`Cost`](super::Cost) counts them. Differs
    /// from run to run.
    pub seconds: f64,
}

/// A look at the validation split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// Optimizer steps done.
    pub step: usize,
    /// Share of validation rows classified right, 0 to 1.
    pub accuracy: f64,
    /// Mean cross-entropy on the validation split, nats.
    pub loss: f64,
}

impl Search {
    /// Seconds of all trials.
    pub fn seconds(&self) -> f64 {
        self.trials.iter().map(|trial| trial.seconds).sum()
    }

    /// The trial at the chosen rate.
    pub fn chosen_trial(&self) -> Option<&Trial> {
        self.trials.iter().find(|trial| trial.learning_rate == self.chosen)
    }

    /// The search without what depends on the hour and the machine.
    pub(super) fn outcome(&self) -> Self {
        let timeless = |trial: &Trial| Trial { seconds: 0.0, ..trial.clone() };
        Self { trials: self.trials.iter().map(timeless).collect(), ..self.clone() }
    }
}
