//! The files of an adapter.

use std::{fs, path::Path};

use anyhow::{Context, Result, anyhow, bail};
use backbones::Checkpoint;
use messages::plain;
use methods::hugging_face::{Adapter, CONFIG_FILE, TENSORS_FILE};
use safetensors::{Dtype, tensor::TensorView};
use serde_json::{Map, Value};

use super::MODEL_CONFIG_FILE;

/// Reads an adapter: its settings, its tensors, and what it says of the model.
///
/// # Errors
/// The file, and what is wrong with it.
pub fn read_adapter(folder: &Path) -> Result<Adapter> {
    let config = read_object(&folder.join(CONFIG_FILE))
        .with_context(|| format!("{} is no adapter of Hugging Face PEFT", folder.display()))?;
    let model_config = folder.join(MODEL_CONFIG_FILE);
    let model = if model_config.is_file() { read_object(&model_config)? } else { Map::default() };
    let tensors = folder.join(TENSORS_FILE);
    if !tensors.is_file() && folder.join("adapter_model.bin").is_file() {
        bail!(
            "{}: the tensors are in adapter_model.bin, which can run code when it is read; load \
             the adapter with Hugging Face PEFT and save it again, as safetensors",
            folder.display()
        );
    }
    Ok(Adapter { config, model, tensors: Checkpoint::open(&tensors)?.tensors()? })
}

/// Reads a JSON file that holds an object.
///
/// # Errors
/// The file, and what is wrong with it.
pub fn read_object(path: &Path) -> Result<Map<String, Value>> {
    let text = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    match serde_json::from_slice(&text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(anyhow!("{}: holds no object of fields", path.display())),
        Err(error) => Err(anyhow!("{}: is not JSON: {}", path.display(), plain(error))),
    }
}

/// The bytes of `adapter_model.safetensors`.
///
/// # Errors
/// Never for the tensors of a method.
pub fn tensors_file(adapter: &Adapter) -> Result<Vec<u8>> {
    let views = adapter.tensors.iter().map(|(name, data)| {
        let view = TensorView::new(Dtype::F32, data.shape().to_vec(), data.as_bytes())?;
        Ok((name.as_str(), view))
    });
    // Hugging Face's loaders ask for it.
    let metadata = [("format".to_owned(), "pt".to_owned())].into();
    Ok(safetensors::serialize(views.collect::<Result<Vec<_>>>()?, Some(metadata))?)
}

/// A JSON file as Hugging Face writes it: sorted, indented by two.
///
/// # Errors
/// Never for plain values.
pub fn object_file(fields: &Map<String, Value>) -> Result<Vec<u8>> {
    let sorted: std::collections::BTreeMap<_, _> = fields.iter().collect();
    let mut text = serde_json::to_string_pretty(&sorted)?;
    text.push('\n');
    Ok(text.into_bytes())
}
