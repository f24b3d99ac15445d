//! Time and memory of methods, ours alone or in turns with other sides.

pub(super) mod tables;

use std::process::Command;

use anyhow::{Context, Result};
use backbones::Precision;
use report::record::Environment;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    job::Job,
    peft,
    rounds::{Phases, Request, Round, Spread},
    side::Side,
};
use crate::cli::Common;

pub(super) use tables::machine;

/// The name of our own side.
pub const OURS: &str = "bench-suite";

/// Everything that a measurement gave, and what it was taken on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// Where our side computed.
    pub environment: Environment,
    /// Name of the task.
    pub task: String,
    /// Name of the model.
    pub model: String,
    /// What our side computes in.
    #[serde(with = "peft::Title")]
    pub precision: Precision,
    /// Rows a step.
    pub batch: usize,
    /// Versions on the other side, if there was one.
    pub packages: Option<Value>,
    /// One entry for each method, work and side.
    pub measured: Vec<Measured>,
}

/// One side's numbers for one job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Name of the method.
    pub method: String,
    /// Its name for people.
    pub title: String,
    /// Its settings.
    pub config: Value,
    /// Which rows, as `--work` takes it.
    pub work: String,
    /// Who computed.
    pub side: String,
    /// From the start of the process to the end of its first step.
    pub first_step_seconds: f64,
    /// Seconds of each training round.
    pub train_seconds: Vec<f64>,
    /// Steps of a training round.
    pub steps: usize,
    /// True tokens of a training round.
    pub tokens: usize,
    /// Seconds in each part of the steps of one more training round.
    pub phases: Phases,
    /// Most resident memory after all training rounds.
    pub peak_bytes: Option<u64>,
    /// Seconds of each pass over the test split; empty if that was not measured.
    pub evaluation_seconds: Vec<f64>,
    /// True tokens of the test split.
    pub evaluation_tokens: usize,
}

/// The command that starts a worker of ours.
///
/// # Errors
/// The path of this program is unknown.
pub fn our_worker(job: &Job, common: &Common) -> Result<Command> {
    let program = std::env::current_exe().context("the path of this program is unknown")?;
    let mut command = Command::new(program);
    command.args(job.flags()).args(common.flags());
    Ok(command)
}

/// A side in a measurement.
pub struct Turn {
    /// Whose it is.
    pub name: String,
    /// The worker.
    pub side: Side,
    /// Whether it is asked to evaluate, too.
    pub evaluates: bool,
}

/// Lets sides take turns at one job, `rounds` times.
///
/// # Errors
/// A worker that ends before its time.
pub fn measure(job: &Job, mut turns: Vec<Turn>, rounds: usize) -> Result<Vec<Measured>> {
    let phases = in_turns(&mut turns, Request::Phases, 1)?;
    let train = in_turns(&mut turns, Request::Train, rounds)?;
    let evaluations = in_turns(&mut turns, Request::Evaluate, rounds)?;
    let all = turns.into_iter().zip(phases).zip(train).zip(evaluations);
    all.map(|(((turn, phases), train), evaluations)| {
        let last = train.last().context("a measurement needs at least one round")?;
        Ok(Measured {
            method: job.arm.name().to_owned(),
            title: job.arm.title().to_owned(),
            config: serde_json::to_value(&job.arm)?,
            work: job.work.to_string(),
            side: turn.name,
            first_step_seconds: turn.side.first_step_seconds,
            train_seconds: seconds(&train),
            steps: last.steps,
            tokens: last.tokens,
            phases: phases.first().and_then(|round| round.phases).unwrap_or_default(),
            peak_bytes: last.peak_bytes,
            evaluation_seconds: seconds(&evaluations),
            evaluation_tokens: evaluations.first().map_or(0, |round| round.tokens),
        })
    })
    .collect()
}

fn seconds(rounds: &[Round]) -> Vec<f64> {
    rounds.iter().map(|round| round.seconds).collect()
}

/// The rounds of each side.
fn in_turns(turns: &mut [Turn], request: Request, n: usize) -> Result<Vec<Vec<Round>>> {
    let mut rounds: Vec<Vec<Round>> = vec![vec![]; turns.len()];
    for _ in 0..n {
        for (turn, rounds) in turns.iter_mut().zip(&mut rounds) {
            if request != Request::Evaluate || turn.evaluates {
                rounds.push(turn.side.ask(request)?);
            }
        }
    }
    Ok(rounds)
}

impl Speed {
    /// These numbers, and those of `old` that were taken under the same conditions and not again.
    #[must_use]
    pub fn and(mut self, old: Self) -> Self {
        if (Self { measured: vec![], ..self.clone() }) != (Self { measured: vec![], ..old.clone() })
        {
            return self;
        }
        let key = |m: &Measured| (m.method.clone(), m.work.clone(), m.side.clone());
        let new: Vec<_> = self.measured.iter().map(key).collect();
        self.measured.extend(old.measured.into_iter().filter(|m| !new.contains(&key(m))));
        self
    }

    /// Our numbers beside those of another side for the same job.
    pub fn pairs(&self) -> impl Iterator<Item = (&Measured, &Measured)> {
        let is_ours = |measured: &&Measured| measured.side == OURS;
        let theirs = self.measured.iter().filter(move |measured| !is_ours(measured));
        theirs.filter_map(move |theirs| {
            let same = |m: &&Measured| m.method == theirs.method && m.work == theirs.work;
            Some((self.measured.iter().filter(is_ours).find(same)?, theirs))
        })
    }
}

impl Measured {
    /// Milliseconds a step.
    pub fn step_ms(&self) -> Option<Spread> {
        let steps = self.steps.max(1) as f64;
        Spread::of(self.train_seconds.iter().map(|seconds| 1e3 * seconds / steps))
    }

    /// True tokens a second in training.
    pub fn tokens_per_second(&self) -> Option<Spread> {
        Spread::of(self.train_seconds.iter().map(|seconds| self.tokens as f64 / seconds))
    }

    /// True tokens a second in evaluation.
    pub fn evaluated_per_second(&self) -> Option<Spread> {
        let tokens = self.evaluation_tokens as f64;
        Spread::of(self.evaluation_seconds.iter().map(|seconds| tokens / seconds))
    }
}
