//! P-Tuning in Hugging Face PEFT's files: what the network made is stored, the network is not.

use backbones::BackboneSpec;

use super::{Encoder, PTuningConfig};
use crate::{
    hugging_face::{
        AROUND,
        Accepts::{Any, Only},
        Adapter, AdapterError, Format, Stored,
        virtual_tokens::{TENSOR, read_prompt_length, write_prompt},
    },
    method::take_stored,
};

pub(super) const FORMAT: Format<PTuningConfig> = Format {
    peft_type: "P_TUNING",
    root: AROUND,
    fields: &[
        ("num_virtual_tokens", Any),
        ("token_dim", Any),
        ("num_layers", Any),
        ("num_attention_heads", Any),
        ("num_transformer_submodules", Only(&["1"])),
        ("encoder_reparameterization_type", Only(&["MLP", "LSTM"])),
        ("encoder_hidden_size", Any),
        ("encoder_num_layers", Any),
        ("encoder_dropout", Any),
    ],
    write: |config, spec, stored, adapter| {
        let prompt = take_stored(stored, "prompt", [config.tokens, spec.d_model])?;
        write_prompt(adapter, config.tokens, spec, prompt);
        let encoder = match config.encoder {
            Encoder::Mlp => "MLP",
            Encoder::Lstm => "LSTM",
        };
        adapter.set("encoder_reparameterization_type", encoder);
        adapter.set("encoder_hidden_size", config.hidden.unwrap_or(spec.d_model));
        adapter.set("encoder_num_layers", config.lstm_layers);
        adapter.set("encoder_dropout", 0.0);
        Ok(())
    },
    read,
};

fn read(
    adapter: &mut Adapter,
    spec: &BackboneSpec,
) -> Result<(PTuningConfig, Stored), AdapterError> {
    let tokens = read_prompt_length(adapter, spec)?;
    let encoder: Option<String> = adapter.get("encoder_reparameterization_type")?;
    let hidden: Option<usize> = adapter.get("encoder_hidden_size")?;
    let default = PTuningConfig::default();
    let config = PTuningConfig {
        tokens,
        encoder: if encoder.as_deref() == Some("LSTM") { Encoder::Lstm } else { Encoder::Mlp },
        hidden: hidden.filter(|&hidden| hidden != spec.d_model),
        lstm_layers: adapter.get::<Option<_>>("encoder_num_layers")?.unwrap_or(default.lstm_layers),
    };
    config.check(spec)?;
    let prompt = adapter.take_matrix(TENSOR, [tokens, spec.d_model], spec)?;
    Ok((config, Stored::from([("prompt".to_owned(), prompt)])))
}
