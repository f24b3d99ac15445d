//! What the optimizer sees: a method and a head, never the frozen backbone.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result};
use backbones::{Backbone, Injection, Tokens, Untouched};
use burn::{
    module::{Module, Param},
    nn::Linear,
    optim::GradientsParams,
    tensor::{Device, Tensor, TensorData},
};
use methods::{Method, Progress, init};
use rand::rngs::StdRng;
use safetensors::{SafeTensors, tensor::TensorView};

use crate::{
    arm::{Arm, Baseline},
    model::Model,
    parameters::{fill, named},
};

/// The trained part of a run.
#[derive(Module, Debug)]
pub struct Trainable {
    /// The method, if the arm is one.
    pub method: Option<Method>,
    /// The whole backbone, if the arm is full fine-tuning.
    pub unfrozen: Option<Backbone>,
    /// The classifier on the sentence vector.
    pub head: Linear,
}

impl Trainable {
    /// A fresh start: the method first, so that its numbers do not depend on the task's classes.
    ///
    /// # Errors
    /// As the method's own check of its settings.
    pub fn init(
        arm: &Arm,
        model: &Model,
        n_classes: usize,
        rng: &mut StdRng,
        device: &Device,
    ) -> Result<Self> {
        let method = arm.method(model, rng, device)?;
        let unfrozen = (*arm == Arm::Baseline(Baseline::Full))
            .then(|| model.backbone.clone().unfreeze().train());
        let head = init::linear(rng, model.spec.d_model, n_classes, device);
        Ok(Self { method, unfrozen, head })
    }

    /// Sentence vectors, `[batch, d_model]`.
    pub fn features(&self, model: &Model, tokens: &Tokens) -> Tensor<2> {
        let injection: &dyn Injection = match &self.method {
            Some(method) => method,
            None => &Untouched,
        };
        let backbone = self.unfrozen.as_ref().unwrap_or(&model.backbone);
        backbone.features(tokens, injection, model.pooling)
    }

    /// Scores of the classes, `[batch, n_classes]`.
    pub fn logits(&self, model: &Model, tokens: &Tokens) -> Tensor<2> {
        self.head.forward(self.features(model, tokens))
    }

    /// The method's term beside the task loss.
    pub fn penalty(&self) -> Option<Tensor<1>> {
        self.method.as_ref()?.penalty()
    }

    /// Lets the method see the gradients.
    pub fn observe(mut self, grads: &GradientsParams) -> Self {
        self.method = self.method.map(|method| method.observe(grads));
        self
    }

    /// Lets the method act after the optimizer's step.
    pub fn after_step(mut self, progress: Progress) -> Self {
        self.method = self.method.map(|method| method.after_step(progress));
        self
    }

    /// Whether the method has reached its final size.
    pub fn is_settled(&self) -> bool {
        self.method.as_ref().is_none_or(Method::is_settled)
    }

    /// Numbers that the optimizer moves, the head not counted.
    pub fn n_trainable(&self) -> usize {
        let method = self.method.as_ref().map_or(0, Module::num_params);
        method + self.unfrozen.as_ref().map_or(0, Module::num_params)
    }

    /// The tensors that must be kept to use the result, by name, the head's included.
    pub fn stored(&self) -> Vec<(String, TensorData)> {
        let mut stored: Vec<(String, TensorData)> = Vec::new();
        if let Some(method) = &self.method {
            let named = |(name, tensor): (String, Tensor<2>)| {
                (format!("method.{name}"), tensor.into_data())
            };
            stored.extend(method.stored().into_iter().map(named));
        }
        if let Some(backbone) = &self.unfrozen {
            stored.extend(named(backbone, "backbone"));
        }
        stored.extend(named(&self.head, "head"));
        stored
    }

    /// Writes what [`stored`](Self::stored) gives as a safetensors file; gives its bytes.
    ///
    /// # Errors
    /// The file and what the system says.
    pub fn save(&self, path: &Path) -> Result<u64> {
        let stored = self.stored();
        let views = stored
            .iter()
            .map(|(name, data)| {
                let view = TensorView::new(
                    safetensors::Dtype::F32,
                    data.shape().to_vec(),
                    data.as_bytes(),
                )?;
                Ok((name.as_str(), view))
            })
            .collect::<Result<Vec<_>>>()?;
        let bytes = safetensors::serialize(views, None)?;
        report::make_folder(path.parent().unwrap_or(Path::new(".")))?;
        report::write_atomic(path, &bytes)?;
        Ok(bytes.len() as u64)
    }

    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// The file and the tensor that is missing or does not fit.
    pub fn load(
        arm: &Arm,
        model: &Model,
        n_classes: usize,
        path: &Path,
        device: &Device,
    ) -> Result<Self> {
        let at = || path.display().to_string();
        let bytes = std::fs::read(path).with_context(at)?;
        let file = SafeTensors::deserialize(&bytes)
            .with_context(|| format!("{}: not a whole safetensors file", path.display()))?;
        let mut tensors: BTreeMap<String, TensorData> = BTreeMap::new();
        for (name, view) in file.tensors() {
            let numbers: Vec<f32> = view
                .data()
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
            tensors.insert(name, TensorData::new(numbers, view.shape().to_vec()));
        }
        let method = match arm {
            Arm::Baseline(_) => None,
            Arm::Peft(config) => {
                let stored = tensors
                    .iter()
                    .filter_map(|(name, data)| {
                        Some((name.strip_prefix("method.")?.to_owned(), data))
                    })
                    .filter(|(_, data)| data.shape().len() == 2)
                    .map(|(name, data)| (name, Tensor::from_data(data.clone(), device)))
                    .collect();
                Some(config.restore(&model.spec, &stored, device).with_context(at)?)
            }
        };
        let unfrozen = match arm {
            Arm::Baseline(Baseline::Full) => {
                Some(fill(model.backbone.clone(), "backbone", &tensors).with_context(at)?)
            }
            _ => None,
        };
        let blank = Linear {
            weight: init::zeros([model.spec.d_model, n_classes], device),
            bias: Some(Param::from_tensor(Tensor::zeros([n_classes], device))),
        };
        let head = fill(blank, "head", &tensors).with_context(at)?;
        Ok(Self { method, unfrozen, head })
    }
}
