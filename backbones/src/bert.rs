//! BERT: an encoder with absolute positions and post-layer normalisation.
//!
//! Devlin et al., 2019, <https://arxiv.org/abs/1810.04805>. Checkpoints in Hugging Face layout
//! (`config.json`, `model.safetensors`) are read as they are:
//!
//! | here | in the file, after an optional `bert.` |
//! | --- | --- |
//! | word, position, kind | `embeddings.{word,position,token_type}_embeddings.weight` |
//! | norm | `embeddings.LayerNorm` |
//! | query, key, value | `encoder.layer.{i}.attention.self.{query,key,value}` |
//! | output, norm_attention | `encoder.layer.{i}.attention.output.{dense,LayerNorm}` |
//! | up | `encoder.layer.{i}.intermediate.dense` |
//! | down, norm_feed_forward | `encoder.layer.{i}.output.{dense,LayerNorm}` |
//! | pooler | `pooler.dense` |

mod block;
mod config;
mod tensors;

use burn::{
    module::{Module, Param},
    nn::Linear,
    tensor::{Device, Int, Tensor},
};
use kernels::Precision;

pub use self::config::BertConfig;
use self::{
    block::{Block, FrozenMaps, Norm},
    tensors::name_in_layer,
};
use crate::{
    attention::key_bias,
    backbone::Tokens,
    injection::{Injection, Role, Site},
    spec::{BackboneSpec, ModuleNames},
    weights::{LoadError, TensorSource},
};

const ROLES: &[Role] = &[Role::Query, Role::Key, Role::Value, Role::Output, Role::Up, Role::Down];

/// What Hugging Face calls the parts of a BERT with a classifier on it.
const MODULES: ModuleNames = ModuleNames {
    site: |Site { layer, role }| format!("bert.encoder.layer.{layer}.{}", name_in_layer(role)),
    classifier: "classifier",
};

/// The BERT encoder.
#[derive(Module, Debug)]
pub struct Bert {
    word: Param<Tensor<2>>,
    position: Param<Tensor<2>>,
    kind: Param<Tensor<2>>,
    norm: Norm,
    blocks: Vec<Block>,
    pooler: Option<Linear>,
    d_ff: usize,
    /// What stands before every name in the checkpoint: `bert.` or nothing.
    #[module(skip)]
    root: &'static str,
}

impl Bert {
    /// Builds the encoder from a source of tensors.
    ///
    /// # Errors
    /// [`LoadError`] names the tensor that is missing, misshapen or damaged.
    pub fn load(
        config: &BertConfig,
        source: &dyn TensorSource,
        device: &Device,
    ) -> Result<Self, LoadError> {
        let d = config.hidden_size;
        let root =
            if source.contains("bert.embeddings.word_embeddings.weight") { "bert." } else { "" };
        let linear = |name: &str, shape: [usize; 2]| -> Result<Linear, LoadError> {
            Ok(Linear {
                weight: Param::from_tensor(source.linear_weight(
                    &format!("{name}.weight"),
                    shape,
                    device,
                )?),
                bias: Some(Param::from_tensor(source.vector(
                    &format!("{name}.bias"),
                    shape[1],
                    device,
                )?)),
            })
        };
        let norm = |name: &str| -> Result<Norm, LoadError> {
            // Old checkpoints, such as that of bert-base-uncased, keep TensorFlow's names.
            let has = |ending: &str| source.contains(&format!("{name}.{ending}"));
            let is_old = has("gamma") && !has("weight");
            let names = if is_old { ["gamma", "beta"] } else { ["weight", "bias"] };
            let [gamma, beta] = names;
            Ok(Norm {
                gamma: Param::from_tensor(source.vector(&format!("{name}.{gamma}"), d, device)?),
                beta: Param::from_tensor(source.vector(&format!("{name}.{beta}"), d, device)?),
                eps: config.layer_norm_eps,
                names,
            })
        };
        let embedding = |name: &str, rows: usize| -> Result<Param<Tensor<2>>, LoadError> {
            let name = format!("{root}embeddings.{name}_embeddings.weight");
            Ok(Param::from_tensor(source.matrix(&name, [rows, d], device)?))
        };
        let d_ff = config.intermediate_size;
        let block = |layer: usize| -> Result<Block, LoadError> {
            let at = format!("{root}encoder.layer.{layer}");
            let map = |role: Role, shape: [usize; 2]| {
                linear(&format!("{at}.{}", name_in_layer(role)), shape)
            };
            Ok(Block {
                query: map(Role::Query, [d, d])?,
                key: map(Role::Key, [d, d])?,
                value: map(Role::Value, [d, d])?,
                output: map(Role::Output, [d, d])?,
                norm_attention: norm(&format!("{at}.attention.output.LayerNorm"))?,
                up: map(Role::Up, [d, d_ff])?,
                down: map(Role::Down, [d_ff, d])?,
                norm_feed_forward: norm(&format!("{at}.output.LayerNorm"))?,
                n_heads: config.num_attention_heads,
                frozen: FrozenMaps::default(),
            })
        };
        let pooler = format!("{root}pooler.dense");
        Ok(Self {
            word: embedding("word", config.vocab_size)?,
            position: embedding("position", config.max_position_embeddings)?,
            kind: embedding("token_type", config.type_vocab_size)?,
            norm: norm(&format!("{root}embeddings.LayerNorm"))?,
            blocks: (0..config.num_hidden_layers).map(block).collect::<Result<_, _>>()?,
            pooler: match source.contains(&format!("{pooler}.weight")) {
                true => Some(linear(&pooler, [d, d])?),
                false => None,
            },
            d_ff,
            root,
        })
    }

