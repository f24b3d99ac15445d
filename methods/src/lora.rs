//! LoRA: a low-rank matrix beside a frozen one.
//!
//! Hu et al., 2022, *LoRA: Low-Rank Adaptation of Large Language Models*,
//! <https://arxiv.org/abs/2106.09685>.
//!
//! ```text
//! h = x W + (α / r) · drop(x) A B        rsLoRA (Kalajdzievski, 2023): α / √r
//! ```
//!
//! | symbol | field | shape |
//! | --- | --- | --- |
//! | A | `a` | `[d_in, rank]` |
//! | B | `b` | `[rank, d_out]` |
//! | r | [`LoraConfig::rank`] | |
//! | α | [`LoraConfig::alpha`] | |
//!
//! A starts random and B starts at zero, so the untrained method changes nothing.
//!
//! # Where we differ
//! - From the paper: rows are vectors, so its `B A x` reads `x A B` here.
//! - From Hugging Face PEFT: α is 16 by default, not 8; a pattern that matches no site is an
//!   error; of several that match, the first in the order of the alphabet counts, not in that of
//!   the file.
//!
//! ```
//! use backbones::{Injection, Role, Site, tiny::tiny_bert};
//! use burn::tensor::{Device, Tensor};
//! use methods::{PeftMethod, lora::{Lora, LoraConfig}};
//! use rand::{SeedableRng, rngs::StdRng};
//!
//! let device = Device::flex();
//! let spec = tiny_bert(0, &device).spec();
//! let rng = &mut StdRng::seed_from_u64(0);
//! let lora = Lora::init(&LoraConfig::default(), &spec, rng, &device)?;
//! let x = Tensor::ones([1, 5, 16], &device);
//! let delta = lora.linear_delta(Site { layer: 1, role: Role::Query }).unwrap();
//! assert_eq!(delta(&x).abs().sum().into_scalar::<f32>(), 0.0);
//! # Ok::<(), methods::ConfigError>(())
//! ```

mod hugging_face;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use backbones::{BackboneSpec, Delta, Injection, Role, Site};
use burn::{
    module::{Module, Param},
    nn::{Dropout, DropoutConfig},
    tensor::{Device, Tensor},
};
use kernels::low_rank;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use crate::{
    graph::beside,
    hugging_face::Format,
    init,
    method::{Budget, Card, ConfigError, PeftMethod, Plan, PlannedTensor, take_stored},
    sites::{DEFAULT_ROLES, Target, check_alpha, check_rank, on_roles, per_site, select},
};

/// How A starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoraInit {
    /// U(-1/√d_in, 1/√d_in): Kaiming's uniform with a = √5.
    #[default]
    Kaiming,
    /// N(0, 1/rank²).
    Gaussian,
}

/// Settings of [`Lora`].
///
/// | field | symbol | default | range | meaning |
/// | --- | --- | --- | --- | --- |
/// | `rank` | r | 8 | 1 to the smaller width | width of the bottleneck |
/// | `alpha` | α | 16 | > 0 to 10⁶ | strength; the branch is scaled by α/r |
/// | `dropout` | | 0 | 0 to < 1 | on the branch's input, in training |
/// | `roles` | | query, value | the backbone's | linear maps to act on |
/// | `layers` | | all | the backbone's | layers to act on |
/// | `init` | | kaiming | | how A starts |
/// | `rs_lora` | | false | | scale by α/√r instead |
/// | `rank_pattern` | | none | | rank by site: `"query"`, `"0.value"`, `"[0-2].query"` |
/// | `alpha_pattern` | | none | | α by site |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoraConfig {
    /// r
    pub rank: usize,
    /// α
    pub alpha: f64,
    /// Share of the branch's inputs dropped in training.
    pub dropout: f64,
    /// Linear maps to act on.
    pub roles: Vec<Role>,
    /// Layers to act on; all if `None`.
    pub layers: Option<Vec<usize>>,
    /// How A starts.
    pub init: LoraInit,
    /// Scale by α/√r instead of α/r.
    pub rs_lora: bool,
    /// Rank by site.
    pub rank_pattern: BTreeMap<String, usize>,
    /// α by site.
    pub alpha_pattern: BTreeMap<String, f64>,
}

impl Default for LoraConfig {
    fn default() -> Self {
        Self {
            rank: 8,
            alpha: 16.0,
            dropout: 0.0,
            roles: DEFAULT_ROLES.to_vec(),
            layers: None,
            init: LoraInit::default(),
            rs_lora: false,
            rank_pattern: BTreeMap::new(),
            alpha_pattern: BTreeMap::new(),
        }
    }
}

/// What one site gets: its widths, rank, α and scale.
struct Shape {
    target: Target,
    rank: usize,
    alpha: f64,
    scale: f64,
}

impl LoraConfig {
    fn shapes(&self, spec: &BackboneSpec) -> Result<Vec<Shape>, ConfigError> {
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(ConfigError::out_of_range("dropout", self.dropout, "0 to below 1"));
        }
        let targets = select(spec, &self.roles, self.layers.as_deref())?;
        let ranks = per_site("rank_pattern", &self.rank_pattern, self.rank, &targets)?;
        let alphas = per_site("alpha_pattern", &self.alpha_pattern, self.alpha, &targets)?;
        let shape = |((target, rank), alpha): ((Target, usize), f64)| {
            check_rank("rank", rank, &target)?;
            check_alpha(alpha)?;
            let divisor = if self.rs_lora { (rank as f64).sqrt() } else { rank as f64 };
            Ok(Shape { target, rank, alpha, scale: alpha / divisor })
        };
        targets.into_iter().zip(ranks).zip(alphas).map(shape).collect()
    }
}

