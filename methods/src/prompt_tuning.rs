//! Prompt Tuning: trainable vectors before the input.
//!
//! Lester et al., 2021, *The Power of Scale for Parameter-Efficient Prompt Tuning*,
//! <https://arxiv.org/abs/2104.08691>.
//!
//! ```text
//! input = [P; X]
//! ```
//!
//! | symbol | field | shape |
//! | --- | --- | --- |
//! | P | `prompt` | `[tokens, d_model]` |
//! | X | the embedded text | `[seq, d_model]` |
//!
//! A prompt changes the output from the start: it takes part in attention.
//!
//! # Where we differ
//! - From Hugging Face PEFT: P starts from word embeddings. Its default, N(0, 1), is many times
//!   larger than word embeddings are and often stays at the majority class; `init = "normal"`
//!   shows that. The true `[CLS]` or the true tokens are pooled, never a virtual token, unless
//!   `pooling = "hf_pooler"` asks for it.

mod hugging_face;

use std::collections::BTreeMap;

use backbones::{BackboneSpec, Injection};
use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor},
};
use rand::{Rng, rngs::StdRng};
use serde::{Deserialize, Serialize};

use crate::{
    hugging_face::Format,
    init,
    method::{Budget, Card, ConfigError, PeftMethod, Plan, PlannedTensor, take_stored},
    prompt_length::check_tokens,
};

/// How P starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptInit {
    /// Embeddings of words drawn from the vocabulary.
    #[default]
    Vocabulary,
    /// Embeddings of the words of [`PromptTuningConfig::text`], repeated or cut to length.
    Text,
    /// Normal, with the standard deviation of the word embeddings.
    ScaledNormal,
    /// N(0, 1), for comparison: far larger than word embeddings.
    Normal,
}

/// Settings of [`PromptTuning`].
///
/// | field | symbol | default | range | meaning |
/// | --- | --- | --- | --- | --- |
/// | `tokens` | T | 20 | 1 to the positions left | length of the prompt |
/// | `init` | | vocabulary | | how P starts |
/// | `text` | | none | | for `init = "text"`: the words to start from |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PromptTuningConfig {
    /// T
    pub tokens: usize,
    /// How P starts.
    pub init: PromptInit,
    /// Words to start from.
    pub text: Option<String>,
}

impl Default for PromptTuningConfig {
    fn default() -> Self {
        Self { tokens: 20, init: PromptInit::default(), text: None }
    }
}

impl PromptTuningConfig {
    fn check(&self, spec: &BackboneSpec) -> Result<(), ConfigError> {
        check_tokens(self.tokens, spec)?;
        let refuse = |problem: &str| {
            Err(ConfigError::Inconsistent { field: "text", problem: problem.into() })
        };
        match (self.init, &self.text) {
            (PromptInit::Text, None) => refuse("is missing; init = \"text\" needs it"),
            (PromptInit::Text, Some(text)) if text.trim().is_empty() => {
                refuse("is empty; init = \"text\" needs at least one word")
            }
            (PromptInit::Text, _) | (_, None) => Ok(()),
            _ => refuse("is given, but init is not \"text\"; set init = \"text\" or leave it out"),
        }
    }

    /// Ids of the words that a prompt of `init = "text"` starts from.
    fn text_ids(&self, spec: &BackboneSpec) -> Result<Vec<i32>, ConfigError> {
        let refuse =
            |problem: &str| ConfigError::Inconsistent { field: "text", problem: problem.into() };
        let text = self.text.as_deref().ok_or_else(|| refuse("is missing"))?;
        let tokenize = spec
            .tokenize
            .as_ref()
            .ok_or_else(|| refuse("cannot be used: the model came without a tokenizer"))?;
        let ids = tokenize(text);
        if ids.is_empty() {
            return Err(refuse("has no word that the tokenizer knows"));
        }
        Ok(ids.into_iter().cycle().take(self.tokens).map(|id| id as i32).collect())
    }
}

/// A trainable prompt.
#[derive(Module, Debug)]
pub struct PromptTuning {
    prompt: Param<Tensor<2>>,
}

impl Injection for PromptTuning {
    fn prompt(&self) -> Option<Tensor<2>> {
        Some(self.prompt.val())
    }
}

impl PeftMethod for PromptTuning {
    type Config = PromptTuningConfig;

    const CARD: Card = Card {
        name: "prompt_tuning",
        title: "Prompt Tuning",
        paper: "Lester et al., 2021, https://arxiv.org/abs/2104.08691",
        equation: "input = [P; X]",
        file: "methods/src/prompt_tuning.rs",
        identity_at_start: false,
        foldable: false,
        learning_rate: 1e-2,
    };

    const HUGGING_FACE: Option<Format<Self::Config>> = Some(hugging_face::FORMAT);

