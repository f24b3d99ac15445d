//! The BERT backbone equals Hugging Face transformers. `fixtures/README.md` says what of.

use std::path::Path;

use backbones::{Backbone, Pooling, Untouched};
use burn::tensor::{Device, bf16, f16};
use datasets::TextEncoder;
use safetensors::Dtype;

use crate::{
    devices::{on_flex, on_wgpu},
    golden::{Expected, Stored, TinyCopy, fixture, store},
    numbers::{assert_close, distance, numbers},
    subject::at_true_tokens,
};

const TINY: &str = "bert_tiny";

fn load(folder: &Path, device: &Device) -> Backbone {
    Backbone::load(folder, device).unwrap_or_else(|error| panic!("{error}"))
}

/// Asserts that a checkpoint gives the answers of `bert_tiny`.
fn assert_is_tiny(folder: &Path, device: &Device) {
    let (expected, backbone) = (Expected::read(TINY), load(folder, device));
    let batch = expected.batch(device);
    let hidden = backbone.encode(&batch, &Untouched);
    let pooled = numbers(backbone.features(&batch, &Untouched, Pooling::Pooler));
    let rows = expected.rows();
    let rows = rows.iter().map(Vec::as_slice).collect::<Vec<_>>();
    let at_true = |hidden: &[f32]| at_true_tokens(hidden, &rows, expected.shape()[1]);
    let wanted = at_true(&expected.answers["last_hidden_state"].f32s());
    assert_close(&at_true(&numbers(hidden)), &wanted, 1e-5, "hidden states");
    assert_close(&pooled, &expected.answers["pooler_output"].f32s(), 1e-5, "pooler");
}

fn the_tiny_model_is_equal(device: &Device) {
    assert_is_tiny(&fixture(TINY), device);
}

#[test]
fn hidden_states_and_pooler_equal_those_of_transformers() {
    on_flex(the_tiny_model_is_equal);
}

#[test]
fn hidden_states_and_pooler_equal_those_of_transformers_on_wgpu() {
    on_wgpu(the_tiny_model_is_equal);
}

#[test]
fn a_checkpoint_of_a_whole_task_model_reads_the_same() {
    // Everything under `bert.`, beside a head that is not read.
    let copy = TinyCopy::with_tensors(|tensors| {
        let head = Stored { dtype: Dtype::I64, shape: vec![1], bytes: vec![0; 8] };
        *tensors = std::mem::take(tensors)
            .into_iter()
            .map(|(name, stored)| (format!("bert.{name}"), stored))
            .chain([("classifier.weight".to_owned(), head)])
            .collect();
    });
    assert_is_tiny(copy.path(), &Device::flex());
}

#[test]
fn a_checkpoint_with_the_old_names_of_layer_normalisation_reads_the_same() {
    // As in bert-base-uncased: gamma and beta.
    let copy = TinyCopy::with_tensors(|tensors| {
        *tensors = std::mem::take(tensors)
            .into_iter()
            .map(|(name, stored)| {
                let name = name.replace("LayerNorm.weight", "LayerNorm.gamma");
                (name.replace("LayerNorm.bias", "LayerNorm.beta"), stored)
            })
            .collect();
    });
    assert_is_tiny(copy.path(), &Device::flex());
}

#[test]
fn half_precision_checkpoints_are_read_as_the_numbers_they_hold() {
    type Halve = fn(f32) -> ([u8; 2], f32);
    let halves: [(Dtype, Halve); 2] = [
        (Dtype::F16, |x| (f16::from_f32(x).to_le_bytes(), f16::from_f32(x).to_f32())),
        (Dtype::BF16, |x| (bf16::from_f32(x).to_le_bytes(), bf16::from_f32(x).to_f32())),
    ];
    for (dtype, halve) in halves {
        let mut rounded = vec![];
        let copy = TinyCopy::with_tensors(|tensors| {
            for (name, stored) in tensors {
                let values = stored.f32s().into_iter().map(halve);
                let (bytes, values): (Vec<[u8; 2]>, Vec<f32>) = values.unzip();
                *stored = Stored { dtype, shape: stored.shape.clone(), bytes: bytes.concat() };
                if name == "embeddings.word_embeddings.weight" {
                    rounded = values;
                }
            }
        });
        let embeddings = load(copy.path(), &Device::flex()).spec().embeddings;
        assert_eq!(numbers(embeddings), rounded, "{dtype:?}");
    }
}

#[test]
fn a_checkpoint_without_pooler_serves_the_other_poolings_only() {
    let copy =
        TinyCopy::with_tensors(|tensors| tensors.retain(|name, _| !name.starts_with("pooler")));
    let backbone = || load(copy.path(), &Device::flex());
    assert!(backbone().for_pooling(Pooling::Mean, copy.path()).is_ok());
    assert!(backbone().for_pooling(Pooling::Cls, copy.path()).is_ok());
    for pooling in [Pooling::Pooler, Pooling::HfPooler] {
        let error = backbone().for_pooling(pooling, copy.path()).unwrap_err().to_string();
        let expected = format!("'pooling' is '{}', but the checkpoint has no", pooling.name());
        assert!(error.contains(&expected), "{error}");
    }
}

#[test]
fn the_real_model_equals_transformers_from_the_text_to_the_vectors() {
    let folder = store().fetch("minilm-l6");
    let folder = folder.unwrap_or_else(|error| panic!("{error}")).path;
    let expected = Expected::read("minilm_l6");

    let sentences = std::fs::read(fixture("minilm_l6").join("sentences.json")).unwrap();
    let sentences: Vec<String> = serde_json::from_slice(&sentences).unwrap();
    let encoder = TextEncoder::from_dir(&folder, 128).unwrap();
    let ids = |text: &String| encoder.encode_text(text, None).unwrap().ids;
    let ids = sentences.iter().map(|text| ids(text).into_iter().map(|id| id as i32).collect());
    assert_eq!(ids.collect::<Vec<Vec<i32>>>(), expected.rows());

    let device = Device::flex();
    let (backbone, batch) = (load(&folder, &device), expected.batch(&device));
    let hidden = backbone.encode(&batch, &Untouched);
    let pool = |pooling| numbers(backbone.features(&batch, &Untouched, pooling));
    let answer = |name: &str| expected.answers[name].f32s();
    assert_close(&pool(Pooling::Mean), &answer("mean_pooled"), 1e-4, "mean");
    assert_close(&pool(Pooling::Pooler), &answer("pooler_output"), 1e-4, "pooler");
    assert!(distance(&pool(Pooling::Cls), &pool(Pooling::Mean)) > 0.1);

    let rows = expected.rows();
    let rows = rows.iter().map(Vec::as_slice).collect::<Vec<_>>();
    let [n, width] = expected.shape();
    let stored_width = expected.answers["last_hidden_state"].shape[2];
    let first = numbers(hidden.slice([0..n, 0..width, 0..stored_width]));
    let at_true = |hidden: &[f32]| at_true_tokens(hidden, &rows, width);
    assert_close(&at_true(&first), &at_true(&answer("last_hidden_state")), 1e-4, "hidden states");
}
