//! A whole suite here, and the same runs with Hugging Face PEFT.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};
use backbones::Precision;
use report::{RunRecord, format, record::Environment};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    peft,
    rounds::Spread,
    speed::machine,
    table::{spread, table},
};
use crate::{cli::Common, loader::Loader, plan::RunPlan, suite::Suite};

/// What a suite took on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuiteTimes {
    /// Where our side computed.
    pub environment: Environment,
    /// Versions on the other side.
    pub packages: Value,
    /// Name of the suite.
    pub suite: String,
    /// Wall seconds of our command, each time.
    pub our_seconds: Vec<f64>,
    /// Wall seconds of theirs in float32, each time.
    pub their_seconds: Vec<f64>,
    /// The runs, of the last time.
    pub runs: Vec<RunTimes>,
}

/// One run on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunTimes {
    /// Method and settings for people.
    pub label: String,
    /// Seconds of training and evaluation here.
    pub our_seconds: f64,
    /// The same there.
    pub their_seconds: f64,
    /// Share of test rows classified right here.
    pub our_accuracy: Option<f64>,
    /// The same there.
    pub their_accuracy: f64,
}

/// What the script tells of a run.
#[derive(Deserialize)]
struct Told {
    seconds: f64,
    test_accuracy: f64,
}

/// Runs a suite, which was found by `source`, on both sides in turns.
///
/// # Errors
/// A suite with a search, a transfer, several tasks, models or sets of rows; a side that fails.
pub fn compare(
    suite: &Suite,
    source: &str,
    python: &Path,
    rounds: usize,
    loader: &mut Loader,
    common: &Common,
    environment: Environment,
) -> Result<SuiteTimes> {
    let packages = peft::packages(python)?;
    let line = line(suite, loader)?;
    let (mut our_seconds, mut their_seconds) = (vec![], vec![]);
    let mut last = (vec![], vec![]);
    for _ in 0..rounds {
        let clock = Instant::now();
        let ours = our_records(source, common)?;
        our_seconds.push(clock.elapsed().as_secs_f64());
        let clock = Instant::now();
        let theirs = their_runs(python, &line)?;
        their_seconds.push(clock.elapsed().as_secs_f64());
        last = (ours, theirs);
    }
    let run = |(ours, theirs): (&RunRecord, &Told)| RunTimes {
        label: ours.label(),
        our_seconds: ours.cost.train_seconds + ours.cost.evaluation_seconds,
        their_seconds: theirs.seconds,
        our_accuracy: ours.scores.as_ref().map(|scores| scores.test_accuracy),
        their_accuracy: theirs.test_accuracy,
    };
    let runs = last.0.iter().zip(&last.1).map(run).collect();
    let suite = suite.name.clone();
    Ok(SuiteTimes { environment, packages, suite, our_seconds, their_seconds, runs })
}

fn line(suite: &Suite, loader: &mut Loader) -> Result<String> {
    let plans: Vec<RunPlan> = suite.runs.iter().map(|run| run.clone().with_defaults()).collect();
    let first = plans.first().context("a suite needs at least one run")?;
    let has_more = |plan: &&RunPlan| plan.search.is_some() || !plan.transfer.is_empty();
    if let Some(plan) = plans.iter().find(has_more) {
        bail!(
            "--suite {}: method '{}' has a search or a transfer, which the other side does not do",
            suite.name,
            plan.arm.name()
        );
    }
    let rows = |plan: &RunPlan| (plan.training.train_rows, plan.training.validation_rows);
    let same = |plan: &&RunPlan| {
        plan.task == first.task && plan.model == first.model && rows(plan) == rows(first)
    };
    if let Some(other) = plans.iter().find(|plan| !same(plan)) {
        bail!(
            "--suite {}: method '{}' has another task, model or number of rows than '{}'; the other \
             side takes one of each",
            suite.name,
            other.arm.name(),
            first.arm.name()
        );
    }
    let data = loader.data(&first.task, &first.model, &first.training)?;
    let folder = loader.folder(&first.model)?;
    peft::runs_line(&plans, &data, &folder, Precision::F32)
}

fn our_records(source: &str, common: &Common) -> Result<Vec<RunRecord>> {
    let results = tempfile::tempdir()?;
    let program = std::env::current_exe().context("the path of this program is unknown")?;
    let output = Command::new(program)
        .args(["run", source, "--json", "--results"])
        .arg(results.path())
        .args(common.flags())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("--suite {source}: our side ended ({})", output.status);
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn their_runs(python: &Path, line: &str) -> Result<Vec<Told>> {
    use std::io::Write;
    let mut child = peft::command(python)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        writeln!(stdin, "{line}")?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{}: PEFT's side ended ({})", python.display(), output.status);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

impl SuiteTimes {
    /// The times as a table, and the whole in a line above it.
    pub fn table(&self) -> String {
        let ratio = Spread::of_ratio(&self.their_seconds, &self.our_seconds);
        let whole = |seconds: &[f64]| {
            let seconds = Spread::of(seconds.iter().copied());
            seconds.map_or("–".to_owned(), |s| format::seconds(s.median))
        };
        let rows: Vec<Vec<String>> = self
            .runs
            .iter()
            .map(|run| {
                let accuracy = run.our_accuracy.map(format::percent);
                vec![
                    run.label.clone(),
                    format::seconds(run.our_seconds),
                    format::seconds(run.their_seconds),
                    accuracy.unwrap_or("–".to_owned()),
                    format::percent(run.their_accuracy),
                ]
            })
            .collect();
        format!(
            "{}.\n\nThe whole suite `{}`, from start to end: {} s here, {} s there, {} times as fast.\n\n{}",
            machine(&self.environment),
            self.suite,
            whole(&self.our_seconds),
            whole(&self.their_seconds),
            spread(ratio, |ratio| format!("{ratio:.2}")),
            table(&["run", "our s", "their s", "our test %", "their test %"], &rows)
        )
    }
}
