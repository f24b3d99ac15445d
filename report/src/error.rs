//! What can go wrong between a record and a page, each in one line that says what to do.

use std::io;
use std::path::{Path, PathBuf};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The results path is something else than a folder.
    #[error("{path}: not a folder; give another results folder or move this file away")]
    NotAFolder {
        /// The path given.
        path: PathBuf,
    },
    /// There is no folder to read from.
    #[error("{path}: no such folder; run a suite first, or name another folder")]
    NoFolder {
        /// The path given.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{path}: cannot {action}: {source}{hint}")]
    Io {
        /// What was being done, e.g. `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What to do about it; empty where the cause says enough.
        hint: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// Another live process is doing a run that is to be merged into the same folder.
    #[error("{path}: {holder} is doing run {id} here; merge again when it is done")]
    InUse {
        /// The results folder.
        path: PathBuf,
        /// The run.
        id: String,
        /// Who holds it, e.g. `process 12 on host lab since 2026-01-01T00:00:00Z`.
        holder: String,
    },
    /// A run id that cannot be a file name.
    #[error(
        "run id {id:?}: only letters, digits, '-' and '_' are allowed, and not 'suite'; the ids \
         are the names of the .json files in the results folder"
    )]
    BadId {
        /// The id given.
        id: String,
    },
    /// No such run.
    #[error("{path}: no record of run {id}; {n_records} runs are recorded in this folder")]
    NoSuchRun {
        /// The results folder.
        path: PathBuf,
        /// The id asked for.
        id: String,
        /// How many records there are.
        n_records: usize,
    },
    /// A JSON file among the records that is not one.
    #[error("{path}: not a run record (no field `schema`); move it out of the results folder")]
    NotARecord {
        /// The file.
        path: PathBuf,
    },
    /// A record of a later version of the program.
    #[error(
        "{path}: field `schema` is {found}, this program reads up to {known}; update the program"
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The schema of the file.
        found: u64,
        /// The newest schema this program knows.
        known: u32,
    },
    /// A record that does not follow its schema.
    #[error("{path}: field `{field}`: {problem}; delete the file to run it again")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Path of the field inside the file; `.` for the whole.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file whose name is not the id inside it.
    #[error("{path}: holds run {id}; rename it to {id}.json, or delete it to run it again")]
    Misnamed {
        /// The file.
        path: PathBuf,
        /// The id inside.
        id: String,
    },
    /// A record that could be written but not be read again.
    #[error(
        "run {id}: field `{field}` cannot be recorded ({problem}); every figure of a record must \
         be finite"
    )]
    Unrecordable {
        /// The run.
        id: String,
        /// The field.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Two records of one run tell different things.
    #[error(
        "{first} and {second}: the same run with different outcomes: `{field}` is {first_value} \
         and {second_value}; nothing was merged, take one of the two away"
    )]
    Conflict {
        /// The record found first.
        first: PathBuf,
        /// The other one.
        second: PathBuf,
        /// Path of the first field that differs.
        field: String,
        /// Its value in the first.
        first_value: String,
        /// Its value in the second.
        second_value: String,
    },
    /// A tensor file that is not the one that its record was written with.
    #[error("{path}: holds {found} bytes, its record says {expected}; copy the file again")]
    NotWhole {
        /// The file.
        path: PathBuf,
        /// Its size.
        found: u64,
        /// The size in the record.
        expected: u64,
    },
    /// There is nothing to report.
    #[error(
        "{path}: no run records in this folder, imported ones apart; run a suite into it first"
    )]
    NoRecords {
        /// The results folder.
        path: PathBuf,
    },
    /// A chart could not be drawn.
    #[error("chart {chart}: {problem}")]
    Chart {
        /// Name of the chart.
        chart: String,
        /// The cause.
        problem: String,
    },
}

impl ReportError {
    /// An [`ReportError::Io`] with the hint that fits its kind.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let hint = match source.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => {
                "; free some space and start again, finished runs are kept"
            }
            io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::NotFound => "; give a results folder you may write to",
            _ => "",
        };
        Self::Io { action, path: path.to_owned(), hint, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_read_only_folder_say_what_to_do_in_one_line() {
        for (kind, way_out) in [
            (io::ErrorKind::StorageFull, "free some space"),
            (io::ErrorKind::ReadOnlyFilesystem, "you may write to"),
            (io::ErrorKind::PermissionDenied, "you may write to"),
        ] {
            let text = ReportError::io("write", Path::new("r/a.json"), kind.into()).to_string();
            assert!(text.starts_with("r/a.json: cannot write: "), "{text}");
            assert!(text.contains(way_out), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }
}
