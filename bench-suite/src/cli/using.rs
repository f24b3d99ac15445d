//! What the commands take that use a trained run.

use std::path::PathBuf;

use clap::Args;
use datasets::{Encoding, Format};

use super::PoolingArg;

/// What to classify, and with what.
#[derive(Args, Debug)]
pub struct PredictArgs {
    /// Id of the run, or the beginning of one.
    pub run: String,
    /// The texts; - reads standard input, one text a line, as no text does in a pipe.
    #[arg(conflicts_with = "file")]
    pub texts: Vec<String>,
    /// Texts from a CSV, TSV or JSONL file, or from a .txt file, one a line.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Column of the text, by name or by number from 1.
    #[arg(long, value_name = "COLUMN", requires = "file", conflicts_with = "texts")]
    pub text: Option<String>,
    /// Column of the second text, for a run on pairs.
    #[arg(long, value_name = "COLUMN", requires = "file", conflicts_with = "texts")]
    pub pair: Option<String>,
    /// Format of the file: csv, tsv or jsonl [default: by its ending].
    #[arg(long, requires = "file", conflicts_with = "texts")]
    pub format: Option<Format>,
    /// Encoding of the file: utf8 or latin1.
    #[arg(long, requires = "file", conflicts_with = "texts")]
    pub encoding: Option<Encoding>,
    /// Whether the first line names the columns.
    #[arg(long, value_name = "true|false", requires = "file", conflicts_with = "texts")]
    pub header: Option<bool>,
    /// Print CSV: text, label, and the probability of each class. (--json prints an object a line.)
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// The results folder; all folders below results/ by default.
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
}

/// What to test, and on what.
#[derive(Args, Debug)]
pub struct EvalArgs {
    /// Id of the run, or the beginning of one.
    pub run: String,
    /// Rows to test on: a CSV, TSV or JSONL file. Its labels must be classes of the run.
    #[arg(long, value_name = "FILE", required_unless_present = "task", conflicts_with = "task")]
    pub test: Option<PathBuf>,
    /// Or the test rows of a named task, whose classes must be classes of the run.
    #[arg(long)]
    pub task: Option<String>,
    /// Folder of a named task that is read from local files.
    #[arg(long, value_name = "DIR", requires = "task")]
    pub data: Option<PathBuf>,
    /// Column of the text, by name or by number from 1.
    #[arg(long, value_name = "COLUMN", requires = "test")]
    pub text: Option<String>,
    /// Column of the second text, for a run on pairs.
    #[arg(long, value_name = "COLUMN", requires = "test")]
    pub pair: Option<String>,
    /// Column of the label.
    #[arg(long, value_name = "COLUMN", requires = "test")]
    pub label: Option<String>,
    /// Format of the file: csv, tsv or jsonl [default: by its ending].
    #[arg(long, requires = "test")]
    pub format: Option<Format>,
    /// Encoding of the file: utf8 or latin1.
    #[arg(long, requires = "test")]
    pub encoding: Option<Encoding>,
    /// Whether the first line names the columns.
    #[arg(long, value_name = "true|false", requires = "test")]
    pub header: Option<bool>,
    /// The results folder; all folders below results/ by default.
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
}

/// What to fold, and where to.
#[derive(Args, Debug)]
pub struct FoldArgs {
    /// Id of the run, or the beginning of one.
    pub run: String,
    /// A new folder.
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// The results folder; all folders below results/ by default.
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
}

/// What to export, and where to.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// Id of the run, or the beginning of one.
    pub run: String,
    /// A new folder.
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// The results folder; all folders below results/ by default.
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
}

/// What to import.
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// Folder of adapter_config.json and adapter_model.safetensors.
    pub folder: PathBuf,
    /// Names of the classes in the order of the head, separated by commas [default: id2label of
    /// config.json in the folder or beside the model, else LABEL_0, LABEL_1, …].
    #[arg(long, value_delimiter = ',')]
    pub classes: Vec<String>,
    /// Where the record goes.
    #[arg(long, value_name = "DIR", default_value = "results/imported")]
    pub results: PathBuf,
    /// The frozen model under the adapter [default: the one that the adapter names].
    #[arg(long)]
    pub model: Option<String>,
    /// How a sentence vector is made [default: as config.json in the folder says, else as Hugging
    /// Face's own classes do].
    #[arg(long, value_enum)]
    pub pooling: Option<PoolingArg>,
    /// Longest input in tokens; longer texts are cut.
    #[arg(long, value_name = "N", default_value_t = 128)]
    pub max_tokens: usize,
}
