//! SHA-256 of files, and the check of a folder against a list of them.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::error::{Failure, io_failure};
use crate::registry::AssetFile;

const BUFFER_BYTES: usize = 1 << 18;

/// SHA-256 of a file's bytes in lowercase hex.
pub fn sha256_file(path: impl AsRef<Path>) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let n_read = file.read(&mut buffer)?;
        if n_read == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&buffer[..n_read]);
    }
}

/// Lowercase hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks that the files lie in the folder with the right sizes. Reads no contents.
pub(crate) fn check_sizes(folder: &Path, files: &[AssetFile]) -> Result<(), Failure> {
    for file in files {
        let path = folder.join(&file.name);
        let got = path.metadata().map_err(io_failure("read", &path))?.len();
        if got != file.bytes {
            return Err(Failure::Size { file: file.name.clone(), expected: file.bytes, got });
        }
    }
    Ok(())
}

/// Checks that the files lie in the folder with the right sizes and checksums.
pub(crate) fn verify(folder: &Path, files: &[AssetFile]) -> Result<(), Failure> {
    check_sizes(folder, files)?;
    for file in files {
        let path = folder.join(&file.name);
        let got = sha256_file(&path).map_err(io_failure("read", &path))?;
        if got != file.sha256 {
            let (file, expected) = (file.name.clone(), file.sha256.clone());
            return Err(Failure::Checksum { file, expected, got });
        }
    }
    Ok(())
}

/// Folders that this process has read through and found right. Reading them again would cost
/// time and tell little; a look at the sizes stays.
#[derive(Debug, Default)]
pub(crate) struct VerifiedFolders(Mutex<HashSet<PathBuf>>);

impl VerifiedFolders {
    /// Like [`verify`], but reads the contents of a folder only once.
    pub fn check(&self, folder: &Path, files: &[AssetFile]) -> Result<(), Failure> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(folder) {
            return check_sizes(folder, files);
        }
        verify(folder, files)?;
        known.insert(folder.to_path_buf());
        Ok(())
    }
}

/// Size and checksum of a file as it is now.
pub(crate) fn describe(folder: &Path, name: &str) -> Result<AssetFile, Failure> {
    let path = folder.join(name);
    let bytes = path.metadata().map_err(io_failure("read", &path))?.len();
    let sha256 = sha256_file(&path).map_err(io_failure("read", &path))?;
    Ok(AssetFile { name: name.to_string(), bytes, sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_known_text_is_the_published_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(
            sha256_file(&path).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_changed_byte_of_the_same_size_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), "abc").unwrap();
        let file = describe(folder.path(), "a").unwrap();
        verify(folder.path(), std::slice::from_ref(&file)).unwrap();
        std::fs::write(folder.path().join("a"), "abd").unwrap();
        check_sizes(folder.path(), std::slice::from_ref(&file)).unwrap();
        assert!(matches!(verify(folder.path(), &[file]), Err(Failure::Checksum { .. })));
    }
}
