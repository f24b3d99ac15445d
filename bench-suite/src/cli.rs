//! The command line.

mod advise;
mod bench;
mod model;
mod run;
mod task;
mod using;

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::{
    advise::AdviseArgs,
    bench::BenchArgs,
    model::{ModelArgs, PoolingArg, PrecisionArg},
    run::RunArgs,
    task::TaskArgs,
    using::{EvalArgs, ExportArgs, FoldArgs, ImportArgs, PredictArgs},
};
use crate::device::DeviceChoice;

/// Trains parameter-efficient fine-tuning methods on a frozen pretrained model and compares them.
///
/// Without a command it runs the suite 'quick': every method and baseline on movie reviews with
/// MiniLM-L6, and writes tables, charts and pages into results/quick. Runs that are recorded there
/// are not run again, so a run that was interrupted goes on where it was.
#[derive(Debug, Parser)]
#[command(
    name = "bench-suite",
    version,
    after_help = "Exit codes: 0 all went well, 1 an error, 2 unknown or misused flags, 3 a run \
                  diverged (its record says so)."
)]
pub struct Cli {
    /// What to do; `run` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Flags of every command.
    #[command(flatten)]
    pub common: Common,
}

/// Flags of every command.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// Where to compute. 'auto' takes a real GPU where there is one, else the CPU; a software
    /// adapter is used only when asked for.
    #[arg(long, value_enum, default_value = "auto", global = true)]
    pub device: DeviceChoice,

    /// Never use the network: only models and data that are in the cache or given as files.
    #[arg(long, global = true)]
    pub offline: bool,

    /// Folder for models and data [default: $PEFT_ZOO_CACHE, else peft-zoo in the user's cache].
    #[arg(long, value_name = "DIR", global = true)]
    pub cache: Option<PathBuf>,

    /// Print JSON for scripts instead of text for people.
    #[arg(long, global = true)]
    pub json: bool,
}

