//! One run at a time in one results folder.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::SystemTime;

use crate::ReportError;
use crate::clock::utc;

const FILE_NAME: &str = ".lock";

/// The exclusive right to write into a results folder, until dropped.
///
/// The operating system holds the lock on the open file `.lock`, so it ends with the process
/// however that ends. The text in the file only names the holder. The file stays: removing it
/// would let two processes lock two files of the same name.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    pub(crate) fn take(folder: &Path) -> Result<Self, ReportError> {
        let path = folder.join(FILE_NAME);
        let error = |source| ReportError::io("lock", &path, source);
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(error)?;
        match file.try_lock() {
            Ok(()) => {
                name_holder(&mut file).map_err(error)?;
                Ok(Self { file })
            }
            Err(TryLockError::WouldBlock) => {
                Err(ReportError::InUse { path: folder.to_owned(), holder: holder(&mut file) })
            }
            Err(TryLockError::Error(source)) => Err(error(source)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nothing depends on the text, and closing the file unlocks it.
        let _ = self.file.set_len(0);
    }
}

fn name_holder(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    let now = utc(SystemTime::now());
    writeln!(file, "process {} on host {} since {now}", std::process::id(), host())
}

/// The text in a locked file. Some systems do not let it be read, and the holder may be writing.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "another process".to_owned(),
    }
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_second_run_is_told_who_holds_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        let text = Lock::take(folder.path()).unwrap_err().to_string();
        let holder = format!("in use by process {} on host ", std::process::id());
        assert!(text.contains(&holder) && text.contains(" since 20"), "{text}");
        assert!(!text.contains('\n'), "{text}");
        drop(first);
        Lock::take(folder.path()).unwrap();
    }

    #[test]
    fn a_lock_file_left_by_a_killed_process_does_not_lock() {
        let folder = tempfile::tempdir().unwrap();
        let text = "process 1 on host elsewhere since 2026-01-01T00:00:00Z, and a longer text\n";
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let _lock = Lock::take(folder.path()).unwrap();
        let now = std::fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert!(now.starts_with(&format!("process {} ", std::process::id())), "{now}");
        assert_eq!(now.lines().count(), 1, "{now}");
    }

    /// This test starts itself again as another process, which takes the lock and waits.
    #[test]
    fn a_killed_process_frees_the_folder() {
        const FOLDER: &str = "REPORT_TEST_LOCK_FOLDER";
        if let Some(folder) = std::env::var_os(FOLDER) {
            let _lock = Lock::take(Path::new(&folder)).unwrap();
            println!("\nlocked");
            loop {
                std::thread::park();
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let test = "lock::tests::a_killed_process_frees_the_folder";
        let mut holder = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(holder.stdout.take().unwrap());
        assert!(output.lines().map_while(Result::ok).any(|line| line == "locked"));
        let text = Lock::take(folder.path()).unwrap_err().to_string();
        assert!(text.contains(&format!("process {} on host", holder.id())), "{text}");
        holder.kill().unwrap();
        holder.wait().unwrap();
        Lock::take(folder.path()).unwrap();
    }
}
