//! Every method of the zoo on the tiny BERT, ready to be held to a law.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use backbones::{Backbone, BackboneSpec, Injection, Tokens, tiny::tiny_bert};
use burn::{
    module::Module,
    tensor::{Device, Tensor, TensorData},
};
use methods::{CARDS, Method, MethodConfig, init};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::Value;

use crate::{configurations::Configurations, numbers::numbers};

/// One method with one configuration, and the backbone that it acts on.
pub struct Subject {
    pub config: MethodConfig,
    pub backbone: Backbone,
    pub spec: BackboneSpec,
    pub device: Device,
}

impl Subject {
    /// Every method of the zoo: with its default settings, then with others that together have
    /// every value of every field.
    pub fn all(device: &Device) -> Vec<Self> {
        static CONFIGS: LazyLock<Vec<MethodConfig>> = LazyLock::new(|| {
            let spec = spec(&Device::flex());
            CARDS.iter().flat_map(|card| Configurations::of(card, &spec).covering()).collect()
        });
        CONFIGS.iter().map(|config| Self::new(config.clone(), device)).collect()
    }

    /// A method on the tiny BERT.
    pub fn new(config: MethodConfig, device: &Device) -> Self {
        let backbone = tiny_bert(7, device);
        Self { config, backbone, spec: spec(device), device: device.clone() }
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

    /// Whether training drops anything.
    ///
    /// It draws from the device's generator, which the tests of a process share: what it drops can
    /// be said in no test that runs beside others.
    pub fn drops_out(&self) -> bool {
        let settings = serde_json::to_value(&self.config).unwrap();
        settings["dropout"].as_f64().is_some_and(|share| share > 0.0)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = serde_json::to_string(&self.config).map_err(|_| fmt::Error)?;
        write!(f, "{} {settings}", self.config.card().name)
    }
}

/// The shape of the tiny BERT. Its tokenizer takes numbers for words.
pub fn spec(device: &Device) -> BackboneSpec {
    let words = |text: &str| text.split(' ').filter_map(|word| word.parse().ok()).collect();
    BackboneSpec { tokenize: Some(Arc::new(words)), ..tiny_bert(7, device).spec() }
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
