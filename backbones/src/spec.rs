//! What a method may know of a backbone: its sites, its widths, its vocabulary.

use std::{fmt, sync::Arc};

use burn::tensor::Tensor;

use crate::injection::{Role, Site};

/// Turns a text into vocabulary ids, without special tokens.
pub type Tokenize = Arc<dyn Fn(&str) -> Vec<u32> + Send + Sync>;

/// What Hugging Face calls the parts of a model for classification.
#[derive(Clone, Copy, Debug)]
pub struct ModuleNames {
    /// The linear map at a site, e.g. `bert.encoder.layer.3.attention.self.query`. The site is one
    /// of [`BackboneSpec::sites`].
    pub site: fn(Site) -> String,
    /// The head, e.g. `classifier`.
    pub classifier: &'static str,
}

/// Shape and vocabulary of a backbone.
#[derive(Clone)]
pub struct BackboneSpec {
    /// Architecture, e.g. `bert`.
    pub family: &'static str,
    /// Transformer layers.
    pub n_layers: usize,
    /// Width of the hidden state.
    pub d_model: usize,
    /// Width inside the feed-forward block.
    pub d_ff: usize,
    /// Attention heads.
    pub n_heads: usize,
    /// Heads of keys and values (fewer than `n_heads` under grouped-query attention).
    pub n_kv_heads: usize,
    /// Width of one head.
    pub d_head: usize,
    /// Positions that the model knows; prompt and input must fit together.
    pub n_positions: usize,
    /// The roles that this architecture has.
    pub roles: &'static [Role],
    /// What files of Hugging Face call its parts.
    pub modules: ModuleNames,
    /// The frozen word embeddings, `[vocabulary, d_model]`.
    pub embeddings: Tensor<2>,
    /// The model's tokenizer, where there is one: needed to start a prompt from a text.
    pub tokenize: Option<Tokenize>,
}

impl BackboneSpec {
    /// Input and output width of the linear map of a role, `None` if the architecture has none.
    pub fn widths(&self, role: Role) -> Option<(usize, usize)> {
        if !self.roles.contains(&role) {
            return None;
        }
        let d_query = self.n_heads * self.d_head;
        let d_key_value = self.d_key_value();
        Some(match role {
            Role::Query => (self.d_model, d_query),
            Role::Key | Role::Value => (self.d_model, d_key_value),
            Role::Output => (d_query, self.d_model),
            Role::Gate | Role::Up => (self.d_model, self.d_ff),
            Role::Down => (self.d_ff, self.d_model),
        })
    }

    /// Width of one layer's keys (and of its values): `n_kv_heads · d_head`.
    pub fn d_key_value(&self) -> usize {
        self.n_kv_heads * self.d_head
    }

    /// Every linear map, layer by layer.
    pub fn sites(&self) -> impl Iterator<Item = Site> + '_ {
        (0..self.n_layers)
            .flat_map(|layer| self.roles.iter().map(move |&role| Site { layer, role }))
    }
}

impl fmt::Debug for BackboneSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} with {} layers of width {} ({} heads, feed-forward {})",
            self.family, self.n_layers, self.d_model, self.n_heads, self.d_ff
        )
    }
}
