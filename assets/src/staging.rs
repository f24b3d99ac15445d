//! Where downloads happen before they are trusted.
//!
//! Every fetch works in a folder of its own under `<cache>/staging`, on the same filesystem as
//! its goal, and ends with one rename. A file lock per goal makes a second process wait instead
//! of downloading the same bytes, and tells which folders belong to processes that were killed:
//! those whose lock can be had. On a filesystem without locks nothing waits and nothing is
//! cleaned up; the rename alone still keeps the cache whole.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::{AssetError, cache_error};

/// A private folder for one fetch. Removed when dropped.
pub(crate) struct Staging {
    // Fields drop in this order: the folder goes before its lock.
    folder: TempDir,
    _lock: Option<File>,
}

impl Staging {
    /// Opens a staging folder for a goal, waiting while another process works on the same one.
    pub fn open(cache: &Path, goal: &Path) -> Result<Staging, AssetError> {
        let root = cache.join("staging");
        let key = &*goal.file_name().unwrap_or_default().to_string_lossy();
        fs::create_dir_all(&root).map_err(cache_error("create", &root))?;
        let lock = wait_for_lock(&root, key);
        remove_stale(&root, key, lock.is_some());
        let folder = tempfile::Builder::new()
            .prefix(&format!("{key}."))
            .tempdir_in(&root)
            .map_err(cache_error("create a folder in", &root))?;
        let staging = Staging { folder, _lock: lock };
        staging.clear()?;
        Ok(staging)
    }

    /// Starts over with empty folders: one source must not see what another left behind.
    pub fn clear(&self) -> Result<(), AssetError> {
        for path in [self.work(), self.files()] {
            if path.exists() {
                fs::remove_dir_all(&path).map_err(cache_error("empty", &path))?;
            }
            fs::create_dir(&path).map_err(cache_error("create", &path))?;
        }
        Ok(())
    }

    /// For archives and whatever else is on the way.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// For the final files, and nothing else.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// Moves the final files to the goal in one step, in place of what is there.
    pub fn publish(self, goal: &Path) -> Result<(), AssetError> {
        let parent = goal.parent().unwrap_or(goal);
        fs::create_dir_all(parent).map_err(cache_error("create", parent))?;
        if goal.exists() {
            let old = self.folder.path().join("old");
            fs::rename(goal, old).map_err(cache_error("replace", goal))?;
        }
        fs::rename(self.files(), goal).map_err(cache_error("write", goal))
    }
}

fn lock_path(root: &Path, key: &str) -> PathBuf {
    root.join(format!("{key}.lock"))
}

/// `None` where the filesystem has no locks.
fn wait_for_lock(root: &Path, key: &str) -> Option<File> {
    let file = File::create(lock_path(root, key)).ok()?;
    match file.try_lock() {
        Ok(()) => Some(file),
        Err(TryLockError::WouldBlock) => {
            eprintln!("waiting for another process that is fetching {key}");
            file.lock().ok().map(|()| file)
        }
        Err(TryLockError::Error(_)) => None,
    }
}

/// Removes the folders of processes that are gone. What cannot be removed stays: it does no harm.
fn remove_stale(root: &Path, own_key: &str, own_is_locked: bool) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((key, _)) = name.rsplit_once('.').filter(|_| entry.path().is_dir()) else {
            continue;
        };
        if key == own_key {
            if own_is_locked {
                fs::remove_dir_all(entry.path()).ok();
            }
        } else if let Ok(_lock) = try_lock(&lock_path(root, key)) {
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}

fn try_lock(path: &Path) -> io::Result<File> {
    let file = File::create(path)?;
    file.try_lock()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(cache: &Path) -> Vec<String> {
        let entries = fs::read_dir(cache.join("staging")).unwrap();
        let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.ends_with(".lock")).collect()
    }

    #[test]
    fn folders_of_killed_processes_are_removed_and_those_in_use_are_not() {
        let cache = tempfile::tempdir().unwrap();
        let in_use = Staging::open(cache.path(), Path::new("in-use")).unwrap();
        for stale in ["own.1a", "other-v1.5.2b"] {
            fs::create_dir_all(cache.path().join("staging").join(stale).join("work")).unwrap();
        }
        let own = Staging::open(cache.path(), Path::new("own")).unwrap();
        assert!(own.work().is_dir() && in_use.work().is_dir());
        assert_eq!(entries(cache.path()).len(), 2, "{:?}", entries(cache.path()));
        drop((own, in_use));
        assert!(entries(cache.path()).is_empty());
    }

    #[test]
    fn publishing_replaces_the_whole_target() {
        let cache = tempfile::tempdir().unwrap();
        let target = cache.path().join("assets/a");
        fs::create_dir_all(&target).unwrap();
        fs::write(target.join("damaged"), "x").unwrap();
        let staging = Staging::open(cache.path(), &target).unwrap();
        fs::write(staging.files().join("good"), "y").unwrap();
        staging.publish(&target).unwrap();
        assert!(!target.join("damaged").exists());
        assert_eq!(fs::read_to_string(target.join("good")).unwrap(), "y");
        assert!(entries(cache.path()).is_empty());
    }

    #[test]
    fn a_second_fetch_of_the_same_goal_waits_for_the_first() {
        let cache = tempfile::tempdir().unwrap();
        let first = Staging::open(cache.path(), Path::new("a")).unwrap();
        let path = cache.path().to_path_buf();
        let second = std::thread::spawn(move || Staging::open(&path, Path::new("a")).map(drop));
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(!second.is_finished());
        drop(first);
        second.join().unwrap().unwrap();
    }
}
