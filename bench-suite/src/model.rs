//! The frozen model of a run: weights, tokenizer, shape.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use assets::{AssetError, Store, sha256_file};
use backbones::{Backbone, BackboneSpec, Pooling, Precision};
use burn::{module::Module, tensor::Device};
use datasets::TextEncoder;
use report::{RunRecord, record::BackboneInfo};

use crate::names::unknown;

/// A loaded model on the plain (not autodiff) side of a device.
pub struct Model {
    /// The frozen transformer.
    pub backbone: Backbone,
    /// Its sites, widths and vocabulary.
    pub spec: BackboneSpec,
    /// Its tokenizer.
    pub encoder: TextEncoder,
    /// How a sentence vector is made.
    pub pooling: Pooling,
    /// What the records say of it.
    pub info: BackboneInfo,
    /// Where its files are.
    pub folder: PathBuf,
}

impl Model {
    /// Gets and loads a model by registered name, local folder or `org/name` on the hub.
    ///
    /// # Errors
    /// What is missing or damaged, with the way out; a tokenizer with more words than the model.
    pub fn load(
        store: &Store,
        name: &str,
        pooling: Pooling,
        max_tokens: usize,
        device: &Device,
    ) -> Result<Self> {
        let folder = match store.model(name) {
            Err(AssetError::Unknown { known, .. }) => bail!("{}", unknown_model(name, &known)),
            found => found?.path,
        };
        let encoder = TextEncoder::from_dir(&folder, max_tokens)?;
        let backbone = Backbone::load(&folder, device)?.for_pooling(pooling, &folder)?;
        let mut spec = backbone.spec();
        check_fit(&folder, &encoder, &spec)?;
        let words = encoder.clone();
        spec.tokenize = Some(Arc::new(move |text| words.word_ids(text).unwrap_or_default()));
        let weights = folder.join("model.safetensors");
        let info = BackboneInfo {
            name: name.to_owned(),
            family: spec.family.to_owned(),
            n_parameters: backbone.num_params(),
            n_layers: spec.n_layers,
            d_model: spec.d_model,
            pooling: pooling.name().to_owned(),
            precision: None,
            fingerprint: sha256_file(&weights)
                .with_context(|| format!("{} cannot be read", weights.display()))?,
        };
        Ok(Self { backbone, spec, encoder, pooling, info, folder })
    }

    /// Checks that it is the model that a run was trained on, whatever it is called.
    ///
    /// # Errors
    /// Its weights are others.
    pub fn check_is_of(&self, record: &RunRecord) -> Result<()> {
        if self.info.fingerprint == record.backbone.fingerprint {
            return Ok(());
        }
        bail!(
            "model '{}' is not the one that run {} was trained on (its weights differ); give that \
             one back its name",
            record.backbone.name,
            record.id
        )
    }

    /// The model that rounds the factors of products with its frozen matrices.
    ///
    /// # Errors
    /// A precision that the device does not have.
    pub fn with_precision(self, precision: Precision, device: &Device) -> Result<Self> {
        if precision == Precision::F32 {
            return Ok(self);
        }
        if !kernels::is_flex(device) {
            let precision = precision.name();
            bail!(
                "precision is '{precision}', which only the device flex has; use --device flex or --precision f32"
            );
        }
        let info = BackboneInfo { precision: Some(precision.name().to_owned()), ..self.info };
        Ok(Self { backbone: self.backbone.with_precision(precision), info, ..self })
    }
}

fn unknown_model(name: &str, known: &[String]) -> String {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let unknown = unknown("model", name, &known, "list models");
    format!("{unknown}; --model also takes a folder, or org/name of the Hugging Face hub")
}

fn check_fit(folder: &Path, encoder: &TextEncoder, spec: &BackboneSpec) -> Result<()> {
    let n_words = spec.embeddings.dims()[0];
    if encoder.vocabulary_size() > n_words {
        bail!(
            "{}: tokenizer.json has ids up to {}, but model.safetensors embeds {n_words} words; \
             the two files belong to different models",
            folder.display(),
            encoder.vocabulary_size() - 1,
        );
    }
    if encoder.max_tokens() > spec.n_positions {
        bail!(
            "max_tokens is {}, but the model has {} positions; choose a smaller --max-tokens",
            encoder.max_tokens(),
            spec.n_positions
        );
    }
    Ok(())
}
