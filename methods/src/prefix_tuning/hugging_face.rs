//! Prefix-Tuning in Hugging Face PEFT's files: the table of all layers is stored in the same
//! order of columns, the network that made it is not.
//!
//! Whether the prefix takes positions is a matter of the model class there. A model that says
//! nothing of it is Hugging Face's own, in which it does.

use backbones::BackboneSpec;
use serde_json::Value;

use super::PrefixTuningConfig;
use crate::{
    hugging_face::{
        AROUND,
        Accepts::{Any, Only},
        Adapter, AdapterError, Format, Stored,
        virtual_tokens::{TENSOR, Widths, read as read_length, write},
    },
    method::take_stored,
};

pub(super) const FORMAT: Format<PrefixTuningConfig> = Format {
    peft_type: "PREFIX_TUNING",
    root: AROUND,
    fields: &[
        ("num_virtual_tokens", Any),
        ("token_dim", Any),
        ("num_layers", Any),
        ("num_attention_heads", Any),
        ("num_transformer_submodules", Only(&["1"])),
        ("prefix_projection", Any),
        ("encoder_hidden_size", Any),
        ("init_weights", Only(&["zero"])),
    ],
    write: |config, spec, stored, adapter| {
        let table = take_stored(stored, "table", config.table_shape(spec))?;
        write(adapter, config.tokens, of_the_keys(spec), spec, table);
        adapter.set("prefix_projection", config.projection);
        adapter.set("encoder_hidden_size", config.hidden(spec));
        adapter.set("init_weights", (config.init_std == 0.0).then_some("zero"));
        adapter.model.insert(SHIFT.to_owned(), config.shift_positions.into());
        Ok(())
    },
    read,
};

/// The field of the model's configuration.
const SHIFT: &str = "shift_positions";

fn of_the_keys(spec: &BackboneSpec) -> Widths {
    Widths { d: spec.d_key_value(), n_heads: spec.n_kv_heads }
}

fn read(
    adapter: &mut Adapter,
    spec: &BackboneSpec,
) -> Result<(PrefixTuningConfig, Stored), AdapterError> {
    let tokens = read_length(adapter, of_the_keys(spec), spec)?;
    let start: Option<String> = adapter.get("init_weights")?;
    let hidden: Option<usize> = adapter.get("encoder_hidden_size")?;
    let config = PrefixTuningConfig {
        tokens,
        projection: adapter.get::<Option<bool>>("prefix_projection")?.unwrap_or_default(),
        hidden: hidden.filter(|&hidden| hidden != spec.d_model),
        init_std: if start.is_some() { 0.0 } else { 1.0 },
        shift_positions: adapter.model.get(SHIFT).and_then(Value::as_bool).unwrap_or(true),
    };
    config.check(spec)?;
    let table = adapter.take_matrix(TENSOR, config.table_shape(spec), spec)?;
    Ok((config, Stored::from([("table".to_owned(), table)])))
}
