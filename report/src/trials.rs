//! Trials of a search in a results folder: `trials/<trial id>.json`, each written as soon as it
//! is done, so that a search that was killed goes on.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::files::{make_folder, remove_leftovers, write_atomic};
use crate::record::{SCHEMA, Trial};
use crate::results::{check_schema, claim, parse};
use crate::{Claim, ReportError, ResultsDir};

const FOLDER: &str = "trials";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrialFile {
    schema: u32,
    trial: Trial,
}

impl ResultsDir {
    /// Writes `trials/<id>.json`: whole or not at all. A trial that could not be read again is
    /// refused.
    pub fn write_trial(&self, trial: &Trial) -> Result<(), ReportError> {
        let path = self.trial_file(&trial.id)?;
        let file = TrialFile { schema: SCHEMA, trial: trial.clone() };
        let refuse = |field: String, problem: String| ReportError::Unrecordable {
            id: trial.id.clone(),
            field,
            problem,
        };
        let mut text = serde_json::to_string_pretty(&file)
            .map_err(|problem| refuse(".".to_owned(), problem.to_string()))?;
        text.push('\n');
        parse::<TrialFile>(text.as_bytes()).map_err(|(field, problem)| refuse(field, problem))?;
        make_folder(&self.path().join(FOLDER))?;
        write_atomic(&path, text.as_bytes())
    }

    /// Claims a trial for this process alone, as [`claim`](Self::claim) does a run.
    pub fn claim_trial(&self, id: &str) -> Result<Claim, ReportError> {
        let file = self.trial_file(id)?;
        let folder = self.path().join(FOLDER);
        make_folder(&folder)?;
        claim(
            &file,
            folder.join(format!(".{id}.lock")),
            || file.is_file(),
            || {
                remove_leftovers(&folder, &format!("{id}."));
            },
        )
    }

    /// The trial with this id, which must be recorded.
    pub fn read_trial(&self, id: &str) -> Result<Trial, ReportError> {
        let path = self.trial_file(id)?;
        let text = fs::read(&path).map_err(|source| ReportError::io("read", &path, source))?;
        check_schema(&path, &text)?;
        let file: TrialFile = parse(&text).map_err(|(field, problem)| ReportError::Corrupt {
            path: path.clone(),
            field,
            problem,
        })?;
        match file.trial.id == id {
            true => Ok(file.trial),
            false => Err(ReportError::Misnamed { path, id: file.trial.id }),
        }
    }

    fn trial_file(&self, id: &str) -> Result<PathBuf, ReportError> {
        let file = self.file(id)?;
        let name = file.file_name().unwrap_or_default();
        Ok(self.path().join(FOLDER).join(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    #[test]
    fn trials_are_kept_apart_from_records_and_read_again_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let results = ResultsDir::open(folder.path()).unwrap();
        let record = example::suite(&[1]).remove(4);
        for trial in example::search(&record).trials {
            let Claim::Mine(lock) = results.claim_trial(&trial.id).unwrap() else {
                panic!("{} is not free", trial.id);
            };
            results.write_trial(&trial).unwrap();
            drop(lock);
            assert!(matches!(results.claim_trial(&trial.id).unwrap(), Claim::Recorded));
            assert_eq!(results.read_trial(&trial.id).unwrap(), trial);
        }
        assert_eq!(results.read_all().unwrap(), []);
    }

    #[test]
    fn a_damaged_trial_is_named_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let results = ResultsDir::open(folder.path()).unwrap();
        fs::create_dir(folder.path().join("trials")).unwrap();
        fs::write(folder.path().join("trials/x.json"), r#"{"schema": 2, "trial": {}}"#).unwrap();
        let error = results.read_trial("x").unwrap_err().to_string();
        assert!(error.contains("x.json") && error.contains("delete the file"), "{error}");
        assert!(results.read_trial("../x").is_err());
    }
}
