//! AdaLoRA: low-rank branches that compete for a shrinking budget of ranks.
//!
//! Zhang et al., 2023, *Adaptive Budget Allocation for Parameter-Efficient Fine-Tuning*,
//! <https://arxiv.org/abs/2303.10512>.
//!
//! ```text
//! h = x W + (α / r₀) · x Q diag(λ) P
//! loss += γ · mean over all Q, P of ‖QᵀQ − I‖_F, ‖P Pᵀ − I‖_F
//! importance of a number w:   I = |w · ∂w|,  Ī = β₁ Ī + (1−β₁) I,  U = β₂ U + (1−β₂) |I − Ī|,  s = Ī · U
//! importance of triplet i:    S_i = s(λ_i) + mean_j s(Q_ji) + mean_j s(P_ij)
//! budget at step t:           b(t) = b_T + (b₀ − b_T) · (1 − (t − t_i) / (T − t_f − t_i))³
//! ```
//!
//! | symbol | field | shape |
//! | --- | --- | --- |
//! | Q | `q` | `[d_in, initial_rank]` |
//! | λ | `lambda` | `[1, initial_rank]` |
//! | P | `p` | `[initial_rank, d_out]` |
//!
//! Every `interval` steps the triplets with the smallest S over *all* sites lose their λ until
//! b(t) are left. The trait's hooks do it: [`PeftMethod::observe`] keeps the gradients,
//! [`PeftMethod::after_step`] scores and prunes. λ starts at zero, so the untrained method
//! changes nothing.
//!
//! # Where we differ
//! - From the paper: importance is taken after the optimizer's step, and the last pruning goes by
//!   the steps before it, as its published code does.
//! - From Hugging Face PEFT: t_i and t_f are shares of the planned steps, so one configuration
//!   fits any length; nobody has to call an allocator; a target equal to r₀ is allowed. ΔW is
//!   divided by r₀, not by r₀ + 10⁻⁵: no more than 10⁻⁵ of it. Of triplets that tie at the
//!   threshold the first by site survive, so that exactly b(t) do, where it prunes them all; in a
//!   training no two are equal to the last bit.

mod config;
mod hugging_face;
mod importance;
mod pruning;
mod storage;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use backbones::{BackboneSpec, Delta, Injection, Site};
use burn::{
    module::{Module, Param},
    optim::GradientsParams,
    tensor::{Device, Tensor, TensorData},
};
use kernels::low_rank;
use rand::rngs::StdRng;

use crate::{
    hugging_face::Format,
    init,
    method::{Budget, Card, ConfigError, PeftMethod, Plan, PlannedTensor, Progress},
    sites::{Target, on_roles},
};

use self::importance::Importance;

pub use self::config::AdaLoraConfig;

/// The three factors at one site.
#[derive(Module, Debug)]
struct Triplets {
    q: Param<Tensor<2>>,
    lambda: Param<Tensor<2>>,
    p: Param<Tensor<2>>,
    #[module(skip)]
    site: Site,
}

/// Low-rank branches in singular-value form, sharing one budget of ranks.
#[derive(Module, Debug)]
pub struct AdaLora {
    triplets: Vec<Triplets>,
    scale: f64,
    #[module(skip)]
    config: AdaLoraConfig,
    /// Which triplets of each site are alive.
    #[module(skip)]
    alive: Vec<Vec<bool>>,
    /// Step and triplets alive after each pruning.
    #[module(skip)]
    prunings: Vec<[usize; 2]>,
    /// Whether the last pruning is done. From then on the dead stay dead.
    is_final: bool,
    #[module(skip)]
    importance: Importance,
}

impl AdaLora {
    fn new(config: &AdaLoraConfig, triplets: Vec<Triplets>) -> Self {
        let alive = triplets.iter().map(|t| vec![true; t.lambda.dims()[1]]).collect();
        Self {
            importance: Importance::new(config.beta_sensitivity, config.beta_uncertainty),
            scale: config.alpha / config.initial_rank as f64,
            config: config.clone(),
            triplets,
            alive,
            prunings: vec![],
            is_final: false,
        }
    }

    /// S of every triplet, by site: `[sites][initial_rank]`. Empty before the first step.
    pub fn importance(&self) -> Vec<Vec<f32>> {
        self.importance.triplet_scores()
    }

    fn triplets(&self, site: Site) -> Option<&Triplets> {
        self.triplets.iter().find(|triplets| triplets.site == site)
    }
}

impl Injection for AdaLora {
    fn linear_delta(&self, site: Site) -> Option<Delta<'_>> {
        let Triplets { q, lambda, p, .. } = self.triplets(site)?;
        if lambda.dims()[1] == 0 {
            return None;
        }
        Some(Box::new(|x| low_rank(x.clone(), q.val() * lambda.val(), p.val(), self.scale)))
    }
}

impl PeftMethod for AdaLora {
    type Config = AdaLoraConfig;

    const CARD: Card = Card {
        name: "adalora",
        title: "AdaLoRA",
        paper: "Zhang et al., 2023, https://arxiv.org/abs/2303.10512",
        equation: "h = x W + (α/r₀) · x Q diag(λ) P,  loss += γ·mean(‖QᵀQ − I‖, ‖P Pᵀ − I‖)",
        file: "methods/src/adalora.rs",
        identity_at_start: true,
        foldable: true,
        learning_rate: 1e-2,
    };

