//! A trained run as a plain checkpoint in Hugging Face layout, and back to what it was made from.

mod readme;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use assets::sha256_file;
use backbones::{Backbone, Changes, Injection, Pooling, Rewritten, restored, weights::Checkpoint};
use methods::Method;
use safetensors::SafeTensors;
use serde_json::{Map, Value, json};

use crate::finished::Finished;

const WEIGHTS: &str = "model.safetensors";
const CONFIG: &str = "config.json";
/// What it takes to make the base checkpoint again.
const UNDO: &str = "unfold.safetensors";

/// Files of a tokenizer, as far as a model has them.
const TOKENIZER: [&str; 5] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "added_tokens.json",
];

/// The notes in the undo file.
const NOTED_SUM: &str = "sha256";
const NOTED_CONFIG: &str = "config";

/// Writes a run into an empty folder: weights, config, tokenizer, README, and what it takes to
/// unfold it.
///
/// # Errors
/// The method cannot be folded, with the reason; a file that cannot be read or written.
pub fn fold(run: &Finished, folder: &Path) -> Result<Rewritten> {
    let backbone = folded(run)?;
    let base = &run.model.folder;
    let config = read_text(&base.join(CONFIG))?;
    let numbers = backbone.tensors();
    let root = backbone.class_names().root;
    // transformers finds an encoder beside a head only under the root's name.
    let is_rooted = numbers.iter().any(|(name, _)| name.starts_with(root));
    let head = &run.trained.head;
    let bias = head.bias.as_ref().context("the head has no bias")?;
    let changes = Changes {
        numbers: numbers.into_iter().collect(),
        added: vec![
            ("classifier.weight".to_owned(), head.weight.val().transpose().into_data()),
            ("classifier.bias".to_owned(), bias.val().into_data()),
        ],
        prefix: if is_rooted { String::new() } else { root.to_owned() },
    };
    let notes = HashMap::from([
        (NOTED_SUM.to_owned(), run.record.backbone.fingerprint.clone()),
        (NOTED_CONFIG.to_owned(), config.clone()),
    ]);
    let written = Checkpoint::open(&base.join(WEIGHTS))?.rewritten(&changes, notes)?;
    report::write_atomic(&folder.join(WEIGHTS), &written.file)?;
    report::write_atomic(&folder.join(UNDO), &written.undo)?;
    let config = with_classes(run, &backbone, &base.join(CONFIG), &config)?;
    report::write_atomic(&folder.join(CONFIG), config.as_bytes())?;
    report::write_atomic(&folder.join("README.md"), readme::readme(run, &written).as_bytes())?;
    copy_tokenizer(base, folder)?;
    Ok(written)
}

/// Writes the checkpoint that [`fold`] started from into an empty folder, byte for byte.
///
/// # Errors
/// A file that is missing, damaged or does not belong to the others.
pub fn unfold(from: &Path, folder: &Path) -> Result<()> {
    let undo_path = from.join(UNDO);
    let undo = fs::read(&undo_path).with_context(|| {
        format!("{}: cannot be read; give a folder that 'fold' wrote", undo_path.display())
    })?;
    let weights = from.join(WEIGHTS);
    let file = fs::read(&weights).with_context(|| format!("{}", weights.display()))?;
    let damaged = |problem: String| {
        anyhow::anyhow!("{}: cannot be unfolded ({problem}); fold again", from.display())
    };
    let base = restored(&file, &undo).map_err(damaged)?;
    let (_, metadata) =
        SafeTensors::read_metadata(&undo).map_err(|error| damaged(error.to_string()))?;
    let note = |key: &str| {
        let found = metadata.metadata().as_ref().and_then(|notes| notes.get(key));
        found.ok_or_else(|| damaged(format!("no '{key}' is noted")))
    };
    let path = folder.join(WEIGHTS);
    report::write_atomic(&path, &base)?;
    if sha256_file(&path)? != *note(NOTED_SUM)? {
        return Err(damaged("the SHA-256 is not that of the checkpoint".to_owned()));
    }
    report::write_atomic(&folder.join(CONFIG), note(NOTED_CONFIG)?.as_bytes())?;
    copy_tokenizer(from, folder)
}

/// The backbone as it computes with what was trained.
fn folded(run: &Finished) -> Result<Backbone> {
    if let Some(backbone) = &run.trained.unfrozen {
        return Ok(backbone.clone());
    }
    let backbone = run.model.backbone.clone();
    let Some(method) = &run.trained.method else { return Ok(backbone) };
    let card = run.arm.card().context("a method has a card")?;
    if !card.foldable {
        bail!("run {}: {} cannot be folded: {}", run.record.id, card.title, why_not(method));
    }
    Ok(backbone.folded(|site| method.weight_delta(site)))
}

fn why_not(method: &Method) -> &'static str {
    if method.prompt().is_some() {
        return "it puts vectors before the input, and no weight of the model can hold them";
    }
    match method.prefixes().is_empty() {
        false => {
            "it puts keys and values before those of the text, and no weight of the model can hold them"
        }
        true => "what it adds is not a fixed change of a weight",
    }
}

/// The base's config with the classes, and with the class that loads the file as it is.
fn with_classes(run: &Finished, backbone: &Backbone, path: &Path, config: &str) -> Result<String> {
    let mut config: Map<String, Value> =
        serde_json::from_str(config).with_context(|| format!("{}", path.display()))?;
    let classes = &run.record.task.classes;
    let names = backbone.class_names();
    let class = match run.model.pooling {
        // Without a prompt the first row is the true [CLS].
        Pooling::Pooler | Pooling::HfPooler => names.classifier,
        Pooling::Mean | Pooling::Cls => names.encoder,
    };
    let ids = classes.iter().enumerate();
    let id2label: Map<_, _> = ids.clone().map(|(id, name)| (id.to_string(), json!(name))).collect();
    let label2id: Map<_, _> = ids.map(|(id, name)| (name.clone(), json!(id))).collect();
    config.insert("architectures".to_owned(), json!([class]));
    config.insert("problem_type".to_owned(), json!("single_label_classification"));
    config.insert("id2label".to_owned(), id2label.into());
    config.insert("label2id".to_owned(), label2id.into());
    Ok(serde_json::to_string_pretty(&config)? + "\n")
}

fn copy_tokenizer(from: &Path, to: &Path) -> Result<()> {
    let there = TOKENIZER.into_iter().map(|name| (from.join(name), to.join(name)));
    for (from, to) in there.filter(|(from, _): &(PathBuf, PathBuf)| from.is_file()) {
        let bytes = fs::read(&from).with_context(|| format!("{}", from.display()))?;
        report::write_atomic(&to, &bytes)?;
    }
    Ok(())
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("{}", path.display()))
}
