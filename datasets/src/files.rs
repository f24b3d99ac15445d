//! Tasks from a user's own files.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::folders::{self, FOLDERS};
use crate::rows::{self, Row};
use crate::split::Draft;
use crate::{DataError, Task};

/// Files of one task and how to read them.
///
/// A column is given by its name in the first line or by its number, **from 1**. With names
/// (or with the defaults) the first line must be a header; with numbers alone it is data
/// unless [`header`](Self::header) says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileTask {
    /// Name of the task; by default that of the training file or its folder.
    #[serde(default)]
    pub name: Option<String>,
    /// The training file, or a folder with train, validation (or dev) and test files.
    pub train: PathBuf,
    /// The validation file; by default a tenth of the training rows.
    #[serde(default)]
    pub validation: Option<PathBuf>,
    /// The test file; by default a tenth of the training rows.
    #[serde(default)]
    pub test: Option<PathBuf>,
    /// Column of the text; by default `text` or `sentence`.
    #[serde(default)]
    pub text: Option<String>,
    /// Column of the second text, for a task on pairs.
    #[serde(default)]
    pub pair: Option<String>,
    /// Column of the label; by default `label`.
    #[serde(default)]
    pub label: Option<String>,
    /// Format of the files; by default what each extension says.
    #[serde(default)]
    pub format: Option<Format>,
    /// Encoding of the files.
    #[serde(default)]
    pub encoding: Encoding,
    /// Whether the first line of CSV and TSV files names the columns.
    #[serde(default)]
    pub header: Option<bool>,
}

impl FileTask {
    /// Whether the first line names the columns, said or supposed.
    pub(crate) fn has_header(&self, with_labels: bool) -> bool {
        self.header.unwrap_or(!self.numbered(with_labels))
    }

    /// Whether all columns are given by number.
    fn numbered(&self, with_labels: bool) -> bool {
        let number = |name: &String| name.parse::<usize>().is_ok();
        let given = |column: &Option<String>| column.as_ref().is_some_and(number);
        let label = !with_labels || given(&self.label);
        given(&self.text) && label && self.pair.as_ref().is_none_or(number)
    }
}

/// Format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated, quoted as in RFC 4180.
    Csv,
    /// Tab-separated, without quoting.
    Tsv,
    /// JSON Lines: one object in each line.
    Jsonl,
}

/// Encoding of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    Utf8,
    /// ISO 8859-1: every byte is a character.
    Latin1,
}

impl Format {
    /// What the extension of a file says.
    pub(crate) fn of(path: &Path) -> Result<Self, DataError> {
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        extension.parse().map_err(|_| DataError::UnknownFormat { path: path.to_owned() })
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name.to_ascii_lowercase().as_str() {
            "csv" => Ok(Format::Csv),
            "tsv" => Ok(Format::Tsv),
            "jsonl" | "ndjson" => Ok(Format::Jsonl),
            _ => Err(format!("unknown format {name:?}; use csv, tsv or jsonl")),
        }
    }
}

impl FromStr for Encoding {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name.to_ascii_lowercase().as_str() {
            "utf8" | "utf-8" => Ok(Encoding::Utf8),
            "latin1" | "latin-1" | "iso-8859-1" => Ok(Encoding::Latin1),
            _ => Err(format!("unknown encoding {name:?}; use utf8 or latin1")),
        }
    }
}

/// Reads a task from files in CSV, TSV or JSON Lines.
///
/// A split without a file is a tenth of the training rows, chosen by a hash of the text.
/// Training rows whose text occurs in another split are removed. Both are told in
/// [`Task::notes`]. Classes are sorted: by value if all labels are numbers, else by name.
///
/// # Errors
/// Everything in [`DataError`] that concerns a file, a row or a label.
pub fn from_files(spec: &FileTask) -> Result<Task, DataError> {
    if spec.train.is_dir() {
        return from_folder(spec);
    }
    let train = rows::read(&spec.train, spec)?;
    check_first_line(spec, &train)?;
    let read = |path: &PathBuf| rows::read(path, spec);
    let validation = spec.validation.as_ref().map(read).transpose()?;
    let test = spec.test.as_ref().map(read).transpose()?;
    let name = spec.name.clone().unwrap_or_else(|| name_of(&spec.train));
    Draft { title: name.clone(), name, train, validation, test, notes: Vec::new() }.finish()
}

fn from_folder(spec: &FileTask) -> Result<Task, DataError> {
    let name = name_of(&spec.train);
    let bare = FileTask { train: spec.train.clone(), ..FileTask::default() };
    if *spec == bare && FOLDERS.iter().any(|folder| folder.name == name) {
        return folders::from_dir(&spec.train, &name);
    }
    let find = |stems: &[&str]| find_file(&spec.train, stems);
    let Some(train) = find(&["train"]) else {
        return Err(no_train_file(&spec.train));
    };
    from_files(&FileTask {
        name: Some(spec.name.clone().unwrap_or(name)),
        train,
        validation: spec
            .validation
            .clone()
            .or_else(|| find(&["validation", "valid", "val", "dev"])),
        test: spec.test.clone().or_else(|| find(&["test"])),
        ..spec.clone()
    })
}

fn find_file(dir: &Path, stems: &[&str]) -> Option<PathBuf> {
    let extensions = ["csv", "tsv", "jsonl", "ndjson"];
    let names = stems.iter().flat_map(|stem| extensions.map(|ext| format!("{stem}.{ext}")));
    names.map(|name| dir.join(name)).find(|path| path.is_file())
}

fn no_train_file(dir: &Path) -> DataError {
    match std::fs::read_dir(dir) {
        Err(source) => DataError::Read { path: dir.to_owned(), source },
        Ok(entries) => {
            let names = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned());
            let mut found: Vec<String> = names.collect();
            found.sort();
            DataError::NoTrainFile { path: dir.to_owned(), found }
        }
    }
}

/// `reviews` for `reviews.csv` and for `reviews/train.csv`.
fn name_of(path: &Path) -> String {
    let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    // A folder such as `.` has no name of its own.
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = || full.parent().and_then(|dir| dir.file_name()?.to_str().map(str::to_owned));
    match stem(&full) {
        Some(stem) if stem != "train" => stem,
        stem => folder().or(stem).unwrap_or_else(|| "task".to_owned()),
    }
}

/// Numbered columns do not tell whether line 1 is a header. If its label occurs nowhere else
/// it probably is one, and read as data it would make a class of its own.
fn check_first_line(spec: &FileTask, rows: &[Row]) -> Result<(), DataError> {
    let [first, others @ ..] = rows else {
        return Ok(());
    };
    let alone = others.iter().all(|row| row.label != first.label);
    if spec.header.is_none() && spec.numbered(true) && others.len() > 1 && alone {
        let (path, value) = (spec.train.clone(), first.label.clone());
        return Err(DataError::HeaderUnclear { path, value });
    }
    Ok(())
}
