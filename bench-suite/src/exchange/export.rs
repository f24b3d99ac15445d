//! From a trained run to an adapter's folder.

use std::path::Path;

use anyhow::{Context, Result, bail};
use assets::{Source, Store};
use methods::hugging_face::{Adapter, CONFIG_FILE, Stored, TENSORS_FILE};
use report::{RunRecord, write_atomic};
use serde_json::{Map, Value, json};

use super::{
    MODEL_CONFIG_FILE, POOLING,
    card::card,
    files::{object_file, read_object, tensors_file},
};
use crate::{
    arm::{Arm, Baseline},
    finished::{Finished, arm},
};

/// The model class that pools as runs do.
const MODEL_CLASS: &str = include_str!("pooled_bert.py");

/// Where a frozen model can be had from.
pub struct Base {
    /// `org/name` of the hub, or a folder.
    pub name: String,
    /// Branch, tag or commit on the hub.
    pub revision: Option<String>,
}

/// Checks that a run is of a method that Hugging Face PEFT has.
///
/// # Errors
/// What the run is instead, and what to do with it.
pub fn check_is_adapter(record: &RunRecord) -> Result<()> {
    let why = match arm(record)? {
        Arm::Peft(config) if config.hugging_face_root().is_some() => return Ok(()),
        Arm::Peft(config) => {
            format!(
                "Hugging Face PEFT has no {}; its tensors are under trained/",
                config.card().title
            )
        }
        Arm::Baseline(Baseline::Majority) => "the majority class trains nothing".to_owned(),
        Arm::Baseline(Baseline::HeadOnly) => {
            "it adds nothing to the model, only a head on it; 'fold' writes a plain checkpoint"
                .to_owned()
        }
        Arm::Baseline(Baseline::Full) => {
            "it changed the whole model; 'fold' writes a plain checkpoint".to_owned()
        }
    };
    bail!("run {} cannot be an adapter: {why}", record.id)
}

/// Writes a run as an adapter into an empty folder that shall become `to`; gives its files.
///
/// # Errors
/// The run is no adapter, or a file cannot be written.
pub fn export(
    run: &Finished,
    store: &Store,
    to: &Path,
    folder: &Path,
) -> Result<[&'static str; 5]> {
    check_is_adapter(&run.record)?;
    let base = base(run, store);
    let mut adapter = adapter(run)?;
    adapter.set("base_model_name_or_path", base.name.clone());
    adapter.set("revision", base.revision.clone());
    let model = read_object(&run.model.folder.join(MODEL_CONFIG_FILE))?;
    let model = model_config(run, &adapter, model);
    let files = [
        ("README.md", card(run, &base, to).into_bytes()),
        ("pooled_bert.py", MODEL_CLASS.as_bytes().to_vec()),
        (MODEL_CONFIG_FILE, object_file(&model)?),
        (TENSORS_FILE, tensors_file(&adapter)?),
        (CONFIG_FILE, object_file(&adapter.config)?),
    ];
    for (name, bytes) in &files {
        write_atomic(&folder.join(name), bytes)?;
    }
    Ok(files.map(|(name, _)| name))
}

/// The method and the head.
fn adapter(run: &Finished) -> Result<Adapter> {
    let (Arm::Peft(config), Some(method)) = (&run.arm, &run.trained.method) else {
        bail!("run {} has no method", run.record.id);
    };
    let spec = &run.model.spec;
    let stored: Stored = method.stored().into_iter().collect();
    let (Some(adapter), Some(root)) =
        (config.to_hugging_face(spec, &stored), config.hugging_face_root())
    else {
        bail!("Hugging Face PEFT has no {}", config.card().title);
    };
    let mut adapter = adapter?;
    let head = &run.trained.head;
    let bias = head.bias.as_ref().context("the head has no bias")?.val();
    adapter.put_head(root, spec, head.weight.val(), bias);
    Ok(adapter)
}

/// The model's configuration with the classes, and with what the model class must know.
fn model_config(
    run: &Finished,
    adapter: &Adapter,
    mut config: Map<String, Value>,
) -> Map<String, Value> {
    let classes = || run.record.task.classes.iter().enumerate();
    let id2label: Map<_, _> = classes().map(|(i, class)| (i.to_string(), json!(class))).collect();
    let label2id: Map<_, _> = classes().map(|(i, class)| (class.clone(), json!(i))).collect();
    config.insert("architectures".to_owned(), json!(["PooledBert"]));
    config.insert("id2label".to_owned(), id2label.into());
    config.insert("label2id".to_owned(), label2id.into());
    config.insert(POOLING.to_owned(), run.model.pooling.name().into());
    config.extend(adapter.model.clone());
    config
}

/// Where others get the model from: the hub, where it is known to be there.
fn base(run: &Finished, store: &Store) -> Base {
    let name = &run.record.backbone.name;
    let sources = store.registry().get(name).map(|asset| asset.sources.as_slice());
    let hub = sources.unwrap_or_default().iter().find_map(|source| match source {
        Source::Hub(hub) => {
            Some(Base { name: hub.repo.clone(), revision: Some(hub.revision.clone()) })
        }
        Source::Package(_) => None,
    });
    hub.unwrap_or_else(|| Base { name: name.clone(), revision: None })
}
