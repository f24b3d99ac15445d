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
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = partial_file(folder).map_err(error)?;
    file.write_all(bytes).map_err(error)?;
    file.as_file().sync_all().map_err(error)?;
    file.persist(path).map_err(|failed| error(failed.error))?;
    sync_folder(folder);
    Ok(())
}

/// Fails if no file can be made in `folder`.
pub(crate) fn check_writable(folder: &Path) -> Result<(), ReportError> {
    partial_file(folder)
        .map(drop)
        .map_err(|source| ReportError::io("write into this folder", folder, source))
}

/// Makes `folder` and its parents.
pub fn make_folder(folder: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(folder).map_err(|source| ReportError::io("create", folder, source))
}

fn partial_file(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".").suffix(PARTIAL);
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
