//! Trained runs as adapters of Hugging Face PEFT, and back.

mod card;
mod export;
mod files;
mod import;

pub use export::{check_is_adapter, export};
pub use files::read_adapter;
pub use import::{import, keep};

/// Name of the file that says which model class the adapter is for.
const MODEL_CONFIG_FILE: &str = "config.json";
/// Its field for how a sentence vector is made.
const POOLING: &str = "pooling";
