//! Finds a recorded run by the beginning of its id.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use report::{ResultsDir, RunRecord};

/// The run whose id starts with `id`, in `folder` or in any folder below `results`.
///
/// # Errors
/// No such run, or several.
pub fn find(id: &str, folder: Option<&Path>) -> Result<(ResultsDir, RunRecord)> {
    find_in(
        id,
        match folder {
            Some(folder) => vec![folder.to_path_buf()],
            None => folders(Path::new("results")),
        },
    )
}

/// As [`find`], in `folder`, if it is there, and in any folder below `results`.
///
/// # Errors
/// No such run, or several.
pub fn find_anywhere(id: &str, folder: Option<&Path>) -> Result<(ResultsDir, RunRecord)> {
    let first = folder.filter(|folder| folder.is_dir()).map(Path::to_path_buf);
    let below = folders(Path::new("results")).into_iter().filter(|folder| folder.is_dir());
    let mut all: Vec<PathBuf> = first.into_iter().collect();
    for folder in below {
        if !all.contains(&folder) {
            all.push(folder);
        }
    }
    find_in(id, all)
}

fn find_in(id: &str, folders: Vec<PathBuf>) -> Result<(ResultsDir, RunRecord)> {
    let mut found: Vec<(ResultsDir, RunRecord)> = vec![];
    let mut others = BTreeSet::new();
    for folder in &folders {
        let results = ResultsDir::existing(folder)?;
        for record in results.read_all()? {
            if record.id.starts_with(id) {
                found.push((results.clone(), record));
            } else {
                others.insert(record.id);
            }
        }
    }
    let first = found.first().map(|(_, record)| record.id.clone());
    if found.iter().any(|(_, record)| Some(&record.id) != first.as_ref()) {
        let ids: Vec<&str> = found.iter().map(|(_, record)| record.id.as_str()).collect();
        bail!("run '{id}' is ambiguous: {}", ids.join(", "));
    }
    // A run may be recorded in several folders: the one that also holds its tensors is of use.
    found.sort_by_key(|(results, record)| !results.trained_path(&record.id).is_file());
    match found.into_iter().next() {
        Some(found) => Ok(found),
        None => bail!("{}", unknown_run(id, &folders, others)),
    }
}

fn unknown_run(id: &str, folders: &[PathBuf], recorded: BTreeSet<String>) -> String {
    let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let recorded: Vec<String> = recorded.into_iter().collect();
    let recorded = match recorded.is_empty() {
        true => "no run at all; name another folder with --results".to_owned(),
        false => recorded.join(", "),
    };
    format!("no run '{id}' in {}; recorded there: {recorded}", folders.join(", "))
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root) else {
        return vec![root.to_path_buf()];
    };
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}
