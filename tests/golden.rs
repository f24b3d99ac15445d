//! The golden files under `fixtures/`, and altered copies of them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use assets::{Store, StoreOptions};
use backbones::Tokens;
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::Value;
use tempfile::TempDir;

/// A folder under `fixtures/`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// Where the real model is, or is fetched to.
pub fn store() -> Store {
    let options = StoreOptions { progress: false, ..Default::default() };
    Store::open(options).unwrap_or_else(|error| panic!("{error}"))
}

/// A stored tensor: type, shape, little-endian bytes.
#[derive(Clone, Debug)]
pub struct Stored {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Stored {
    pub fn f32s(&self) -> Vec<f32> {
        assert_eq!(self.dtype, Dtype::F32);
        self.bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
    }

    pub fn i32s(&self) -> Vec<i32> {
        assert_eq!(self.dtype, Dtype::I32);
        self.bytes.chunks_exact(4).map(|b| i32::from_le_bytes(b.try_into().unwrap())).collect()
    }
}

/// The tensors of a safetensors file by name.
pub type Tensors = BTreeMap<String, Stored>;

pub fn read_tensors(path: &Path) -> Tensors {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let stored = |(name, view): (String, TensorView<'_>)| {
        let (dtype, shape, bytes) = (view.dtype(), view.shape().to_vec(), view.data().to_vec());
        (name, Stored { dtype, shape, bytes })
    };
    SafeTensors::deserialize(&bytes).unwrap().tensors().into_iter().map(stored).collect()
}

pub fn write_tensors(path: &Path, tensors: &Tensors) {
    let views = tensors.iter().map(|(name, stored)| {
        (name, TensorView::new(stored.dtype, stored.shape.clone(), &stored.bytes).unwrap())
    });
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// A batch and what transformers answered to it.
pub struct Expected {
    /// The answers by name.
    pub answers: Tensors,
    ids: Stored,
    kinds: Stored,
    mask: Stored,
}

impl Expected {
    /// `expected.safetensors` of a folder under `fixtures/`.
    pub fn read(folder: &str) -> Self {
        let mut answers = read_tensors(&fixture(folder).join("expected.safetensors"));
        let mut take = |name| answers.remove(name).unwrap();
        let (ids, kinds) = (take("input_ids"), take("token_type_ids"));
        let mask = take("attention_mask");
        Self { answers, ids, kinds, mask }
    }

    /// Rows and columns of the batch.
    pub fn shape(&self) -> [usize; 2] {
        [self.ids.shape[0], self.ids.shape[1]]
    }

    pub fn batch(&self, device: &Device) -> Tokens {
        let data = |stored: &Stored| TensorData::new(stored.i32s(), self.shape());
        let mask = self.mask.i32s().into_iter().map(|one| one as f32).collect::<Vec<_>>();
        Tokens {
            ids: Tensor::from_data(data(&self.ids), device),
            type_ids: Tensor::from_data(data(&self.kinds), device),
            mask: Tensor::from_data(TensorData::new(mask, self.shape()), device),
        }
    }

    /// The true ids of each row.
    pub fn rows(&self) -> Vec<Vec<i32>> {
        let (ids, mask) = (self.ids.i32s(), self.mask.i32s());
        let [_, width] = self.shape();
        ids.chunks(width)
            .zip(mask.chunks(width))
            .map(|(ids, mask)| ids[..mask.iter().sum::<i32>() as usize].to_vec())
            .collect()
    }
}

/// A copy of `bert_tiny` that can be altered.
pub struct TinyCopy {
    folder: TempDir,
}

impl TinyCopy {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for file in ["config.json", "model.safetensors"] {
            fs::copy(fixture("bert_tiny").join(file), folder.path().join(file)).unwrap();
        }
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn weights(&self) -> PathBuf {
        self.path().join("model.safetensors")
    }

    /// The copy with other tensors.
    pub fn with_tensors(alter: impl FnOnce(&mut Tensors)) -> Self {
        let copy = Self::new();
        let mut tensors = read_tensors(&copy.weights());
        alter(&mut tensors);
        write_tensors(&copy.weights(), &tensors);
        copy
    }

    /// The copy with another `config.json`.
    pub fn with_config(alter: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Self {
        let copy = Self::new();
        let path = copy.path().join("config.json");
        let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        alter(config.as_object_mut().unwrap());
        fs::write(&path, config.to_string()).unwrap();
        copy
    }
}
