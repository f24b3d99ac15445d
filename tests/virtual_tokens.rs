//! Prompts and prefixes against real tokens that do the same.

use backbones::{Injection, Pooling, Untouched, attention::key_bias, tiny::tiny_bert};
use burn::tensor::{Device, Distribution, Tensor};
use kernels::{Frozen, SelfAttention, self_attention};
use serde_json::json;

use crate::{
    devices::{on_flex, on_wgpu},
    numbers::{assert_close, distance, numbers},
    subject::{ROWS, Subject, at_true_tokens, batch, read},
};

/// A prompt and nothing else.
struct Prompt(Tensor<2>);

impl Injection for Prompt {
    fn prompt(&self) -> Option<Tensor<2>> {
        Some(self.0.clone())
    }
}

fn a_prompt_of_words_equals_these_words(device: &Device) {
    let backbone = tiny_bert(3, device);
    let words = [44, 9];
    let ids = Tensor::from_ints(words.as_slice(), device);
    let prompt = Prompt(backbone.spec().embeddings.select(0, ids));
    let own = batch(&ROWS, 7, 0, device);
    let hidden = numbers(backbone.encode(&own, &prompt));
    // With the words in front, a row's own tokens are of the second kind from the sixth on.
    let longer = ROWS.map(|row| [words.as_slice(), row].concat());
    let longer = longer.each_ref().map(Vec::as_slice);
    let mut tokens = batch(&longer, 9, 0, device);
    let kinds = tokens.type_ids.clone();
    tokens.type_ids = Tensor::cat(vec![kinds.slice([0..3, 0..2]), own.type_ids.clone()], 1);
    let expected = backbone.encode(&tokens, &Untouched).slice([0..3, 2..9, 0..16]);
    let at_true = |hidden: &[f32]| at_true_tokens(hidden, &ROWS, 7);
    assert_close(&at_true(&hidden), &at_true(&numbers(expected)), 1e-5, "prompt");
    // The first row is the first word.
    let pooled = numbers(backbone.features(&own, &prompt, Pooling::HfPooler));
    let expected = numbers(backbone.features(&tokens, &Untouched, Pooling::Pooler));
    assert_close(&pooled, &expected, 1e-5, "hf_pooler");
    let true_first = numbers(backbone.features(&own, &prompt, Pooling::Pooler));
    assert!(distance(&pooled, &true_first) > 1e-2, "the pooler read a virtual token");
}

#[test]
fn a_prompt_of_word_embeddings_equals_the_words_themselves() {
    on_flex(a_prompt_of_words_equals_these_words);
}

#[test]
fn a_prompt_of_word_embeddings_equals_the_words_themselves_on_wgpu() {
    on_wgpu(a_prompt_of_words_equals_these_words);
}

fn a_prefix_equals_more_keys(device: &Device) {
    let uniform = Distribution::Uniform(-1.0, 1.0);
    let (n_heads, d_head, d_model) = (2, 3, 5);
    let d = n_heads * d_head;
    let maps = [(); 3].map(|()| {
        (
            Tensor::<2>::random([d_model, d], uniform, device),
            Some(Tensor::random([d], uniform, device)),
        )
    });
    let x = Tensor::<3>::random([2, 5, d_model], uniform, device);
    let more = Tensor::<3>::random([1, 4, d_model], uniform, device);
    let mask = Tensor::from_data([[1., 1., 1., 1., 1.], [1., 1., 0., 0., 0.]], device);
    let attend = |x: Tensor<3>, prefix: Option<[Tensor<3>; 2]>| {
        let with = SelfAttention {
            maps: maps.clone(),
            deltas: [None, None, None],
            prefix,
            key_bias: key_bias(&mask, 4),
            n_heads,
            frozen: &Frozen::default(),
        };
        self_attention(x, with)
    };
    // What the tokens' keys and values would be, as a prefix: [heads, 4, d_head].
    let as_prefix = |(weight, bias): &(Tensor<2>, Option<Tensor<1>>)| {
        let rows = kernels::plain::linear(more.clone(), weight.clone(), bias.clone());
        rows.reshape([4, n_heads, d_head]).swap_dims(0, 1)
    };
    let with_prefix = attend(x.clone(), Some([as_prefix(&maps[1]), as_prefix(&maps[2])]));
    // As many queries as keys, of which the last five are asked for.
    let with_tokens = attend(Tensor::cat(vec![more.repeat_dim(0, 2), x], 1), None);
    let expected = with_tokens.slice([0..2, 4..9, 0..d]);
    assert_close(&numbers(with_prefix), &numbers(expected), 1e-5, "prefix");
}

#[test]
fn a_prefix_equals_more_keys_and_values() {
    on_flex(a_prefix_equals_more_keys);
}

#[test]
fn a_prefix_equals_more_keys_and_values_on_wgpu() {
    on_wgpu(a_prefix_equals_more_keys);
}

#[test]
fn a_prefix_of_zeros_is_not_nothing() {
    let device = Device::flex();
    let config = read("prefix_tuning", json!({"tokens": 2, "init_std": 0}));
    let subject = Subject::new(config, &device);
    let method = subject.fresh();
    assert!(method.stored().into_iter().all(|(_, table)| numbers(table).iter().all(|&x| x == 0.0)));
    let batch = batch(&ROWS, 8, 0, &device);
    let changed = distance(&subject.hidden(&method, &batch), &subject.hidden(&Untouched, &batch));
    assert!(changed > 1e-2, "{changed:e}");
}
