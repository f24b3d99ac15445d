//! The record of one run: the only thing that tables, charts and pages are made from.
//!
//! A record splits in two. What a rerun with the same seed on the same device must give again
//! ([`RunRecord::outcome`]) and what depends on the hour and the machine ([`Cost`],
//! [`Environment`], `started`, `command`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod check;
mod row_set;
mod search;

pub use row_set::RowSet;
pub use search::{Best, Search, Trial};

/// The version of this format. A reader refuses a newer one and reads every older one.
///
/// - 1: the first.
/// - 2: adds `search`, `transfer`, `from`, `scores.test_correct` and `backbone.precision`, which
///   older records lack, and the status `imported`.
pub const SCHEMA: u32 = 2;

/// Everything known about one finished run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// [`SCHEMA`] of the program that wrote it.
    pub schema: u32,
    /// Hash of task, backbone, method configuration, training configuration and seed. Where the
    /// learning rate was searched, the settings of the search stand in its place.
    pub id: String,
    /// How the run ended.
    pub status: Status,
    /// What was classified.
    pub task: TaskInfo,
    /// What was frozen.
    pub backbone: BackboneInfo,
    /// What was trained.
    pub method: MethodInfo,
    /// Id of the run that it goes on from; `None` for a fresh start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The training configuration, whole, with defaults filled in.
    pub training: serde_json::Value,
    /// Seed of initialisation, data order and dropout.
    pub seed: u64,
    /// Parameters, counted four ways.
    pub counts: Counts,
    /// Figures of the best checkpoint. `None` when the run diverged before its first evaluation.
    pub scores: Option<Scores>,
    /// How the learning rate was found; `None` where it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// The learning curve, in steps.
    pub curve: Vec<CurvePoint>,
    /// Figures of the same trained checkpoint on other tasks, without any training on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transfer: Vec<Transfer>,
    /// What a method has to tell beside its scores, e.g. AdaLoRA's surviving rank per site.
    #[serde(default)]
    pub details: BTreeMap<String, serde_json::Value>,
    /// Time and memory.
    pub cost: Cost,
    /// Where it ran.
    pub environment: Environment,
    /// UTC time of the start, RFC 3339.
    pub started: String,
    /// The command that makes this record again.
    pub command: String,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Status {
    /// All planned steps were done.
    Finished,
    /// Validation stopped improving, so the run ended early by its configuration.
    StoppedEarly {
        /// The step of the stop.
        step: usize,
    },
    /// The loss became NaN or infinite.
    Diverged {
        /// The step at which it was seen.
        step: usize,
    },
    /// It was trained elsewhere and only read here: there are no scores, no curve and no costs,
    /// and no page compares it.
    Imported,
}

/// The task of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskInfo {
    /// Short name, e.g. `movie`.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// Names of the classes, in label order.
    pub classes: Vec<String>,
    /// Rows of the training split that were used.
    pub n_train: usize,
    /// Rows of the validation split.
    pub n_validation: usize,
    /// Rows of the test split.
    pub n_test: usize,
    /// Longest input in tokens; longer texts were cut.
    pub max_tokens: usize,
    /// Share of rows that were cut, 0 to 1.
    pub truncated_share: f64,
    /// SHA-256 over the rows of all splits: equal only for equal data.
    pub fingerprint: String,
}

/// The frozen model of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackboneInfo {
    /// Asset name or path, e.g. `minilm-l6`.
    pub name: String,
    /// Architecture, e.g. `bert`.
    pub family: String,
    /// Parameters of the backbone.
    pub n_parameters: usize,
    /// Transformer layers.
    pub n_layers: usize,
    /// Width of the hidden state.
    pub d_model: usize,
    /// How a sentence vector is made from hidden states, e.g. `mean`.
    pub pooling: String,
    /// How the factors of products with frozen matrices were rounded, e.g. `bf16`; not at all if
    /// it is missing. Full fine-tuning has no frozen matrix, so it computes in float32 whatever
    /// this says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
    /// SHA-256 of the weights file.
    pub fingerprint: String,
}

impl BackboneInfo {
    /// What it is called where precisions are told apart, e.g. `minilm-l6 in bf16`.
    pub fn title(&self) -> String {
        match &self.precision {
            None => self.name.clone(),
            Some(precision) => format!("{} in {precision}", self.name),
        }
    }
}

/// The method of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodInfo {
    /// Registered name, e.g. `lora`; curves join runs of one `name` and `variant`.
    pub name: String,
    /// Title for people, e.g. `LoRA`.
    pub title: String,
    /// What tells two curves of one method apart, e.g. `lstm`; empty for the default.
    #[serde(default)]
    pub variant: String,
    /// The knob that sets the size, e.g. `rank` = 8. `None` for methods without one.
    pub budget: Option<Budget>,
    /// A reference, not a PEFT method: majority class, head only, full fine-tuning.
    pub baseline: bool,
    /// The method's configuration, whole, with defaults filled in.
    pub config: serde_json::Value,
}

/// The size knob of a method and its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Name of the knob, e.g. `rank` or `tokens`.
    pub name: String,
    /// Its value.
    pub value: usize,
}

/// Parameters, counted four ways that must never be mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// What the optimizer moves, the classification head not included.
    pub trainable: usize,
    /// What must be kept to use the result, the head not included.
    pub stored: usize,
    /// What takes part in inference beside the backbone, the head not included.
    pub active: usize,
    /// The classification head.
    pub head: usize,
    /// Bytes of the saved file, head included.
    pub bytes_on_disk: u64,
}

