//! How the time of a step and the memory of a training grow with one number at a time.

mod charts;

use std::{fs, path::Path};

use anyhow::{Context, Result, anyhow};
use report::{format, record::Environment};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    job::{Job, Work},
    rounds::{Request, Spread},
    side::Side,
    speed::{OURS, machine, our_worker},
    table::{spread, table},
    theory,
};
use crate::{arm::Arm, cli::Common, loader::Loader};

pub use charts::charts;

/// What grows, as data.
const SWEEPS: &str = include_str!("growth.toml");

/// Everything that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// Where it was computed.
    pub environment: Environment,
    /// Name of the model.
    pub model: String,
    /// Rows a step, where they do not grow.
    pub batch: usize,
    /// Tokens a row, where they do not grow.
    pub length: usize,
    /// One curve each.
    pub sweeps: Vec<Sweep>,
}

/// One number that grows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// What grows, for people.
    pub title: String,
    /// The measured values, rising.
    pub points: Vec<Point>,
}

/// One value of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The value.
    pub value: usize,
    /// Seconds of each round, by step.
    pub step_seconds: Vec<f64>,
    /// Most resident memory.
    pub peak_bytes: Option<u64>,
    /// Multiplications of a step by [`theory`].
    pub products: f64,
    /// Bytes of activations kept for the backward pass by [`theory`].
    pub kept_bytes: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SweepFile {
    sweep: Vec<SweepPlan>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SweepPlan {
    title: String,
    method: String,
    setting: String,
    values: Vec<usize>,
}

impl Point {
    fn step_ms(&self) -> Option<Spread> {
        Spread::of(self.step_seconds.iter().map(|seconds| 1e3 * seconds))
    }
}

/// Measures every sweep. `base` says all but what grows; its method counts for nothing. `show` is
/// told of each point.
///
/// # Errors
/// A worker that ends before its time, or a model that cannot be read.
pub fn grow(
    base: &Job,
    rounds: usize,
    loader: &mut Loader,
    common: &Common,
    model_folder: &Path,
    show: &dyn Fn(&str),
) -> Result<Vec<Sweep>> {
    let file: SweepFile = toml::from_str(SWEEPS)?;
    let cut = tempfile::tempdir()?;
    let mut sweeps = vec![];
    for plan in file.sweep {
        let mut points = vec![];
        for &value in &plan.values {
            let mut job = job(base, &plan, value)?;
            if plan.setting == "layers" {
                let Some(folder) = with_layers(model_folder, value, cut.path())? else { continue };
                job.model.name = folder;
            }
            let run = job.plan();
            let task = loader.data(&run.task, &run.model, &run.training)?;
            let model = loader.model(&run.model)?;
            if job.check(&model, &task).is_err() {
                continue;
            }
            let mut point = point(&job, value, rounds, common)?;
            let cost = theory::of(&job, &model)?;
            (point.products, point.kept_bytes) = (cost.products, cost.kept_bytes);
            show(&format!(
                "{} {value}: {} ms",
                plan.title,
                spread(point.step_ms(), |ms| format!("{ms:.1}"))
            ));
            points.push(point);
        }
        sweeps.push(Sweep { title: plan.title, points });
    }
    Ok(sweeps)
}

fn job(base: &Job, plan: &SweepPlan, value: usize) -> Result<Job> {
    let mut job = base.clone();
    let mut config = json!({});
    match plan.setting.as_str() {
        "batch" => job.batch = value,
        "length" => job.work = Work::Length(value),
        "layers" => {}
        setting => config = json!({ setting: value }),
    }
    job.arm = Arm::read(&plan.method, config)
        .map_err(|error| anyhow!("growth.toml: {}: {error:?}", plan.title))?;
    Ok(job)
}

fn point(job: &Job, value: usize, rounds: usize, common: &Common) -> Result<Point> {
    let mut side = Side::start(OURS, our_worker(job, common)?, None)?;
    let rounds = (0..rounds).map(|_| side.ask(Request::Train)).collect::<Result<Vec<_>>>()?;
    Ok(Point {
        value,
        step_seconds: rounds.iter().map(|round| round.seconds / round.steps as f64).collect(),
        peak_bytes: rounds.last().and_then(|round| round.peak_bytes),
        products: 0.0,
        kept_bytes: 0.0,
    })
}

/// A folder with the first layers of a model; `None` if it has fewer.
fn with_layers(model: &Path, n_layers: usize, below: &Path) -> Result<Option<String>> {
    const LAYERS: &str = "num_hidden_layers";
    let path = model.join("config.json");
    let text = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut config: Value = serde_json::from_slice(&text)?;
    if config[LAYERS].as_u64().is_none_or(|all| all < n_layers as u64) {
        return Ok(None);
    }
    config[LAYERS] = json!(n_layers);
    let folder = below.join(format!("{n_layers}-layers"));
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("config.json"), config.to_string())?;
    // The file holds more layers than are read.
    for name in ["model.safetensors", "tokenizer.json"] {
        let from = model.join(name);
        fs::copy(&from, folder.join(name))
            .with_context(|| format!("{} cannot be copied", from.display()))?;
    }
    Ok(Some(folder.display().to_string()))
}

impl Growth {
    /// The charts, which lie in a folder beside the page, and the table.
    pub fn block(&self, folder: &str) -> String {
        let chart = |name: &str, what: &str| {
            format!("[![{what}]({folder}/{name}.svg)]({folder}/{name}.svg)\n\n")
        };
        let time =
            chart(charts::TIME, "Time of a training step, as rank, tokens, rows, layers grow");
        let memory = chart(charts::MEMORY, "Peak memory of a training, as the same grow");
        format!("{time}{memory}{}", self.table())
    }

    /// The numbers as a table, and what they were taken on.
    pub fn table(&self) -> String {
        let head = ["what grows", "value", "step ms", "by products", "peak memory", "kept"];
        let rows: Vec<Vec<String>> = self
            .sweeps
            .iter()
            .flat_map(|sweep| sweep.points.iter().map(move |point| (sweep, point)))
            .map(|(sweep, point)| {
                let memory = point.peak_bytes.map(|bytes| format::bytes(bytes as f64));
                vec![
                    sweep.title.clone(),
                    point.value.to_string(),
                    spread(point.step_ms(), |ms| format!("{ms:.1}")),
                    format::short_count(point.products),
                    memory.unwrap_or("–".to_owned()),
                    format::bytes(point.kept_bytes),
                ]
            })
            .collect();
        let (machine, table) = (machine(&self.environment), table(&head, &rows));
        format!("{machine}; {}.\n\n{table}", self.model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::{ModelChoice, TaskChoice};

    #[test]
    fn every_sweep_names_a_method_and_one_of_its_settings_and_rises() {
        let file: SweepFile = toml::from_str(SWEEPS).unwrap();
        let base = Job {
            task: TaskChoice::Named("movie".to_owned()),
            model: ModelChoice::default(),
            arm: Arm::named("head").unwrap(),
            work: Work::Length(64),
            batch: 32,
            steps: 2,
        };
        for plan in file.sweep {
            assert!(plan.values.is_sorted(), "{}", plan.title);
            for &value in &plan.values {
                job(&base, &plan, value).unwrap();
            }
        }
    }
}
