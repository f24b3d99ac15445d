//! `suite.json`: what was asked for, beside the records of what was done.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::ReportError;
use crate::files::write_atomic;
use crate::record::RunRecord;
use crate::results::parse;

pub(crate) const FILE_NAME: &str = "suite.json";

/// What was last run into a results folder. The report takes its title from here, and counts what
/// is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteInfo {
    /// One line for people: the title of the report.
    pub title: String,
    /// The ids of all runs, in the suite's order, whoever does them.
    pub runs: Vec<String>,
}

impl SuiteInfo {
    /// How many of the runs are not among `records`.
    pub fn n_missing(&self, records: &[RunRecord]) -> usize {
        let is_missing = |id: &&String| records.iter().all(|record| record.id != **id);
        self.runs.iter().filter(is_missing).count()
    }

    /// Adds the runs of `other` that are not in the list yet.
    pub(crate) fn extend(&mut self, other: &SuiteInfo) {
        for id in &other.runs {
            if !self.runs.contains(id) {
                self.runs.push(id.clone());
            }
        }
    }
}

pub(crate) fn read(path: &Path) -> Result<Option<SuiteInfo>, ReportError> {
    match fs::read(path) {
        Ok(text) => parse(&text).map(Some).map_err(|(field, problem)| ReportError::Corrupt {
            path: path.to_owned(),
            field,
            problem,
        }),
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ReportError::io("read", path, source)),
    }
}

/// Writes the file, unless it says the same already.
pub(crate) fn write(path: &Path, info: &SuiteInfo) -> Result<(), ReportError> {
    let mut text = serde_json::to_string_pretty(info)
        .map_err(|error| ReportError::io("write", path, error.into()))?;
    text.push('\n');
    if fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    write_atomic(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ResultsDir, example};

    fn info(runs: &[&str]) -> SuiteInfo {
        let runs = runs.iter().map(|id| (*id).to_owned()).collect();
        SuiteInfo { title: "Ranks, \"and\" more".to_owned(), runs }
    }

    #[test]
    fn a_folder_remembers_its_suite_and_takes_it_for_no_record() {
        let folder = tempfile::tempdir().unwrap();
        let results = ResultsDir::open(folder.path()).unwrap();
        assert_eq!(results.suite().unwrap(), None);
        let told = info(&["lora-1", "head-1"]);
        results.write_suite(&told).unwrap();
        assert_eq!(results.suite().unwrap(), Some(told));
        assert_eq!(results.read_all().unwrap(), []);
        let mut record = example::suite(&[1]).remove(0);
        record.id = "suite".to_owned();
        assert!(results.write(&record).unwrap_err().to_string().contains("not 'suite'"));
    }

    #[test]
    fn a_broken_suite_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let results = ResultsDir::open(folder.path()).unwrap();
        fs::write(folder.path().join(FILE_NAME), "{\"title\": 3}").unwrap();
        let text = results.suite().unwrap_err().to_string();
        assert!(text.contains("suite.json: field `title`"), "{text}");
    }

    #[test]
    fn runs_are_counted_as_missing_once_each_and_joined_in_order() {
        let records = example::suite(&[1]);
        let known = records[0].id.clone();
        let mut both = info(&["a", &known]);
        both.extend(&info(&["b", "a"]));
        assert_eq!(both.runs, ["a", &known, "b"]);
        assert_eq!(both.n_missing(&records), 2);
    }
}