    /// Sites, widths and vocabulary.
    pub fn spec(&self) -> BackboneSpec {
        let [_, d_model] = self.word.shape().dims();
        let n_heads = self.blocks[0].n_heads;
        BackboneSpec {
            family: "bert",
            n_layers: self.blocks.len(),
            d_model,
            d_ff: self.d_ff,
            n_heads,
            n_kv_heads: n_heads,
            d_head: d_model / n_heads,
            n_positions: self.position.shape()[0],
            roles: ROLES,
            modules: MODULES,
            embeddings: self.word.val().without_autodiff(),
            tokenize: None,
        }
    }

    /// The encoder that rounds the factors of its frozen linear maps in this precision.
    pub fn with_precision(mut self, precision: Precision) -> Self {
        for block in &mut self.blocks {
            block.frozen = FrozenMaps::new(precision);
        }
        self
    }

    /// Hidden states of the true input, `[batch, seq, d_model]`, whatever the injection adds.
    pub fn encode(&self, tokens: &Tokens, injection: &dyn Injection) -> Tensor<3> {
        self.hidden(tokens, injection, false)
    }

    /// Hidden states of the prompt's rows and the true input, `[batch, n_prompt + seq, d_model]`.
    pub fn encode_with_prompt(&self, tokens: &Tokens, injection: &dyn Injection) -> Tensor<3> {
        self.hidden(tokens, injection, true)
    }

    /// Hidden states of the true input, after those of the prompt's rows if these are read.
    fn hidden(&self, tokens: &Tokens, injection: &dyn Injection, reads_prompt: bool) -> Tensor<3> {
        let prompt = injection.prompt();
        let n_prompt = prompt.as_ref().map_or(0, |prompt| prompt.dims()[0]);
        let prefixes = injection.prefixes();
        let n_prefix = prefixes.first().map_or(0, |prefix| prefix.key.dims()[1]);

        let bias = key_bias(&tokens.mask, n_prefix + n_prompt);
        let mut x = self.embed(tokens, prompt, injection.first_position());
        for (layer, block) in self.blocks.iter().enumerate() {
            // Every block but the last gives the prompt's rows to the next.
            let is_last = layer + 1 == self.blocks.len();
            let n_unread = if is_last && !reads_prompt { n_prompt } else { 0 };
            let prefix = prefixes.get(layer);
            x = block.forward(x, layer, prefix, bias.clone(), injection, n_unread);
        }
        x
    }

    /// `LayerNorm([prompt; word] + position + kind)`. Prompt rows take the first positions and
    /// are of kind 0, as in Hugging Face PEFT.
    fn embed(&self, tokens: &Tokens, prompt: Option<Tensor<2>>, first: usize) -> Tensor<3> {
        let [batch, _] = tokens.ids.dims();
        let mut words = lookup(&self.word, tokens.ids.clone());
        let mut kinds = lookup(&self.kind, tokens.type_ids.clone());
        let d_model = words.dims()[2];
        if let Some(prompt) = prompt {
            let n_prompt = prompt.dims()[0];
            let prompt = prompt.unsqueeze::<3>().expand([batch, n_prompt, d_model]);
            words = Tensor::cat(vec![prompt, words], 1);
            let kind = self.kind.val().slice([0..1, 0..d_model]);
            let kind = kind.unsqueeze::<3>().expand([batch, n_prompt, d_model]);
            kinds = Tensor::cat(vec![kind, kinds], 1);
        }
        let positions = first..first + words.dims()[1];
        let positions = self.position.val().slice([positions, 0..d_model]).unsqueeze();
        self.norm.forward(words, kinds + positions)
    }

    /// Hugging Face's pooler, `tanh(W h + b)`, `None` if the checkpoint has none.
    ///
    /// # Shapes
    /// `first`: `[batch, d_model]`, the hidden state of the first token; result the same.
    pub fn pooler(&self, first: Tensor<2>) -> Option<Tensor<2>> {
        self.pooler.as_ref().map(|pooler| pooler.forward(first).tanh())
    }

    /// Whether the checkpoint has a pooler.
    pub fn has_pooler(&self) -> bool {
        self.pooler.is_some()
    }

    /// The encoder without its pooler, for poolings that do not read it.
    pub fn without_pooler(mut self) -> Self {
        self.pooler = None;
        self
    }

    /// The linear map at a site, `[d_in, d_out]`; `None` where BERT has none.
    pub fn weight(&self, site: Site) -> Option<Tensor<2>> {
        let linears = self.blocks.get(site.layer)?.linears();
        let (_, linear) = linears.into_iter().find(|(role, _)| *role == site.role)?;
        Some(linear.weight.val())
    }

    /// The encoder with `delta(site)`, `[d_in, d_out]`, added to the linear map at each site that
    /// has one.
    pub fn folded(mut self, delta: impl Fn(Site) -> Option<Tensor<2>>) -> Self {
        for (layer, block) in self.blocks.iter_mut().enumerate() {
            for (role, linear) in block.linears_mut() {
                if let Some(delta) = delta(Site { layer, role }) {
                    linear.weight = linear.weight.clone().map(|weight| weight + delta);
                }
            }
        }
        self
    }
}

/// Rows of an embedding table.
fn lookup(table: &Param<Tensor<2>>, ids: Tensor<2, Int>) -> Tensor<3> {
    burn::tensor::module::embedding(table.val(), ids)
}
