//! Trained methods in the format of Hugging Face PEFT.
//!
//! That library calls a trained method with its head an adapter, and keeps it as a folder:
//!
//! | file | what is in it |
//! | --- | --- |
//! | `adapter_config.json` | the settings: [`Adapter::config`] |
//! | `adapter_model.safetensors` | the tensors: [`Adapter::tensors`] |
//! | `config.json` | not of that library: what the model must know, [`Adapter::model`] |
//!
//! A method that the library also has says in a [`Format`] what its settings and tensors are
//! called there. The format of a method lies beside the method.
//!
//! # Traps
//! - Its linear maps are `[d_out, d_in]`, ours are `[d_in, d_out]`: every factor is transposed.
//! - Methods beside linear maps and methods with virtual tokens put the model under different
//!   names: [`Format::root`].
//! - It loads what fits and is silent about the rest. Here every tensor of a file must have its
//!   place, and every field must mean something that is done here.

mod fields;
mod target_modules;
pub mod virtual_tokens;

use std::collections::BTreeMap;

use backbones::BackboneSpec;
use burn::tensor::{Tensor, TensorData};
use messages::{plain, short};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::method::ConfigError;
pub use fields::Accepts;
pub use target_modules::{Targets, by_pattern};

/// Name of the settings' file.
pub const CONFIG_FILE: &str = "adapter_config.json";
/// Name of the tensors' file.
pub const TENSORS_FILE: &str = "adapter_model.safetensors";

/// What [`PeftMethod::stored`](crate::PeftMethod::stored) gives, by name.
pub type Stored = BTreeMap<String, Tensor<2>>;

/// A trained method with its head, as Hugging Face PEFT keeps it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Adapter {
    /// `adapter_config.json`.
    pub config: Map<String, Value>,
    /// `adapter_model.safetensors`, in float32.
    pub tensors: BTreeMap<String, TensorData>,
    /// What the model class must know beside its usual configuration, e.g. how it pools. Empty
    /// where the library's own model class is meant.
    pub model: Map<String, Value>,
}

/// From settings and stored tensors to an adapter.
pub type Write<C> = fn(&C, &BackboneSpec, &Stored, &mut Adapter) -> Result<(), ConfigError>;
/// From an adapter to settings and stored tensors.
pub type Read<C> = fn(&mut Adapter, &BackboneSpec) -> Result<(C, Stored), AdapterError>;

/// How Hugging Face PEFT's files hold a method.
pub struct Format<C> {
    /// Its name there, e.g. `LORA`.
    pub peft_type: &'static str,
    /// What stands before the names of the model's modules.
    pub root: &'static str,
    /// Fields that may be set, beside those of every method.
    pub fields: &'static [(&'static str, Accepts)],
    /// Adds settings and stored tensors to an adapter.
    pub write: Write<C>,
    /// Takes settings and tensors out of an adapter whose fields are checked.
    pub read: Read<C>,
}

/// The [`Format::root`] of methods that put modules of their own into the model.
pub const INSIDE: &str = "base_model.model.";
/// The [`Format::root`] of methods that only add virtual tokens.
pub const AROUND: &str = "base_model.";

