//! From an adapter's folder to a run.

use std::{collections::BTreeMap, fs, path::Path, time::SystemTime};

use anyhow::{Context, Result, anyhow, bail};
use assets::{Source, Store};
use backbones::{Injection, Pooling};
use burn::{module::Param, nn::Linear};
use datasets::TextEncoder;
use methods::{
    Method, MethodConfig,
    hugging_face::{Adapter, TENSORS_FILE},
};
use report::{
    Claim, ResultsDir, RunRecord,
    record::{Cost, Counts, SCHEMA, Status, TaskInfo},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    MODEL_CONFIG_FILE, POOLING,
    files::{read_adapter, read_object},
};
use crate::{
    arm::Arm,
    choice::ModelChoice,
    cli::ImportArgs,
    device::Chosen,
    model::Model,
    plan::quoted,
    run::{environment, method_info, stored_numbers},
    trainable::Trainable,
};

/// Reads an adapter as a run, complete but for the bytes on disk, and its trained part.
///
/// # Errors
/// The file, the field or tensor, and what would be right.
pub fn import(args: &ImportArgs, store: &Store, chosen: &Chosen) -> Result<(RunRecord, Trainable)> {
    let folder = args.folder.as_path();
    let mut adapter = read_adapter(folder)?;
    let choice = ModelChoice {
        name: base(args, &adapter, store)?,
        pooling: pooling(args, &adapter)?,
        max_tokens: args.max_tokens,
        ..ModelChoice::default()
    };
    let model = choice.load(store, &chosen.device).context("the model under the adapter")?;
    check_tokenizer(folder, &model)?;

    // The error names a file of the folder.
    let at = |error| anyhow!("{}/{error}", folder.display());
    let (config, stored) =
        MethodConfig::from_hugging_face(&mut adapter, &model.spec).map_err(at)?;
    let root = config.hugging_face_root().unwrap_or_default();
    let (weight, bias) = adapter.take_head(root, &model.spec).map_err(at)?;
    let classes = classes(args, &adapter, &model, bias.dims()[0])?;
    let details = details(folder, &adapter);
    adapter.finish().map_err(at)?;

    let method = config.restore(&model.spec, &stored, &chosen.device)?;
    let head = Linear { weight: Param::from_tensor(weight), bias: Some(Param::from_tensor(bias)) };
    check_room(&method, &model)?;
    let n_stored = stored_numbers(&method);
    let trainable = Trainable { method: Some(method), unfrozen: None, head };
    let arm = Arm::Peft(config);
    let plan = arm.plan(&model)?;
    let record = RunRecord {
        schema: SCHEMA,
        id: id(folder, &arm, &model, &classes, args.max_tokens)?,
        status: Status::Imported,
        counts: Counts {
            trainable: plan.map_or(n_stored, |plan| plan.trainable()),
            stored: n_stored,
            active: n_stored,
            head: (model.spec.d_model + 1) * classes.len(),
            bytes_on_disk: 0,
        },
        task: TaskInfo {
            name: "imported".to_owned(),
            title: format!("What the adapter {} was trained for", folder.display()),
            classes,
            n_train: 0,
            n_validation: 0,
            n_test: 0,
            max_tokens: args.max_tokens,
            truncated_share: 0.0,
            fingerprint: String::new(),
        },
        backbone: model.info.clone(),
        method: method_info(&arm),
        from: None,
        training: json!({}),
        seed: 0,
        scores: None,
        search: None,
        curve: vec![],
        transfer: vec![],
        details,
        cost: Cost {
            steps: 0,
            train_seconds: 0.0,
            evaluation_seconds: 0.0,
            tokens_per_second: 0.0,
            peak_bytes: None,
        },
        environment: environment(chosen),
        started: report::clock::utc(SystemTime::now()),
        command: command(args, &choice),
    };
    Ok((record, trainable))
}

/// Keeps an imported run in a results folder. The same adapter read again is the same run.
///
/// # Errors
/// A file that cannot be written, or another process that imports the same.
pub fn keep(
    mut record: RunRecord,
    trainable: &Trainable,
    results: &ResultsDir,
) -> Result<RunRecord> {
    let claim = results.claim(&record.id)?;
    if let Claim::HeldBy(holder) = &claim {
        bail!("run {} in {} is held by {holder}", record.id, results.path().display());
    }
    record.counts.bytes_on_disk = trainable.save(&results.trained_path(&record.id))?;
    results.write(&record)?;
    Ok(record)
}

/// The model that is asked for, else the one that the adapter names, by our name for it.
fn base(args: &ImportArgs, adapter: &Adapter, store: &Store) -> Result<String> {
    if let Some(name) = &args.model {
        return Ok(name.clone());
    }
    let named = adapter.config.get("base_model_name_or_path").and_then(Value::as_str);
    let Some(named) = named.filter(|name| !name.is_empty()) else {
        bail!("{}: the adapter does not name its model; say --model", args.folder.display());
    };
    let is_it = |source: &Source| matches!(source, Source::Hub(hub) if hub.repo == named);
    let registered = store.registry().assets().iter().find(|asset| asset.sources.iter().any(is_it));
    Ok(registered.map_or(named, |asset| &asset.name).to_owned())
}

