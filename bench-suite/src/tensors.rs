//! Named float32 tensors in a safetensors file.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, bail};
use burn::tensor::TensorData;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

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

/// Reads what [`write`] wrote.
///
/// # Errors
/// The file, and what is wrong with it.
pub fn read(path: &Path) -> Result<BTreeMap<String, TensorData>> {
    let at = path.display();
    let bytes = std::fs::read(path).with_context(|| at.to_string())?;
    let file = SafeTensors::deserialize(&bytes)
        .with_context(|| format!("{at}: not a whole safetensors file"))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.tensors() {
        if view.dtype() != Dtype::F32 {
            bail!("{at}: tensor '{name}' is of type {:?}; F32 is read", view.dtype());
        }
        let numbers = view.data().chunks_exact(4);
        let numbers = numbers.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let data = TensorData::new(numbers.collect::<Vec<_>>(), view.shape().to_vec());
        tensors.insert(name, data);
    }
    Ok(tensors)
}
