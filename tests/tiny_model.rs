//! The tiny BERT as the suite holds a model: with a tokenizer, whose words are numbers.

use std::path::PathBuf;

use backbones::{Pooling, tiny::tiny_bert};
use bench_suite::model::Model;
use burn::{module::Module, tensor::Device};
use datasets::{TextEncoder, Tokenizer};
use report::record::BackboneInfo;
use serde_json::{Map, Value, json};

/// A model of two layers; the word `7` has the id 7.
pub fn tiny_model(device: &Device) -> Model {
    let backbone = tiny_bert(7, device);
    let spec = backbone.spec();
    let tokenizer = Tokenizer::from_bytes(word_level(spec.embeddings.dims()[0])).unwrap();
    let info = BackboneInfo {
        precision: None,
        name: "tiny".to_owned(),
        family: spec.family.to_owned(),
        n_parameters: backbone.num_params(),
        n_layers: spec.n_layers,
        d_model: spec.d_model,
        pooling: Pooling::Mean.name().to_owned(),
        fingerprint: String::new(),
    };
    let encoder = TextEncoder::new(tokenizer, 16).unwrap();
    Model { folder: PathBuf::new(), backbone, spec, encoder, pooling: Pooling::Mean, info }
}

/// A `tokenizer.json` whose words are the numbers below `n_words`.
pub fn word_level(n_words: usize) -> Vec<u8> {
    let ids: Map<String, Value> = (0..n_words).map(|id| (id.to_string(), id.into())).collect();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "decoder": null,
        "pre_tokenizer": { "type": "WhitespaceSplit" },
        "post_processor": { "type": "BertProcessing", "sep": ["3", 3], "cls": ["2", 2] },
        "model": { "type": "WordLevel", "unk_token": "1", "vocab": ids },
    });
    tokenizer.to_string().into_bytes()
}
