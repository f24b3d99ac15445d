//! P-Tuning: a prompt that a small network makes.
//!
//! Liu et al., 2021, *GPT Understands, Too*, <https://arxiv.org/abs/2103.10385>.
//!
//! ```text
//! P = MLP(E)              MLP  = Linear(d, h) · ReLU · Linear(h, h) · ReLU · Linear(h, d)
//! P = head(BiLSTM(E))     head = Linear(2h, 2h) · ReLU · Linear(2h, d)
//! input = [P; X]
//! ```
//!
//! | symbol | field | shape |
//! | --- | --- | --- |
//! | E | `embedding` | `[tokens, d_model]` |
//! | MLP, head | `maps` | as above |
//! | BiLSTM | `lstm` | `lstm_layers` layers of hidden width h, both directions |
//! | P | made once after training | `[tokens, d_model]` |
//!
//! The network is needed in training only: afterwards P is a constant, and only P is stored. The
//! network is kept beside it, so that training can go on.
//! Charts must show both counts, for the network is often larger than LoRA.
//!
//! # Where we differ
//! - From the paper: the encoder's widths are those of Hugging Face PEFT; `hidden` sets them.
//! - From Hugging Face PEFT: the true `[CLS]` or the true tokens are pooled, never a virtual token,
//!   unless `pooling = "hf_pooler"` asks for it.

mod hugging_face;

use std::collections::BTreeMap;

use backbones::{BackboneSpec, Injection};
use burn::{
    module::{Module, Param},
    nn::{BiLstm, BiLstmConfig, Linear},
    tensor::{Device, Tensor, TensorData, activation::relu},
};
use rand::{SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

use crate::{
    hugging_face::Format,
    init,
    method::{
        Budget, Card, ConfigError, PeftMethod, Plan, PlannedTensor, stored_data, take_stored,
    },
    parameters::{fill, named},
    prompt_length::{check_hidden, check_tokens},
};

/// The network that makes the prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoder {
    /// Three linear maps: each virtual token for itself.
    #[default]
    Mlp,
    /// A bidirectional LSTM, then two linear maps: virtual tokens see each other.
    Lstm,
}

/// Settings of [`PTuning`].
///
/// | field | symbol | default | range | meaning |
/// | --- | --- | --- | --- | --- |
/// | `tokens` | T | 20 | 1 to the positions left | length of the prompt |
/// | `encoder` | | mlp | | the network that makes it |
/// | `hidden` | h | the model's width | 1 to 16,384 | hidden width of the network |
/// | `lstm_layers` | | 2 | 1 to 16 | layers of the LSTM |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PTuningConfig {
    /// T
    pub tokens: usize,
    /// The network that makes the prompt.
    pub encoder: Encoder,
    /// h; the model's width if `None`.
    pub hidden: Option<usize>,
    /// Layers of the LSTM.
    pub lstm_layers: usize,
}

impl Default for PTuningConfig {
    fn default() -> Self {
        Self { tokens: 20, encoder: Encoder::default(), hidden: None, lstm_layers: 2 }
    }
}

impl PTuningConfig {
    /// More would not train.
    const MOST_LAYERS: usize = 16;

    fn check(&self, spec: &BackboneSpec) -> Result<(), ConfigError> {
        check_tokens(self.tokens, spec)?;
        check_hidden(self.hidden)?;
        if self.lstm_layers == 0 || self.lstm_layers > Self::MOST_LAYERS {
            let expected = format!("1 to {}", Self::MOST_LAYERS);
            return Err(ConfigError::out_of_range("lstm_layers", self.lstm_layers, expected));
        }
        Ok(())
    }

    /// Widths of the chain of linear maps, input to output.
    fn widths(&self, spec: &BackboneSpec) -> Vec<usize> {
        let d = spec.d_model;
        let h = self.hidden.unwrap_or(d);
        match self.encoder {
            Encoder::Mlp => vec![d, h, h, d],
            Encoder::Lstm => vec![2 * h, 2 * h, d],
        }
    }

    /// Input and hidden width of each LSTM layer.
    fn lstm_widths(&self, spec: &BackboneSpec) -> Vec<(usize, usize)> {
        let h = self.hidden.unwrap_or(spec.d_model);
        let layer = |i| (if i == 0 { spec.d_model } else { 2 * h }, h);
        match self.encoder {
            Encoder::Mlp => vec![],
            Encoder::Lstm => (0..self.lstm_layers).map(layer).collect(),
        }
    }
}

