//! Every method of the zoo on the tiny BERT, ready to be held to a law.

use std::{fmt, sync::Arc};

use backbones::{Backbone, BackboneSpec, Injection, Tokens, tiny::tiny_bert};
use burn::{
    module::Module,
    tensor::{Device, Tensor, TensorData},
};
use methods::{CARDS, Method, MethodConfig, init};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::numbers::numbers;

/// One method with one configuration, and the backbone that it acts on.
pub struct Subject {
    pub config: MethodConfig,
    pub backbone: Backbone,
    pub spec: BackboneSpec,
    pub device: Device,
}

impl Subject {
    /// Every method of the zoo: with its default settings, then with those of [`more_settings`].
    pub fn all(device: &Device) -> Vec<Self> {
        let configs = CARDS.iter().flat_map(|card| {
            let more = more_settings(card.name).into_iter().map(|json| read(card.name, json));
            MethodConfig::named(card.name).into_iter().chain(more)
        });
        configs.map(|config| Self::new(config, device)).collect()
    }

    /// A method on the tiny BERT, whose tokenizer takes numbers for words.
    pub fn new(config: MethodConfig, device: &Device) -> Self {
        let backbone = tiny_bert(7, device);
        let mut spec = backbone.spec();
        spec.tokenize =
            Some(Arc::new(|text| text.split(' ').filter_map(|word| word.parse().ok()).collect()));
        Self { config, backbone, spec, device: device.clone() }
    }

    /// The untrained method, on the autodiff side of the device.
    pub fn fresh(&self) -> Method {
        let device = self.device.clone().autodiff();
        let method = self.config.init(&self.spec, &mut StdRng::seed_from_u64(1), &device);
        method.unwrap_or_else(|error| panic!("{self}: {error}"))
    }

    /// The method with every number drawn anew, so that none is special, ready for inference.
    pub fn random(&self) -> Method {
        init::redraw(self.fresh().valid(), &mut StdRng::seed_from_u64(2), 0.4)
    }

    /// Hidden states of a batch.
    pub fn hidden(&self, injection: &dyn Injection, batch: &Tokens) -> Vec<f32> {
        numbers(self.backbone.encode(batch, injection))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = serde_json::to_string(&self.config).map_err(|_| fmt::Error)?;
        write!(f, "{} {settings}", self.config.card().name)
    }
}

/// Settings beside the default that are worth the laws. A method without any is held to them
/// with its default.
fn more_settings(name: &str) -> Vec<Value> {
    match name {
        "lora" => vec![
            json!({
                "rank": 4, "alpha": 10, "dropout": 0.3,
                "roles": ["query", "key", "value", "output", "up", "down"],
                "rank_pattern": {"0.query": 2, "down": 3}, "alpha_pattern": {"value": 5},
            }),
            json!({"init": "gaussian", "rs_lora": true, "rank": 3, "layers": [1]}),
        ],
        "adalora" => vec![
            json!({"initial_rank": 5, "target_rank": 2, "interval": 1, "roles": ["key", "output"]}),
            json!({"alpha": 3, "orthogonality": 0, "layers": [0]}),
            // Reaches its size before the last pruning, with a step between.
            json!({"interval": 3, "warmup_share": 0, "final_share": 0.1, "roles": ["value"]}),
        ],
        "prompt_tuning" => vec![
            json!({"tokens": 3, "init": "text", "text": "7 9"}),
            json!({"tokens": 1, "init": "scaled_normal"}),
            json!({"init": "normal"}),
        ],
        "p_tuning" => vec![
            json!({"tokens": 3, "hidden": 5}),
            json!({"tokens": 4, "encoder": "lstm", "hidden": 6, "lstm_layers": 1}),
            json!({"encoder": "lstm"}),
        ],
        "prefix_tuning" => {
            vec![json!({"tokens": 2, "init_std": 0}), json!({"projection": true, "hidden": 5})]
        }
        _ => vec![],
    }
}

/// The settings of a method from JSON that is known to be right.
pub fn read(name: &str, settings: Value) -> MethodConfig {
    let read = MethodConfig::read(name, settings.clone());
    let read = read.unwrap_or_else(|| panic!("there is no method '{name}'"));
    read.unwrap_or_else(|error| panic!("{name} {settings}: {error}"))
}

/// Three rows of 6, 1 and 4 true tokens, some of the second kind.
pub const ROWS: [&[i32]; 3] = [&[2, 14, 33, 8, 59, 3], &[41], &[2, 27, 27, 3]];

/// Rows padded to a width. The padding holds `filler`, which must not matter.
pub fn batch(rows: &[&[i32]], width: usize, filler: i32, device: &Device) -> Tokens {
    let n = rows.len();
    let cell = |i: usize| rows[i / width].get(i % width);
    let ids: Vec<i32> = (0..n * width).map(|i| *cell(i).unwrap_or(&filler)).collect();
    let kinds: Vec<i32> = (0..n * width).map(|i| i32::from(i % width >= 3)).collect();
    let mask: Vec<f32> = (0..n * width).map(|i| f32::from(cell(i).is_some())).collect();
    Tokens {
        ids: Tensor::from_data(TensorData::new(ids, [n, width]), device),
        type_ids: Tensor::from_data(TensorData::new(kinds, [n, width]), device),
        mask: Tensor::from_data(TensorData::new(mask, [n, width]), device),
    }
}

/// The numbers of the true tokens alone, from `[rows, width, d]`.
pub fn at_true_tokens(hidden: &[f32], rows: &[&[i32]], width: usize) -> Vec<f32> {
    let d = hidden.len() / (rows.len() * width);
    let kept = |(row, tokens): (&[f32], &&[i32])| row[..tokens.len() * d].to_vec();
    hidden.chunks(width * d).zip(rows).flat_map(kept).collect()
}
