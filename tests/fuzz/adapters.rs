//! Adapters of Hugging Face PEFT: their settings and their tensors.

use std::{
    fs,
    path::{Path, PathBuf},
};

use backbones::{Backbone, BackboneSpec};
use bench_suite::exchange::read_adapter;
use burn::tensor::Device;
use methods::{
    MethodConfig,
    hugging_face::{CONFIG_FILE, TENSORS_FILE},
};

use crate::reader::{Reader, Seed};

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn spec() -> BackboneSpec {
    Backbone::load(&fixtures().join("bert_tiny"), &Device::flex()).unwrap().spec()
}

/// One of the two files of every adapter that Hugging Face PEFT wrote, beside the right other.
fn adapters() -> Vec<(Vec<u8>, Vec<u8>)> {
    let entries = fs::read_dir(fixtures().join("peft_adapters")).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let read = |folder: &PathBuf, file| fs::read(folder.join(file)).unwrap();
    folders.iter().map(|folder| (read(folder, CONFIG_FILE), read(folder, TENSORS_FILE))).collect()
}

/// Reads the adapter in a folder as far as a run needs it.
fn load(folder: &Path, spec: &BackboneSpec) -> Result<(), String> {
    let mut adapter = read_adapter(folder).map_err(|error| format!("{error:#}"))?;
    // The command puts the folder before a message that names a file.
    let told = |error: &dyn std::fmt::Display| format!("{}/{error}", folder.display());
    let read = MethodConfig::from_hugging_face(&mut adapter, spec);
    let (config, stored) = read.map_err(|error| told(&error))?;
    let root = config.hugging_face_root().expect("it came from there");
    adapter.take_head(root, spec).map_err(|error| told(&error))?;
    adapter.finish().map_err(|error| told(&error))?;
    config.restore(spec, &stored, &Device::flex()).expect("what was read fits its settings");
    Ok(())
}

#[test]
fn settings_of_an_adapter() {
    for (i, (config, tensors)) in adapters().into_iter().enumerate() {
        let spec = spec();
        Reader::new(CONFIG_FILE, vec![Seed::plain(config)], move |folder| load(folder, &spec))
            .beside(TENSORS_FILE, tensors)
            .or_names(TENSORS_FILE)
            // Patterns of sites are compiled; crate `regex` bounds each to ten megabytes.
            .fixed_bytes(32 << 20)
            .one_in(8)
            .holds(&format!("adapter-config-{i}"));
    }
}

#[test]
fn tensors_of_an_adapter() {
    for (i, (config, tensors)) in adapters().into_iter().enumerate() {
        let spec = spec();
        let seed = Seed::safetensors(&tensors);
        Reader::new(TENSORS_FILE, vec![seed], move |folder| load(folder, &spec))
            .beside(CONFIG_FILE, config)
            .or_names(CONFIG_FILE)
            .one_in(8)
            .holds(&format!("adapter-tensors-{i}"));
    }
}
