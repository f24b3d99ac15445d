//! A results folder: `<run id>.json` for every finished run.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use messages::{plain, short};
use serde::Deserialize;

use crate::files::{check_writable, make_folder, remove_leftovers, write_atomic};
use crate::lock::{Attempt, Lock};
use crate::record::{RunRecord, SCHEMA};
use crate::suite::{self, SuiteInfo};
use crate::{ReportError, render};

const TRAINED_FOLDER: &str = "trained";

/// A folder of run records, e.g. `results/quick`.
#[derive(Clone, Debug)]
pub struct ResultsDir {
    path: PathBuf,
}

/// Whose a run is.
#[derive(Debug)]
pub enum Claim {
    /// It is recorded: nobody needs to do it.
    Recorded,
    /// It is this process's alone, until the lock is dropped or the process ends.
    Mine(Lock),
    /// A live process is doing it, e.g. `process 12 on host lab since 2026-01-01T00:00:00Z`.
    HeldBy(String),
}

impl ResultsDir {
    /// Finds out whether [`open`](Self::open) can work, and leaves no trace.
    pub fn check(path: &Path) -> Result<(), ReportError> {
        let exists = |place: &&Path| !place.as_os_str().is_empty() && place.exists();
        let place = path.ancestors().find(exists).unwrap_or(Path::new("."));
        if !place.is_dir() {
            return Err(ReportError::NotAFolder { path: place.to_owned() });
        }
        check_writable(place)
    }

