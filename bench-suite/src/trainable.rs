//! What the optimizer sees: a method and a head, never the frozen backbone.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result};
use backbones::{Backbone, Injection, Precision, Tokens, Untouched};
use burn::{
    module::{Module, ModuleMapper, Param},
    nn::Linear,
    optim::GradientsParams,
    tensor::{Device, GradientCheckpointingStrategy, Tensor, TensorData},
};
use methods::{ConfigError, Method, MethodConfig, Progress, init, method::matrices};
use rand::rngs::StdRng;
use report::ResultsDir;

use crate::{
    arm::{Arm, Baseline},
    model::Model,
    parameters::{fill, named},
    tensors,
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
            .then(|| model.backbone.clone().with_precision(Precision::F32).unfreeze().train());
        let head = init::linear(rng, model.spec.d_model, n_classes, device);
        Ok(Self { method, unfrozen, head })
    }

    /// The same, whose graph computes cheap activations again instead of keeping them.
    pub fn checkpointed(self) -> Self {
        self.map(&mut Checkpointed)
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
                (format!("{METHOD}{name}"), tensor.into_data())
            };
            stored.extend(method.stored().into_iter().map(named));
        }
        if let Some(backbone) = &self.unfrozen {
            stored.extend(named(backbone, "backbone"));
        }
        stored.extend(named(&self.head, "head"));
        stored
    }

    /// Writes what [`stored`](Self::stored) gives as a safetensors file; gives its bytes. What
    /// training needs beside it to go on is written into a file of its own.
    ///
    /// # Errors
    /// The file and what the system says.
    pub fn save(&self, path: &Path) -> Result<u64> {
        if let Some(method) = &self.method {
            let state = method.state();
            let stored = method.stored().into_iter().map(|(name, t)| (name, t.into_data()));
            if !stored.eq(state.iter().cloned()) {
                let named = |(name, data)| (format!("{METHOD}{name}"), data);
                let state: Vec<_> = state.into_iter().map(named).collect();
                tensors::write(&ResultsDir::state_path(path), &state)?;
            }
        }
        tensors::write(path, &self.stored())
    }

    /// Reads what [`save`](Self::save) wrote, for inference.
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
        let saved = tensors::read(path)?;
        let restore = |config: &MethodConfig, saved: &_| {
            config.restore(&model.spec, &matrices(saved, device), device)
        };
        Self::build(arm, model, n_classes, &saved, device, restore)
            .with_context(|| path.display().to_string())
    }

    /// Reads what [`save`](Self::save) wrote, for more training on the autodiff side of `device`.
    ///
    /// # Errors
    /// The file and the tensor that is missing or does not fit.
    pub fn resume(
        arm: &Arm,
        model: &Model,
        n_classes: usize,
        path: &Path,
        device: &Device,
    ) -> Result<Self> {
        let mut saved = tensors::read(path)?;
        let state = ResultsDir::state_path(path);
        if state.is_file() {
            saved.extend(tensors::read(&state)?);
        }
        let resume = |config: &MethodConfig, saved: &_| config.resume(&model.spec, saved, device);
        let Self { method, unfrozen, head } =
            Self::build(arm, model, n_classes, &saved, device, resume)
                .with_context(|| path.display().to_string())?;
        let unfrozen = unfrozen.map(|backbone| backbone.unfreeze().train());
        Ok(Self { method, unfrozen, head: head.train() })
    }

    fn build(
        arm: &Arm,
        model: &Model,
        n_classes: usize,
        saved: &BTreeMap<String, TensorData>,
        device: &Device,
        method: impl FnOnce(&MethodConfig, &BTreeMap<String, TensorData>) -> Result<Method, ConfigError>,
    ) -> Result<Self> {
        let of_method = |(name, data): (&String, &TensorData)| {
            Some((name.strip_prefix(METHOD)?.to_owned(), data.clone()))
        };
        let method = match arm {
            Arm::Baseline(_) => None,
            Arm::Peft(config) => {
                Some(method(config, &saved.iter().filter_map(of_method).collect())?)
            }
        };
        let unfrozen = match arm {
            Arm::Baseline(Baseline::Full) => {
                let backbone = model.backbone.clone().with_precision(Precision::F32);
                Some(fill(backbone, "backbone", saved)?)
            }
            _ => None,
        };
        let blank = Linear {
            weight: init::zeros([model.spec.d_model, n_classes], device),
            bias: Some(Param::from_tensor(Tensor::zeros([n_classes], device))),
        };
        Ok(Self { method, unfrozen, head: fill(blank, "head", saved)? })
    }
}

/// What stands before the name of a method's tensor in a file.
const METHOD: &str = "method.";

/// Makes every graph over the trained tensors one that Burn's balanced strategy keeps small.
struct Checkpointed;

impl ModuleMapper for Checkpointed {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let strategy = GradientCheckpointingStrategy::Balanced;
        param.map(|x| match x.is_autodiff() {
            true => x.with_gradient_checkpointing_strategy(strategy),
            false => x,
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::optim::AdamWConfig;
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn what_is_checkpointed_stays_so_through_a_step_and_not_in_evaluation() {
        let device = Device::flex().autodiff();
        let head = init::linear(&mut StdRng::seed_from_u64(0), 3, 2, &device);
        let part = Trainable { method: None, unfrozen: None, head };
        let strategy = |part: &Trainable| part.head.weight.val().gradient_checkpointing_strategy();
        assert_eq!(strategy(&part), Some(GradientCheckpointingStrategy::Disabled));

        let part = part.checkpointed();
        let loss = part.head.forward(Tensor::<2>::ones([1, 3], &device.inner())).sum();
        let grads = GradientsParams::from_grads(loss.backward(), &part);
        let part = AdamWConfig::new().init().step(0.1, part, grads);
        assert_eq!(strategy(&part), Some(GradientCheckpointingStrategy::Balanced));
        assert_eq!(strategy(&part.valid().checkpointed()), None);
    }
}
