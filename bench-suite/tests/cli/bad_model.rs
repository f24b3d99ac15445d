//! Models whose files are damaged or do not fit each other.

use std::fs;

use serde_json::{Value, json};

use crate::{
    desk::{Desk, TINY},
    tiny,
};

/// Does something to the model's folder before a run.
fn refuses(spoil: impl FnOnce(&Desk), parts: &[&str]) {
    let desk = Desk::new();
    spoil(&desk);
    desk.refuses(&format!("run {TINY} --method lora"), parts);
    desk.refuses("explain lora --model model", parts);
}

/// Changes one field of `config.json`.
fn config(field: &str, value: Value) -> impl FnOnce(&Desk) + use<> {
    let mut config = tiny::config();
    config[field] = value;
    move |desk| desk.write("model/config.json", config.to_string())
}

#[test]
fn truncated_weights_are_refused() {
    let cut = |share: usize| {
        move |desk: &Desk| {
            let bytes = fs::read(desk.path("model/model.safetensors")).unwrap();
            desk.write("model/model.safetensors", &bytes[..bytes.len() * share / 100]);
        }
    };
    let parts = ["model/model.safetensors: not a whole safetensors file", "fetch it again"];
    for share in [0, 2, 50, 99] {
        refuses(cut(share), &parts);
    }
}

#[test]
fn corrupt_weights_are_refused() {
    let parts = ["model/model.safetensors: not a whole safetensors file", "corrupt"];
    refuses(|desk| desk.write("model/model.safetensors", "<html>Not found</html>"), &parts);
    let not_a_number = |desk: &Desk| {
        let mut weights = tiny::weights();
        weights.get_mut("encoder.layer.1.output.dense.bias").unwrap().1[3] = f32::NAN;
        tiny::write_weights(&desk.path("model"), &weights);
    };
    let parts = ["'encoder.layer.1.output.dense.bias'", "NaN at index 3", "fetch it again"];
    refuses(not_a_number, &parts);
}

#[test]
fn weights_that_do_not_match_the_configuration_are_refused() {
    let wider = config("hidden_size", json!(32));
    refuses(wider, &["word_embeddings.weight", "[20, 16]", "[20, 32]", "different models"]);
    let deeper = config("num_hidden_layers", json!(3));
    let (missing, nearest) = (
        "'encoder.layer.2.attention.self.query.weight'",
        "'encoder.layer.1.attention.self.query.weight'",
    );
    refuses(deeper, &[missing, "is missing", nearest, "config.json"]);
}

#[test]
fn a_configuration_that_cannot_be_read_or_built_is_refused_with_its_field() {
    let other = ["config.json: field 'model_type' is 'gpt2'", "'bert'"];
    refuses(config("model_type", json!("gpt2")), &other);
    refuses(config("hidden_act", json!("relu")), &["field 'hidden_act' is 'relu'", "'gelu'"]);
    refuses(config("vocab_size", json!("many")), &["config.json: field 'vocab_size'", "\"many\""]);
    refuses(config("num_attention_heads", json!(3)), &["'num_attention_heads' is 3", "16"]);
    refuses(|desk| desk.write("model/config.json", "{"), &["config.json", "JSON"]);
}

#[test]
fn a_tokenizer_of_another_model_is_refused() {
    let mut tokenizer = tiny::tokenizer();
    tokenizer["model"]["vocab"]["unheard"] = json!(160);
    let larger = |desk: &Desk| desk.write("model/tokenizer.json", tokenizer.to_string());
    let parts = ["tokenizer.json has ids up to 160", "embeds 20 words", "different models"];
    refuses(larger, &parts);
    let parts = ["model/tokenizer.json: is not a tokenizer", "--model"];
    refuses(|desk| desk.write("model/tokenizer.json", "{}"), &parts);
}

#[test]
fn a_folder_without_all_files_is_told_what_it_lacks() {
    let lacking = |file: &str| {
        let path = format!("model/{file}");
        move |desk: &Desk| fs::remove_file(desk.path(&path)).unwrap()
    };
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        refuses(lacking(file), &["folder `model` is not a model", file]);
    }
}