    /// Opens the folder, made if need be. A place that cannot be written to is found out here,
    /// before hours of training.
    pub fn open(path: &Path) -> Result<Self, ReportError> {
        if path.exists() && !path.is_dir() {
            return Err(ReportError::NotAFolder { path: path.to_owned() });
        }
        make_folder(path)?;
        check_writable(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// An existing folder, to read from: nothing is made or tried here.
    pub fn existing(path: &Path) -> Result<Self, ReportError> {
        if !path.is_dir() {
            return Err(ReportError::NoFolder { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Claims a run for this process alone. What a killed process left of it is removed.
    pub fn claim(&self, id: &str) -> Result<Claim, ReportError> {
        self.claim_with(id, false)
    }

    /// As [`claim`](Self::claim). With `tensors` a recorded run whose tensors are not there is
    /// still to be done.
    pub fn claim_with(&self, id: &str, tensors: bool) -> Result<Claim, ReportError> {
        let lock = self.path.join(format!(".{id}.lock"));
        claim(
            &self.file(id)?,
            lock,
            || self.has(id, tensors),
            || {
                for folder in [&self.path, &self.path.join(TRAINED_FOLDER)] {
                    remove_leftovers(folder, &format!("{id}."));
                }
            },
        )
    }

    /// Waits for the right to write what the whole folder shares: `suite.json` and the report.
    /// Where the file system has no locks, of two processes that draw at the same time the one
    /// that has seen fewer records may come last; every file is whole there too.
    pub(crate) fn lock(&self) -> Result<Lock, ReportError> {
        let lock = Lock::wait(self.path.join(".lock"))?;
        if lock.excludes() {
            for name in render::PAGES.iter().chain([&suite::FILE_NAME]) {
                remove_leftovers(&self.path, name);
            }
        }
        Ok(lock)
    }

    /// The file of a run's trained tensors.
    pub fn trained_path(&self, id: &str) -> PathBuf {
        self.path.join(TRAINED_FOLDER).join(format!("{id}.safetensors"))
    }

    /// The file beside a run's trained tensors that holds what only training needs, if the method
    /// has such a thing.
    pub fn state_path(tensors: &Path) -> PathBuf {
        tensors.with_extension("state.safetensors")
    }

    /// What was last run into this folder; `None` in a folder of an earlier version.
    pub fn suite(&self) -> Result<Option<SuiteInfo>, ReportError> {
        suite::read(&self.path.join(suite::FILE_NAME))
    }

    /// Keeps what is run into this folder.
    pub fn write_suite(&self, info: &SuiteInfo) -> Result<(), ReportError> {
        let _lock = self.lock()?;
        suite::write(&self.path.join(suite::FILE_NAME), info)
    }

    /// Writes `<id>.json`: whole or not at all. A record that could not be read again, such as
    /// one with a NaN in it, is refused.
    pub fn write(&self, record: &RunRecord) -> Result<PathBuf, ReportError> {
        let path = self.file(&record.id)?;
        let mut text = serde_json::to_string_pretty(record)
            .map_err(|problem| unrecordable(record, ".", problem))?;
        text.push('\n');
        check_readable(record, &text)?;
        write_atomic(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Whether the run is recorded and, with `tensors`, its tensors are there too.
    pub fn has(&self, id: &str, tensors: bool) -> bool {
        // A run that diverged before its first evaluation never had any.
        let has_none = || self.read(id).is_ok_and(|record| record.scores.is_none());
        self.contains(id) && (!tensors || self.trained_path(id).is_file() || has_none())
    }

    /// Whether the run is recorded.
    pub fn contains(&self, id: &str) -> bool {
        self.file(id).is_ok_and(|path| path.is_file())
    }

    /// Whether no run is recorded.
    pub fn is_empty(&self) -> Result<bool, ReportError> {
        Ok(self.record_files()?.is_empty())
    }

    /// The record of one run.
    pub fn read(&self, id: &str) -> Result<RunRecord, ReportError> {
        let path = self.file(id)?;
        if path.is_file() {
            return read_file(&path);
        }
        let n_records = self.record_files()?.len();
        Err(ReportError::NoSuchRun { path: self.path.clone(), id: id.to_owned(), n_records })
    }

    /// All records, in an order that depends on their content alone: by task, backbone, method
    /// (baselines first), budget, seed and id.
    pub fn read_all(&self) -> Result<Vec<RunRecord>, ReportError> {
        let mut records = self
            .record_files()?
            .iter()
            .map(|path| read_file(path))
            .collect::<Result<Vec<_>, _>>()?;
        records.sort_by(|a, b| order(a).cmp(&order(b)));
        Ok(records)
    }

    /// The file of a run's record.
    pub(crate) fn file(&self, id: &str) -> Result<PathBuf, ReportError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let name = format!("{id}.json");
        if id.is_empty() || !id.chars().all(is_plain) || name == suite::FILE_NAME {
            return Err(ReportError::BadId { id: id.to_owned() });
        }
        Ok(self.path.join(name))
    }

    fn record_files(&self) -> Result<Vec<PathBuf>, ReportError> {
        let error = |source| ReportError::io("list", &self.path, source);
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(error)? {
            let path = entry.map_err(error)?.path();
            let name = path.file_name().unwrap_or_default();
            let is_hidden = name.as_encoded_bytes().starts_with(b".");
            let is_other = is_hidden || name == suite::FILE_NAME;
            if path.extension() == Some(OsStr::new("json")) && !is_other && path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}

/// Claims what is to be written as `goal`, unless it `is_done`. `clean` removes what a killed
/// process left of it.
pub(crate) fn claim(
    goal: &Path,
    lock: PathBuf,
    is_done: impl Fn() -> bool,
    clean: impl FnOnce(),
) -> Result<Claim, ReportError> {
    if is_done() {
        // Left by a process that was killed right after it wrote the file.
        let _ = fs::remove_file(lock);
        return Ok(Claim::Recorded);
    }
    match Lock::towards(goal, lock)? {
        Attempt::HeldBy(holder) => Ok(Claim::HeldBy(holder)),
        // Its last holder may have written it a moment ago.
        Attempt::Taken(_) if is_done() => Ok(Claim::Recorded),
        Attempt::Taken(lock) => {
            if lock.excludes() {
                clean();
            }
            Ok(Claim::Mine(lock))
        }
    }
}

fn order(record: &RunRecord) -> impl Ord + '_ {
    let method = &record.method;
    (
        (&record.task.name, &record.task.fingerprint, &record.backbone.name),
        (!method.baseline, &method.name, &method.variant),
        method.budget.as_ref().map(|budget| budget.value),
        record.seed,
        &record.id,
    )
}

fn read_file(path: &Path) -> Result<RunRecord, ReportError> {
    let text = fs::read(path).map_err(|source| ReportError::io("read", path, source))?;
    check_schema(path, &text)?;
    let record = parse_record(&text).map_err(|(field, problem)| ReportError::Corrupt {
        path: path.to_owned(),
        field,
        problem,
    })?;
    if path.file_stem() != Some(OsStr::new(&record.id)) {
        return Err(ReportError::Misnamed { path: path.to_owned(), id: short(&record.id) });
    }
    Ok(record)
}

/// A later schema may look like anything, so its number is read before the rest.
pub(crate) fn check_schema(path: &Path, text: &[u8]) -> Result<(), ReportError> {
    #[derive(Deserialize)]
    struct Versioned {
        schema: Option<u64>,
    }
    let versioned: Versioned = parse(text).map_err(|(field, problem)| ReportError::Corrupt {
        path: path.to_owned(),
        field,
        problem,
    })?;
    match versioned.schema {
        None => Err(ReportError::NotARecord { path: path.to_owned() }),
        Some(found) if found > u64::from(SCHEMA) => {
            Err(ReportError::NewerSchema { path: path.to_owned(), found, known: SCHEMA })
        }
        Some(_) => Ok(()),
    }
}

/// A record that makes sense; an error is as that of [`parse`].
fn parse_record(text: &[u8]) -> Result<RunRecord, (String, String)> {
    let record: RunRecord = parse(text)?;
    record.check()?;
    Ok(record)
}

/// Parses JSON; an error is the path of the field and what is wrong there.
pub(crate) fn parse<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, (String, String)> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| (short(error.path()), plain(error.inner())))?;
    json.end().map_err(|error| (".".to_owned(), plain(error)))?;
    Ok(value)
}

/// JSON has no NaN and no infinity: serde writes `null`, which no reader would take back.
fn check_readable(record: &RunRecord, text: &str) -> Result<(), ReportError> {
    let again: RunRecord =
        parse_record(text.as_bytes()).map_err(|(f, problem)| unrecordable(record, &f, problem))?;
    if again == *record {
        return Ok(());
    }
    Err(unrecordable(record, "curve", "a number in it is not finite"))
}

fn unrecordable(record: &RunRecord, field: &str, problem: impl ToString) -> ReportError {
    ReportError::Unrecordable {
        id: record.id.clone(),
        field: field.to_owned(),
        problem: problem.to_string(),
    }
}

#[cfg(test)]
#[path = "results_tests.rs"]
mod tests;
