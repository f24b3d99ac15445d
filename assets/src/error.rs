//! What can go wrong, in one line each.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::layout::FILES;

/// Why an asset cannot be had.
#[derive(Debug, Error)]
pub enum AssetError {
    /// No asset has that name.
    #[error("no {wanted} is named `{name}`; registered are: {}", known.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// `asset` or `model`.
        wanted: &'static str,
        /// The registered names.
        known: Vec<String>,
    },
    /// The asset is registered, but it is not a model.
    #[error("`{name}` is {kind}, not a model; registered models are: {}", known.join(", "))]
    NotAModel {
        /// What was asked for.
        name: String,
        /// What it is.
        kind: &'static str,
        /// The registered models.
        known: Vec<String>,
    },
    /// A path was given and there is no folder.
    #[error(
        "no folder `{}`; give a folder with {}, the name of a registered model or `org/name` \
         of the Hugging Face hub",
        path.display(), FILES.join(", ")
    )]
    NoFolder {
        /// The path.
        path: PathBuf,
    },
    /// A local folder is not a model in Hugging Face layout.
    #[error("folder `{}` is not a model: {missing}", path.display())]
    IncompleteFolder {
        /// The folder.
        path: PathBuf,
        /// What it lacks.
        missing: Missing,
    },
    /// `org/name@revision` with characters that no repository has.
    #[error(
        "`{name}` is not a hub repository: write org/name or org/name@revision with letters, \
         digits, `-`, `_` and `.`"
    )]
    BadRepoName {
        /// What was asked for.
        name: String,
    },
    /// All sources failed.
    #[error("cannot get `{name}`: {}; by hand: {by_hand}", list(attempts))]
    Unavailable {
        /// What was asked for.
        name: String,
        /// What was tried, in order, and why each failed.
        attempts: Vec<Attempt>,
        /// How to supply the files.
        by_hand: String,
    },
    /// Not in the cache, and the network must not be used.
    #[error(
        "cannot get `{name}`: {reason} and offline mode is on (--offline, PEFT_ZOO_OFFLINE or \
         HF_HUB_OFFLINE); go online once, or by hand: {by_hand}"
    )]
    Offline {
        /// What was asked for.
        name: String,
        /// What is wrong with the cache.
        reason: String,
        /// How to supply the files.
        by_hand: String,
    },
    /// The system names no cache folder.
    #[error(
        "this system names no cache folder: set PEFT_ZOO_CACHE to a folder that can be written to"
    )]
    NoCacheFolder,
    /// The cache folder cannot be used.
    #[error(
        "cannot {action} `{}`: {source}; set PEFT_ZOO_CACHE to a folder that can be written to",
        path.display()
    )]
    Cache {
        /// What was done.
        action: &'static str,
        /// To which path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// `registry.toml` is wrong.
    #[error("registry.toml: {0}")]
    Registry(String),
}

/// One source that was tried in vain.
#[derive(Debug)]
pub struct Attempt {
    /// The source, e.g. `package X==V`.
    pub source: String,
    /// Why it failed.
    pub failure: Failure,
}

/// Why one source failed, or why files are not what they should be.
#[derive(Debug, Error)]
pub enum Failure {
    /// No Python launcher is there.
    #[error("found no Python (tried {}): install Python 3 with pip, or uv", tried.join(", "))]
    NoPython {
        /// The commands that were tried.
        tried: Vec<String>,
    },
    /// Python is there, pip is not.
    #[error(
        "found Python but no pip ({}): install pip, e.g. with `python3 -m ensurepip`, or uv",
        tried.join(", ")
    )]
    NoPip {
        /// The commands that were tried.
        tried: Vec<String>,
    },
    /// pip ended with an error that is none of the others.
    #[error("{launcher} failed: {detail}")]
    Pip {
        /// The command.
        launcher: String,
        /// The last error it wrote.
        detail: String,
    },
    /// The server could not be reached, or the connection broke.
    #[error("no answer from {server} ({detail})")]
    Network {
        /// Who was asked.
        server: String,
        /// The underlying error.
        detail: String,
    },
    /// The hub has no such file or repository.
    #[error("not found at {url} (a private repository needs its token in HF_TOKEN)")]
    NotFound {
        /// What was asked for.
        url: String,
    },
    /// The hub answered in a way that makes no sense.
    #[error("unexpected answer from {server}: {detail}")]
    BadAnswer {
        /// Who was asked.
        server: String,
        /// What was wrong with it.
        detail: String,
    },
    /// The repository is there but is not a model in the needed layout.
    #[error("{0}")]
    Incomplete(Missing),
    /// A file is not what was registered.
    #[error("{file} has the wrong checksum: expected sha256 {expected}, got {got}")]
    Checksum {
        /// The file.
        file: String,
        /// The registered SHA-256.
        expected: String,
        /// The SHA-256 of what is there.
        got: String,
    },
    /// A file is shorter or longer than it should be.
    #[error(
        "{file} has the wrong size: expected {expected} bytes, got {got}{}",
        if got > expected { " or more" } else { "" }
    )]
    Size {
        /// The file.
        file: String,
        /// The right size.
        expected: u64,
        /// The size found.
        got: u64,
    },
    /// An archive does not hold what it should.
    #[error("{member} is not in archive {archive}")]
    NotInArchive {
        /// The archive.
        archive: String,
        /// The missing member.
        member: String,
    },
    /// An archive cannot be read.
    #[error("archive {archive} cannot be read: {detail}")]
    Archive {
        /// The archive.
        archive: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Reading or writing failed.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was done.
        action: &'static str,
        /// To which path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Files that a model in Hugging Face layout must have and this one has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Their names.
    pub names: Vec<&'static str>,
    /// What lies there instead, and what to do about it; may be empty.
    pub hint: &'static str,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it lacks {}{}", self.names.join(", "), self.hint)
    }
}

fn list(attempts: &[Attempt]) -> String {
    let lines: Vec<_> = attempts.iter().map(|a| format!("{}: {}", a.source, a.failure)).collect();
    lines.join("; ")
}

/// For `map_err`: an I/O error with what was done to which path.
pub(crate) fn io_failure(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    move |source| Failure::Io { action, path: path.to_path_buf(), source }
}

/// For `map_err`: the same for the cache folder itself.
pub(crate) fn cache_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> AssetError {
    move |source| AssetError::Cache { action, path: path.to_path_buf(), source }
}
