//! The two files of a backbone.

use std::{collections::HashMap, fs, path::Path};

use backbones::{Backbone, Changes, Checkpoint, Rewritten, Tokens, Untouched, restored};
use burn::tensor::{Device, Tensor, TensorData};

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

/// What takes a folded checkpoint back. The command that does it names the file.
#[test]
fn undo() {
    const UNDO: &str = "undo.safetensors";
    let name = "pooler.dense.bias".to_owned();
    let numbers = [(name, TensorData::new(vec![1.0_f32; 24], [24]))].into();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(WEIGHTS), fixture(WEIGHTS)).unwrap();
    let file = Checkpoint::open(&folder.path().join(WEIGHTS)).unwrap();
    let changes = Changes { numbers, ..Default::default() };
    let Rewritten { file, undo, .. } = file.rewritten(&changes, HashMap::new()).unwrap();
    let restore = move |folder: &Path| {
        let undo = fs::read(folder.join(UNDO)).unwrap();
        restored(&file, &undo).map(drop).map_err(|problem| format!("{UNDO}: {problem}"))
    };
    Reader::new(UNDO, vec![Seed::safetensors(&undo)], restore).holds("undo");
}

#[test]
fn config() {
    Reader::new(CONFIG, vec![Seed::plain(fixture(CONFIG))], read)
        .beside(WEIGHTS, fixture(WEIGHTS))
        .or_names(WEIGHTS)
        .fixed_bytes(2 << 20)
        .holds("config");
}