/// The pooling that is asked for, else the one that the folder names, else Hugging Face's own.
fn pooling(args: &ImportArgs, adapter: &Adapter) -> Result<Pooling> {
    if let Some(pooling) = args.pooling {
        return Ok(pooling.into());
    }
    match adapter.model.get(POOLING) {
        None => Ok(Pooling::HfPooler),
        Some(name) => serde_json::from_value(name.clone()).map_err(|error| {
            let folder = args.folder.display();
            anyhow!("{folder}/{MODEL_CONFIG_FILE}: field '{POOLING}' is {name}: {error}")
        }),
    }
}

/// An adapter that comes with a tokenizer must come with the model's.
fn check_tokenizer(folder: &Path, model: &Model) -> Result<()> {
    if !folder.join("tokenizer.json").is_file() {
        return Ok(());
    }
    let own = TextEncoder::from_dir(folder, model.encoder.max_tokens())?;
    if !own.has_vocabulary_of(&model.encoder) {
        bail!(
            "{}/tokenizer.json has other words than that of {}; name the adapter's own model with \
             --model",
            folder.display(),
            model.folder.display()
        );
    }
    Ok(())
}

/// Names of the classes: given, of the adapter, of the model, or numbered.
fn classes(args: &ImportArgs, adapter: &Adapter, model: &Model, n: usize) -> Result<Vec<String>> {
    if !args.classes.is_empty() {
        if args.classes.len() != n {
            bail!("--classes names {}, but the adapter's head has {n} classes", args.classes.len());
        }
        return Ok(args.classes.clone());
    }
    let of_model = read_object(&model.folder.join(MODEL_CONFIG_FILE))?;
    let named = [&adapter.model, &of_model].into_iter().find_map(|config| labels(config, n));
    Ok(named.unwrap_or_else(|| (0..n).map(|i| format!("LABEL_{i}")).collect()))
}

/// The `id2label` of a configuration, if it names `n` classes.
fn labels(config: &Map<String, Value>, n: usize) -> Option<Vec<String>> {
    let labels = config.get("id2label")?.as_object()?;
    let label = |i: usize| Some(labels.get(&i.to_string())?.as_str()?.to_owned());
    if labels.len() == n { (0..n).map(label).collect() } else { None }
}

/// Virtual tokens may take positions that the text needs too.
fn check_room(method: &Method, model: &Model) -> Result<()> {
    let n_prompt = method.first_position() + method.prompt().map_or(0, |prompt| prompt.dims()[0]);
    let (n_text, n_positions) = (model.encoder.max_tokens(), model.spec.n_positions);
    if n_prompt + n_text > n_positions {
        bail!(
            "virtual tokens take {n_prompt} of the model's {n_positions} positions, which leaves \
             {} for a text; choose a smaller --max-tokens",
            n_positions.saturating_sub(n_prompt)
        );
    }
    Ok(())
}

/// Where it came from, for the record.
fn details(folder: &Path, adapter: &Adapter) -> BTreeMap<String, Value> {
    let version = adapter.config.get("peft_version").cloned().unwrap_or_default();
    BTreeMap::from([(
        "imported".to_owned(),
        json!({ "from": folder.display().to_string(), "peft_version": version }),
    )])
}

/// `method-hash`: equal for equal tensors, settings, model, reading and classes.
fn id(
    folder: &Path,
    arm: &Arm,
    model: &Model,
    classes: &[String],
    max_tokens: usize,
) -> Result<String> {
    let tensors = Sha256::digest(fs::read(folder.join(TENSORS_FILE))?);
    let identity = json!({
        "tensors": tensors.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "config": arm,
        "model": model.info.fingerprint,
        "pooling": model.info.pooling,
        "max_tokens": max_tokens,
        "classes": classes,
    });
    let hash = Sha256::digest(identity.to_string());
    let hash: String = hash.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{}-{hash}", arm.name()))
}

fn command(args: &ImportArgs, choice: &ModelChoice) -> String {
    let mut words = vec!["import".to_owned(), args.folder.display().to_string()];
    words.extend(["--model".to_owned(), choice.name.clone()]);
    words.extend(["--pooling".to_owned(), choice.pooling.name().to_owned()]);
    words.extend(["--max-tokens".to_owned(), choice.max_tokens.to_string()]);
    if !args.classes.is_empty() {
        words.extend(["--classes".to_owned(), args.classes.join(",")]);
    }
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("cargo run --release -p bench-suite -- {}", words.join(" "))
}
