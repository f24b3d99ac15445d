//! What is measured: a method on rows of given lengths.

use std::{fmt, str::FromStr};

use anyhow::{Result, bail};
use datasets::{Encoded, train_batches};
use serde_json::Value;

use crate::{
    arm::Arm,
    choice::{ModelChoice, TaskChoice},
    data::{Data, Rows},
    model::Model,
    plan::RunPlan,
    run::{check, check_length},
    settings::assignment,
    training::Training,
};

/// Seed of the order of the rows and of everything that is drawn.
const SEED: u64 = 0;

/// The shortest fixed length: a first, a last and one token between.
const SHORTEST: usize = 3;

/// Which rows the steps are taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The task's own rows, in the batches of the first steps of a training.
    Rows,
    /// Rows of this many tokens, made of the task's, without any padding.
    Length(usize),
}

impl FromStr for Work {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "rows" => Ok(Self::Rows),
            Ok(length) if length >= SHORTEST => Ok(Self::Length(length)),
            _ => Err(format!("expected 'rows' or a length from {SHORTEST} tokens up")),
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows => f.write_str("rows"),
            Self::Length(length) => write!(f, "{length}"),
        }
    }
}

/// One method on one kind of rows.
#[derive(Clone, Debug)]
pub struct Job {
    /// Where the rows come from.
    pub task: TaskChoice,
    /// What is frozen.
    pub model: ModelChoice,
    /// What is trained.
    pub arm: Arm,
    /// Which rows.
    pub work: Work,
    /// Rows a step.
    pub batch: usize,
    /// Steps a round.
    pub steps: usize,
}

impl Job {
    /// The run that a round is: one pass over the rows of [`Self::data`].
    pub fn plan(&self) -> RunPlan {
        let training = Training { batch_size: self.batch, evaluations: 1, ..Training::default() };
        let (task, model, arm) = (self.task.clone(), self.model.clone(), self.arm.clone());
        let (from, search, transfer) = (None, None, vec![]);
        RunPlan { task, model, arm, from, training, seed: SEED, search, transfer }.with_defaults()
    }

    /// Refuses what the model cannot take.
    ///
    /// # Errors
    /// As [`check_length`].
    pub fn check(&self, model: &Model, task: &Data) -> Result<()> {
        let plan = self.plan();
        let Work::Length(length) = self.work else {
            return check(&plan, model, task);
        };
        if length > model.spec.n_positions {
            bail!("--work {length}: the model has {} positions alone", model.spec.n_positions);
        }
        check_length(&plan, model, task, length)
    }

    /// The rows of a round. The evaluation pass has the task's whole test split.
    pub fn data(&self, task: &Data) -> Data {
        let n = self.batch * self.steps;
        let train = match self.work {
            Work::Rows => first_rows(&task.train, self.batch, self.steps),
            Work::Length(length) => rows_of_length(&task.train, length, n),
        };
        // Every training ends with a look at it, which is no part of a step.
        let validation = train.select(&[0]);
        task.with_rows(train, validation)
    }

    /// The flags by which a worker of our own is told of this job.
    pub fn flags(&self) -> Vec<String> {
        let mut flags = vec!["bench".to_owned(), "--worker".to_owned()];
        let mut flag = |name: &str, value: String| flags.extend([name.to_owned(), value]);
        flag("--method", self.arm.name().to_owned());
        flag("--work", self.work.to_string());
        flag("--batch", self.batch.to_string());
        flag("--steps", self.steps.to_string());
        if let Ok(Value::Object(settings)) = serde_json::to_value(&self.arm) {
            let pairs = settings.iter().filter_map(|(key, value)| assignment(key, value));
            pairs.for_each(|pair| flag("--config", pair));
        }
        flags.extend(self.task.flags());
        flags.extend(self.model.flags());
        flags
    }
}

/// The rows of the first batches of a training.
fn first_rows(rows: &Rows, batch: usize, steps: usize) -> Rows {
    let batches = train_batches(&rows.encoded, &rows.labels, batch, SEED, 0);
    let first: Vec<usize> = batches.into_iter().take(steps).flat_map(|batch| batch.rows).collect();
    rows.select(&first)
}

/// Rows of one length: the inner tokens of all rows, one after the other, cut into pieces between
/// the first and the last token of a row.
fn rows_of_length(rows: &Rows, length: usize, n: usize) -> Rows {
    let middle = |ids: &[u32]| ids.get(1..ids.len().saturating_sub(1)).unwrap_or_default().to_vec();
    let inner: Vec<u32> = rows.encoded.iter().flat_map(|row| middle(&row.ids)).collect();
    let ends = rows.encoded.first().map(|row| row.ids.as_slice()).unwrap_or_default();
    let (first, last) = (ends.first().copied(), ends.last().copied());
    let mut inner = inner.into_iter().cycle();
    let encoded = (0..n).map(|_| {
        let middle: Vec<u32> = inner.by_ref().take(length - 2).collect();
        let ids: Vec<u32> = first.into_iter().chain(middle).chain(last).collect();
        Encoded { type_ids: vec![0; ids.len()], ids, truncated: false }
    });
    let labels = rows.labels.iter().copied().cycle().take(n).collect();
    Rows { encoded: encoded.collect(), labels }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lengths: &[usize]) -> Rows {
        let row = |(i, &length): (usize, &usize)| {
            let mut ids = vec![10 + i as u32; length];
            (ids[0], ids[length - 1]) = (2, 3);
            Encoded { type_ids: vec![0; length], ids, truncated: false }
        };
        let encoded: Vec<Encoded> = lengths.iter().enumerate().map(row).collect();
        Rows { labels: (0..lengths.len()).map(|i| i % 2).collect(), encoded }
    }

    #[test]
    fn a_fixed_length_is_made_of_the_tasks_tokens_between_its_first_and_last() {
        let made = rows_of_length(&rows(&[4, 5]), 6, 3);
        let ids: Vec<&[u32]> = made.encoded.iter().map(|row| row.ids.as_slice()).collect();
        let expected: [&[u32]; 3] =
            [&[2, 10, 10, 11, 11, 3], &[2, 11, 10, 10, 11, 3], &[2, 11, 11, 10, 10, 3]];
        assert_eq!(ids, expected);
        assert_eq!(made.labels, [0, 1, 0]);
    }

    #[test]
    fn real_rows_are_those_of_the_first_batches_and_come_in_the_same_batches_again() {
        let lengths: Vec<usize> = (0..400).map(|i| 3 + i * 7 % 50).collect();
        let all = rows(&lengths);
        let chosen = first_rows(&all, 16, 4);
        let padding = |rows: &Rows, n: usize| -> usize {
            let batches = train_batches(&rows.encoded, &rows.labels, 16, SEED, 0);
            batches.iter().take(n).map(|batch| batch.n * batch.seq - batch.n_tokens).sum()
        };
        assert_eq!(chosen.labels.len(), 64);
        assert!(padding(&chosen, 4) <= padding(&all, 4));
    }

    #[test]
    fn work_is_read_as_it_is_written() {
        for text in ["rows", "3", "128"] {
            assert_eq!(text.parse::<Work>().unwrap().to_string(), text);
        }
        for text in ["", "row", "2", "-4", "1.5"] {
            assert!(text.parse::<Work>().unwrap_err().contains("'rows' or a length"), "{text}");
        }
    }
}
