//! What every method is: a module, an answer to a backbone's questions, and a card.

use std::{collections::BTreeMap, fmt::Debug};

use backbones::{BackboneSpec, Injection, Site};
use burn::{
    module::Module,
    optim::GradientsParams,
    tensor::{Device, Tensor, TensorData},
};
use rand::rngs::StdRng;
use serde::{Serialize, de::DeserializeOwned};

use crate::hugging_face::Format;

/// A parameter-efficient fine-tuning method: a trainable module that answers a frozen
/// backbone's questions ([`Injection`]).
///
/// A file that implements this trait and one row in [`crate::zoo!`] make a method complete:
/// the command line, the suites, the records, the charts and the contract tests find it there.
pub trait PeftMethod: Module + Injection {
    /// Plain serde data: `#[serde(default, deny_unknown_fields)]`.
    type Config: Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned;

    /// Name, paper and traits of the method.
    const CARD: Card;

    /// How Hugging Face PEFT's files hold the method; `None` if that library does not have it.
    const HUGGING_FACE: Option<Format<Self::Config>> = None;

    /// Makes the method for a backbone.
    ///
    /// Random numbers come from `rng` on the host, so one seed gives the same start on every
    /// device.
    ///
    /// # Errors
    /// [`ConfigError`] names the field, its value and what would be right.
    fn init(
        config: &Self::Config,
        spec: &BackboneSpec,
        rng: &mut StdRng,
        device: &Device,
    ) -> Result<Self, ConfigError>;

    /// The tensors that [`init`](Self::init) makes, without making them: what `explain` prints
    /// and what the measured counts are tested against.
    ///
    /// # Errors
    /// As [`init`](Self::init).
    fn plan(config: &Self::Config, spec: &BackboneSpec) -> Result<Plan, ConfigError>;

    /// The setting that makes the method larger or smaller.
    fn budget(config: &Self::Config) -> Budget;

    /// A learning rate for AdamW that trains well without tuning; the card's unless the
    /// configuration calls for another.
    fn learning_rate(_config: &Self::Config) -> f64 {
        Self::CARD.learning_rate
    }

    /// What tells this configuration's curve from the method's default, e.g. `lstm`.
    fn variant(_config: &Self::Config) -> String {
        String::new()
    }

    /// The tensors that must be kept to use the trained method, by name.
    fn stored(&self) -> Vec<(String, Tensor<2>)>;

    /// The method for inference, from what [`stored`](Self::stored) gave.
    ///
    /// # Errors
    /// [`ConfigError`] if a tensor is missing or has a shape that the configuration excludes.
    fn restore(
        config: &Self::Config,
        spec: &BackboneSpec,
        stored: &BTreeMap<String, Tensor<2>>,
        device: &Device,
    ) -> Result<Self, ConfigError>;

    /// Everything that training needs to go on, by name: more than [`stored`](Self::stored) where
    /// inference can do without a part of it.
    fn state(&self) -> Vec<(String, TensorData)> {
        stored_data(self)
    }

    /// The method for more training, on the autodiff side of the plain `device`, from what
    /// [`state`](Self::state) gave.
    ///
    /// # Errors
    /// [`ConfigError`] if a tensor is missing or has a shape that the configuration excludes.
    fn resume(
        config: &Self::Config,
        spec: &BackboneSpec,
        state: &BTreeMap<String, TensorData>,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        resume_stored(config, spec, state, device)
    }

    /// A term to add to the task loss, e.g. AdaLoRA's orthogonality. Scalar `[1]`.
    fn penalty(&self) -> Option<Tensor<1>> {
        None
    }

    /// Sees the (clipped) gradients before the optimizer consumes them.
    fn observe(self, _grads: &GradientsParams) -> Self {
        self
    }

    /// Acts after the optimizer's step, e.g. AdaLoRA's budget.
    fn after_step(self, _progress: Progress) -> Self {
        self
    }

    /// Whether the method has reached its final size. A checkpoint taken before is not kept.
    fn is_settled(&self) -> bool {
        true
    }

    /// What the method adds to the weight at a site, `[d_in, d_out]`, for folding it in.
    fn weight_delta(&self, _site: Site) -> Option<Tensor<2>> {
        None
    }

    /// Findings for the run's record, e.g. the rank that survived at each site.
    fn details(&self) -> BTreeMap<String, serde_json::Value> {
        BTreeMap::new()
    }
}

/// What to know of a method before using it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Card {
    /// Name in configurations and on the command line, e.g. `lora`.
    pub name: &'static str,
    /// Name for people, e.g. `LoRA`.
    pub title: &'static str,
    /// Authors, year and link of the paper.
    pub paper: &'static str,
    /// The method in one line of mathematics.
    pub equation: &'static str,
    /// Its source file in this repository.
    pub file: &'static str,
    /// Whether the untrained method leaves the backbone's output as it is.
    pub identity_at_start: bool,
    /// Whether the trained method can be folded into the backbone's weights.
    pub foldable: bool,
    /// A learning rate for AdamW that trains the default configuration well without tuning.
    pub learning_rate: f64,
}

