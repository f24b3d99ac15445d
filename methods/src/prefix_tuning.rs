//! Prefix-Tuning: trainable keys and values before each layer's own.
//!
//! Li and Liang, 2021, *Prefix-Tuning: Optimizing Continuous Prompts for Generation*,
//! <https://arxiv.org/abs/2101.00190>. P-Tuning v2 (Liu et al., 2022,
//! <https://arxiv.org/abs/2110.07602>) is the same method for language understanding.
//!
//! ```text
//! Attn(Q, [P_K; K], [P_V; V])     at every layer
//! direct:     [P_K, P_V] of all layers = table
//! projected:  table = W₂ tanh(W₁ E + b₁) + b₂
//! ```
//!
//! | symbol | field | shape |
//! | --- | --- | --- |
//! | table | `table` | `[tokens, n_layers · 2 · kv]`, per layer keys then values |
//! | E | `embedding` | `[tokens, kv]` |
//! | W₁, W₂ | `widen`, `spread` | `[kv, hidden]`, `[hidden, n_layers · 2 · kv]` |
//!
//! kv = n_kv_heads · d_head. A prefix changes the output from the start, even a prefix of
//! zeros: a key of zeros still takes its share of attention. After training the projection is
//! folded into the table, and only the table is stored. The projection is kept beside it, so that
//! training can go on.
//!
//! # Where we differ
//! - From Hugging Face PEFT: the table starts from N(0, 0.02²), not from N(0, 1). Positions of the
//!   true tokens are not moved; there a BERT takes the prefix for a cache of tokens that came
//!   before, so that the input begins at position T. `shift_positions` does the same.

mod hugging_face;

use std::collections::BTreeMap;

use backbones::{BackboneSpec, Injection, KeyValue};
use burn::{
    module::{Module, Param},
    nn::Linear,
    tensor::{Device, Tensor, TensorData},
};
use rand::{SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

use crate::{
    hugging_face::Format,
    init,
    method::{
        Budget, Card, ConfigError, PeftMethod, Plan, PlannedTensor, resume_stored, stored_data,
        take_stored,
    },
    parameters::{fill, named},
    prompt_length::{check_hidden, check_tokens},
};

/// Settings of [`PrefixTuning`].
///
/// | field | symbol | default | range | meaning |
/// | --- | --- | --- | --- | --- |
/// | `tokens` | T | 20 | 1 to 4,096 | length of the prefix |
/// | `projection` | | false | | make the table by an MLP |
/// | `hidden` | h | the model's width | 1 to 16,384 | hidden width of the MLP |
/// | `init_std` | | 0.02 | 0 to 100 | standard deviation of a direct table's start |
/// | `shift_positions` | | false | | begin the input at position T, as Hugging Face PEFT does |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrefixTuningConfig {
    /// T
    pub tokens: usize,
    /// Make the table by an MLP.
    pub projection: bool,
    /// Hidden width of the MLP; the model's width if `None`.
    pub hidden: Option<usize>,
    /// Standard deviation of a direct table's start.
    pub init_std: f64,
    /// Begin the input at position T.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shift_positions: bool,
}

impl Default for PrefixTuningConfig {
    fn default() -> Self {
        Self { tokens: 20, projection: false, hidden: None, init_std: 0.02, shift_positions: false }
    }
}

impl PrefixTuningConfig {
    /// A prefix that takes no positions is bounded by memory alone.
    const MOST_TOKENS: usize = 4096;

    fn check(&self, spec: &BackboneSpec) -> Result<(), ConfigError> {
        if self.shift_positions {
            check_tokens(self.tokens, spec)?;
        }
        if self.tokens == 0 || self.tokens > Self::MOST_TOKENS {
            let expected = format!("1 to {}", Self::MOST_TOKENS);
            return Err(ConfigError::out_of_range("tokens", self.tokens, expected));
        }
        if !(0.0..=100.0).contains(&self.init_std) {
            return Err(ConfigError::out_of_range("init_std", self.init_std, "0 to 100"));
        }
        check_hidden(self.hidden)
    }

    fn hidden(&self, spec: &BackboneSpec) -> usize {
        self.hidden.unwrap_or(spec.d_model)
    }

    fn table_shape(&self, spec: &BackboneSpec) -> [usize; 2] {
        [self.tokens, spec.n_layers * 2 * spec.d_key_value()]
    }
}

