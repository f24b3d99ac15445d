//! Writes a checkpoint anew with other numbers, and takes that back byte for byte.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use burn::tensor::{TensorData, bf16, f16};
use messages::{plain, short};
use safetensors::{
    Dtype, SafeTensors,
    tensor::{Metadata, TensorInfo, TensorView},
};

use crate::weights::{Checkpoint, LoadError};

/// What a checkpoint is to become.
#[derive(Debug, Default)]
pub struct Changes {
    /// Numbers for tensors that are there, by name. Each keeps its shape and its type: in a file
    /// of F16 or BF16 the numbers are rounded.
    pub numbers: BTreeMap<String, TensorData>,
    /// Tensors to append, as F32. One of the same name that is there gives way.
    pub added: Vec<(String, TensorData)>,
    /// Goes before the name of every tensor that is there, e.g. `bert.`.
    pub prefix: String,
}

/// A checkpoint that was written anew.
#[derive(Debug)]
pub struct Rewritten {
    /// The new file. Tensors whose numbers are the same have the same bytes, in the same order.
    pub file: Vec<u8>,
    /// What [`restored`] needs to make the old file again: a safetensors file of the tensors that
    /// changed or gave way, and of the old header.
    pub undo: Vec<u8>,
    /// Tensors that changed.
    pub n_changed: usize,
    /// The types of those that are not F32, so that their numbers were rounded.
    pub rounded_to: Vec<Dtype>,
}

const HEADER: &str = "header";
const PREFIX: &str = "prefix";

impl Checkpoint {
    /// The file with other numbers. `notes` are kept in the undo file.
    ///
    /// # Errors
    /// [`LoadError::Missing`] or [`LoadError::Shape`] if the numbers are not those of this file's
    /// tensors, [`LoadError::Unwritable`] if one is too large for the type of its tensor.
    pub fn rewritten(
        &self,
        changes: &Changes,
        notes: HashMap<String, String>,
    ) -> Result<Rewritten, LoadError> {
        let format = |error: &dyn ToString| self.format(error.to_string());
        let (header, metadata) =
            SafeTensors::read_metadata(&self.bytes).map_err(|error| format(&error))?;
        let (header, data) = self.bytes[8..].split_at(header);
        if let Some(name) = changes.numbers.keys().find(|name| metadata.info(name).is_none()) {
            return Err(self.missing(name));
        }
        let mut new = Body::default();
        let mut undone = vec![];
        let mut rounded_to = vec![];
        let mut n_changed = 0;
        for name in metadata.offset_keys() {
            let Some(info) = metadata.info(&name) else { continue };
            let TensorInfo { dtype, shape, data_offsets: (start, end) } = info.clone();
            let old = &data[start..end];
            let kept = || TensorView::new(dtype, shape.clone(), old).map_err(|e| format(&e));
            if changes.added.iter().any(|(added, _)| *added == name) {
                undone.push((name, kept()?));
                continue;
            }
            let bytes = match changes.numbers.get(&name) {
                None => Cow::Borrowed(old),
                Some(numbers) => Cow::Owned(self.encoded(&name, numbers, dtype, &shape)?),
            };
            new.push(format!("{}{name}", changes.prefix), dtype, &shape, &bytes);
            if *bytes != *old {
                undone.push((name, kept()?));
                n_changed += 1;
                if dtype != Dtype::F32 && !rounded_to.contains(&dtype) {
                    rounded_to.push(dtype);
                }
            }
        }
        for (name, numbers) in &changes.added {
            let shape = numbers.shape().to_vec();
            let bytes = self.encoded(name, numbers, Dtype::F32, &shape)?;
            new.push(name.clone(), Dtype::F32, &shape, &bytes);
        }
        let mut about = metadata.metadata().clone().unwrap_or_default();
        // Without it transformers refuses the file.
        about.entry("format".to_owned()).or_insert_with(|| "pt".to_owned());
        let file = new.file(about).map_err(|error| format(&error))?;
        let mut notes = notes;
        notes.insert(HEADER.to_owned(), String::from_utf8_lossy(header).into_owned());
        notes.insert(PREFIX.to_owned(), changes.prefix.clone());
        let undo = safetensors::serialize(undone, Some(notes)).map_err(|error| format(&error))?;
        Ok(Rewritten { file, undo, n_changed, rounded_to })
    }

