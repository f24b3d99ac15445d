//! The store: from a name to a folder with verified files.

use std::path::{Path, PathBuf, absolute};

use crate::checksum::{VerifiedFolders, check_sizes};
use crate::error::{AssetError, Attempt, Failure, cache_error};
use crate::fetch::{Manifest, Network};
use crate::hub;
use crate::layout;
use crate::options::StoreOptions;
use crate::registry::{Asset, HubSource, Kind, Registry};
use crate::staging::Staging;

/// Where assets live and how they are got.
#[derive(Debug)]
pub struct Store {
    cache: PathBuf,
    offline: bool,
    network: Network,
    registry: Registry,
    /// Checksums are read once per process: about a tenth of a second for the default model.
    verified: VerifiedFolders,
}

/// A folder with the files of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetDir {
    /// What was asked for.
    pub name: String,
    /// The folder that holds the files under their plain names.
    pub path: PathBuf,
    /// Where they come from: `cache`, `package X==V`, `hub org/name` or `local directory`.
    pub origin: String,
}

/// What is to be had, and where it shall lie.
struct Goal<'a> {
    name: &'a str,
    folder: PathBuf,
    /// How a person can supply the files.
    by_hand: String,
}

impl Store {
    /// Opens a store. Nothing is written before the first download.
    ///
    /// # Errors
    /// [`AssetError::NoCacheFolder`] if neither the options nor the environment nor the system
    /// names a cache folder.
    pub fn open(options: StoreOptions) -> Result<Store, AssetError> {
        Store::with_registry(options.with_environment(), Registry::embedded()?)
    }

    /// A store of other assets that does not look at the environment.
    fn with_registry(options: StoreOptions, registry: Registry) -> Result<Store, AssetError> {
        let cache = options.cache_dir.ok_or(AssetError::NoCacheFolder)?;
        Ok(Store {
            // pip runs in a folder of its own, where a relative path would mean another place.
            cache: absolute(&cache).map_err(cache_error("find", &cache))?,
            offline: options.offline,
            network: Network::new(options.progress, options.hub_endpoint),
            registry,
            verified: VerifiedFolders::default(),
        })
    }

    /// All assets known by name.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Whether the asset lies in the cache, judged by the sizes of its files alone.
    /// [`Store::fetch`] also checks their contents.
    pub fn is_cached(&self, name: &str) -> bool {
        let asset = self.registry.get(name);
        asset.is_some_and(|asset| check_sizes(&self.asset_folder(asset), &asset.files).is_ok())
    }

    /// A registered asset: from the cache if it is there and whole, else from its sources.
    ///
    /// # Errors
    /// [`AssetError::Unknown`] for a name not registered, [`AssetError::Unavailable`] with all
    /// that was tried if every source failed, [`AssetError::Offline`] if none may be tried,
    /// [`AssetError::Cache`] if the cache folder cannot be written.
    pub fn fetch(&self, name: &str) -> Result<AssetDir, AssetError> {
        match self.registry.get(name) {
            Some(asset) => self.fetch_asset(asset),
            None => Err(AssetError::Unknown {
                name: name.to_string(),
                wanted: "asset",
                known: names(self.registry.assets().iter()),
            }),
        }
    }

    /// A model in Hugging Face layout: a registered name, else an existing local folder, else
    /// `org/name` or `org/name@revision` on the hub. A branch stays what it was at its first
    /// download; delete its folder to get it anew.
    ///
    /// # Errors
    /// Those of [`Store::fetch`], [`AssetError::NotAModel`] for the name of data,
    /// [`AssetError::IncompleteFolder`] for a folder without the needed files, and
    /// [`AssetError::NoFolder`] or [`AssetError::BadRepoName`] for what can be neither.
    pub fn model(&self, name_or_path: &str) -> Result<AssetDir, AssetError> {
        let name = name_or_path.to_string();
        let path = Path::new(name_or_path);
        let known = || names(self.registry.of_kind(Kind::Model));
        match self.registry.get(name_or_path) {
            Some(asset) if asset.kind == Kind::Model => return self.fetch_asset(asset),
            Some(asset) => {
                let kind = asset.kind.as_str();
                return Err(AssetError::NotAModel { name, kind, known: known() });
            }
            None if path.is_dir() => return local_folder(name, path),
            None => {}
        }
        if let Some(source) = HubSource::parse(name_or_path) {
            return self.fetch_from_hub(name_or_path, &source);
        }
        if path.is_absolute() || name.starts_with(['.', '~']) || path.exists() {
            return Err(AssetError::NoFolder { path: path.to_path_buf() });
        }
        if name.contains(['/', '\\', '@']) {
            return Err(AssetError::BadRepoName { name });
        }
        Err(AssetError::Unknown { name, wanted: "model", known: known() })
    }