/// The low-rank branch at one site.
#[derive(Module, Debug)]
struct Branch {
    a: Param<Tensor<2>>,
    b: Param<Tensor<2>>,
    scale: f64,
    dropout: Dropout,
    #[module(skip)]
    site: Site,
}

/// A low-rank branch beside each chosen linear map.
#[derive(Module, Debug)]
pub struct Lora {
    branches: Vec<Branch>,
}

impl Lora {
    fn build(
        config: &LoraConfig,
        spec: &BackboneSpec,
        mut factors: impl FnMut(&Shape) -> Result<[Param<Tensor<2>>; 2], ConfigError>,
    ) -> Result<Self, ConfigError> {
        let branch = |shape: Shape| {
            let [a, b] = factors(&shape)?;
            let dropout = DropoutConfig::new(config.dropout).init();
            Ok(Branch { a, b, scale: shape.scale, dropout, site: shape.target.site })
        };
        Ok(Self {
            branches: config.shapes(spec)?.into_iter().map(branch).collect::<Result<_, _>>()?,
        })
    }

    fn branch(&self, site: Site) -> Option<&Branch> {
        self.branches.iter().find(|branch| branch.site == site)
    }
}

impl Injection for Lora {
    fn linear_delta(&self, site: Site) -> Option<Delta<'_>> {
        let branch = self.branch(site)?;
        Some(Box::new(|x| {
            let a = branch.a.val();
            // Dropout acts where its input can have gradients. Below the first branch nothing else
            // of the input can, so it must be told.
            let x = beside(x.clone(), &a);
            low_rank(branch.dropout.forward(x), a, branch.b.val(), branch.scale)
        }))
    }
}

impl PeftMethod for Lora {
    type Config = LoraConfig;

    const CARD: Card = Card {
        name: "lora",
        title: "LoRA",
        paper: "Hu et al., 2022, https://arxiv.org/abs/2106.09685",
        equation: "h = x W + (α/r) · drop(x) A B",
        file: "methods/src/lora.rs",
        identity_at_start: true,
        foldable: true,
        learning_rate: 4e-3,
    };

    const HUGGING_FACE: Option<Format<Self::Config>> = Some(hugging_face::FORMAT);

    fn init(
        config: &LoraConfig,
        spec: &BackboneSpec,
        rng: &mut StdRng,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        Self::build(config, spec, |Shape { target, rank, .. }| {
            let a = match config.init {
                LoraInit::Kaiming => {
                    let bound = 1.0 / (target.d_in as f64).sqrt();
                    init::uniform(rng, bound, [target.d_in, *rank], device)
                }
                LoraInit::Gaussian => {
                    init::normal(rng, 1.0 / *rank as f64, [target.d_in, *rank], device)
                }
            };
            Ok([a, init::zeros([*rank, target.d_out], device)])
        })
    }

    fn plan(config: &LoraConfig, spec: &BackboneSpec) -> Result<Plan, ConfigError> {
        let pair = |Shape { target, rank, .. }: Shape| {
            [
                PlannedTensor::new(target.site, "A", &[target.d_in, rank]),
                PlannedTensor::new(target.site, "B", &[rank, target.d_out]),
            ]
        };
        Ok(Plan::all_kept(config.shapes(spec)?.into_iter().flat_map(pair).collect()))
    }

    fn budget(config: &LoraConfig) -> Budget {
        Budget { name: "rank", value: config.rank }
    }

    fn variant(config: &LoraConfig) -> String {
        let scaling = config.rs_lora.then(|| "rank-stabilised".to_owned());
        let words: Vec<String> = scaling.into_iter().chain(on_roles(&config.roles)).collect();
        words.join(" ")
    }

    fn stored(&self) -> Vec<(String, Tensor<2>)> {
        let pair = |branch: &Branch| {
            [
                (format!("{}.a", branch.site), branch.a.val()),
                (format!("{}.b", branch.site), branch.b.val()),
            ]
        };
        self.branches.iter().flat_map(pair).collect()
    }

    fn restore(
        config: &LoraConfig,
        spec: &BackboneSpec,
        stored: &BTreeMap<String, Tensor<2>>,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        Self::build(config, spec, |Shape { target: Target { site, d_in, d_out }, rank, .. }| {
            let take = |name: &str, shape| -> Result<_, ConfigError> {
                let tensor = take_stored(stored, &format!("{site}.{name}"), shape)?;
                Ok(Param::from_tensor(tensor.to_device(device)))
            };
            Ok([take("a", [*d_in, *rank])?, take("b", [*rank, *d_out])?])
        })
    }

    fn weight_delta(&self, site: Site) -> Option<Tensor<2>> {
        let branch = self.branch(site)?;
        Some(branch.a.val().matmul(branch.b.val()) * branch.scale)
    }
}