/// The network in training.
#[derive(Module, Debug)]
struct PromptEncoder {
    embedding: Param<Tensor<2>>,
    lstm: Vec<BiLstm>,
    maps: Vec<Linear>,
}

impl PromptEncoder {
    fn forward(&self) -> Tensor<2> {
        let mut x = self.embedding.val();
        if !self.lstm.is_empty() {
            let mut sequence = x.unsqueeze::<3>();
            for layer in &self.lstm {
                (sequence, _) = layer.forward(sequence, None);
            }
            let [_, tokens, width] = sequence.dims();
            x = sequence.reshape([tokens, width]);
        }
        let last = self.maps.len() - 1;
        for (i, map) in self.maps.iter().enumerate() {
            x = map.forward(x);
            if i < last {
                x = relu(x);
            }
        }
        x
    }
}

/// A prompt made by a network, or what the network made.
#[derive(Module, Debug)]
pub struct PTuning {
    encoder: Option<PromptEncoder>,
    prompt: Option<Param<Tensor<2>>>,
}

impl Injection for PTuning {
    fn prompt(&self) -> Option<Tensor<2>> {
        let made = self.encoder.as_ref().map(PromptEncoder::forward);
        made.or_else(|| self.prompt.as_ref().map(Param::val))
    }
}

impl PeftMethod for PTuning {
    type Config = PTuningConfig;

    const CARD: Card = Card {
        name: "p_tuning",
        title: "P-Tuning",
        paper: "Liu et al., 2021, https://arxiv.org/abs/2103.10385",
        equation: "input = [P; X],  P = MLP(E) or head(BiLSTM(E))",
        file: "methods/src/p_tuning.rs",
        identity_at_start: false,
        foldable: false,
        learning_rate: 5e-4,
    };

    const HUGGING_FACE: Option<Format<Self::Config>> = Some(hugging_face::FORMAT);

    fn init(
        config: &PTuningConfig,
        spec: &BackboneSpec,
        rng: &mut StdRng,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        config.check(spec)?;
        let embedding = init::normal(rng, 1.0, [config.tokens, spec.d_model], device);
        let lstm = config
            .lstm_widths(spec)
            .into_iter()
            .map(|(d_in, hidden)| {
                let layer = BiLstmConfig::new(d_in, hidden, true).init(device);
                init::redraw(layer, rng, 1.0 / (hidden as f64).sqrt())
            })
            .collect();
        let maps = config
            .widths(spec)
            .windows(2)
            .map(|pair| init::linear(rng, pair[0], pair[1], device))
            .collect();
        let encoder = PromptEncoder { embedding, lstm, maps };
        Ok(Self { encoder: Some(encoder), prompt: None })
    }

    fn plan(config: &PTuningConfig, spec: &BackboneSpec) -> Result<Plan, ConfigError> {
        config.check(spec)?;
        let mut tensors = vec![PlannedTensor::new("encoder", "E", &[config.tokens, spec.d_model])];
        for (layer, (d_in, hidden)) in config.lstm_widths(spec).into_iter().enumerate() {
            let place = format!("encoder.lstm.{layer}");
            // Two directions of four gates, each with two maps and two biases.
            tensors.push(PlannedTensor::new(&place, "W", &[8, d_in, hidden]));
            tensors.push(PlannedTensor::new(&place, "R", &[8, hidden, hidden]));
            tensors.push(PlannedTensor::new(&place, "b", &[8, 2, hidden]));
        }
        for (i, pair) in config.widths(spec).windows(2).enumerate() {
            let place = format!("encoder.map.{i}");
            tensors.push(PlannedTensor::new(&place, "W", &[pair[0], pair[1]]));
            tensors.push(PlannedTensor::new(&place, "b", &[pair[1]]));
        }
        let kept = config.tokens * spec.d_model;
        Ok(Plan { tensors, stored: kept, active: kept })
    }

    fn budget(config: &PTuningConfig) -> Budget {
        Budget { name: "tokens", value: config.tokens }
    }