    fn fetch_asset(&self, asset: &Asset) -> Result<AssetDir, AssetError> {
        let folder = self.asset_folder(asset);
        let goal = Goal { name: &asset.name, by_hand: by_hand(asset, &folder), folder };
        let check = |folder: &Path| self.verified.check(folder, &asset.files);
        let get = |staging: &Staging| {
            let mut attempts = Vec::new();
            for source in &asset.sources {
                match self.network.fetch_asset(asset, source, staging) {
                    Ok(()) => return Ok(source.to_string()),
                    Err(failure) => {
                        attempts.push(Attempt { source: source.to_string(), failure });
                        staging.clear()?;
                    }
                }
            }
            Err(self.unavailable(&goal, attempts))
        };
        self.obtain(&goal, check, get)
    }

    fn fetch_from_hub(&self, name: &str, source: &HubSource) -> Result<AssetDir, AssetError> {
        let goal = Goal {
            name,
            folder: self.cache.join("hub").join(source.folder_name()),
            by_hand: format!(
                "put {} into a folder and give it with --model DIR",
                layout::FILES.join(", ")
            ),
        };
        let origin = format!("hub {}", source.repo);
        let check = |folder: &Path| {
            let manifest = Manifest::read(folder)?;
            self.verified.check(folder, &manifest.files)
        };
        if check(&goal.folder).is_err()
            && let Some(path) = hub::find_shared(source, &layout::FILES)
        {
            return Ok(AssetDir { name: name.to_string(), path, origin });
        }
        let get = |staging: &Staging| match self.network.fetch_model(name, source, staging) {
            Ok(()) => Ok(origin.clone()),
            Err(failure) => {
                let source = origin.clone();
                Err(self.unavailable(&goal, vec![Attempt { source, failure }]))
            }
        };
        self.obtain(&goal, check, get)
    }

    /// The goal's folder, if `check` finds it whole; else what `get` puts into staging, moved
    /// there in one step. `get` gives the origin.
    fn obtain(
        &self,
        goal: &Goal,
        check: impl Fn(&Path) -> Result<(), Failure>,
        get: impl Fn(&Staging) -> Result<String, AssetError>,
    ) -> Result<AssetDir, AssetError> {
        let (name, path) = (goal.name.to_string(), goal.folder.clone());
        let cached = "cache".to_string();
        let Err(damage) = check(&path) else {
            return Ok(AssetDir { name, path, origin: cached });
        };
        if self.offline {
            let (reason, by_hand) = (why_not_cached(&path, &damage), goal.by_hand.clone());
            return Err(AssetError::Offline { name, reason, by_hand });
        }
        if path.exists() {
            eprintln!("{name} in the cache is damaged and will be fetched again: {damage}");
        }
        let staging = Staging::open(&self.cache, &path)?;
        if check(&path).is_ok() {
            return Ok(AssetDir { name, path, origin: cached }); // another process was faster
        }
        let origin = get(&staging)?;
        // Without locks another process may be faster still: its result is as good as ours.
        staging.publish(&path).or_else(|error| check(&path).map_err(|_| error))?;
        Ok(AssetDir { name, path, origin })
    }

    fn unavailable(&self, goal: &Goal, attempts: Vec<Attempt>) -> AssetError {
        let (name, by_hand) = (goal.name.to_string(), goal.by_hand.clone());
        AssetError::Unavailable { name, attempts, by_hand }
    }

    fn asset_folder(&self, asset: &Asset) -> PathBuf {
        self.cache.join("assets").join(asset.folder_name())
    }
}

fn names<'a>(assets: impl Iterator<Item = &'a Asset>) -> Vec<String> {
    assets.map(|asset| asset.name.clone()).collect()
}

fn local_folder(name: String, path: &Path) -> Result<AssetDir, AssetError> {
    let path = path.to_path_buf();
    match layout::check(|file| path.join(file).is_file()) {
        Ok(()) => Ok(AssetDir { name, path, origin: "local directory".to_string() }),
        Err(missing) => Err(AssetError::IncompleteFolder { path, missing }),
    }
}

fn by_hand(asset: &Asset, folder: &Path) -> String {
    let names: Vec<_> = asset.files.iter().map(|file| file.name.as_str()).collect();
    let put = format!("put {} into {}", names.join(", "), folder.display());
    match asset.kind {
        Kind::Model => format!("{put}, or give a folder that holds them with --model DIR"),
        Kind::Data => put,
    }
}

fn why_not_cached(folder: &Path, damage: &Failure) -> String {
    match folder.exists() {
        true => format!("it is damaged in the cache ({damage})"),
        false => "it is not in the cache".to_string(),
    }
}

#[cfg(test)]
#[path = "store_tests/mod.rs"]
mod tests;