impl Common {
    /// The flags for another process of this program that is to do as this one.
    pub fn flags(&self) -> Vec<OsString> {
        let device = self.device.to_possible_value();
        let device = device.map_or("auto".to_owned(), |value| value.get_name().to_owned());
        let mut flags: Vec<OsString> = vec!["--device".into(), device.into()];
        if self.offline {
            flags.push("--offline".into());
        }
        if let Some(cache) = &self.cache {
            flags.extend(["--cache".into(), cache.into()]);
        }
        flags
    }
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a suite, or one method, and draw the report
    ///
    /// Examples:
    ///   run                                       the suite 'quick'
    ///   run my-suite.toml                         a suite of your own
    ///   run --train mine.csv --text text --label label
    ///                                             the suite 'quick' on your own data
    ///   run --method lora --config rank=4 --config 'roles=["query","up"]' --seeds 0,1,2
    ///   run full --data FOLDER                    a suite with a set from local files
    ///   run --method lora --search rates=5        at a learning rate found on the validation rows
    ///   run --method prompt_tuning --training epochs=2 --training learning_rate=0.02
    #[command(verbatim_doc_comment)]
    Run(Box<RunArgs>),
    /// Find the method, size and learning rate for your own rows within a time budget
    ///
    /// Cross-validates on the training rows, trains the winner on all of them, reads the test rows
    /// once, and says in plain words what to use and how sure that is.
    ///
    /// Examples:
    ///   advise --train mine.csv --budget 20m
    ///   advise --train mine.csv --test mine_test.csv --budget 1h --results results/mine
    ///   advise --task trec --data FOLDER --train-rows 2000 --budget 10m
    #[command(verbatim_doc_comment)]
    Advise(Box<AdviseArgs>),
    /// Draw tables, charts and pages again from the records of a results folder, or compare two
    Report(ReportArgs),
    /// Put the results folders of several machines together
    ///
    /// Records and trained tensors are copied, then the report is drawn. Nothing is overwritten: a
    /// run that is in two folders must have the same outcome in both, and if it has not, nothing
    /// is merged.
    Merge {
        /// The results folders to merge.
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        /// The folder that gets all runs; it may hold some already.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// List what there is: methods, tasks, models or suites.
    List {
        /// What to list.
        #[arg(value_enum)]
        what: Listing,
    },
    /// Explain a method: equation, settings, and the shape and count of every tensor on a model.
    Explain {
        /// Name of the method, e.g. lora.
        method: String,
        /// A setting of the method, e.g. rank=4; may be repeated.
        #[arg(long, value_name = "KEY=VALUE")]
        config: Vec<String>,
        /// The model.
        #[command(flatten)]
        model: ModelArgs,
    },
    /// Show everything that is recorded of a run.
    Show {
        /// Id of the run, or the beginning of one.
        run: String,
        /// The results folder; all folders below results/ by default.
        #[arg(long, value_name = "DIR")]
        results: Option<PathBuf>,
    },
    /// Fetch models and data into the cache, to be offline later.
    Fetch {
        /// Names of assets, or org/name on the Hugging Face hub [default: all registered].
        names: Vec<String>,
    },
    /// Classify texts with a trained run
    ///
    /// Examples:
    ///   predict lora-1a2b "a fine film" "not for me"
    ///   predict lora-1a2b --file reviews.csv --text review --csv
    ///   predict lora-1a2b --file questions.tsv --text question --pair answer --json
    ///   cat texts.txt | predict lora-1a2b -
    #[command(verbatim_doc_comment)]
    Predict(PredictArgs),
    /// Test a trained run on other rows: accuracy, F1, Matthews, and what was taken for what
    ///
    /// Examples:
    ///   eval lora-1a2b --test mine_test.csv --text text --label label
    ///   eval lora-1a2b --task amazon              how well it does on another named task
    #[command(verbatim_doc_comment)]
    Eval(EvalArgs),
    /// Write a trained run as a plain checkpoint in Hugging Face layout, the method folded in.
    Fold(FoldArgs),
    /// Write the checkpoint that a folded one was made from again, byte for byte.
    Unfold {
        /// A folder that `fold` wrote.
        folder: PathBuf,
        /// A new folder.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Write a trained run as an adapter that Hugging Face PEFT loads
    ///
    /// The folder gets adapter_config.json and adapter_model.safetensors, which that library reads;
    /// config.json and pooled_bert.py, a model class for it that pools as the run did; and a model
    /// card that shows how to load it all. Baselines are no adapters.
    Export(ExportArgs),
    /// Read an adapter that Hugging Face PEFT wrote, or 'export' did
    ///
    /// The result is a run like others, for 'predict', 'eval' and 'fold'; it has no scores. Fields that ask
    /// for what is not done here, and tensors that do not fit the model, are refused by name.
    Import(ImportArgs),
    /// List the devices that are there, and say which one 'auto' takes and why.
    Devices,
    /// Measure how fast methods train and how much memory that takes
    ///
    /// Each measurement is taken in a process of its own; nothing else should run meanwhile.
    ///
    /// Examples:
    ///   bench                                     every method on rows and on fixed lengths
    ///   bench --method lora --config rank=32 --work 64
    ///   bench --against .venv/bin/python          in turns with Hugging Face PEFT
    ///   bench --growth --to docs/performance      curves against rank, tokens, rows, layers
    ///   bench --launches --device wgpu            kernels launched in a step
    #[command(verbatim_doc_comment)]
    Bench(Box<BenchArgs>),
}

/// What `list` can list.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Listing {
    /// PEFT methods and baselines.
    Methods,
    /// Named tasks, fetched or read from local folders.
    Tasks,
    /// Registered models.
    Models,
    /// Built-in suites.
    Suites,
}

/// What to report.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// The results folder; a folder of several gets an index.html over their reports.
    #[arg(default_value = "results/quick")]
    pub results: PathBuf,
    /// Title of the report [default: that of the suite that was run there].
    #[arg(long)]
    pub title: Option<String>,
    /// Compare two results folders instead: runs with the same method, variant, budget, task and
    /// seed, in accuracy, time, memory and parameters.
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["results", "title"])]
    pub compare: Vec<PathBuf>,
    /// Where compare.md and compare.html go [default: B].
    #[arg(long, value_name = "DIR", requires = "compare", conflicts_with_all = ["results", "title"])]
    pub to: Option<PathBuf>,
}
