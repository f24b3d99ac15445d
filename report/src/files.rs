//! Files that are either whole or not there.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use crate::ReportError;

/// Ending of files being written. A reader ignores them: a killed process may leave one.
const PARTIAL: &str = ".partial";

/// Writes `bytes` to `path` so that a reader, or a kill at any moment, sees the old file or the
/// new one and nothing between.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let error = |source| ReportError::io("write", path, source);
    let folder = parent(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut file = partial_file(folder, &name).map_err(error)?;
    file.write_all(bytes).map_err(error)?;
    file.as_file().sync_all().map_err(error)?;
    file.persist(path).map_err(|failed| error(failed.error))?;
    sync_folder(folder);
    Ok(())
}

/// Fails if no file can be made in `folder`. The file tried has no name, so that even a kill leaves
/// nothing.
pub(crate) fn check_writable(folder: &Path) -> Result<(), ReportError> {
    tempfile::tempfile_in(folder)
        .map(drop)
        .map_err(|source| ReportError::io("write into this folder", folder, source))
}

/// Makes `folder` and its parents, to last through a power cut.
pub fn make_folder(folder: &Path) -> Result<(), ReportError> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.is_dir();
    let missing: Vec<&Path> = folder.ancestors().take_while(is_missing).collect();
    fs::create_dir_all(folder).map_err(|source| ReportError::io("create", folder, source))?;
    missing.into_iter().for_each(|made| sync_folder(parent(made)));
    Ok(())
}

/// Removes what killed processes left of files whose names begin with `name`. For the process
/// alone that has the right to write them.
pub(crate) fn remove_leftovers(folder: &Path, name: &str) {
    let begin = format!(".{name}");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let found = entry.file_name();
        let found = found.to_string_lossy();
        if found.starts_with(&begin) && found.ends_with(PARTIAL) {
            // Nobody reads them: one that cannot be removed does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The folder of a file or folder; `.` for a bare name.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file `.name.….partial`.
fn partial_file(folder: &Path, name: &str) -> std::io::Result<NamedTempFile> {
    let prefix = format!(".{name}.");
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(PARTIAL);
    #[cfg(unix)]
    {
        // Temporary files are private by default; results are for everyone the umask allows.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Makes the rename itself last through a power cut, where the system can do that.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_atomic(&path, b"a longer first text").unwrap();
        write_atomic(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_rubbish() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::create_dir(&path).unwrap(); // a rename onto a folder fails
        let text = write_atomic(&path, b"text").unwrap_err().to_string();
        assert!(text.contains("a.txt: cannot write"), "{text}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn leftovers_of_one_file_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let names = [".a.json.x1.partial", ".ab.json.x2.partial", ".a.lock", "a.json"];
        names.iter().for_each(|name| fs::write(folder.path().join(name), "{").unwrap());
        remove_leftovers(folder.path(), "a.");
        let left = names.map(|name| folder.path().join(name).exists());
        assert_eq!(left, [false, true, true, true]);
    }

    #[test]
    fn folders_are_made_with_their_parents_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("a/b/c");
        make_folder(&below).unwrap();
        make_folder(&below).unwrap();
        assert!(below.is_dir());
        assert_eq!(
            (parent(Path::new("a")), parent(Path::new("a/b"))),
            (".".as_ref(), "a".as_ref())
        );
    }

    #[cfg(unix)]
    #[test]
    fn results_are_readable_by_others_as_far_as_the_umask_allows() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        write_atomic(&ours, b"").unwrap();
        fs::write(&plain, b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