/// Figures of the best checkpoint by validation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// Share of test rows classified right, 0 to 1. Read once, after training.
    pub test_accuracy: f64,
    /// Mean cross-entropy on the test split, nats.
    pub test_loss: f64,
    /// Unweighted mean of the classes' F1 on the test split.
    pub test_macro_f1: f64,
    /// The test rows that were classified right. Two runs with equal `task.fingerprint` and
    /// `task.n_test` have the same rows, so that they can be compared row by row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_correct: Option<RowSet>,
    /// Share of validation rows classified right, 0 to 1.
    pub validation_accuracy: f64,
    /// Mean cross-entropy on the validation split, nats.
    pub validation_loss: f64,
    /// The optimizer step of the kept checkpoint.
    pub best_step: usize,
}

/// Figures of a trained checkpoint on the test split of a task that it was not trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// Short name of the task, e.g. `amazon`.
    pub task: String,
    /// One line for people.
    pub title: String,
    /// SHA-256 over the rows of all its splits.
    pub fingerprint: String,
    /// Rows of its test split.
    pub n_test: usize,
    /// Share of these rows classified right, 0 to 1.
    pub accuracy: f64,
    /// Unweighted mean of the classes' F1.
    pub macro_f1: f64,
    /// Mean cross-entropy, nats.
    pub loss: f64,
    /// The rows that were classified right.
    pub test_correct: RowSet,
}

/// One point of the learning curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvePoint {
    /// Optimizer steps done.
    pub step: usize,
    /// Passes over the training split done.
    pub epoch: f64,
    /// Mean task loss since the point before (no penalty included), nats. `None` at step 0.
    pub train_loss: Option<f64>,
    /// Learning rate of the last step, for all but the head.
    pub learning_rate: f64,
    /// Mean cross-entropy on the validation split, nats.
    pub validation_loss: f64,
    /// Share of validation rows classified right, 0 to 1.
    pub validation_accuracy: f64,
}

/// What the run cost. Differs from run to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Optimizer steps done.
    pub steps: usize,
    /// Seconds in training steps alone: no evaluation, no logging, no loading. Where nothing below
    /// the head is trained, the sentence vectors are computed once for all runs and trials of a
    /// process on the same rows; the seconds that they took are part of this figure in each of
    /// them, so that it does not depend on which came first.
    pub train_seconds: f64,
    /// Seconds in evaluation passes.
    pub evaluation_seconds: f64,
    /// True tokens (padding not counted) through the backbone in training, per second.
    pub tokens_per_second: f64,
    /// Highest memory use of the run where the system tells it, bytes.
    pub peak_bytes: Option<u64>,
}

/// Where the run happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Device name, e.g. `flex`.
    pub device: String,
    /// What the device is, e.g. the adapter's name or the CPU's model.
    pub hardware: String,
    /// Threads available.
    pub threads: usize,
    /// Operating system and architecture.
    pub system: String,
    /// Version of this program.
    pub version: String,
    /// Version of Burn.
    pub burn: String,
    /// Commit of the source at build time, with `+dirty` for local changes; empty if unknown.
    pub commit: String,
}

impl RunRecord {
    /// The record without what depends on the hour and the machine, such as the paths in the
    /// command: equal for equal runs.
    pub fn outcome(&self) -> RunRecord {
        RunRecord {
            cost: Cost {
                steps: self.cost.steps,
                train_seconds: 0.0,
                evaluation_seconds: 0.0,
                tokens_per_second: 0.0,
                peak_bytes: None,
            },
            environment: Environment {
                device: self.environment.device.clone(),
                hardware: String::new(),
                threads: 0,
                system: String::new(),
                version: String::new(),
                burn: String::new(),
                commit: String::new(),
            },
            started: String::new(),
            command: String::new(),
            search: self.search.as_ref().map(Search::outcome),
            ..self.clone()
        }
    }

    /// Name for charts and tables, e.g. `LoRA rank=8` or `P-Tuning lstm tokens=20`.
    pub fn label(&self) -> String {
        let mut label = self.method.title.clone();
        if !self.method.variant.is_empty() {
            label += &format!(" {}", self.method.variant);
        }
        if let Some(budget) = &self.method.budget {
            label += &format!(" {}={}", budget.name, budget.value);
        }
        label
    }
}

#[cfg(test)]
mod tests {
    use crate::example;

    #[test]
    fn runs_that_differ_in_time_and_place_have_equal_outcomes() {
        let first = example::suite(&[1]).remove(4);
        let mut second = first.clone();
        second.cost.train_seconds *= 2.0;
        second.cost.peak_bytes = None;
        second.environment.hardware = "another".to_owned();
        second.started = "2027-01-01T00:00:00Z".to_owned();
        second.command = "run --train elsewhere/mine.csv".to_owned();
        assert_ne!(first, second);
        assert_eq!(first.outcome(), second.outcome());
        second.curve[3].validation_loss += 1e-9;
        assert_ne!(first.outcome(), second.outcome());
    }

    #[test]
    fn labels_name_method_variant_and_budget_as_far_as_there_are_any() {
        let labels: Vec<String> = example::suite(&[1]).iter().map(|r| r.label()).collect();
        for label in ["Head only", "LoRA rank=8", "P-Tuning lstm tokens=20"] {
            assert!(labels.iter().any(|l| l == label), "{label} not in {labels:?}");
        }
    }
}
