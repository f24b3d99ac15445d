//! Hugging Face PEFT's side: a Python script that is given a job as one line of JSON.

use std::{path::Path, process::Command};

use anyhow::{Result, anyhow, bail};
use backbones::Precision;
use datasets::{Encoded, eval_batches, train_batches};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    arm::Arm,
    data::{Data, Rows},
    device::threads,
    plan::RunPlan,
    train::EVALUATION_BATCH,
};

/// The script, committed beside its requirements.
const SCRIPT: &str = include_str!("../../../benchmarks/peft_side.py");

/// How a precision is written in files and for the script: as [`title`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "Precision")]
pub enum Title {
    /// Single precision throughout.
    #[serde(rename = "float32")]
    F32,
    /// Autocast to bfloat16.
    #[serde(rename = "bfloat16")]
    Bf16,
}

/// A precision's name for people, which is PyTorch's, too.
pub fn title(precision: Precision) -> &'static str {
    match precision {
        Precision::F32 => "float32",
        Precision::Bf16 => "bfloat16",
    }
}

/// The name of PEFT's side in a precision.
pub fn side(precision: Precision) -> &'static str {
    match precision {
        Precision::F32 => "PEFT float32",
        Precision::Bf16 => "PEFT bfloat16",
    }
}

/// How PyTorch's batches are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The very batches that we take: rows of about one length together.
    ByLength,
    /// The same rows at random, each batch padded to its longest row: the Trainer's default.
    Random,
}

/// What the script is to do: one worker, or a list of whole runs.
#[derive(Serialize)]
struct JobLine<'a> {
    model: &'a Path,
    threads: usize,
    #[serde(with = "Title")]
    precision: Precision,
    n_classes: usize,
    train: Vec<Row<'a>>,
    validation: Vec<Row<'a>>,
    test: Vec<Row<'a>>,
    validation_batches: Vec<Vec<usize>>,
    test_batches: Vec<Vec<usize>>,
    runs: Vec<RunLine>,
    whole_runs: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    ids: &'a [u32],
    type_ids: &'a [u32],
    label: usize,
}

#[derive(Serialize)]
struct RunLine {
    method: &'static str,
    config: Value,
    training: Value,
    batches: Vec<Vec<usize>>,
}

/// The command that starts the script with a Python.
pub fn command(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.args(["-c", SCRIPT]);
    command
}

/// Versions of the packages that a Python has.
///
/// # Errors
/// No such Python, or a package that it lacks.
pub fn packages(python: &Path) -> Result<Value> {
    let shown = python.display();
    let output = command(python)
        .arg("versions")
        .output()
        .map_err(|error| anyhow!("--against {shown}: cannot be started ({error}); give a Python with the packages of benchmarks/requirements.txt"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        bail!("--against {shown}: {last}; install benchmarks/requirements.txt into it");
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The line for a worker.
///
/// # Errors
/// Settings that cannot be written.
pub fn worker_line(
    plan: &RunPlan,
    data: &Data,
    model: &Path,
    precision: Precision,
    order: Order,
) -> Result<String> {
    line(std::slice::from_ref(plan), data, model, precision, order, false)
}

/// The line for whole runs on the same rows, one after the other.
///
/// # Errors
/// Settings that cannot be written.
pub fn runs_line(plans: &[RunPlan], data: &Data, model: &Path, p: Precision) -> Result<String> {
    line(plans, data, model, p, Order::ByLength, true)
}

fn line(
    plans: &[RunPlan],
    data: &Data,
    model: &Path,
    precision: Precision,
    order: Order,
    whole_runs: bool,
) -> Result<String> {
    let run = |plan: &RunPlan| {
        Ok(RunLine {
            method: plan.arm.name(),
            config: settings(&plan.arm)?,
            training: serde_json::to_value(&plan.training)?,
            batches: batches(plan, &data.train, order),
        })
    };
    let line = JobLine {
        model,
        threads: threads(),
        precision,
        n_classes: data.info.classes.len(),
        train: rows(&data.train),
        validation: rows(&data.validation),
        test: rows(data.test()),
        validation_batches: evaluation(&data.validation),
        test_batches: evaluation(data.test()),
        runs: plans.iter().map(run).collect::<Result<_>>()?,
        whole_runs,
    };
    Ok(serde_json::to_string(&line)?)
}

fn settings(arm: &Arm) -> Result<Value> {
    Ok(match arm {
        Arm::Baseline(_) => json!({}),
        Arm::Peft(_) => serde_json::to_value(arm)?,
    })
}

fn rows(rows: &Rows) -> Vec<Row<'_>> {
    let labelled = rows.encoded.iter().zip(&rows.labels);
    labelled.map(|(Encoded { ids, type_ids, .. }, &label)| Row { ids, type_ids, label }).collect()
}

fn evaluation(rows: &Rows) -> Vec<Vec<usize>> {
    let batches = eval_batches(&rows.encoded, &rows.labels, EVALUATION_BATCH);
    batches.into_iter().map(|batch| batch.rows).collect()
}

/// The rows of every step of a run.
fn batches(plan: &RunPlan, rows: &Rows, order: Order) -> Vec<Vec<usize>> {
    let RunPlan { training, seed, .. } = plan;
    let n_steps = training.n_steps(rows.labels.len());
    let epoch = |epoch: usize| -> Vec<Vec<usize>> {
        let ordered = train_batches(&rows.encoded, &rows.labels, training.batch_size, *seed, epoch);
        match order {
            Order::ByLength => ordered.into_iter().map(|batch| batch.rows).collect(),
            Order::Random => {
                let mut all: Vec<usize> = (0..rows.labels.len()).collect();
                all.shuffle(&mut StdRng::seed_from_u64(*seed + epoch as u64));
                all.chunks(training.batch_size).map(<[usize]>::to_vec).collect()
            }
        }
    };
    (0..).flat_map(epoch).take(n_steps).collect()
}
