//! The flags of `bench`.

use std::path::PathBuf;

use clap::Args;

use super::{ModelArgs, TaskArgs};
use crate::timing::job::Work;

/// What to measure.
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// Methods and baselines, separated by commas [default: all that train].
    #[arg(long, value_delimiter = ',')]
    pub method: Vec<String>,
    /// A setting of the one method, e.g. rank=4; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", requires = "method")]
    pub config: Vec<String>,
    /// What the steps are taken on, separated by commas: 'rows' for the task's rows in the
    /// batches of a training, a number for rows of that many tokens.
    #[arg(long, value_delimiter = ',', default_value = "rows,32,64,128")]
    pub work: Vec<Work>,
    /// Rows a step.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = at_least_1)]
    pub batch: usize,
    /// Steps a round.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = at_least_1)]
    pub steps: usize,
    /// Rounds of each measurement; the median and the reach are told. With --against these are
    /// pairs.
    #[arg(long, alias = "pairs", value_name = "N", default_value_t = 5, value_parser = at_least_1)]
    pub rounds: usize,
    /// A Python with the packages of benchmarks/requirements.txt: measure in turns with Hugging
    /// Face PEFT and tell the ratios.
    #[arg(long, value_name = "PYTHON")]
    pub against: Option<PathBuf>,
    /// Run a whole suite here and with Hugging Face PEFT instead of single steps; the suite says
    /// what is run.
    #[arg(
        long,
        requires = "against",
        conflicts_with_all = ["method", "config", "work", "batch", "steps", "TaskArgs", "ModelArgs"]
    )]
    pub suite: Option<String>,
    /// Measure how time and memory grow with one number at a time.
    #[arg(long, conflicts_with_all = ["method", "config", "against"])]
    pub growth: bool,
    /// Tell what the peak of the memory is made of.
    #[arg(long, conflicts_with_all = ["growth", "against"])]
    pub memory: bool,
    /// Count the kernels that a step launches on a GPU.
    #[arg(long, conflicts_with_all = ["growth", "memory", "against"])]
    pub launches: bool,
    /// Tell the tables of --against again from the numbers in --to, without measuring.
    #[arg(long, requires = "to", conflicts_with_all = ["growth", "memory", "launches", "against"])]
    pub targets: bool,
    /// Folder for the numbers as JSON, and for charts.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// A Markdown page that has a place for the tables: see docs/performance.md.
    #[arg(long, value_name = "FILE")]
    pub page: Option<PathBuf>,
    /// Be a process that measures: see bench-suite/src/timing/worker.rs.
    #[arg(long, hide = true)]
    pub worker: bool,
    /// The task.
    #[command(flatten)]
    pub task: TaskArgs,
    /// The model.
    #[command(flatten)]
    pub model: ModelArgs,
}

fn at_least_1(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|&number| number > 0);
    number.ok_or_else(|| "expected a whole number from 1 up".to_owned())
}
