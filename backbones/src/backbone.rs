//! A frozen pretrained transformer, loaded from a folder in Hugging Face layout.

use std::path::{Path, PathBuf};

use burn::{
    module::Module,
    tensor::{Device, Int, Tensor, TensorData},
};
use kernels::Precision;
use messages::{plain, short};
use serde::{Deserialize, Serialize};

use crate::{
    bert::{Bert, BertConfig},
    injection::{Injection, Site},
    spec::BackboneSpec,
    weights::{Checkpoint, LoadError},
};

/// A padded batch of token ids on a device.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Vocabulary ids, `[batch, seq]`.
    pub ids: Tensor<2, Int>,
    /// Segment of each token, `[batch, seq]`: 0, or 1 in the second text of a pair.
    pub type_ids: Tensor<2, Int>,
    /// 1 for a true token, 0 for padding, `[batch, seq]`.
    pub mask: Tensor<2>,
}

/// How one vector is made from a sentence's hidden states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Mean over the true tokens: what sentence encoders such as MiniLM were trained for.
    #[default]
    Mean,
    /// The true `[CLS]` token, never a virtual token before it.
    Cls,
    /// Hugging Face's frozen pooler, `tanh(W h + b)` on `[CLS]`.
    Pooler,
    /// The pooler on the first row, which under a prompt is the first virtual token: where
    /// Hugging Face PEFT's sequence classification reads. For parity with it.
    HfPooler,
}

impl Pooling {
    /// The name used in configurations and records.
    pub fn name(self) -> &'static str {
        match self {
            Pooling::Mean => "mean",
            Pooling::Cls => "cls",
            Pooling::Pooler => "pooler",
            Pooling::HfPooler => "hf_pooler",
        }
    }
}

/// What Hugging Face transformers calls an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassNames {
    /// What stands before the encoder's tensors where the file holds a head too.
    pub root: &'static str,
    /// The class of the encoder alone.
    pub encoder: &'static str,
    /// The class of the encoder with a head on its pooler.
    pub classifier: &'static str,
}

/// A pretrained transformer. Methods reach it through [`Injection`] alone.
#[derive(Module, Debug)]
pub enum Backbone {
    /// An encoder of the BERT family.
    Bert(Bert),
}

