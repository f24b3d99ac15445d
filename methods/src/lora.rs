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
//! let delta = lora.linear_delta(Site { layer: 1, role: Role::Query }, &x).unwrap();
//! assert_eq!(delta.abs().sum().into_scalar::<f32>(), 0.0);
//! # Ok::<(), methods::ConfigError>(())
//! ```

mod hugging_face;

use std::collections::BTreeMap;

use backbones::{BackboneSpec, Injection, Role, Site};
use burn::{
    module::{Module, Param},
    nn::{Dropout, DropoutConfig},
    tensor::{Device, Tensor},
};
use kernels::low_rank;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use crate::{
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
    fn linear_delta(&self, site: Site, x: &Tensor<3>) -> Option<Tensor<3>> {
        let branch = self.branch(site)?;
        let a = branch.a.val();
        // Dropout acts where its input can have gradients. Below the first branch nothing else
        // of the input can, so it must be told.
        let x = if a.is_autodiff() { x.clone().autodiff() } else { x.clone() };
        Some(low_rank(branch.dropout.forward(x), a, branch.b.val(), branch.scale))
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

#[cfg(test)]
mod tests {
    use super::*;
    use backbones::tiny::tiny_bert;
    use rand::SeedableRng;

    fn spec() -> BackboneSpec {
        tiny_bert(0, &Device::flex()).spec()
    }

    fn init(config: &LoraConfig) -> Result<Lora, ConfigError> {
        Lora::init(config, &spec(), &mut StdRng::seed_from_u64(0), &Device::flex())
    }

    #[test]
    fn the_delta_is_alpha_over_r_times_x_a_b() {
        let device = Device::flex();
        let mut lora = init(&LoraConfig { rank: 1, alpha: 3.0, ..Default::default() }).unwrap();
        // a = [1, 0, …]ᵀ and b = [2, 2, …]: the delta of x = [5, …] is 3/1 · 5 · 2 = 30 everywhere.
        let mut a = vec![0.0; 16];
        a[0] = 1.0;
        lora.branches[0].a = super::init::matrix(a, [16, 1], &device);
        lora.branches[0].b = super::init::matrix(vec![2.0; 16], [1, 16], &device);
        let site = Site { layer: 0, role: Role::Query };
        let x = Tensor::full([1, 1, 16], 5.0, &device);
        let delta = lora.linear_delta(site, &x).unwrap().into_data();
        assert_eq!(delta.try_to_vec::<f32>().unwrap(), vec![30.0; 16]);
        let weight = lora.weight_delta(site).unwrap().into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(weight[..16], [6.0; 16]);
        assert_eq!(weight[16..], [0.0; 240]);
    }

    #[test]
    fn rank_stabilised_scaling_divides_by_the_root_of_the_rank() {
        let config = LoraConfig { rank: 4, alpha: 8.0, rs_lora: true, ..Default::default() };
        assert_eq!(init(&config).unwrap().branches[0].scale, 4.0);
        let config = LoraConfig { rs_lora: false, ..config };
        assert_eq!(init(&config).unwrap().branches[0].scale, 2.0);
    }

    #[test]
    fn patterns_set_rank_and_alpha_by_site() {
        let config = LoraConfig {
            rank_pattern: BTreeMap::from([("0.query".to_owned(), 2)]),
            alpha_pattern: BTreeMap::from([("value".to_owned(), 1.0)]),
            ..Default::default()
        };
        let lora = init(&config).unwrap();
        let seen: Vec<_> =
            lora.branches.iter().map(|b| (b.site.to_string(), b.b.dims()[0], b.scale)).collect();
        let expected = [
            ("0.query", 2, 8.0),
            ("0.value", 8, 0.125),
            ("1.query", 8, 2.0),
            ("1.value", 8, 0.125),
        ];
        assert_eq!(seen, expected.map(|(site, rank, scale)| (site.to_owned(), rank, scale)));
    }

    #[test]
    fn the_gaussian_start_has_the_standard_deviation_one_over_the_rank() {
        let config = LoraConfig { rank: 16, init: LoraInit::Gaussian, ..Default::default() };
        let std = init(&config).unwrap().branches[0].a.val().var(0).mean().sqrt();
        let std = std.into_scalar::<f32>();
        assert!((std - 1.0 / 16.0).abs() < 0.01, "{std}");
    }

    #[test]
    fn bad_settings_are_named() {
        let error = |config: LoraConfig| init(&config).unwrap_err().to_string();
        let base = LoraConfig::default;
        assert!(
            error(LoraConfig { rank: 0, ..base() }).contains("'rank' is 0; it must be 1 to 16")
        );
        assert!(error(LoraConfig { rank: 17, ..base() }).contains("'rank' is 17"));
        assert!(error(LoraConfig { alpha: f64::NAN, ..base() }).contains("'alpha' is NaN"));
        assert!(error(LoraConfig { dropout: 1.0, ..base() }).contains("'dropout' is 1"));
        assert!(error(LoraConfig { roles: vec![Role::Gate], ..base() }).contains("'gate'"));
        assert!(error(LoraConfig { layers: Some(vec![2]), ..base() }).contains("'layers' is 2"));
        let rank_pattern = BTreeMap::from([("9.query".to_owned(), 2)]);
        assert!(error(LoraConfig { rank_pattern, ..base() }).contains("matches none"));
    }
}