    fn init(
        config: &PromptTuningConfig,
        spec: &BackboneSpec,
        rng: &mut StdRng,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        config.check(spec)?;
        let [n_words, d_model] = spec.embeddings.dims();
        let words = |ids: Vec<i32>| {
            let ids = Tensor::from_ints(ids.as_slice(), &spec.embeddings.device());
            let words = spec.embeddings.clone().select(0, ids).into_data();
            // Through the host: a fresh leaf, on whatever device the method trains.
            init::matrix(words.iter::<f32>().collect(), [config.tokens, d_model], device)
        };
        let prompt = match config.init {
            PromptInit::Vocabulary => {
                words((0..config.tokens).map(|_| rng.random_range(0..n_words) as i32).collect())
            }
            PromptInit::Text => words(config.text_ids(spec)?),
            PromptInit::ScaledNormal => {
                let variance = spec.embeddings.clone().reshape([-1]).var(0).into_scalar::<f32>();
                init::normal(rng, f64::from(variance.sqrt()), [config.tokens, d_model], device)
            }
            PromptInit::Normal => init::normal(rng, 1.0, [config.tokens, d_model], device),
        };
        Ok(Self { prompt })
    }

    fn plan(config: &PromptTuningConfig, spec: &BackboneSpec) -> Result<Plan, ConfigError> {
        config.check(spec)?;
        let prompt = PlannedTensor::new("input", "P", &[config.tokens, spec.d_model]);
        Ok(Plan::all_kept(vec![prompt]))
    }

    fn budget(config: &PromptTuningConfig) -> Budget {
        Budget { name: "tokens", value: config.tokens }
    }

    fn variant(config: &PromptTuningConfig) -> String {
        match config.init {
            PromptInit::Vocabulary => String::new(),
            PromptInit::Text => "from text".to_owned(),
            PromptInit::ScaledNormal => "scaled normal".to_owned(),
            PromptInit::Normal => "N(0,1)".to_owned(),
        }
    }

    fn stored(&self) -> Vec<(String, Tensor<2>)> {
        vec![("prompt".to_owned(), self.prompt.val())]
    }

    fn restore(
        config: &PromptTuningConfig,
        spec: &BackboneSpec,
        stored: &BTreeMap<String, Tensor<2>>,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        let prompt = take_stored(stored, "prompt", [config.tokens, spec.d_model])?;
        Ok(Self { prompt: Param::from_tensor(prompt.to_device(device)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use backbones::tiny::tiny_bert;
    use rand::SeedableRng;
    use std::sync::Arc;

    fn spec() -> BackboneSpec {
        let mut spec = tiny_bert(0, &Device::flex()).spec();
        // Words are numbers: "7 9" has the ids 7 and 9.
        spec.tokenize =
            Some(Arc::new(|text| text.split(' ').filter_map(|word| word.parse().ok()).collect()));
        spec
    }

    fn prompt(config: &PromptTuningConfig) -> Result<Vec<Vec<f32>>, ConfigError> {
        let rng = &mut StdRng::seed_from_u64(0);
        let method = PromptTuning::init(config, &spec(), rng, &Device::flex())?;
        let values = method.prompt().unwrap().into_data().try_to_vec::<f32>().unwrap();
        Ok(values.chunks(16).map(<[f32]>::to_vec).collect())
    }

    fn words() -> Vec<Vec<f32>> {
        let values = spec().embeddings.into_data().try_to_vec::<f32>().unwrap();
        values.chunks(16).map(<[f32]>::to_vec).collect()
    }

    #[test]
    fn a_prompt_starts_from_word_embeddings() {
        let words = words();
        for row in prompt(&PromptTuningConfig::default()).unwrap() {
            assert!(words.contains(&row));
        }
    }

    #[test]
    fn a_text_is_repeated_to_the_length_of_the_prompt() {
        let text = Some("7 9".to_owned());
        let config = PromptTuningConfig { tokens: 3, init: PromptInit::Text, text };
        let words = words();
        assert_eq!(prompt(&config).unwrap(), [&words[7], &words[9], &words[7]].map(Clone::clone));
    }

    #[test]
    fn the_scaled_normal_has_the_size_of_word_embeddings_and_the_plain_one_has_not() {
        let std = |init| {
            let config = PromptTuningConfig { tokens: 30, init, text: None };
            let values = prompt(&config).unwrap().concat();
            (values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32).sqrt()
        };
        // The tiny BERT draws its words from U(-0.25, 0.25): standard deviation 0.144.
        assert!((std(PromptInit::ScaledNormal) - 0.144).abs() < 0.02);
        assert!((std(PromptInit::Normal) - 1.0).abs() < 0.1);
    }

    #[test]
    fn bad_settings_are_named() {
        let error = |config: PromptTuningConfig| prompt(&config).unwrap_err().to_string();
        let base = PromptTuningConfig::default;
        assert!(error(PromptTuningConfig { tokens: 0, ..base() }).contains("'tokens' is 0"));
        assert!(error(PromptTuningConfig { tokens: 40, ..base() }).contains("'tokens' is 40"));
        let text = PromptTuningConfig { init: PromptInit::Text, ..base() };
        assert!(error(text.clone()).contains("'text' is missing"));
        let unknown = PromptTuningConfig { text: Some("nothing".into()), ..text };
        assert!(error(unknown).contains("no word that the tokenizer knows"));
    }
}
