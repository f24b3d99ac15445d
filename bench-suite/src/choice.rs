//! What a run is about: task and model, as a user names them.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use assets::Store;
use backbones::{Pooling, Precision};
use burn::tensor::Device;
use datasets::{FOLDERS, FileTask, NAMED, Task, from_dir, from_files, named};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{model::Model, names::unknown};

/// The asset that holds the named tasks' sentences.
const SENTENCES: &str = "sentiment-sentences";

/// A task, by name or by files.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskChoice {
    /// One of the tasks that are fetched: `movie`, `amazon`, …
    Named(String),
    /// A standard set in a local folder: `{ folder = "…/sst2", name = "sst2" }`.
    Folder {
        /// The folder, or the one above it.
        folder: PathBuf,
        /// Name of the set, e.g. `trec-fine`.
        name: String,
    },
    /// A user's own files.
    Files(FileTask),
}

impl TaskChoice {
    /// Reads the task of a suite file: a name, or a table with a folder or with files.
    ///
    /// # Errors
    /// A field that does not exist, is missing or does not take its value.
    pub fn from_toml(value: toml::Value) -> Result<Self, toml::de::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Folder {
            folder: PathBuf,
            name: String,
        }
        match value {
            toml::Value::String(name) => Ok(Self::Named(name)),
            table if table.get("folder").is_some() => {
                let Folder { folder, name } = table.try_into()?;
                Ok(Self::Folder { folder, name })
            }
            table => table.try_into().map(Self::Files),
        }
    }

    /// Reads the task, fetching its data first if need be.
    ///
    /// # Errors
    /// An unknown name, with the nearest ones; whatever is wrong with the files.
    pub fn read(&self, store: &Store) -> Result<Task> {
        Ok(match self {
            Self::Named(name) => {
                if !NAMED.iter().any(|task| task.name == name) {
                    bail!("{}", unknown_task(name));
                }
                named(name, &store.fetch(SENTENCES)?.path)?
            }
            Self::Folder { folder, name } => from_dir(folder, name)?,
            Self::Files(files) => from_files(files)?,
        })
    }

    /// What it is called: its name, or its first file's.
    pub fn name(&self) -> String {
        match self {
            Self::Named(name) | Self::Folder { name, .. } => name.clone(),
            Self::Files(files) => files.name.clone().unwrap_or_else(|| {
                let stem = files.train.file_stem();
                stem.map_or("files".into(), |stem| stem.to_string_lossy().into_owned())
            }),
        }
    }

    /// The folder of a standard set.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder { folder, .. } => Some(folder),
            _ => None,
        }
    }

    /// Whether it is a standard set, named without the folder that it is read from.
    pub fn lacks_folder(&self) -> bool {
        matches!(self, Self::Named(name) if FOLDERS.iter().any(|folder| folder.name == name))
    }

    /// The standard set of this name, read from `folder`.
    pub fn within(&mut self, folder: &Path) {
        if self.lacks_folder() {
            *self = Self::Folder { folder: folder.to_owned(), name: self.name() };
        }
    }

    /// The flags that choose it.
    pub fn flags(&self) -> Vec<String> {
        let flag = |name: &str, value: String| [format!("--{name}"), value];
        match self {
            Self::Named(name) => flag("task", name.clone()).to_vec(),
            Self::Folder { folder, name } => {
                let folder = flag("data", folder.display().to_string());
                [flag("task", name.clone()), folder].concat()
            }
            Self::Files(files) => file_flags(files),
        }
    }
}

fn file_flags(files: &FileTask) -> Vec<String> {
    // The settings are plain data, so their serde form lists exactly those that are set.
    let fields = |files: &FileTask| match serde_json::to_value(files) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let default = fields(&FileTask::default());
    let set = fields(files).into_iter().filter(|(name, value)| default.get(name) != Some(value));
    let set = set.filter_map(|(name, value)| match value {
        Value::String(text) => Some([format!("--{name}"), text]),
        Value::Bool(flag) => Some([format!("--{name}"), flag.to_string()]),
        _ => None,
    });
    set.flatten().collect()
}

fn unknown_task(name: &str) -> String {
    if let Some(folder) = FOLDERS.iter().find(|folder| folder.name == name) {
        return format!(
            "task '{name}' ({}) is read from local files; say where with --data FOLDER",
            folder.title
        );
    }
    let known: Vec<&str> =
        NAMED.iter().map(|task| task.name).chain(FOLDERS.iter().map(|f| f.name)).collect();
    unknown("task", name, &known, "list tasks")
}

/// A model and how it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelChoice {
    /// Registered name, local folder, or `org/name` on the hub.
    pub name: String,
    /// How a sentence vector is made.
    pub pooling: Pooling,
    /// Longest input in tokens; longer texts are cut.
    pub max_tokens: usize,
    /// How the factors of products with frozen matrices are rounded.
    pub precision: Precision,
}

impl Default for ModelChoice {
    fn default() -> Self {
        Self {
            name: "minilm-l6".to_owned(),
            pooling: Pooling::default(),
            max_tokens: 128,
            precision: Precision::F32,
        }
    }
}

impl ModelChoice {
    /// Gets and loads the model.
    ///
    /// # Errors
    /// An unknown name, with the nearest ones; whatever is wrong with the files; a precision that
    /// the device does not have.
    pub fn load(&self, store: &Store, device: &Device) -> Result<Model> {
        let model = Model::load(store, &self.name, self.pooling, self.max_tokens, device)?;
        model.with_precision(self.precision, device)
    }

    /// The flags that choose it, where it is not the default.
    pub fn flags(&self) -> Vec<String> {
        let default = Self::default();
        let mut flags = vec![];
        if self.name != default.name {
            flags.extend(["--model".to_owned(), self.name.clone()]);
        }
        if self.pooling != default.pooling {
            flags.extend(["--pooling".to_owned(), self.pooling.name().to_owned()]);
        }
        if self.max_tokens != default.max_tokens {
            flags.extend(["--max-tokens".to_owned(), self.max_tokens.to_string()]);
        }
        if self.precision != default.precision {
            flags.extend(["--precision".to_owned(), self.precision.name().to_owned()]);
        }
        flags
    }
}