/// The MLP that makes the table in training.
#[derive(Module, Debug)]
struct Projection {
    embedding: Param<Tensor<2>>,
    widen: Linear,
    spread: Linear,
}

/// Keys and values before each layer's own.
#[derive(Module, Debug)]
pub struct PrefixTuning {
    table: Option<Param<Tensor<2>>>,
    projection: Option<Projection>,
    n_layers: usize,
    n_kv_heads: usize,
    first_position: usize,
}

impl PrefixTuning {
    fn new(
        config: &PrefixTuningConfig,
        spec: &BackboneSpec,
        table: Option<Param<Tensor<2>>>,
        projection: Option<Projection>,
    ) -> Self {
        Self {
            table,
            projection,
            n_layers: spec.n_layers,
            n_kv_heads: spec.n_kv_heads,
            first_position: if config.shift_positions { config.tokens } else { 0 },
        }
    }

    /// The table of all layers, `[tokens, n_layers · 2 · kv]`.
    fn table(&self) -> Option<Tensor<2>> {
        let made = self.projection.as_ref().map(|Projection { embedding, widen, spread }| {
            spread.forward(widen.forward(embedding.val()).tanh())
        });
        made.or_else(|| self.table.as_ref().map(Param::val))
    }
}

impl Injection for PrefixTuning {
    fn prefixes(&self) -> Vec<KeyValue> {
        let Some(table) = self.table() else {
            return vec![];
        };
        let [tokens, width] = table.dims();
        let d_head = width / (2 * self.n_layers * self.n_kv_heads);
        // [tokens, 2 · layers, heads, d_head] → [2 · layers, heads, tokens, d_head]
        let halves = table
            .reshape([tokens, 2 * self.n_layers, self.n_kv_heads, d_head])
            .permute([1, 2, 0, 3])
            .chunk(2 * self.n_layers, 0);
        let shape = [self.n_kv_heads, tokens, d_head];
        halves
            .chunks_exact(2)
            .map(|pair| KeyValue {
                key: pair[0].clone().reshape(shape),
                value: pair[1].clone().reshape(shape),
            })
            .collect()
    }

    fn first_position(&self) -> usize {
        self.first_position
    }
}

impl PeftMethod for PrefixTuning {
    type Config = PrefixTuningConfig;

    const CARD: Card = Card {
        name: "prefix_tuning",
        title: "Prefix-Tuning",
        paper: "Li and Liang, 2021, https://arxiv.org/abs/2101.00190",
        equation: "Attn(Q, [P_K; K], [P_V; V]) at every layer",
        file: "methods/src/prefix_tuning.rs",
        identity_at_start: false,
        foldable: false,
        learning_rate: 3e-2,
    };

    const HUGGING_FACE: Option<Format<Self::Config>> = Some(hugging_face::FORMAT);

    fn init(
        config: &PrefixTuningConfig,
        spec: &BackboneSpec,
        rng: &mut StdRng,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        config.check(spec)?;
        let [tokens, width] = config.table_shape(spec);
        let (d, hidden) = (spec.d_key_value(), config.hidden(spec));
        let (table, projection) = match config.projection {
            false => (Some(init::normal(rng, config.init_std, [tokens, width], device)), None),
            true => {
                let embedding = init::normal(rng, 1.0, [tokens, d], device);
                let widen = init::linear(rng, d, hidden, device);
                let spread = init::linear(rng, hidden, width, device);
                (None, Some(Projection { embedding, widen, spread }))
            }
        };
        Ok(Self::new(config, spec, table, projection))
    }

    fn plan(config: &PrefixTuningConfig, spec: &BackboneSpec) -> Result<Plan, ConfigError> {
        config.check(spec)?;
        let [tokens, width] = config.table_shape(spec);
        let (d, hidden) = (spec.d_key_value(), config.hidden(spec));
        let place = "every layer";
        if !config.projection {
            return Ok(Plan::all_kept(vec![PlannedTensor::new(place, "P", &[tokens, width])]));
        }
        let tensors = vec![
            PlannedTensor::new(place, "E", &[tokens, d]),
            PlannedTensor::new(place, "W₁", &[d, hidden]),
            PlannedTensor::new(place, "b₁", &[hidden]),
            PlannedTensor::new(place, "W₂", &[hidden, width]),
            PlannedTensor::new(place, "b₂", &[width]),
        ];
        Ok(Plan { tensors, stored: tokens * width, active: tokens * width })
    }

