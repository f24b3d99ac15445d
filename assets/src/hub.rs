//! Models from the Hugging Face hub.
//!
//! Files are downloaded into a private folder, never into the cache that other Hugging Face
//! tools share, and are checked against the size and, where the hub tells it, the SHA-256. What
//! such tools have already downloaded is used.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use hf_hub::api::Progress;
use hf_hub::api::sync::{Api, ApiBuilder, ApiError, ApiRepo, Metadata};
use hf_hub::{Cache, Repo, RepoType};

use crate::checksum::sha256_file;
use crate::error::{Failure, io_failure};
use crate::layout;
use crate::progress::Transfer;
use crate::registry::{HubSource, is_sha256};

/// A broken transfer is taken up again that often.
const RETRIES: usize = 2;

impl HubSource {
    /// Reads `org/name` or `org/name@revision`. `None` for anything that is not exactly that.
    pub(crate) fn parse(text: &str) -> Option<HubSource> {
        let (repo, revision) = text.split_once('@').unwrap_or((text, "main"));
        let is_word = |word: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            !word.is_empty() && word.chars().all(plain) && !word.starts_with('.')
        };
        let (org, name) = repo.split_once('/')?;
        let is_repo = is_word(org) && is_word(name) && !repo.contains("--");
        (is_repo && revision.split('/').all(is_word))
            .then(|| HubSource { repo: repo.to_string(), revision: revision.to_string() })
    }

    /// A name for a folder, different for different repositories and revisions.
    pub(crate) fn folder_name(&self) -> String {
        format!("{}@{}", self.repo.replace('/', "--"), self.revision.replace('/', "%2F"))
    }

    fn at(&self, revision: &str) -> Repo {
        Repo::with_revision(self.repo.clone(), RepoType::Model, revision.to_string())
    }
}

/// The folder in the cache of other Hugging Face tools (under `HF_HOME`) that has all the files.
pub(crate) fn find_shared(source: &HubSource, names: &[&str]) -> Option<PathBuf> {
    let cache = shared_cache()?.repo(source.at(&source.revision));
    let by_branch = cache.get(names.first()?).and_then(|path| Some(path.parent()?.to_path_buf()));
    let folder = by_branch.unwrap_or_else(|| cache.pointer_path(&source.revision));
    names.iter().all(|name| folder.join(name).is_file()).then_some(folder)
}

/// `None` if the system tells no home folder (`Cache::from_env` would panic).
fn shared_cache() -> Option<Cache> {
    let known = std::env::var_os("HF_HOME").is_some() || directories::BaseDirs::new().is_some();
    known.then(Cache::from_env)
}

/// A connection to the hub, or to a mirror of it.
pub(crate) struct Hub {
    server: String,
    api: Api,
    work: PathBuf,
}

impl Hub {
    /// `work` is a private folder for downloads under way. Nothing is sent yet.
    pub fn connect(server: &str, work: PathBuf) -> Result<Hub, Failure> {
        let server = server.trim_end_matches('/').to_string();
        let token = std::env::var("HF_TOKEN").ok().filter(|token| !token.is_empty());
        let token = token.or_else(|| shared_cache()?.token());
        let api = ApiBuilder::from_cache(Cache::new(work.clone()))
            .with_endpoint(server.clone())
            .with_token(token)
            .with_retries(RETRIES)
            .build();
        match api {
            Ok(api) => Ok(Hub { server, api, work }),
            Err(error) => Err(Failure::BadAnswer { server, detail: error.to_string() }),
        }
    }

