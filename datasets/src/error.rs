//! What can be wrong with data, each in one line that says what to do.

use std::path::{Path, PathBuf};

use messages::{plain, short};
use thiserror::Error;

/// Why a task or a tokenizer could not be read.
#[derive(Debug, Error)]
pub enum DataError {
    /// The operating system did not give the file.
    #[error("{path}: cannot be read ({source}); check the path and its permissions")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file has no rows.
    #[error("{path}: has no data rows; check that it is the right file and not cut short")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A byte that UTF-8 does not allow.
    #[error(
        "{path} line {line}: byte 0x{byte:02x} at offset {offset} is not UTF-8; \
         if the file is Latin-1, say --encoding latin1, else save it as UTF-8"
    )]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Line of the byte, from 1.
        line: usize,
        /// Offset of the byte from the start of the file, from 0.
        offset: usize,
        /// The byte.
        byte: u8,
    },
    /// The file starts with the byte order mark of UTF-16.
    #[error("{path}: is UTF-16; save it as UTF-8")]
    Utf16 {
        /// The file.
        path: PathBuf,
    },
    /// The extension does not tell the format.
    #[error("{path}: the extension is not csv, tsv or jsonl; say --format csv, tsv or jsonl")]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// One line is wrong.
    #[error("{path} line {line}: {problem}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: LineProblem,
    },
    /// Columns given by number do not tell whether the first line names them.
    #[error(
        "{path} line 1: label {:?} occurs nowhere else, so the line looks like a header; \
         say --header true or --header false",
        short(value)
    )]
    HeaderUnclear {
        /// The file.
        path: PathBuf,
        /// The label cell of the first line.
        value: String,
    },
    /// Nothing to tell apart.
    #[error(
        "{path}: all {n_rows} training rows have the label {:?}; \
         a task needs two classes or more (is --label the right column?)",
        short(label)
    )]
    OneClass {
        /// The training file.
        path: PathBuf,
        /// The only label.
        label: String,
        /// Training rows.
        n_rows: usize,
    },
    /// Every row of a split occurs in another one.
    #[error(
        "{path}: all of its {n_rows} rows also occur in the {other} split; \
         give files that do not overlap"
    )]
    AllRepeated {
        /// The file.
        path: PathBuf,
        /// Its rows.
        n_rows: usize,
        /// The split that has them too.
        other: &'static str,
    },
    /// Nothing was left after cleaning.
    #[error("task {task:?}: no row is left without rows of no class and repeats; check its files")]
    NothingLeft {
        /// The task.
        task: String,
    },
    /// Too small to set a split aside.
    #[error(
        "{path}: its {n_rows} rows are too few to set a {split} split aside; \
         add rows or give --{split} FILE"
    )]
    TooFewRows {
        /// The training file.
        path: PathBuf,
        /// Its rows.
        n_rows: usize,
        /// The split that could not be made.
        split: &'static str,
    },
    /// Not one of the named tasks.
    #[error("unknown task {name:?}; the named tasks are {}", list(known))]
    UnknownTask {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A folder without a training file.
    #[error("{path}: holds no train.csv, train.tsv or train.jsonl; it holds {}", list(found))]
    NoTrainFile {
        /// The folder.
        path: PathBuf,
        /// What is in it.
        found: Vec<String>,
    },
    /// tokenizer.json is not one.
    #[error("{path}: is not a tokenizer ({problem}); fetch the model again or check --model")]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What the tokenizer library said.
        problem: String,
    },
    /// No room for words beside the special tokens.
    #[error("max_tokens = {max_tokens} leaves no room for text; use {least} or more")]
    MaxTokens {
        /// The limit asked for.
        max_tokens: usize,
        /// The smallest that works.
        least: usize,
    },
    /// A text that cannot be encoded.
    #[error("the text {text:?} cannot be tokenized ({problem}); remove or change it")]
    Tokenize {
        /// The start of the text.
        text: String,
        /// What is wrong.
        problem: String,
    },
}

/// What is wrong with one line of a file.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum LineProblem {
    /// A line with more or fewer fields than the first.
    #[error(
        "has {found} fields where the first line has {expected}; \
         look for a stray or missing separator"
    )]
    FieldCount {
        /// Fields of this line.
        found: usize,
        /// Fields of the first line.
        expected: usize,
    },
    /// The quote goes on to the end of the file.
    #[error("a quote opened here is never closed; close it, or say --format tsv for tabs")]
    OpenQuote,
    /// `"like "this", for example"`.
    #[error("text follows a closing quote; write a quote inside a quoted field as two quotes")]
    TextAfterQuote,
    /// Not an object of JSON Lines.
    #[error("column {column}: {}; JSON Lines has one object in each line", plain(message))]
    Json {
        /// The column, from 1.
        column: usize,
        /// What the parser said.
        message: String,
    },
    /// A list, an object or null where words should be.
    #[error("field {:?} is {}, not a text, a number or a boolean", short(column), short(value))]
    NotAText {
        /// The field.
        column: String,
        /// Its value.
        value: String,
    },
    /// The wanted column is not there.
    #[error(
        "no column {wanted} for the {role}; found {} (say --{role} NAME or NUMBER)",
        list(found)
    )]
    MissingColumn {
        /// `text`, `pair` or `label`.
        role: &'static str,
        /// The names that were looked for.
        wanted: String,
        /// The names that are there.
        found: Vec<String>,
    },
    /// A row without a label.
    #[error("the label is empty; fill it in or remove the row")]
    EmptyLabel,
    /// A label that training would never see.
    #[error("label {:?} does not occur in training, which has {}", short(label), list(known))]
    UnseenLabel {
        /// The label.
        label: String,
        /// The training labels.
        known: Vec<String>,
    },
    /// A mean rating that is not a number.
    #[error("the rating {:?} is not a number; fetch the data again", short(value))]
    Rating {
        /// What stands there.
        value: String,
    },
    /// A line of TREC without its parts.
    #[error("{:?} is not of the form `COARSE:fine question`", short(value))]
    NotAQuestion {
        /// The line.
        value: String,
    },
}

impl LineProblem {
    /// The error for this problem in a line of a file.
    pub(crate) fn at(self, path: &Path, line: usize) -> DataError {
        DataError::Line { path: path.to_owned(), line, problem: self }
    }
}

/// Names for a message, the first twenty of them.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 20;
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let shown = names.iter().take(SHOWN).map(short).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
