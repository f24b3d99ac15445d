//! The shape of a BERT, from its checkpoint.

use std::path::Path;

use messages::short;
use serde::Deserialize;

use crate::weights::LoadError;

/// The fields of `config.json` that decide a BERT's shape.
#[derive(Clone, Debug, Deserialize)]
pub struct BertConfig {
    /// Must be `bert`.
    pub model_type: String,
    /// Word pieces.
    pub vocab_size: usize,
    /// Width of the hidden state.
    pub hidden_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Attention heads.
    pub num_attention_heads: usize,
    /// Width inside the feed-forward block.
    pub intermediate_size: usize,
    /// Positions.
    pub max_position_embeddings: usize,
    /// Kinds of segment.
    pub type_vocab_size: usize,
    /// Added to the variance in layer normalisation.
    pub layer_norm_eps: f64,
    /// Must be `gelu`.
    pub hidden_act: String,
    /// Must be `absolute` where it is given.
    #[serde(default)]
    pub position_embedding_type: Option<String>,
}

impl BertConfig {
    /// Refuses what [`Bert`](super::Bert) would compute wrongly.
    pub fn check(&self, path: &Path) -> Result<(), LoadError> {
        let refuse = |field: &str, problem: String| {
            Err(LoadError::Config { path: path.to_path_buf(), field: field.to_owned(), problem })
        };
        if self.hidden_act != "gelu" {
            let found = short(&self.hidden_act);
            return refuse("hidden_act", format!("is '{found}'; only 'gelu' is built"));
        }
        if let Some(kind) = self.position_embedding_type.as_deref()
            && kind != "absolute"
        {
            return refuse(
                "position_embedding_type",
                format!("is '{}'; only 'absolute' is built", short(kind)),
            );
        }
        for (field, value) in [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("type_vocab_size", self.type_vocab_size),
        ] {
            if value == 0 {
                return refuse(field, "is 0; a model needs at least 1".to_owned());
            }
        }
        if !(self.layer_norm_eps.is_finite() && self.layer_norm_eps > 0.0) {
            return refuse(
                "layer_norm_eps",
                format!("is {}; it must be a number above 0", self.layer_norm_eps),
            );
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return refuse(
                "num_attention_heads",
                format!(
                    "is {}, which does not divide hidden_size {}",
                    self.num_attention_heads, self.hidden_size
                ),
            );
        }
        Ok(())
    }
}