    /// A tensor's numbers as bytes of a type.
    fn encoded(
        &self,
        name: &str,
        numbers: &TensorData,
        dtype: Dtype,
        expected: &[usize],
    ) -> Result<Vec<u8>, LoadError> {
        if numbers.shape().as_slice() != expected {
            return Err(LoadError::Shape {
                path: self.path.clone(),
                name: name.to_owned(),
                found: expected.to_vec(),
                expected: numbers.shape().to_vec(),
            });
        }
        let refuse = |value: f32| LoadError::Unwritable {
            path: self.path.clone(),
            name: name.to_owned(),
            value,
            dtype: format!("{dtype:?}"),
        };
        let mut bytes = Vec::with_capacity(numbers.num_elements() * 4);
        for value in numbers.iter::<f32>() {
            let fits = match dtype {
                Dtype::F32 => {
                    bytes.extend(value.to_le_bytes());
                    value.is_finite()
                }
                Dtype::F16 => {
                    bytes.extend(f16::from_f32(value).to_bits().to_le_bytes());
                    f16::from_f32(value).is_finite()
                }
                Dtype::BF16 => {
                    bytes.extend(bf16::from_f32(value).to_bits().to_le_bytes());
                    bf16::from_f32(value).is_finite()
                }
                _ => false,
            };
            if !fits {
                return Err(refuse(value));
            }
        }
        Ok(bytes)
    }
}

/// The file that was written anew, as it was before, byte for byte.
///
/// # Errors
/// What is missing or damaged in one of the two files, in words.
pub fn restored(file: &[u8], undo: &[u8]) -> Result<Vec<u8>, String> {
    let read = |bytes| SafeTensors::deserialize(bytes).map_err(plain);
    let (new, old) = (read(file)?, read(undo)?);
    let (_, metadata) = SafeTensors::read_metadata(undo).map_err(plain)?;
    let note = |key: &str| {
        let found = metadata.metadata().as_ref().and_then(|notes| notes.get(key));
        found.ok_or_else(|| format!("no '{key}' is noted, so nothing can be restored"))
    };
    let (header, prefix) = (note(HEADER)?, note(PREFIX)?);
    let mut infos: HashMap<String, serde_json::Value> =
        serde_json::from_str(header).map_err(plain)?;
    infos.remove("__metadata__");
    let mut order = vec![];
    for (name, info) in infos {
        let info: TensorInfo = serde_json::from_value(info).map_err(plain)?;
        order.push((info.data_offsets, name));
    }
    order.sort();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    for (_, name) in order {
        let view = old.tensor(&name).or_else(|_| new.tensor(&format!("{prefix}{name}")));
        bytes.extend(view.map_err(|_| format!("tensor '{}' is missing", short(&name)))?.data());
    }
    Ok(bytes)
}

/// The tensors of a file in the making.
#[derive(Default)]
struct Body {
    infos: Vec<(String, TensorInfo)>,
    data: Vec<u8>,
}

impl Body {
    fn push(&mut self, name: String, dtype: Dtype, shape: &[usize], bytes: &[u8]) {
        let data_offsets = (self.data.len(), self.data.len() + bytes.len());
        self.infos.push((name, TensorInfo { dtype, shape: shape.to_vec(), data_offsets }));
        self.data.extend(bytes);
    }

    fn file(self, about: HashMap<String, String>) -> Result<Vec<u8>, String> {
        let metadata = Metadata::new(Some(about), self.infos).map_err(|error| error.to_string())?;
        let mut header = serde_json::to_vec(&metadata).map_err(|error| error.to_string())?;
        // Readers map the file into memory: the numbers start at a multiple of eight.
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header);
        file.extend(self.data);
        Ok(file)
    }
}
