//! Rights that one process has at a time: to do a run, or to draw a folder's report.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::ReportError;
use crate::clock::utc;

/// An exclusive right, until dropped.
///
/// The operating system holds the lock on an open file, so it ends with the process however that
/// ends: there are no stale locks to recover. The text in the file only names the holder.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    /// Once this file is there nobody needs the right any more, and the lock's file goes.
    goal: Option<PathBuf>,
    excludes: bool,
}

/// What came of trying to take a lock.
#[derive(Debug)]
pub(crate) enum Attempt {
    Taken(Lock),
    /// A live process has it, e.g. `process 12 on host lab since 2026-01-01T00:00:00Z`.
    HeldBy(String),
}

impl Lock {
    /// Takes the right to make the file `goal`, or says who has it.
    ///
    /// The lock's file is removed only when the goal is there. Two processes may then hold locks
    /// on two files of one name, but both find the goal, so the caller must look for it once more
    /// with the lock in hand.
    pub(crate) fn towards(goal: &Path, path: PathBuf) -> Result<Attempt, ReportError> {
        let error = |source| ReportError::io("lock", &path, source);
        let mut file = open(&path).map_err(error)?;
        let excludes = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => return Ok(Attempt::HeldBy(holder(&mut file))),
            Err(TryLockError::Error(source)) if has_no_locks(&source) => false,
            Err(TryLockError::Error(source)) => return Err(error(source)),
        };
        name_holder(&mut file).map_err(error)?;
        Ok(Attempt::Taken(Self { file, path, goal: Some(goal.to_owned()), excludes }))
    }

    /// Waits for a right that is never held for long.
    pub(crate) fn wait(path: PathBuf) -> Result<Self, ReportError> {
        let error = |source| ReportError::io("lock", &path, source);
        let mut file = open(&path).map_err(error)?;
        let excludes = match file.lock() {
            Ok(()) => true,
            Err(source) if has_no_locks(&source) => false,
            Err(source) => return Err(error(source)),
        };
        name_holder(&mut file).map_err(error)?;
        Ok(Self { file, path, goal: None, excludes })
    }

    /// Whether other processes are kept out: false on a file system that has no locks.
    pub fn excludes(&self) -> bool {
        self.excludes
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nothing depends on the text or the file, and closing the file unlocks it.
        let _ = self.file.set_len(0);
        if self.goal.as_ref().is_some_and(|goal| goal.is_file()) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether the system says that files cannot be locked here, as some network file systems do.
fn has_no_locks(error: &std::io::Error) -> bool {
    const ENOLCK: i32 = 37;
    error.kind() == std::io::ErrorKind::Unsupported
        || cfg!(target_os = "linux") && error.raw_os_error() == Some(ENOLCK)
}

fn open(path: &Path) -> std::io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(path)
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
    fs::read_to_string("/proc/sys/kernel/hostname")
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

    fn attempt(folder: &Path) -> Attempt {
        Lock::towards(&folder.join("a.json"), folder.join(".a.lock")).unwrap()
    }

    fn taken(folder: &Path) -> Lock {
        match attempt(folder) {
            Attempt::Taken(lock) => lock,
            Attempt::HeldBy(holder) => panic!("held by {holder}"),
        }
    }

    fn holder(folder: &Path) -> String {
        match attempt(folder) {
            Attempt::Taken(_) => panic!("taken"),
            Attempt::HeldBy(holder) => holder,
        }
    }

    #[test]
    fn who_comes_second_is_told_who_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let first = taken(folder.path());
        let text = holder(folder.path());
        let process = format!("process {} on host ", std::process::id());
        assert!(text.starts_with(&process) && text.contains(" since 20"), "{text}");
        assert!(!text.contains('\n'), "{text}");
        drop(first);
        taken(folder.path());
    }

    #[test]
    fn a_lock_file_left_by_a_killed_process_does_not_lock() {
        let folder = tempfile::tempdir().unwrap();
        let text = "process 1 on host elsewhere since 2026-01-01T00:00:00Z, and a longer text\n";
        fs::write(folder.path().join(".a.lock"), text).unwrap();
        let _lock = taken(folder.path());
        let now = fs::read_to_string(folder.path().join(".a.lock")).unwrap();
        assert!(now.starts_with(&format!("process {} ", std::process::id())), "{now}");
        assert_eq!(now.lines().count(), 1, "{now}");
    }

    #[test]
    fn the_lock_file_goes_when_the_goal_is_reached_and_only_then() {
        let folder = tempfile::tempdir().unwrap();
        drop(taken(folder.path()));
        assert!(folder.path().join(".a.lock").is_file());
        let lock = taken(folder.path());
        fs::write(folder.path().join("a.json"), "").unwrap();
        drop(lock);
        assert!(!folder.path().join(".a.lock").exists());
    }

    #[test]
    fn a_file_system_without_locks_is_told_from_other_troubles() {
        assert!(has_no_locks(&std::io::ErrorKind::Unsupported.into()));
        assert!(!has_no_locks(&std::io::ErrorKind::StorageFull.into()));
        if cfg!(target_os = "linux") {
            let (no_locks_available, bad_file) = (37, 9);
            assert!(has_no_locks(&std::io::Error::from_raw_os_error(no_locks_available)));
            assert!(!has_no_locks(&std::io::Error::from_raw_os_error(bad_file)));
        }
    }

    #[test]
    fn a_right_that_is_waited_for_comes_when_the_holder_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".lock");
        let first = Lock::wait(path.clone()).unwrap();
        let done = folder.path().join("done");
        std::thread::scope(|scope| {
            let second = scope.spawn(|| {
                let _lock = Lock::wait(path.clone()).unwrap();
                done.is_file()
            });
            std::thread::sleep(std::time::Duration::from_millis(20));
            fs::write(&done, "").unwrap();
            drop(first);
            assert!(second.join().unwrap());
        });
    }

    /// This test starts itself again as another process, which takes the lock and waits.
    #[test]
    fn a_killed_process_frees_its_lock() {
        const FOLDER: &str = "REPORT_TEST_LOCK_FOLDER";
        if let Some(folder) = std::env::var_os(FOLDER) {
            let _lock = taken(Path::new(&folder));
            println!("\nlocked");
            loop {
                std::thread::park();
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let test = "lock::tests::a_killed_process_frees_its_lock";
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        assert!(output.lines().map_while(Result::ok).any(|line| line == "locked"));
        let text = holder(folder.path());
        assert!(text.contains(&format!("process {} on host", process.id())), "{text}");
        process.kill().unwrap();
        process.wait().unwrap();
        taken(folder.path());
    }
}