    /// Looks up the named files of a repository.
    pub fn files(&self, source: &HubSource, names: &[&str]) -> Result<Remote<'_>, Failure> {
        let repo = self.api.repo(source.at(&source.revision));
        let look_up = |name: &&str| {
            let url = repo.url(name);
            let metadata = self.api.metadata(&url).map_err(|error| self.failure(&url, error))?;
            // Both become path names on our side.
            self.check_word("etag", metadata.etag())?;
            self.check_word("commit", metadata.commit_hash())?;
            Ok((name.to_string(), metadata))
        };
        let files = names.iter().map(look_up).collect::<Result<_, _>>()?;
        Ok(Remote { hub: self, repo, files })
    }

    /// Looks up the files of a model that nobody registered: checks what the repository holds,
    /// and goes on with its commit, so that all files belong together.
    pub fn model(&self, source: &HubSource) -> Result<(HubSource, Remote<'_>), Failure> {
        let url = format!("{}/{} at revision {}", self.server, source.repo, source.revision);
        let repo = self.api.repo(source.at(&source.revision));
        let info = repo.info().map_err(|error| self.failure(&url, error))?;
        let has = |name: &str| info.siblings.iter().any(|sibling| sibling.rfilename == name);
        layout::check(has).map_err(Failure::Incomplete)?;
        self.check_word("commit", &info.sha)?;
        let pinned = HubSource { repo: source.repo.clone(), revision: info.sha };
        let remote = self.files(&pinned, &layout::FILES)?;
        Ok((pinned, remote))
    }

    fn check_word(&self, what: &str, word: &str) -> Result<(), Failure> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if !word.is_empty() && word.chars().all(plain) {
            return Ok(());
        }
        let detail = format!("{what} `{word}`");
        Err(Failure::BadAnswer { server: self.server.clone(), detail })
    }

    fn failure(&self, url: &str, error: ApiError) -> Failure {
        let (server, detail) = (self.server.clone(), error.to_string());
        match error {
            ApiError::TooManyRetries(last) => self.failure(url, *last),
            ApiError::IoError(source) if is_local(source.kind()) => {
                Failure::Io { action: "write to", path: self.work.clone(), source }
            }
            ApiError::IoError(_) => Failure::Network { server, detail },
            ApiError::RequestError(_) => match status(&detail) {
                Some(401 | 403 | 404) => Failure::NotFound { url: url.to_string() },
                Some(_) => Failure::BadAnswer { server, detail },
                None => Failure::Network { server, detail },
            },
            _ => Failure::BadAnswer { server, detail },
        }
    }
}

/// Files of one repository, ready to be downloaded.
pub(crate) struct Remote<'a> {
    hub: &'a Hub,
    repo: ApiRepo,
    files: Vec<(String, Metadata)>,
}

impl Remote<'_> {
    /// Size of all the files together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, metadata)| metadata.size() as u64).sum()
    }

    /// Downloads all the files into the folder `into`, under their plain names.
    pub fn download(&self, into: &Path, transfer: &Transfer) -> Result<(), Failure> {
        for (name, metadata) in &self.files {
            let link = self
                .repo
                .download_with_progress(name, Counter(transfer))
                .map_err(|error| self.hub.failure(&self.repo.url(name), error))?;
            let blob = fs::canonicalize(&link).map_err(io_failure("read", &link))?;
            let target = into.join(name);
            fs::rename(&blob, &target).map_err(io_failure("write", &target))?;
            check(name, &target, metadata)?;
        }
        Ok(())
    }
}

/// The hub tells the size of each file, and as the etag of a large one its SHA-256.
fn check(name: &str, path: &Path, metadata: &Metadata) -> Result<(), Failure> {
    let file = name.to_string();
    let got = path.metadata().map_err(io_failure("read", path))?.len();
    let expected = metadata.size() as u64;
    if got != expected {
        return Err(Failure::Size { file, expected, got });
    }
    let expected = metadata.etag().to_string();
    if is_sha256(&expected) {
        let got = sha256_file(path).map_err(io_failure("read", path))?;
        if got != expected {
            return Err(Failure::Checksum { file, expected, got });
        }
    }
    Ok(())
}

/// Whether the disk is to blame and not the connection.
fn is_local(kind: ErrorKind) -> bool {
    use ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(kind, PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
}

/// The HTTP status in an error's text: the error's own type is not part of hf-hub's interface.
fn status(detail: &str) -> Option<u16> {
    detail.split_once("http status: ")?.1.get(..3)?.parse().ok()
}

/// Counts the bytes of all files in one transfer.
struct Counter<'a>(&'a Transfer);

impl Progress for Counter<'_> {
    fn init(&mut self, _size: usize, _name: &str) {}

    fn update(&mut self, bytes: usize) {
        self.0.advance(bytes as u64);
    }

    fn finish(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_an_org_a_name_and_maybe_a_revision() {
        let source = HubSource::parse("org/name.v2@refs/pr/1").unwrap();
        assert_eq!((source.repo.as_str(), source.revision.as_str()), ("org/name.v2", "refs/pr/1"));
        assert_eq!(source.folder_name(), "org--name.v2@refs%2Fpr%2F1");
        assert_eq!(HubSource::parse("org/name").unwrap().revision, "main");
        for bad in
            ["name", "/name", "org/", "a/b/c", "a/b@", "a/b@..", "../b", "a/b@x/../..", "a/b c"]
        {
            assert_eq!(HubSource::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_status_is_read_from_the_text_of_an_error() {
        assert_eq!(status("request error: http status: 404"), Some(404));
        assert_eq!(status("request error: io: Connection refused"), None);
    }
}
