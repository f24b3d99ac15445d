//! The flags of `run`.

use std::path::PathBuf;

use clap::Args;

use super::{ModelArgs, TaskArgs};
use crate::shard::Shard;

/// What to run.
#[derive(Args, Debug, Default)]
pub struct RunArgs {
    /// A built-in suite or a TOML file [default: quick].
    #[arg(conflicts_with = "method")]
    pub suite: Option<String>,
    /// Run this method alone.
    #[arg(long)]
    pub method: Option<String>,
    /// A setting of the method, e.g. rank=4; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", requires = "method")]
    pub config: Vec<String>,
    /// Go on from this recorded run, with its method, settings and model, instead of starting
    /// afresh. The optimizer and the schedule of the learning rate start anew.
    #[arg(
        long,
        value_name = "RUN",
        conflicts_with_all = ["suite", "method", "model", "pooling", "max_tokens"]
    )]
    pub from: Option<String>,
    /// Train runs again that are recorded but whose trained tensors are not there (they are not
    /// kept in a repository). Their records are replaced.
    #[arg(long)]
    pub retrain: bool,
    /// A setting of the training, e.g. epochs=2; may be repeated. It holds for every run.
    #[arg(long, value_name = "KEY=VALUE")]
    pub training: Vec<String>,
    /// Search the learning rate on the validation split, the same number of trials for every
    /// method; a setting of the search, e.g. rates=5, may be repeated: rates, factor, share, seed.
    #[arg(long, value_name = "KEY=VALUE")]
    pub search: Vec<String>,
    /// Tasks that every trained run is also tested on, without training on them, separated by
    /// commas.
    #[arg(long, value_name = "TASK", value_delimiter = ',')]
    pub transfer: Vec<String>,
    /// Seeds, separated by commas [default: those of the suite, or 0].
    #[arg(long, value_delimiter = ',')]
    pub seeds: Vec<u64>,
    /// Where records and report go [default: results/ and the suite's name]. Several processes of
    /// one machine may share it and the work.
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
    /// Do part I of N alone, counted from 0, for several machines; 'merge' puts the parts together.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// The task.
    #[command(flatten)]
    pub task: TaskArgs,
    /// The model.
    #[command(flatten)]
    pub model: ModelArgs,
}