    fn budget(config: &PrefixTuningConfig) -> Budget {
        Budget { name: "tokens", value: config.tokens }
    }

    /// The rate that suits a table is far too high for the maps that make one.
    fn learning_rate(config: &PrefixTuningConfig) -> f64 {
        if config.projection { 2e-3 } else { Self::CARD.learning_rate }
    }

    fn variant(config: &PrefixTuningConfig) -> String {
        let words = [(config.projection, "projected"), (config.shift_positions, "shifted")];
        let words: Vec<&str> = words.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
        words.join(" ")
    }

    fn stored(&self) -> Vec<(String, Tensor<2>)> {
        self.table().map(|table| ("table".to_owned(), table)).into_iter().collect()
    }

    fn restore(
        config: &PrefixTuningConfig,
        spec: &BackboneSpec,
        stored: &BTreeMap<String, Tensor<2>>,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        let table = take_stored(stored, "table", config.table_shape(spec))?;
        Ok(Self::new(config, spec, Some(Param::from_tensor(table.to_device(device))), None))
    }

    /// The projection itself, of which only the table is stored.
    fn state(&self) -> Vec<(String, TensorData)> {
        match &self.projection {
            Some(projection) => named(projection, "projection"),
            None => stored_data(self),
        }
    }

    fn resume(
        config: &PrefixTuningConfig,
        spec: &BackboneSpec,
        state: &BTreeMap<String, TensorData>,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        if !config.projection {
            return resume_stored(config, spec, state, device);
        }
        let fresh = Self::init(config, spec, &mut StdRng::seed_from_u64(0), device)?;
        let projection = fresh.projection.map(|projection| fill(projection, "projection", state));
        Ok(Self { projection: projection.transpose()?, ..fresh }.train())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use backbones::tiny::tiny_bert;

    fn method(config: &PrefixTuningConfig) -> Result<PrefixTuning, ConfigError> {
        let spec = tiny_bert(0, &Device::flex()).spec();
        PrefixTuning::init(config, &spec, &mut StdRng::seed_from_u64(0), &Device::flex())
    }

    #[test]
    fn the_table_holds_keys_then_values_layer_by_layer_and_head_by_head() {
        // 2 layers, 2 heads of width 8: column c of row t is 100·t + c.
        let mut prefix = method(&PrefixTuningConfig { tokens: 2, ..Default::default() }).unwrap();
        let numbers = (0..2).flat_map(|t| (0..64).map(move |c| (100 * t + c) as f32)).collect();
        prefix.table = Some(super::init::matrix(numbers, [2, 64], &Device::flex()));
        let prefixes = prefix.prefixes();
        let first = |tensor: &Tensor<3>, head, token| {
            let at = [head..head + 1, token..token + 1, 0..1];
            tensor.clone().slice(at).into_scalar::<f32>()
        };
        assert_eq!(prefixes.len(), 2);
        assert_eq!(first(&prefixes[0].key, 0, 0), 0.0);
        assert_eq!(first(&prefixes[0].key, 1, 1), 108.0);
        assert_eq!(first(&prefixes[0].value, 0, 1), 116.0);
        assert_eq!(first(&prefixes[1].key, 0, 0), 32.0);
        assert_eq!(first(&prefixes[1].value, 1, 0), 56.0);
    }

    #[test]
    fn counts_follow_the_published_formulas() {
        // T·2·L·kv direct; T·kv + (kv·h + h) + (h·2Lkv + 2Lkv) projected; kv = 16, L = 2, h = 5.
        assert_eq!(method(&PrefixTuningConfig::default()).unwrap().num_params(), 20 * 64);
        let hidden = Some(5);
        let projected = PrefixTuningConfig { projection: true, hidden, ..Default::default() };
        let expected = 20 * 16 + (16 * 5 + 5) + (5 * 64 + 64);
        assert_eq!(method(&projected).unwrap().num_params(), expected);
    }

    #[test]
    fn bad_settings_are_named() {
        let error = |config: PrefixTuningConfig| method(&config).unwrap_err().to_string();
        let base = PrefixTuningConfig::default;
        assert!(error(PrefixTuningConfig { tokens: 0, ..base() }).contains("'tokens' is 0"));
        assert!(error(PrefixTuningConfig { hidden: Some(0), ..base() }).contains("'hidden' is 0"));
        let infinite = PrefixTuningConfig { init_std: f64::INFINITY, ..base() };
        assert!(error(infinite).contains("'init_std' is inf"));
    }
}
