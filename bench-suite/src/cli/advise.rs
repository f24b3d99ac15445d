//! The flags of `advise`.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{ModelArgs, TaskArgs};
use crate::advise::schedule::duration;

/// What to advise on.
#[derive(Args, Debug)]
pub struct AdviseArgs {
    /// Time for everything, e.g. 90s, 20m or 1h30m.
    #[arg(long, default_value = "20m", value_parser = duration)]
    pub budget: Duration,
    /// Parts that the training rows are cut into, each held out in turn.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub folds: usize,
    /// Training rows used [default: all].
    #[arg(long, value_name = "N")]
    pub train_rows: Option<usize>,
    /// Methods and baselines to choose among, separated by commas [default: all].
    #[arg(long, value_name = "METHOD", value_delimiter = ',')]
    pub methods: Vec<String>,
    /// Where the advice, the trained run and the report go [default: results/advice-TASK].
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
    /// The task.
    #[command(flatten)]
    pub task: TaskArgs,
    /// The model.
    #[command(flatten)]
    pub model: ModelArgs,
}
