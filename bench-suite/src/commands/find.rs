//! Finds a recorded run by the beginning of its id.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use report::{ResultsDir, RunRecord};

/// The run whose id starts with `id`, in `folder` or in any folder below `results`.
///
/// # Errors
/// No such run, or several.
pub fn find(id: &str, folder: Option<&Path>) -> Result<(ResultsDir, RunRecord)> {
    let folders = match folder {
        Some(folder) => vec![folder.to_path_buf()],
        None => folders(Path::new("results")),
    };
    let mut found: Vec<(ResultsDir, RunRecord)> = vec![];
    for folder in &folders {
        if !folder.is_dir() {
            bail!("{}: no such folder", folder.display());
        }
        let results = ResultsDir::open(folder)?;
        for record in results.read_all()? {
            if record.id.starts_with(id) {
                found.push((results.clone(), record));
            }
        }
    }
    let first = found.first().map(|(_, record)| record.id.clone());
    if found.iter().any(|(_, record)| Some(&record.id) != first.as_ref()) {
        let ids: Vec<&str> = found.iter().map(|(_, record)| record.id.as_str()).collect();
        bail!("run '{id}' is ambiguous: {}", ids.join(", "));
    }
    // A run may be recorded in several folders: the one that also holds its tensors is of use.
    found.sort_by_key(|(results, record)| !crate::bench::trained_path(results, &record.id).is_file());
    match found.into_iter().next() {
        Some(found) => Ok(found),
        None => bail!(
            "no run '{id}' in {}; 'bench-suite report FOLDER' lists a folder's runs in REPORT.md",
            folders.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", ")
        ),
    }
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root) else { return vec![root.to_path_buf()] };
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}
