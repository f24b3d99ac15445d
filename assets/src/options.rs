//! How to open a store, and what the environment says about it.

use std::path::PathBuf;

/// How to open a [`Store`](crate::Store).
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Folder of the cache. `None`: `PEFT_ZOO_CACHE`, else `peft-zoo` in the user's cache folder.
    pub cache_dir: Option<PathBuf>,
    /// Never use the network. Also on if `PEFT_ZOO_OFFLINE` or `HF_HUB_OFFLINE` says so.
    pub offline: bool,
    /// Show a bar while bytes come in, if stderr is a terminal. On by default.
    pub progress: bool,
    /// Address of the hub or of a mirror. `None`: `HF_ENDPOINT`, else the hub.
    pub hub_endpoint: Option<String>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        StoreOptions { cache_dir: None, offline: false, progress: true, hub_endpoint: None }
    }
}

impl StoreOptions {
    /// What is not set is taken from the environment.
    pub(crate) fn with_environment(self) -> StoreOptions {
        let offline = ["PEFT_ZOO_OFFLINE", "HF_HUB_OFFLINE"].into_iter().filter_map(env);
        StoreOptions {
            cache_dir: self.cache_dir.or_else(default_cache_dir),
            offline: self.offline || offline.into_iter().any(|value| is_yes(&value)),
            progress: self.progress,
            hub_endpoint: self.hub_endpoint.or_else(|| env("HF_ENDPOINT")),
        }
    }
}

fn default_cache_dir() -> Option<PathBuf> {
    let ours = || Some(directories::BaseDirs::new()?.cache_dir().join("peft-zoo"));
    env("PEFT_ZOO_CACHE").map(PathBuf::from).or_else(ours)
}

/// A variable that is set and not empty.
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn is_yes(value: &str) -> bool {
    !matches!(value.to_lowercase().as_str(), "0" | "false" | "no" | "off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_caller_sets_is_not_taken_from_the_environment() {
        let options = StoreOptions {
            cache_dir: Some(PathBuf::from("here")),
            offline: true,
            progress: false,
            hub_endpoint: Some("http://mirror".to_string()),
        };
        let got = options.with_environment();
        assert_eq!(got.cache_dir, Some(PathBuf::from("here")));
        assert!(got.offline && !got.progress);
        assert_eq!(got.hub_endpoint.as_deref(), Some("http://mirror"));
    }

    #[test]
    fn a_variable_that_says_no_is_no() {
        assert!(["1", "true", "YES", "on"].into_iter().all(is_yes));
        assert!(!["0", "false", "No", "OFF"].into_iter().any(is_yes));
    }
}