impl Backbone {
    /// Loads `config.json` and `model.safetensors` from a folder, frozen.
    ///
    /// # Errors
    /// [`LoadError`] names the file, the field or tensor, and what was expected.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, LoadError> {
        let (path, config) = read_config(folder)?;
        config.check(&path)?;
        let weights = Checkpoint::open(&folder.join("model.safetensors"))?;
        Ok(Self::Bert(Bert::load(&config, &weights, device)?.no_grad()))
    }

    /// The backbone that rounds the factors of its frozen linear maps in this precision, where
    /// the device's kernels can; sums, and all that is trained, are float32.
    pub fn with_precision(self, precision: Precision) -> Self {
        match self {
            Self::Bert(bert) => Self::Bert(bert.with_precision(precision)),
        }
    }

    /// Sites, widths and vocabulary.
    pub fn spec(&self) -> BackboneSpec {
        match self {
            Self::Bert(bert) => bert.spec(),
        }
    }

    /// Hidden states of the input tokens, `[batch, seq, d_model]`.
    ///
    /// A prompt's rows are cut off again, so the shape never tells the method.
    pub fn encode(&self, tokens: &Tokens, injection: &dyn Injection) -> Tensor<3> {
        match self {
            Self::Bert(bert) => bert.encode(tokens, injection),
        }
    }

    /// One vector a sentence, `[batch, d_model]`.
    pub fn features(
        &self,
        tokens: &Tokens,
        injection: &dyn Injection,
        pooling: Pooling,
    ) -> Tensor<2> {
        let Self::Bert(bert) = self;
        let pooler = |first: Tensor<2>| bert.pooler(first.clone()).unwrap_or(first);
        match pooling {
            Pooling::Mean => mean(bert.encode(tokens, injection), &tokens.mask),
            Pooling::Cls => first(bert.encode(tokens, injection)),
            Pooling::Pooler => pooler(first(bert.encode(tokens, injection))),
            Pooling::HfPooler => pooler(first(bert.encode_with_prompt(tokens, injection))),
        }
    }

    /// The backbone prepared for one pooling: without a pooler that nothing would read.
    ///
    /// # Errors
    /// [`LoadError::Missing`] if the pooling needs a pooler and the checkpoint has none.
    pub fn for_pooling(self, pooling: Pooling, folder: &Path) -> Result<Self, LoadError> {
        let Self::Bert(bert) = self;
        match pooling {
            Pooling::Mean | Pooling::Cls => Ok(Self::Bert(bert.without_pooler())),
            Pooling::Pooler | Pooling::HfPooler if bert.has_pooler() => Ok(Self::Bert(bert)),
            Pooling::Pooler | Pooling::HfPooler => Err(LoadError::Config {
                path: folder.to_path_buf(),
                field: "pooling".to_owned(),
                problem: format!(
                    "is '{}', but the checkpoint has no pooler; use 'mean' or 'cls'",
                    pooling.name()
                ),
            }),
        }
    }

    /// The name of the linear map at a site in the checkpoint that was loaded, without `.weight`
    /// or `.bias`, e.g. `bert.encoder.layer.3.attention.self.query`; `None` where the
    /// architecture has none.
    pub fn checkpoint_name(&self, site: Site) -> Option<String> {
        match self {
            Self::Bert(bert) => bert.checkpoint_name(site),
        }
    }

    /// The linear map at a site, `[d_in, d_out]`; `None` where the architecture has none.
    pub fn weight(&self, site: Site) -> Option<Tensor<2>> {
        match self {
            Self::Bert(bert) => bert.weight(site),
        }
    }

    /// What transformers calls the architecture.
    pub fn class_names(&self) -> ClassNames {
        match self {
            Self::Bert(_) => ClassNames {
                root: "bert.",
                encoder: "BertModel",
                classifier: "BertForSequenceClassification",
            },
        }
    }

    /// Every tensor under the name and in the shape that it has in the checkpoint that was loaded.
    pub fn tensors(&self) -> Vec<(String, TensorData)> {
        match self {
            Self::Bert(bert) => bert.tensors(),
        }
    }

    /// The backbone with what a method adds to its weights folded in: it computes the same
    /// without the method, at no extra cost.
    ///
    /// `delta` gives `[d_in, d_out]` for a site, or `None` to leave it as it is.
    pub fn folded(self, delta: impl Fn(Site) -> Option<Tensor<2>>) -> Self {
        match self {
            Self::Bert(bert) => Self::Bert(bert.folded(delta)),
        }
    }
}

/// Mean over the true tokens, `[batch, d_model]`, of `[batch, seq, d_model]`.
fn mean(hidden: Tensor<3>, mask: &Tensor<2>) -> Tensor<2> {
    let [batch, _, d_model] = hidden.dims();
    let weights = mask.clone() / mask.clone().sum_dim(1);
    (hidden * weights.unsqueeze_dim(2)).sum_dim(1).reshape([batch, d_model])
}

/// The first row of each sentence, `[batch, d_model]`, of `[batch, seq, d_model]`.
fn first(hidden: Tensor<3>) -> Tensor<2> {
    let [batch, _, d_model] = hidden.dims();
    hidden.slice([0..batch, 0..1, 0..d_model]).reshape([batch, d_model])
}

fn read_config(folder: &Path) -> Result<(PathBuf, BertConfig), LoadError> {
    let path = folder.join("config.json");
    let bytes =
        std::fs::read(&path).map_err(|source| LoadError::Read { path: path.clone(), source })?;
    let refuse = |field: &str, problem: String| LoadError::Config {
        path: path.clone(),
        field: field.to_owned(),
        problem,
    };
    let json: serde_json::Value = serde_json::from_slice(&bytes)
        .map_err(|error| refuse("(whole file)", format!("is not JSON: {error}")))?;
    match json.get("model_type").and_then(|kind| kind.as_str()) {
        Some("bert") => {}
        Some(other) => {
            return Err(refuse(
                "model_type",
                format!("is '{}'; 'bert' is what can be loaded", short(other)),
            ));
        }
        None => {
            return Err(refuse("model_type", "is missing; expected 'bert'".to_owned()));
        }
    }
    let config = serde_path_to_error::deserialize(json).map_err(|error| {
        let problem = plain(error.inner());
        match problem.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
            // serde's path of a field that is not there ends at its parent.
            Some(field) => refuse(field, "is missing".to_owned()),
            None => refuse(&error.path().to_string(), format!("is unusable: {problem}")),
        }
    })?;
    Ok((path, config))
}
