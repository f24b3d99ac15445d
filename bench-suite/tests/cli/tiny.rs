//! A model and a task small enough to train in a blink.

use std::{collections::BTreeMap, fs, path::Path};

use rand::{Rng, SeedableRng, rngs::StdRng};
use safetensors::{Dtype, tensor::TensorView};
use serde_json::{Value, json};

/// Width of the hidden state: also the largest rank.
pub const WIDTH: usize = 16;
/// Positions: the default of 128 tokens leaves room for a prompt of 32.
pub const POSITIONS: usize = 160;

/// Size of a model.
#[derive(Clone, Copy)]
pub struct Size {
    pub width: usize,
    pub layers: usize,
    pub feed_forward: usize,
}

/// The size of most tests.
const SMALL: Size = Size { width: WIDTH, layers: 2, feed_forward: 32 };

/// Rows of [`table`].
pub const ROWS: usize = 64;

const GOOD: [&str; 4] = ["fine", "good", "great", "lovely"];
const BAD: [&str; 4] = ["awful", "bad", "dull", "poor"];
const OTHER: [&str; 8] = ["a", "cast", "end", "film", "plot", "scene", "score", "story"];
const SPECIAL: [&str; 4] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];

type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Writes a model in Hugging Face layout.
pub fn write_model(folder: &Path) {
    write_model_of(folder, SMALL);
}

/// Writes a model of a size.
pub fn write_model_of(folder: &Path, size: Size) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("config.json"), config_of(size).to_string()).unwrap();
    fs::write(folder.join("tokenizer.json"), tokenizer().to_string()).unwrap();
    write_weights(folder, &weights_of(size));
}

/// Writes `model.safetensors`.
pub fn write_weights(folder: &Path, tensors: &Tensors) {
    let bytes = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let tensors: Vec<_> =
        tensors.iter().map(|(name, (shape, values))| (name, shape, bytes(values))).collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        (name.as_str(), TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap())
    });
    let file = safetensors::serialize(views, None).unwrap();
    fs::write(folder.join("model.safetensors"), file).unwrap();
}

/// The words that the tokenizer knows, in the order of their ids.
fn vocabulary() -> impl Iterator<Item = &'static str> {
    SPECIAL.into_iter().chain(GOOD).chain(BAD).chain(OTHER)
}

/// The numbers of `config.json`.
pub fn config() -> Value {
    config_of(SMALL)
}

fn config_of(Size { width, layers, feed_forward }: Size) -> Value {
    json!({
        "model_type": "bert", "vocab_size": vocabulary().count(), "hidden_size": width,
        "num_hidden_layers": layers, "num_attention_heads": 2,
        "intermediate_size": feed_forward, "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu",
    })
}

/// A tokenizer of whole words.
pub fn tokenizer() -> Value {
    let ids: BTreeMap<&str, usize> = vocabulary().zip(0..).collect();
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "decoder": null,
        "pre_tokenizer": { "type": "WhitespaceSplit" },
        "post_processor": { "type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2] },
        "model": { "type": "WordLevel", "unk_token": "[UNK]", "vocab": ids },
    })
}

/// Random weights, the same at every call.
pub fn weights() -> Tensors {
    weights_of(SMALL)
}

fn weights_of(Size { width, layers, feed_forward }: Size) -> Tensors {
    let rng = &mut StdRng::seed_from_u64(0);
    let mut tensors = Tensors::new();
    let mut tensor = |name: String, shape: &[usize]| {
        let centre = if name.ends_with("LayerNorm.weight") { 1.0 } else { 0.0 };
        let n = shape.iter().product();
        let values = (0..n).map(|_| centre + rng.random_range(-0.25..0.25)).collect();
        tensors.insert(name, (shape.to_vec(), values));
    };
    let tables = [("word", vocabulary().count()), ("position", POSITIONS), ("token_type", 2)];
    for (name, rows) in tables {
        tensor(format!("embeddings.{name}_embeddings.weight"), &[rows, width]);
    }
    let mut norms = vec!["embeddings".to_owned()];
    for layer in 0..layers {
        let at = format!("encoder.layer.{layer}");
        for (name, d_in, d_out) in [
            ("attention.self.query", width, width),
            ("attention.self.key", width, width),
            ("attention.self.value", width, width),
            ("attention.output.dense", width, width),
            ("intermediate.dense", width, feed_forward),
            ("output.dense", feed_forward, width),
        ] {
            tensor(format!("{at}.{name}.weight"), &[d_out, d_in]);
            tensor(format!("{at}.{name}.bias"), &[d_out]);
        }
        norms.extend([format!("{at}.attention.output"), format!("{at}.output")]);
    }
    for at in norms {
        tensor(format!("{at}.LayerNorm.weight"), &[width]);
        tensor(format!("{at}.LayerNorm.bias"), &[width]);
    }
    tensors
}

/// A CSV file of different texts; a good word makes the label `pos`, a bad one `neg`.
pub fn table() -> String {
    let mut lines = vec!["text,label".to_owned()];
    for i in 0..ROWS {
        let (words, label) = if i % 2 == 0 { (GOOD, "pos") } else { (BAD, "neg") };
        let (second, third) = (OTHER[i % 8], OTHER[i / 8]);
        lines.push(format!("{} {second} {third},{label}", words[i / 2 % 4]));
    }
    lines.join("\n") + "\n"
}

/// Rows that [`table`] does not have.
pub fn other_rows() -> Vec<(String, &'static str)> {
    let row = |i: usize| match i % 2 {
        0 => (format!("film {} {}", GOOD[i / 2 % 4], OTHER[i % 8]), "pos"),
        _ => (format!("film {} {}", BAD[i / 2 % 4], OTHER[i % 8]), "neg"),
    };
    (0..8).map(row).collect()
}
