//! The two files of a backbone.

use std::{fs, path::Path};

use backbones::{Backbone, Tokens, Untouched};
use burn::tensor::{Device, Tensor};

use crate::reader::{Reader, Seed};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";

fn fixture(file: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bert_tiny");
    fs::read(folder.join(file)).unwrap()
}

/// Loads a model and lets it read four words.
fn read(folder: &Path) -> Result<(), String> {
    let device = Device::flex();
    let backbone = Backbone::load(folder, &device).map_err(|error| error.to_string())?;
    let tokens = Tokens {
        ids: Tensor::from_ints([[0, 0, 0, 0]], &device),
        type_ids: Tensor::zeros([1, 4], &device),
        mask: Tensor::ones([1, 4], &device),
    };
    if backbone.spec().n_positions >= 4 {
        let hidden = backbone.encode(&tokens, &Untouched);
        assert_eq!(hidden.dims(), [1, 4, backbone.spec().d_model]);
    }
    Ok(())
}

#[test]
fn weights() {
    Reader::new(WEIGHTS, vec![Seed::safetensors(&fixture(WEIGHTS))], read)
        .beside(CONFIG, fixture(CONFIG))
        .holds("weights");
}

#[test]
fn config() {
    Reader::new(CONFIG, vec![Seed::plain(fixture(CONFIG))], read)
        .beside(WEIGHTS, fixture(WEIGHTS))
        .or_names(WEIGHTS)
        .fixed_bytes(2 << 20)
        .holds("config");
}