/// What can be wrong with an adapter.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AdapterError {
    /// Fields with values that mean something else than what is computed here.
    #[error("{CONFIG_FILE}: {0}")]
    Fields(String),
    /// A tensor that is missing, misshapen or without a place.
    #[error("{TENSORS_FILE}: tensor '{name}' {problem}")]
    Tensor {
        /// The tensor.
        name: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// Settings that do not fit the model.
    #[error("{CONFIG_FILE}, read as settings of ours: {}", plain(.0))]
    Config(#[from] ConfigError),
}

impl AdapterError {
    /// A field, and what is wrong with it.
    pub fn field(name: &str, problem: impl AsRef<str>) -> Self {
        Self::Fields(format!("field '{}' {}", short(name), problem.as_ref()))
    }

    /// A method that is not read.
    pub fn unknown_type(found: &str, known: &[&str]) -> Self {
        let problem = format!("is '{}'; what can be read is {}", short(found), known.join(", "));
        Self::field("peft_type", problem)
    }

    /// A tensor, and what is wrong with it.
    pub fn tensor(name: &str, problem: impl Into<String>) -> Self {
        Self::Tensor { name: plain(name), problem: problem.into() }
    }
}

impl<C> Format<C> {
    /// The adapter of a trained method, without its head.
    ///
    /// # Errors
    /// [`ConfigError`] if the stored tensors are not those of the settings.
    pub fn export(
        &self,
        config: &C,
        spec: &BackboneSpec,
        stored: &Stored,
    ) -> Result<Adapter, ConfigError> {
        let mut adapter = Adapter::default();
        adapter.set("peft_type", self.peft_type);
        adapter.set("task_type", "SEQ_CLS");
        adapter.set("inference_mode", true);
        adapter.set("modules_to_save", vec![spec.modules.classifier]);
        (self.write)(config, spec, stored, &mut adapter)?;
        Ok(adapter)
    }

    /// Settings and stored tensors of an adapter, taken out of it.
    ///
    /// # Errors
    /// [`AdapterError`] names every field that is not supported, or the tensor that is missing or
    /// misshapen.
    pub fn import(
        &self,
        adapter: &mut Adapter,
        spec: &BackboneSpec,
    ) -> Result<(C, Stored), AdapterError> {
        fields::check(&adapter.config, self.fields)?;
        (self.read)(adapter, spec)
    }
}

impl Adapter {
    /// The method that made it, e.g. `LORA`.
    ///
    /// # Errors
    /// [`AdapterError::Fields`] if it does not say.
    pub fn peft_type(&self) -> Result<&str, AdapterError> {
        let missing = || AdapterError::field("peft_type", "is missing; this is no adapter");
        self.config.get("peft_type").and_then(Value::as_str).ok_or_else(missing)
    }

    /// Sets a field of the settings.
    pub fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.config.insert(field.to_owned(), value.into());
    }

    /// A field of the settings; a missing one is null.
    ///
    /// # Errors
    /// [`AdapterError::Fields`] if it is of another type.
    pub fn get<T: DeserializeOwned>(&self, field: &str) -> Result<T, AdapterError> {
        let value = self.config.get(field).unwrap_or(&Value::Null);
        T::deserialize(value).map_err(|error| {
            AdapterError::field(field, format!("is {}: {}", short(value), plain(error)))
        })
    }

    /// A field that must have one value on this model.
    ///
    /// # Errors
    /// [`AdapterError::Fields`] if it has another.
    pub fn expect(&self, field: &str, expected: usize) -> Result<(), AdapterError> {
        let found: Option<usize> = self.get(field)?;
        match found {
            Some(found) if found != expected => Err(AdapterError::field(
                field,
                format!("is {found}, but this model has {expected}; name its own with --model"),
            )),
            _ => Ok(()),
        }
    }

    /// Adds a tensor as it is.
    pub fn put(&mut self, name: impl Into<String>, tensor: Tensor<2>) {
        self.tensors.insert(name.into(), tensor.into_data());
    }

    /// Takes a tensor of a known shape.
    ///
    /// # Errors
    /// [`AdapterError::Tensor`] if it is missing or has another shape.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<TensorData, AdapterError> {
        let tensor = self.tensors.remove(name);
        let tensor = tensor.ok_or_else(|| AdapterError::tensor(name, "is missing"))?;
        if tensor.shape().as_slice() != shape {
            let problem = format!(
                "has shape {:?}, expected {shape:?} by {CONFIG_FILE} and the model",
                tensor.shape().as_slice()
            );
            return Err(AdapterError::tensor(name, problem));
        }
        Ok(tensor)
    }

    /// Takes a matrix of a known shape.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn take_matrix(
        &mut self,
        name: &str,
        shape: [usize; 2],
        spec: &BackboneSpec,
    ) -> Result<Tensor<2>, AdapterError> {
        Ok(Tensor::from_data(self.take(name, &shape)?, &spec.embeddings.device()))
    }

    /// Adds the head: `weight` `[d_model, n_classes]`, `bias` `[n_classes]`.
    pub fn put_head(
        &mut self,
        root: &str,
        spec: &BackboneSpec,
        weight: Tensor<2>,
        bias: Tensor<1>,
    ) {
        let name = format!("{root}{}", spec.modules.classifier);
        self.put(format!("{name}.weight"), weight.transpose());
        self.tensors.insert(format!("{name}.bias"), bias.into_data());
    }

    /// Takes the head: `weight` `[d_model, n_classes]`, `bias` `[n_classes]`.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn take_head(
        &mut self,
        root: &str,
        spec: &BackboneSpec,
    ) -> Result<(Tensor<2>, Tensor<1>), AdapterError> {
        let name = format!("{root}{}", spec.modules.classifier);
        let [weight, bias] = ["weight", "bias"].map(|part| format!("{name}.{part}"));
        let n_classes = match self.tensors.get(&bias).map(|bias| bias.shape().as_slice()) {
            Some(&[n]) if n >= 2 => n,
            Some(shape) => {
                let problem = format!("has shape {shape:?}, expected [classes], at least two");
                return Err(AdapterError::tensor(&bias, problem));
            }
            None => {
                let problem = "is missing; save the adapter with task_type SEQ_CLS, which keeps \
                               the head";
                return Err(AdapterError::tensor(&bias, problem));
            }
        };
        let weight = self.take_matrix(&weight, [n_classes, spec.d_model], spec)?;
        let bias = Tensor::from_data(self.take(&bias, &[n_classes])?, &weight.device());
        Ok((weight.transpose(), bias))
    }

    /// To be called when everything that has a place is taken.
    ///
    /// # Errors
    /// [`AdapterError::Tensor`] with the first tensor that is left.
    pub fn finish(self) -> Result<(), AdapterError> {
        match self.tensors.first_key_value() {
            None => Ok(()),
            Some((name, tensor)) => {
                let shape = tensor.shape();
                let (shape, n) = (shape.as_slice(), self.tensors.len());
                let problem =
                    format!("of shape {shape:?} has no place in this model ({n} such tensors)");
                Err(AdapterError::tensor(name, problem))
            }
        }
    }
}

/// A number as JSON: whole ones as Python's integers, which some fields are.
pub fn number(value: f64) -> Value {
    let is_whole = value.fract() == 0.0 && value.abs() < 1e15;
    if is_whole { Value::from(value as i64) } else { Value::from(value) }
}
