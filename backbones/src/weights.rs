//! Reads tensors out of a safetensors file, checked by name, shape, type and finiteness.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use burn::tensor::{Device, Tensor, TensorData};
use messages::{plain, short};
use safetensors::{
    Dtype, SafeTensors,
    tensor::{Metadata, TensorInfo},
};

/// What can be wrong with a checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read at all.
    #[error(
        "{path}: cannot be read ({source}); give a folder with config.json, model.safetensors and tokenizer.json"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not a whole safetensors file.
    #[error(
        "{path}: not a whole safetensors file ({reason}); it may be truncated or corrupt, fetch it again or make it anew"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        reason: String,
    },
    /// A setting in config.json is missing, of the wrong type, or not supported.
    #[error("{path}: field '{field}' {problem}")]
    Config {
        /// The file.
        path: PathBuf,
        /// The field.
        field: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// A tensor that the architecture needs is not in the file.
    #[error(
        "{path}: tensor '{name}' is missing; the file has {n_tensors} tensors{nearest}; \
         check that config.json belongs to it"
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// How many tensors there are.
        n_tensors: usize,
        /// A hint at what is there instead.
        nearest: String,
    },
    /// A tensor has another shape than config.json says.
    #[error(
        "{path}: tensor '{name}' has shape {found:?}, config.json asks for {expected:?}; the two files belong to different models"
    )]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
    },
    /// A tensor's numbers are of a type that is not read.
    #[error("{path}: tensor '{name}' is of type {dtype}; F32, F16 and BF16 are read")]
    Dtype {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its type.
        dtype: String,
    },
    /// A number that the type of its tensor cannot hold.
    #[error(
        "{path}: tensor '{name}' cannot be written: {value} is not a finite number of type {dtype}"
    )]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// The number.
        value: f32,
        /// The type of the tensor.
        dtype: String,
    },
    /// A tensor holds NaN or infinity.
    #[error(
        "{path}: tensor '{name}' holds a number that is not finite ({value} at index {index}); the file is damaged, fetch it again"
    )]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Where in the tensor.
        index: usize,
        /// The number.
        value: f32,
    },
}

/// Where a backbone's tensors come from: a file, or a random generator for tests.
pub trait TensorSource {
    /// Whether a tensor of this name is there.
    fn contains(&self, name: &str) -> bool;

    /// A tensor's numbers as float32, if it has exactly the shape `expected`.
    fn read(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, LoadError>;

    /// A vector `[n]`.
    fn vector(&self, name: &str, n: usize, device: &Device) -> Result<Tensor<1>, LoadError> {
        Ok(Tensor::from_data(TensorData::new(self.read(name, &[n])?, [n]), device))
    }

    /// A matrix `[rows, columns]` as stored.
    fn matrix(
        &self,
        name: &str,
        [rows, columns]: [usize; 2],
        device: &Device,
    ) -> Result<Tensor<2>, LoadError> {
        let values = self.read(name, &[rows, columns])?;
        Ok(Tensor::from_data(TensorData::new(values, [rows, columns]), device))
    }

    /// The weight of a linear map, stored `[d_out, d_in]` as PyTorch does, as `[d_in, d_out]`.
    fn linear_weight(
        &self,
        name: &str,
        [d_in, d_out]: [usize; 2],
        device: &Device,
    ) -> Result<Tensor<2>, LoadError> {
        let stored = self.read(name, &[d_out, d_in])?;
        let mut values = Vec::with_capacity(stored.len());
        for column in 0..d_in {
            values.extend((0..d_out).map(|row| stored[row * d_in + column]));
        }
        Ok(Tensor::from_data(TensorData::new(values, [d_in, d_out]), device))
    }
}

/// A safetensors file in memory.
pub struct Checkpoint {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    header: Metadata,
    /// Where the numbers start.
    start: usize,
}

impl Checkpoint {
    /// Reads a file and checks its header.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let bytes = fs::read(path)
            .map_err(|source| LoadError::Read { path: path.to_path_buf(), source })?;
        let (length, header) = SafeTensors::read_metadata(&bytes).map_err(|error| {
            LoadError::Format { path: path.to_path_buf(), reason: plain(error) }
        })?;
        // The header stands behind its own length, a number of eight bytes.
        Ok(Self { path: path.to_path_buf(), bytes, header, start: 8 + length })
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = self.header.offset_keys();
        names.sort();
        names
    }

    /// Every tensor of the file as float32.
    ///
    /// # Errors
    /// [`LoadError::Dtype`] and [`LoadError::NotFinite`].
    pub fn tensors(&self) -> Result<BTreeMap<String, TensorData>, LoadError> {
        let tensor = |name: String| {
            let info = self.info(&name)?;
            let data = TensorData::new(self.values(&name, info)?, info.shape.clone());
            Ok((name, data))
        };
        self.names().into_iter().map(tensor).collect()
    }

    fn info(&self, name: &str) -> Result<&TensorInfo, LoadError> {
        self.header.info(name).ok_or_else(|| self.missing(name))
    }

    fn values(&self, name: &str, info: &TensorInfo) -> Result<Vec<f32>, LoadError> {
        let (first, last) = info.data_offsets;
        let bytes = &self.bytes[self.start + first..self.start + last];
        let values = to_f32(info.dtype, bytes).ok_or_else(|| LoadError::Dtype {
            path: self.path.clone(),
            name: short(name),
            dtype: format!("{:?}", info.dtype),
        })?;
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(values),
            Some(index) => Err(LoadError::NotFinite {
                path: self.path.clone(),
                name: short(name),
                index,
                value: values[index],
            }),
        }
    }

    pub(crate) fn format(&self, reason: String) -> LoadError {
        LoadError::Format { path: self.path.clone(), reason }
    }

    pub(crate) fn missing(&self, name: &str) -> LoadError {
        // Another prefix is the commonest difference between checkpoints.
        let common_ending = |other: &&String| {
            let pairs = other.bytes().rev().zip(name.bytes().rev());
            pairs.take_while(|(a, b)| a == b).count()
        };
        let names = self.names();
        let nearest = names.iter().max_by_key(common_ending);
        LoadError::Missing {
            path: self.path.clone(),
            name: name.to_owned(),
            n_tensors: names.len(),
            nearest: nearest
                .map(|other| format!(", the nearest is '{}'", short(other)))
                .unwrap_or_default(),
        }
    }
}

impl TensorSource for Checkpoint {
    fn contains(&self, name: &str) -> bool {
        self.header.info(name).is_some()
    }

    fn read(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, LoadError> {
        let info = self.info(name)?;
        if info.shape != expected {
            return Err(LoadError::Shape {
                path: self.path.clone(),
                name: name.to_owned(),
                found: info.shape.clone(),
                expected: expected.to_vec(),
            });
        }
        self.values(name, info)
    }
}

/// Little-endian bytes of a float type as float32; `None` for other types.
fn to_f32(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    let two = |convert: fn(u16) -> f32| {
        bytes.chunks_exact(2).map(|b| convert(u16::from_le_bytes([b[0], b[1]]))).collect()
    };
    match dtype {
        Dtype::F32 => Some(
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        ),
        Dtype::F16 => Some(two(|bits| burn::tensor::f16::from_bits(bits).to_f32())),
        Dtype::BF16 => Some(two(|bits| burn::tensor::bf16::from_bits(bits).to_f32())),
        _ => None,
    }
}
