//! Damaged checkpoints and unusable configurations: a named error in one line, never a panic.

use std::{fs, path::Path};

use backbones::{Backbone, LoadError};
use burn::tensor::Device;
use safetensors::Dtype;
use serde_json::json;

use crate::golden::{Stored, TinyCopy};

const WORDS: &str = "embeddings.word_embeddings.weight";

/// The error of loading a folder: one line that names the file.
#[track_caller]
fn error(folder: &Path, file: &str) -> (LoadError, String) {
    let error = Backbone::load(folder, &Device::flex()).expect_err("loaded");
    let text = error.to_string();
    let path = folder.join(file).display().to_string();
    assert!(text.starts_with(&path), "'{text}' does not name {path}");
    assert_eq!(text.lines().count(), 1, "{text}");
    (error, text)
}

#[test]
fn a_missing_file_is_named_with_the_way_out() {
    for file in ["config.json", "model.safetensors"] {
        let copy = TinyCopy::new();
        fs::remove_file(copy.path().join(file)).unwrap();
        let (error, text) = error(copy.path(), file);
        assert!(matches!(error, LoadError::Read { .. }), "{error:?}");
        assert!(text.contains("give a folder with config.json, model.safetensors"), "{text}");
    }
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let copy = TinyCopy::new();
    let whole = fs::read(copy.weights()).unwrap();
    for length in (0..whole.len()).step_by(997).chain([1, 7, 8, 9, whole.len() - 1]) {
        fs::write(copy.weights(), &whole[..length]).unwrap();
        let (error, text) = error(copy.path(), "model.safetensors");
        assert!(matches!(error, LoadError::Format { .. }), "{length}: {error:?}");
        assert!(text.contains("truncated or corrupt, fetch it again"), "{text}");
    }
}

#[test]
fn a_header_with_any_byte_wrong_never_panics() {
    let copy = TinyCopy::new();
    let whole = fs::read(copy.weights()).unwrap();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    for at in (0..8).chain((8..header).step_by(23)) {
        let mut broken = whole.clone();
        broken[at] ^= 0x15;
        fs::write(copy.weights(), &broken).unwrap();
        // A changed digit or letter of a tensor that is not read may go unseen.
        let _ = Backbone::load(copy.path(), &Device::flex());
    }
    fs::write(copy.weights(), [u64::MAX.to_le_bytes().as_slice(), &whole[8..]].concat()).unwrap();
    let (error, _) = error(copy.path(), "model.safetensors");
    assert!(matches!(error, LoadError::Format { .. }), "{error:?}");
}

#[test]
fn a_missing_tensor_is_named() {
    let name = "encoder.layer.1.output.dense.bias";
    let copy = TinyCopy::with_tensors(|tensors| drop(tensors.remove(name)));
    let (_, text) = error(copy.path(), "model.safetensors");
    assert!(text.contains(&format!("tensor '{name}' is missing")), "{text}");
}

#[test]
fn a_checkpoint_of_another_architecture_says_what_it_has_instead() {
    let copy = TinyCopy::with_tensors(|tensors| {
        let words = tensors.remove(WORDS).unwrap();
        *tensors = [("model.embed_tokens.weight".to_owned(), words)].into();
    });
    let (error, text) = error(copy.path(), "model.safetensors");
    assert!(matches!(error, LoadError::Missing { n_tensors: 1, .. }), "{error:?}");
    assert!(text.contains("model.embed_tokens.weight"), "{text}");
}

#[test]
fn a_tensor_of_another_shape_is_named_with_both_shapes() {
    // The same numbers, transposed.
    let copy = TinyCopy::with_tensors(|tensors| {
        let up = tensors.get_mut("encoder.layer.0.intermediate.dense.weight").unwrap();
        up.shape.reverse();
    });
    let (_, text) = error(copy.path(), "model.safetensors");
    assert!(text.contains("has shape [24, 40], config.json asks for [40, 24]"), "{text}");
}

#[test]
fn a_config_of_another_size_is_seen_in_the_shapes() {
    let copy = TinyCopy::with_config(|config| drop(config.insert("vocab_size".into(), json!(51))));
    let (_, text) = error(copy.path(), "model.safetensors");
    assert!(text.contains(&format!("'{WORDS}' has shape [50, 24]")), "{text}");
    let copy =
        TinyCopy::with_config(|config| drop(config.insert("num_hidden_layers".into(), json!(3))));
    let (_, text) = error(copy.path(), "model.safetensors");
    assert!(text.contains("'encoder.layer.2."), "{text}");
}

#[test]
fn numbers_that_are_not_finite_are_named_with_their_place() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let copy = TinyCopy::with_tensors(|tensors| {
            tensors.get_mut(WORDS).unwrap().bytes[20..24].copy_from_slice(&value.to_le_bytes());
        });
        let (error, text) = error(copy.path(), "model.safetensors");
        assert!(matches!(error, LoadError::NotFinite { index: 5, .. }), "{error:?}");
        assert!(text.contains(WORDS) && text.contains(&value.to_string()), "{text}");
    }
}

#[test]
fn numbers_of_a_type_that_is_not_read_are_named() {
    let copy = TinyCopy::with_tensors(|tensors| {
        let words = tensors.get_mut(WORDS).unwrap();
        let bytes = vec![0; words.bytes.len() / 4];
        *words = Stored { dtype: Dtype::I8, shape: words.shape.clone(), bytes };
    });
    let (_, text) = error(copy.path(), "model.safetensors");
    assert!(
        text.contains(&format!("'{WORDS}' is of type I8; F32, F16 and BF16 are read")),
        "{text}"
    );
}

#[test]
fn a_config_that_cannot_be_computed_is_refused_by_field_and_value() {
    for (field, value, expected) in [
        ("hidden_act", json!("relu"), "is 'relu'; only 'gelu'"),
        ("model_type", json!("roberta"), "is 'roberta'; 'bert'"),
        ("position_embedding_type", json!("relative_key"), "is 'relative_key'"),
        ("num_attention_heads", json!(5), "is 5, which does not divide hidden_size 24"),
        ("num_attention_heads", json!(0), "is 0"),
        ("num_hidden_layers", json!(0), "is 0"),
        ("hidden_size", json!(-24), "-24"),
        ("hidden_size", json!("wide"), "\"wide\""),
        ("layer_norm_eps", json!(null), "null"),
        ("layer_norm_eps", json!(-1.0), "is -1"),
    ] {
        let copy = TinyCopy::with_config(|config| drop(config.insert(field.into(), value.clone())));
        let (_, text) = error(copy.path(), "config.json");
        let named = text.contains(&format!("field '{field}'")) && text.contains(expected);
        assert!(named, "{field} = {value}: {text}");
    }
}

#[test]
fn a_field_that_is_missing_is_named() {
    for field in ["model_type", "hidden_size", "hidden_act", "layer_norm_eps", "vocab_size"] {
        let copy = TinyCopy::with_config(|config| drop(config.remove(field)));
        let (_, text) = error(copy.path(), "config.json");
        assert!(text.contains(&format!("field '{field}'")) && text.contains("missing"), "{text}");
    }
}

#[test]
fn a_config_that_is_not_json_is_refused() {
    for bytes in [b"".as_slice(), b"{", b"\xff\xfe", b"[]", b"null"] {
        let copy = TinyCopy::new();
        fs::write(copy.path().join("config.json"), bytes).unwrap();
        let (error, _) = error(copy.path(), "config.json");
        assert!(matches!(error, LoadError::Config { .. }), "{error:?}");
    }
}
