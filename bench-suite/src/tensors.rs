//! Named float32 tensors in a safetensors file.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;
use backbones::Checkpoint;
use burn::tensor::TensorData;
use safetensors::{Dtype, tensor::TensorView};

/// Writes tensors, whole or not at all; gives the bytes of the file.
///
/// # Errors
/// The file and what the system says.
pub fn write(path: &Path, tensors: &[(String, TensorData)]) -> Result<u64> {
    let views = tensors
        .iter()
        .map(|(name, data)| {
            let view = TensorView::new(Dtype::F32, data.shape().to_vec(), data.as_bytes())?;
            Ok((name.as_str(), view))
        })
        .collect::<Result<Vec<_>>>()?;
    let bytes = safetensors::serialize(views, None)?;
    report::make_folder(path.parent().unwrap_or(Path::new(".")))?;
    report::write_atomic(path, &bytes)?;
    Ok(bytes.len() as u64)
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// The file, and what is wrong with it.
pub fn read(path: &Path) -> Result<BTreeMap<String, TensorData>> {
    Ok(Checkpoint::open(path)?.tensors()?)
}
