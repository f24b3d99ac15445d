//! The flags that choose a task.

use std::path::PathBuf;

use clap::Args;
use datasets::{Encoding, FileTask, Format};

use crate::choice::TaskChoice;

/// Which task.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Task")]
pub struct TaskArgs {
    /// A named task: see 'list tasks'.
    #[arg(long, conflicts_with = "train")]
    pub task: Option<String>,
    /// Folder of the named tasks that are read from local files.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Your own training rows: a CSV, TSV or JSONL file, or a folder.
    #[arg(long, value_name = "FILE")]
    pub train: Option<PathBuf>,
    /// Your own validation rows [default: a tenth of the training rows].
    #[arg(long, value_name = "FILE", requires = "train")]
    pub validation: Option<PathBuf>,
    /// Your own test rows [default: a tenth of the training rows].
    #[arg(long, value_name = "FILE", requires = "train")]
    pub test: Option<PathBuf>,
    /// Column of the text, by name or by number from 1.
    #[arg(long, value_name = "COLUMN", requires = "train")]
    pub text: Option<String>,
    /// Column of the second text, for a task on pairs.
    #[arg(long, value_name = "COLUMN", requires = "train")]
    pub pair: Option<String>,
    /// Column of the label.
    #[arg(long, value_name = "COLUMN", requires = "train")]
    pub label: Option<String>,
    /// Format of the files: csv, tsv or jsonl [default: by their ending].
    #[arg(long, requires = "train")]
    pub format: Option<Format>,
    /// Encoding of the files: utf8 or latin1.
    #[arg(long, requires = "train")]
    pub encoding: Option<Encoding>,
    /// Whether the first line names the columns.
    #[arg(long, value_name = "true|false", requires = "train")]
    pub header: Option<bool>,
    /// Name of the task in the report [default: that of the file].
    #[arg(long, requires = "train")]
    pub name: Option<String>,
}

impl TaskArgs {
    /// The task, if one is named.
    pub fn choice(self) -> Option<TaskChoice> {
        if let Some(train) = self.train {
            return Some(TaskChoice::Files(FileTask {
                name: self.name,
                train,
                validation: self.validation,
                test: self.test,
                text: self.text,
                pair: self.pair,
                label: self.label,
                format: self.format,
                encoding: self.encoding.unwrap_or_default(),
                header: self.header,
            }));
        }
        let mut task = TaskChoice::Named(self.task?);
        if let Some(folder) = &self.data {
            task.within(folder);
        }
        Some(task)
    }
}