    fn variant(config: &PTuningConfig) -> String {
        match config.encoder {
            Encoder::Mlp => String::new(),
            Encoder::Lstm => "LSTM".to_owned(),
        }
    }

    fn stored(&self) -> Vec<(String, Tensor<2>)> {
        self.prompt().map(|prompt| ("prompt".to_owned(), prompt)).into_iter().collect()
    }

    fn restore(
        config: &PTuningConfig,
        spec: &BackboneSpec,
        stored: &BTreeMap<String, Tensor<2>>,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        let prompt = take_stored(stored, "prompt", [config.tokens, spec.d_model])?;
        Ok(Self { encoder: None, prompt: Some(Param::from_tensor(prompt.to_device(device))) })
    }

    /// The network itself, of which only what it made is stored.
    fn state(&self) -> Vec<(String, TensorData)> {
        match &self.encoder {
            Some(encoder) => named(encoder, "encoder"),
            None => stored_data(self),
        }
    }

    fn resume(
        config: &PTuningConfig,
        spec: &BackboneSpec,
        state: &BTreeMap<String, TensorData>,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        let fresh = Self::init(config, spec, &mut StdRng::seed_from_u64(0), device)?;
        let encoder = fresh.encoder.map(|encoder| fill(encoder, "encoder", state)).transpose()?;
        Ok(Self { encoder, prompt: None }.train())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use backbones::tiny::tiny_bert;

    fn spec() -> BackboneSpec {
        tiny_bert(0, &Device::flex()).spec()
    }

    fn method(config: &PTuningConfig) -> Result<PTuning, ConfigError> {
        PTuning::init(config, &spec(), &mut StdRng::seed_from_u64(0), &Device::flex())
    }

    #[test]
    fn the_mlp_has_the_published_count() {
        // Tokens·d + (dh + h) + (h² + h) + (hd + d) with T = 20, d = 16, h = 5.
        let config = PTuningConfig { hidden: Some(5), ..Default::default() };
        let expected = 20 * 16 + (16 * 5 + 5) + (25 + 5) + (5 * 16 + 16);
        assert_eq!(method(&config).unwrap().num_params(), expected);
    }

    #[test]
    fn the_lstm_has_the_published_count() {
        // T·d + Σ 2(4h·in + 4h² + 8h) + (4h² + 2h) + (2hd + d), in = d and then 2h; h = 5, d = 16.
        let lstm = Encoder::Lstm;
        let config = PTuningConfig { encoder: lstm, hidden: Some(5), ..Default::default() };
        let layer = |d_in: usize| 2 * (4 * 5 * d_in + 4 * 25 + 8 * 5);
        let expected = 20 * 16 + layer(16) + layer(10) + (4 * 25 + 2 * 5) + (2 * 5 * 16 + 16);
        assert_eq!(method(&config).unwrap().num_params(), expected);
    }

    #[test]
    fn virtual_tokens_see_each_other_through_the_lstm_only() {
        let device = Device::flex();
        for (encoder, moved) in [(Encoder::Mlp, false), (Encoder::Lstm, true)] {
            let config = PTuningConfig { tokens: 3, encoder, ..Default::default() };
            let mut method = method(&config).unwrap();
            let last = |method: &PTuning| {
                method
                    .prompt()
                    .unwrap()
                    .slice([2..3, 0..16])
                    .into_data()
                    .try_to_vec::<f32>()
                    .unwrap()
            };
            let before = last(&method);
            // Another first token: does the last one notice?
            let network = method.encoder.as_mut().unwrap();
            let mut rows = network.embedding.val().into_data().try_to_vec::<f32>().unwrap();
            rows[..16].fill(3.0);
            network.embedding = super::init::matrix(rows, [3, 16], &device);
            assert_eq!(before != last(&method), moved, "{encoder:?}");
        }
    }

    #[test]
    fn bad_settings_are_named() {
        let error = |config: PTuningConfig| method(&config).unwrap_err().to_string();
        let base = PTuningConfig::default;
        assert!(error(PTuningConfig { tokens: 0, ..base() }).contains("'tokens' is 0"));
        assert!(error(PTuningConfig { hidden: Some(0), ..base() }).contains("'hidden' is 0"));
        assert!(error(PTuningConfig { lstm_layers: 0, ..base() }).contains("'lstm_layers' is 0"));
    }
}
