//! Folders that are either whole or not there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// Makes a folder whose files `write` writes into the place that it is given. If that fails,
/// nothing is left behind.
///
/// # Errors
/// The folder is there and holds something, cannot be made, or what `write` says.
pub fn new_folder<T>(path: &Path, write: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let at = || format!("{}: cannot be written", path.display());
    if path.exists() {
        let is_empty = path.is_dir() && fs::read_dir(path).with_context(at)?.next().is_none();
        if !is_empty {
            bail!("{}: exists and is not an empty folder; name a new one", path.display());
        }
    }
    let staging = staging(path);
    fs::create_dir_all(&staging).with_context(at)?;
    let written = write(&staging).and_then(|done| {
        // An empty folder gives way.
        if path.exists() {
            fs::remove_dir(path).with_context(at)?;
        }
        fs::rename(&staging, path).with_context(at)?;
        Ok(done)
    });
    if written.is_err() {
        let _ = fs::remove_dir_all(&staging);
    }
    written
}

/// A hidden neighbour, so that the last step is a rename.
fn staging(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    path.with_file_name(format!(".{}.{}.partial", name.unwrap_or_default(), std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_folder_appears_whole_and_a_failure_leaves_nothing_behind() {
        let desk = tempfile::tempdir().unwrap();
        let folder = desk.path().join("deep/new");
        let failed = new_folder(&folder, |staging| {
            fs::write(staging.join("half"), "half")?;
            assert!(!folder.exists());
            bail!("the second half failed") as Result<()>
        });
        assert!(failed.is_err() && names(&desk.path().join("deep")).is_empty());
        new_folder(&folder, |staging| Ok(fs::write(staging.join("whole"), "whole")?)).unwrap();
        assert_eq!(
            (names(&desk.path().join("deep")), names(&folder)),
            (vec!["new".into()], vec!["whole".into()])
        );
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone_and_an_empty_one_is_taken() {
        let desk = tempfile::tempdir().unwrap();
        let folder = desk.path().join("there");
        fs::create_dir(&folder).unwrap();
        new_folder(&folder, |staging| Ok(fs::write(staging.join("first"), "")?)).unwrap();
        let again = new_folder(&folder, |staging| Ok(fs::write(staging.join("second"), "")?));
        assert!(again.unwrap_err().to_string().contains("not an empty folder"));
        assert_eq!(names(&folder), ["first"]);
    }
}
