//! Prompts and prefixes against real tokens that do the same.

use backbones::{
    Injection, KeyValue, Pooling, Untouched,
    attention::{attend, key_bias},
    tiny::tiny_bert,
};
use burn::tensor::{Device, Distribution, Tensor};
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
    let random =
        |shape: [usize; 3]| Tensor::<3>::random(shape, Distribution::Uniform(-2.0, 2.0), device);
    let (n_heads, d_head) = (2, 3);
    let [query, key, value] = [(); 3].map(|()| random([2, 5, n_heads * d_head]));
    let prefix =
        KeyValue { key: random([n_heads, 4, d_head]), value: random([n_heads, 4, d_head]) };
    let mask = Tensor::from_data([[1., 1., 1., 1., 1.], [1., 1., 0., 0., 0.]], device);
    let bias = key_bias(&mask, 4);
    let with_prefix =
        attend(query.clone(), key.clone(), value.clone(), Some(&prefix), bias.clone(), n_heads);
    // The same as tokens of both rows: [heads, 4, d_head] → [2, 4, heads · d_head].
    let as_tokens = |prefix: Tensor<3>| {
        let rows = prefix.swap_dims(0, 1).reshape([1, 4, n_heads * d_head]);
        rows.repeat_dim(0, 2)
    };
    let key = Tensor::cat(vec![as_tokens(prefix.key), key], 1);
    let value = Tensor::cat(vec![as_tokens(prefix.value), value], 1);
    // As many queries as keys, of which the last five are asked for.
    let query = Tensor::cat(vec![random([2, 4, n_heads * d_head]), query], 1);
    let expected = attend(query, key, value, None, bias, n_heads).slice([0..2, 4..9, 0..6]);
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
