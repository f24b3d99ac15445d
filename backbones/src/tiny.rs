//! A BERT small enough for tests, with random weights that are the same on every machine.

use std::cell::RefCell;

use burn::{module::Module, tensor::Device};
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    backbone::Backbone,
    bert::{Bert, BertConfig},
    weights::{LoadError, TensorSource},
};

/// Shape of the tiny BERT: 2 layers, width 16, 2 heads, feed-forward 32, 60 word pieces.
pub fn tiny_config() -> BertConfig {
    BertConfig {
        model_type: "bert".to_owned(),
        vocab_size: 60,
        hidden_size: 16,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        intermediate_size: 32,
        max_position_embeddings: 40,
        type_vocab_size: 2,
        layer_norm_eps: 1e-12,
        hidden_act: "gelu".to_owned(),
        position_embedding_type: None,
    }
}

/// A frozen BERT of [`tiny_config`] whose weights follow from `seed`.
pub fn tiny_bert(seed: u64, device: &Device) -> Backbone {
    let source = RandomSource(RefCell::new(StdRng::seed_from_u64(seed)));
    let bert = Bert::load(&tiny_config(), &source, device)
        .expect("a random source has every tensor in every shape");
    Backbone::Bert(bert.no_grad())
}

/// Draws every tensor that is asked for.
struct RandomSource(RefCell<StdRng>);

impl TensorSource for RandomSource {
    fn contains(&self, name: &str) -> bool {
        !name.starts_with("bert.")
    }

    fn read(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, LoadError> {
        let centre = if name.ends_with("LayerNorm.weight") { 1.0 } else { 0.0 };
        let mut rng = self.0.borrow_mut();
        let n = expected.iter().product();
        Ok((0..n).map(|_| centre + rng.random_range(-0.25..0.25)).collect())
    }
}
