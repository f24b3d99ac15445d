//! Prompt Tuning in Hugging Face PEFT's files: the prompt is stored as it is.

use backbones::BackboneSpec;

use super::{PromptInit, PromptTuningConfig};
use crate::{
    hugging_face::{
        AROUND,
        Accepts::{Any, Only},
        Adapter, AdapterError, Format, Stored,
        virtual_tokens::{TENSOR, read_prompt_length, write_prompt},
    },
    method::take_stored,
};

pub(super) const FORMAT: Format<PromptTuningConfig> = Format {
    peft_type: "PROMPT_TUNING",
    root: AROUND,
    fields: &[
        ("num_virtual_tokens", Any),
        ("token_dim", Any),
        ("num_layers", Any),
        ("num_attention_heads", Any),
        ("num_transformer_submodules", Only(&["1"])),
        ("prompt_tuning_init", Any),
        ("prompt_tuning_init_text", Any),
        ("tokenizer_name_or_path", Any),
        ("tokenizer_kwargs", Any),
    ],
    write: |config, spec, stored, adapter| {
        let prompt = take_stored(stored, "prompt", [config.tokens, spec.d_model])?;
        write_prompt(adapter, config.tokens, spec, prompt);
        // A start from a text would need a tokenizer's name there; a trained prompt needs none.
        let start = match config.init {
            PromptInit::Vocabulary | PromptInit::Text => "SAMPLE_VOCAB",
            PromptInit::ScaledNormal | PromptInit::Normal => "RANDOM",
        };
        adapter.set("prompt_tuning_init", start);
        Ok(())
    },
    read,
};

fn read(
    adapter: &mut Adapter,
    spec: &BackboneSpec,
) -> Result<(PromptTuningConfig, Stored), AdapterError> {
    let tokens = read_prompt_length(adapter, spec)?;
    let start: Option<String> = adapter.get("prompt_tuning_init")?;
    let (init, text) = match start.as_deref() {
        Some("SAMPLE_VOCAB") => (PromptInit::Vocabulary, None),
        Some("TEXT") => (PromptInit::Text, adapter.get("prompt_tuning_init_text")?),
        _ => (PromptInit::Normal, None),
    };
    let config = PromptTuningConfig { tokens, init, text };
    config.check(spec)?;
    let prompt = adapter.take_matrix(TENSOR, [tokens, spec.d_model], spec)?;
    Ok((config, Stored::from([("prompt".to_owned(), prompt)])))
}