    const HUGGING_FACE: Option<Format<Self::Config>> = Some(hugging_face::FORMAT);

    fn init(
        config: &AdaLoraConfig,
        spec: &BackboneSpec,
        rng: &mut StdRng,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        const STD: f64 = 0.02;
        let rank = config.initial_rank;
        let triplets = |Target { site, d_in, d_out }| Triplets {
            q: init::normal(rng, STD, [d_in, rank], device),
            lambda: init::zeros([1, rank], device),
            p: init::normal(rng, STD, [rank, d_out], device),
            site,
        };
        Ok(Self::new(config, config.targets(spec)?.into_iter().map(triplets).collect()))
    }

    fn plan(config: &AdaLoraConfig, spec: &BackboneSpec) -> Result<Plan, ConfigError> {
        let targets = config.targets(spec)?;
        let rank = config.initial_rank;
        let tensors = |&Target { site, d_in, d_out }: &Target| {
            [
                PlannedTensor::new(site, "Q", &[d_in, rank]),
                PlannedTensor::new(site, "λ", &[1, rank]),
                PlannedTensor::new(site, "P", &[rank, d_out]),
            ]
        };
        // Sites of unequal widths make the kept size depend on which triplets survive; the mean
        // rank at each site is the expectation.
        let kept = targets.iter().map(|t| config.target_rank * (t.d_in + t.d_out + 1)).sum();
        Ok(Plan { tensors: targets.iter().flat_map(tensors).collect(), stored: kept, active: kept })
    }

    fn budget(config: &AdaLoraConfig) -> Budget {
        Budget { name: "target_rank", value: config.target_rank }
    }

    fn variant(config: &AdaLoraConfig) -> String {
        on_roles(&config.roles).unwrap_or_default()
    }

    fn penalty(&self) -> Option<Tensor<1>> {
        if self.config.orthogonality == 0.0 {
            return None;
        }
        let distance = |gram: Tensor<2>| {
            let eye = Tensor::eye(gram.dims()[0], &gram.device());
            // The root's slope at exactly zero would be infinite.
            ((gram - eye).square().sum() + 1e-12).sqrt()
        };
        let sum = self
            .triplets
            .iter()
            .flat_map(|Triplets { q, p, .. }| {
                let (q, p) = (q.val(), p.val());
                [
                    distance(q.clone().transpose().matmul(q)),
                    distance(p.clone().matmul(p.transpose())),
                ]
            })
            .reduce(|sum, term| sum + term)?;
        Some(sum * (self.config.orthogonality / (2 * self.triplets.len()) as f64))
    }

    fn observe(mut self, grads: &GradientsParams) -> Self {
        self.importance.keep_gradients(&self.triplets, grads);
        self
    }

    fn after_step(mut self, Progress { step, total }: Progress) -> Self {
        let schedule = self.config.schedule(total, self.triplets.len());
        // The last pruning goes by the steps before it, unless there are none.
        if step < schedule.last || self.importance.is_empty() {
            self.importance.update(&self.triplets);
        }
        // What goes on from a final size keeps it.
        let pruned = schedule.budget(step).filter(|_| !self.is_final);
        if let Some(budget) = pruned {
            self.allocate(budget);
            self.prunings.push([step, budget]);
        }
        self.is_final |= step >= schedule.last;
        // Between prunings the dead may grow back. After the last they must not: what is stored
        // is what is alive.
        if pruned.is_some() || self.is_final {
            self.silence_the_dead();
        }
        self
    }

    fn is_settled(&self) -> bool {
        self.is_final
    }

    fn stored(&self) -> Vec<(String, Tensor<2>)> {
        self.survivors()
    }

    fn restore(
        config: &AdaLoraConfig,
        spec: &BackboneSpec,
        stored: &BTreeMap<String, Tensor<2>>,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        Self::from_survivors(config, spec, stored, device)
    }

    fn state(&self) -> Vec<(String, TensorData)> {
        self.whole()
    }

    fn resume(
        config: &AdaLoraConfig,
        spec: &BackboneSpec,
        state: &BTreeMap<String, TensorData>,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        Self::from_whole(config, spec, state, device)
    }

    fn weight_delta(&self, site: Site) -> Option<Tensor<2>> {
        let Triplets { q, lambda, p, .. } = self.triplets(site)?;
        Some((q.val() * (lambda.val() * self.scale)).matmul(p.val()))
    }

    fn details(&self) -> BTreeMap<String, serde_json::Value> {
        let rank = |alive: &Vec<bool>| alive.iter().filter(|&&alive| alive).count();
        let ranks: serde_json::Map<_, _> = self
            .triplets
            .iter()
            .zip(&self.alive)
            .map(|(triplets, alive)| (triplets.site.to_string(), rank(alive).into()))
            .collect();
        BTreeMap::from([
            ("surviving_rank".to_owned(), ranks.into()),
            ("prunings".to_owned(), serde_json::json!(self.prunings)),
        ])
    }
}
