//! Rows of one file outside a task: texts to classify, or rows to test a finished model on.
//!
//! Nothing is removed and nothing reordered: row by row they are what the file has.

use std::path::Path;

use crate::rows::{self, Row};
use crate::{DataError, FileTask, LineProblem};

/// A row of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRow {
    /// The text.
    pub text: String,
    /// The second text, if a column is named for it.
    pub pair: Option<String>,
    /// The label as the file has it; empty where labels are not read.
    pub label: String,
    /// Its line in the file, from 1.
    pub line: usize,
}

impl From<Row> for FileRow {
    fn from(row: Row) -> Self {
        let trimmed = |text: String| text.trim().to_owned();
        FileRow {
            text: trimmed(row.text),
            pair: row.pair.map(trimmed),
            label: trimmed(row.label),
            line: row.line,
        }
    }
}

/// The texts of a file, without labels. Only the columns, the format, the encoding and the header
/// of `spec` count.
///
/// # Errors
/// Everything in [`DataError`] that concerns a file or a row.
pub fn texts(path: &Path, spec: &FileTask) -> Result<Vec<FileRow>, DataError> {
    let rows = rows::read_texts(path, spec)?;
    Ok(rows.into_iter().map(FileRow::from).collect())
}

/// The rows of a file, with labels.
///
/// # Errors
/// As [`texts`], and a row without a label.
pub fn labelled(path: &Path, spec: &FileTask) -> Result<Vec<FileRow>, DataError> {
    let rows = rows::read(path, spec)?.into_iter().map(FileRow::from);
    rows.map(|row| match row.label.is_empty() {
        true => Err(LineProblem::EmptyLabel.at(path, row.line)),
        false => Ok(row),
    })
    .collect()
}