/// The knob that sets a method's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Field of the configuration, e.g. `rank`.
    pub name: &'static str,
    /// Its value.
    pub value: usize,
}

/// How far the training has come, after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Optimizer steps done, from 1.
    pub step: usize,
    /// Optimizer steps planned.
    pub total: usize,
}

/// The tensors of a method, by formula.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Every trainable tensor.
    pub tensors: Vec<PlannedTensor>,
    /// Numbers that must be kept to use the result.
    pub stored: usize,
    /// Numbers that take part in inference, beside the backbone.
    pub active: usize,
}

impl Plan {
    /// A plan whose tensors are trained, kept and used alike.
    pub fn all_kept(tensors: Vec<PlannedTensor>) -> Self {
        let n = tensors.iter().map(PlannedTensor::n).sum();
        Self { tensors, stored: n, active: n }
    }

    /// Numbers that the optimizer moves.
    pub fn trainable(&self) -> usize {
        self.tensors.iter().map(PlannedTensor::n).sum()
    }
}

/// One trainable tensor of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedTensor {
    /// Where it acts, e.g. `3.query` or `input`.
    pub place: String,
    /// Its symbol in the equation, e.g. `A`.
    pub symbol: &'static str,
    /// Its shape.
    pub shape: Vec<usize>,
}

impl PlannedTensor {
    /// A tensor at a place.
    pub fn new(place: impl ToString, symbol: &'static str, shape: &[usize]) -> Self {
        Self { place: place.to_string(), symbol, shape: shape.to_vec() }
    }

    /// How many numbers it holds.
    pub fn n(&self) -> usize {
        self.shape.iter().product()
    }
}

/// What can be wrong with a method's configuration.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// A number outside its range.
    #[error("field '{field}' is {value}; it must be {expected}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// The range.
        expected: String,
    },
    /// A role that the backbone does not have.
    #[error(
        "field 'roles' has '{role}', which this {family} backbone does not have; it has {known}"
    )]
    NoSuchRole {
        /// The role.
        role: String,
        /// The architecture.
        family: &'static str,
        /// The roles it has.
        known: String,
    },
    /// A pattern that cannot be read, or that no site matches.
    #[error("field '{field}' has the pattern '{pattern}', which {problem}")]
    Pattern {
        /// The field.
        field: &'static str,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Two fields that do not go together.
    #[error("field '{field}' {problem}")]
    Inconsistent {
        /// The field.
        field: &'static str,
        /// What is wrong, and the way out.
        problem: String,
    },
    /// A saved tensor is missing or misshapen.
    #[error("saved tensor '{name}' {problem}; the file belongs to another method or configuration")]
    Stored {
        /// The tensor.
        name: String,
        /// What is wrong.
        problem: String,
    },
}

impl ConfigError {
    /// A number outside its range.
    pub fn out_of_range(
        field: &'static str,
        value: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Self::OutOfRange { field, value: value.to_string(), expected: expected.into() }
    }
}

/// What a method stores, as data: its state, if inference needs all of it.
pub fn stored_data<M: PeftMethod>(method: &M) -> Vec<(String, TensorData)> {
    let data = |(name, tensor): (String, Tensor<2>)| (name, tensor.into_data());
    method.stored().into_iter().map(data).collect()
}

/// A method for more training from what [`stored_data`] gave.
///
/// # Errors
/// As [`PeftMethod::restore`].
pub fn resume_stored<M: PeftMethod>(
    config: &M::Config,
    spec: &BackboneSpec,
    state: &BTreeMap<String, TensorData>,
    device: &Device,
) -> Result<M, ConfigError> {
    // A restored method lies on the plain side, where nothing can be trained.
    Ok(M::restore(config, spec, &matrices(state, device), device)?.train())
}

/// The matrices among saved tensors, on a device.
pub fn matrices(
    saved: &BTreeMap<String, TensorData>,
    device: &Device,
) -> BTreeMap<String, Tensor<2>> {
    let matrices = saved.iter().filter(|(_, data)| data.shape().len() == 2);
    matrices.map(|(name, data)| (name.clone(), Tensor::from_data(data.clone(), device))).collect()
}

/// Takes a saved tensor of a known shape.
///
/// # Errors
/// [`ConfigError::Stored`] if it is missing or has another shape.
pub fn take_stored(
    stored: &BTreeMap<String, Tensor<2>>,
    name: &str,
    shape: [usize; 2],
) -> Result<Tensor<2>, ConfigError> {
    let refuse = |problem: String| ConfigError::Stored { name: name.to_owned(), problem };
    let tensor = stored.get(name).ok_or_else(|| refuse("is missing".to_owned()))?;
    if tensor.dims() != shape {
        return Err(refuse(format!("has shape {:?}, expected {shape:?}", tensor.dims())));
    }
    Ok(tensor.clone().without_autodiff())
}
