//! Results folders put together: what several machines did becomes one suite.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files::{make_folder, write_atomic};
use crate::record::RunRecord;
use crate::{Claim, ReportError, ResultsDir, SuiteInfo};

/// What came of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Runs that the folder did not have.
    pub n_new: usize,
    /// Runs that it has now.
    pub n_runs: usize,
}

/// Copies the records and trained tensors of the folders `from` into the folder at `to`, which is
/// made if need be. Nothing that is there is overwritten, and everything is read and compared
/// before anything is written.
///
/// # Errors
/// A folder that holds no results; two records of one run with different outcomes; a tensor file
/// that is not whole; a run that a live process is doing in `to`; files that cannot be read or
/// written.
pub fn merge(from: &[ResultsDir], to: &Path) -> Result<Merged, ReportError> {
    ResultsDir::check(to)?;
    let mut union = Union::default();
    if to.is_dir() {
        union.add(&ResultsDir::existing(to)?)?;
    }
    let n_before = union.runs.len();
    for folder in from {
        let is_empty = union.add(folder)? == 0;
        if is_empty && folder.suite()?.is_none() {
            return Err(ReportError::NoRecords { path: folder.path().to_owned() });
        }
    }
    let results = ResultsDir::open(to)?;
    for run in union.runs.values() {
        run.copy_into(&results)?;
    }
    if let Some(suite) = &union.suite {
        results.write_suite(suite)?;
    }
    Ok(Merged { n_new: union.runs.len() - n_before, n_runs: union.runs.len() })
}

/// All runs of the folders so far.
#[derive(Default)]
struct Union {
    runs: BTreeMap<String, Found>,
    suite: Option<SuiteInfo>,
}

/// A run with its files.
struct Found {
    record: RunRecord,
    path: PathBuf,
    tensors: Option<PathBuf>,
}

impl Union {
    /// Takes in what a folder has; gives the number of its records.
    fn add(&mut self, folder: &ResultsDir) -> Result<usize, ReportError> {
        let records = folder.read_all()?;
        let n_records = records.len();
        for record in records {
            let path = folder.file(&record.id)?;
            let tensors = whole_tensors(folder, &record)?;
            let found = Found { record, path, tensors };
            match self.runs.entry(found.record.id.clone()) {
                Entry::Vacant(entry) => drop(entry.insert(found)),
                Entry::Occupied(mut entry) => {
                    let known = entry.get_mut();
                    known.agrees_with(&found.record, &found.path)?;
                    known.tensors = known.tensors.take().or(found.tensors);
                }
            }
        }
        match (&mut self.suite, folder.suite()?) {
            (Some(suite), Some(more)) => suite.extend(&more),
            (None, more) => self.suite = more,
            (Some(_), None) => {}
        }
        Ok(n_records)
    }
}

impl Found {
    fn agrees_with(&self, other: &RunRecord, path: &Path) -> Result<(), ReportError> {
        let value = |record: &RunRecord| serde_json::to_value(record.outcome()).unwrap_or_default();
        match first_difference(&value(&self.record), &value(other), "") {
            None => Ok(()),
            Some((field, first_value, second_value)) => Err(ReportError::Conflict {
                first: self.path.clone(),
                second: path.to_owned(),
                field,
                first_value,
                second_value,
            }),
        }
    }

    /// Tensors first: a record says that they are there.
    fn copy_into(&self, results: &ResultsDir) -> Result<(), ReportError> {
        let id = &self.record.id;
        match results.claim(id)? {
            Claim::HeldBy(holder) => {
                let path = results.path().to_owned();
                Err(ReportError::InUse { path, id: id.clone(), holder })
            }
            Claim::Mine(_lock) => {
                self.copy_tensors(&results.trained_path(id))?;
                results.write(&self.record).map(drop)
            }
            Claim::Recorded => {
                self.agrees_with(&results.read(id)?, &results.file(id)?)?;
                let tensors = results.trained_path(id);
                if tensors.is_file() { Ok(()) } else { self.copy_tensors(&tensors) }
            }
        }
    }

    fn copy_tensors(&self, to: &Path) -> Result<(), ReportError> {
        let Some(from) = &self.tensors else {
            return Ok(());
        };
        make_folder(to.parent().unwrap_or(Path::new(".")))?;
        let state = ResultsDir::state_path(from);
        if state.is_file() {
            copy(&state, &ResultsDir::state_path(to))?;
        }
        copy(from, to)
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), ReportError> {
    let bytes = fs::read(from).map_err(|source| ReportError::io("read", from, source))?;
    write_atomic(to, &bytes)
}

/// The file of a run's tensors, where it was kept.
fn whole_tensors(folder: &ResultsDir, record: &RunRecord) -> Result<Option<PathBuf>, ReportError> {
    let path = folder.trained_path(&record.id);
    let Ok(metadata) = fs::metadata(&path) else {
        return Ok(None);
    };
    let (found, expected) = (metadata.len(), record.counts.bytes_on_disk);
    if found != expected {
        return Err(ReportError::NotWhole { path, found, expected });
    }
    Ok(Some(path))
}

/// The path of the first field that differs, and its two values.
fn first_difference(a: &Value, b: &Value, path: &str) -> Option<(String, String, String)> {
    let below = |key: &str| {
        if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
    };
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            let value = |map: &serde_json::Map<String, Value>, key: &str| {
                map.get(key).cloned().unwrap_or_default()
            };
            keys.into_iter()
                .find_map(|key| first_difference(&value(a, key), &value(b, key), &below(key)))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(i, (a, b))| first_difference(a, b, &below(&i.to_string())))
        }
        (Value::Array(a), Value::Array(b)) => {
            let told = |list: &[Value]| format!("a list of {}", list.len());
            Some((path.to_owned(), told(a), told(b)))
        }
        _ => (a != b).then(|| (path.to_owned(), a.to_string(), b.to_string())),
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
