//! Adapters of Hugging Face PEFT: what is written is read again as it was, and what that library
//! wrote (`fixtures/peft_adapters`) is read as it meant it.

use std::{collections::BTreeSet, fs, path::PathBuf};

use backbones::{Backbone, BackboneSpec, Pooling};
use bench_suite::exchange::read_adapter;
use burn::{
    module::Param,
    nn::Linear,
    tensor::{Device, TensorData},
};
use methods::{
    CARDS, Method, MethodConfig,
    hugging_face::{Adapter, Stored},
};
use serde_json::{Value, json};

use crate::{
    golden::{Expected, fixture},
    numbers::{assert_close, numbers},
    subject::{ROWS, Subject, batch},
};

/// Every adapter that the library wrote.
fn written_there() -> Vec<PathBuf> {
    let entries = fs::read_dir(fixture("peft_adapters")).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// A trained method with its head, as it is used.
struct Used {
    config: MethodConfig,
    method: Method,
    head: Linear,
}

fn read(mut adapter: Adapter, spec: &BackboneSpec) -> Result<Used, String> {
    let told = |error: methods::hugging_face::AdapterError| error.to_string();
    let (config, stored) = MethodConfig::from_hugging_face(&mut adapter, spec).map_err(told)?;
    let root = config.hugging_face_root().unwrap();
    let (weight, bias) = adapter.take_head(root, spec).map_err(told)?;
    adapter.finish().map_err(told)?;
    let method = config.restore(spec, &stored, &Device::flex()).map_err(|e| e.to_string())?;
    let head = Linear { weight: Param::from_tensor(weight), bias: Some(Param::from_tensor(bias)) };
    Ok(Used { config, method, head })
}

fn write(used: &Used, spec: &BackboneSpec) -> Adapter {
    let stored: Stored = used.method.stored().into_iter().collect();
    let mut adapter = used.config.to_hugging_face(spec, &stored).unwrap().unwrap();
    let root = used.config.hugging_face_root().unwrap();
    let bias = used.head.bias.as_ref().unwrap().val();
    adapter.put_head(root, spec, used.head.weight.val(), bias);
    adapter
}

#[test]
fn every_method_comes_back_from_an_adapter_as_it_was() {
    let device = Device::flex();
    let batch = batch(&ROWS, 8, 0, &device);
    for subject in Subject::all(&device) {
        let method = subject.random();
        let stored: Stored = method.stored().into_iter().collect();
        let Some(adapter) = subject.config.to_hugging_face(&subject.spec, &stored) else {
            continue;
        };
        let mut adapter = adapter.unwrap();
        let read = MethodConfig::from_hugging_face(&mut adapter, &subject.spec);
        let (config, again) = read.unwrap_or_else(|error| panic!("{subject}: {error}"));
        adapter.finish().unwrap();
        assert_eq!(again.keys().collect::<Vec<_>>(), stored.keys().collect::<Vec<_>>());
        let restored = config.restore(&subject.spec, &again, &device).unwrap();
        let [before, after] = [&method, &restored].map(|method| subject.hidden(method, &batch));
        assert_close(&after, &before, 1e-5, &subject);
    }
}

#[test]
fn every_method_of_that_library_has_adapters_of_its_own_to_be_read() {
    let read = |folder: &PathBuf| read_adapter(folder).unwrap().peft_type().unwrap().to_owned();
    let there: BTreeSet<String> = written_there().iter().map(read).collect();
    let spec = Subject::all(&Device::flex()).remove(0).spec;
    let here = CARDS.iter().filter_map(|card| {
        let subject = Subject::new(MethodConfig::named(card.name)?, &Device::flex());
        let stored: Stored = subject.random().stored().into_iter().collect();
        let adapter = subject.config.to_hugging_face(&spec, &stored)?.unwrap();
        Some(adapter.peft_type().unwrap().to_owned())
    });
    assert_eq!(there, here.collect());
}

#[test]
fn adapters_of_hugging_face_peft_give_its_logits() {
    let device = Device::flex();
    let backbone = Backbone::load(&fixture("bert_tiny"), &device).unwrap();
    for folder in written_there() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let adapter = read_adapter(&folder).unwrap();
        let pooling: Pooling = match adapter.model.get("pooling") {
            Some(pooling) => serde_json::from_value(pooling.clone()).unwrap(),
            None => Pooling::HfPooler,
        };
        let used = read(adapter, &backbone.spec()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let expected = Expected::read(&format!("peft_adapters/{name}"));
        let features = backbone.features(&expected.batch(&device), &used.method, pooling);
        let logits = numbers(used.head.forward(features));
        assert_close(&logits, &expected.answers["logits"].f32s(), 1e-5, name);
    }
}

#[test]
fn an_adapter_of_hugging_face_peft_is_written_with_its_names_shapes_and_settings() {
    let spec = Backbone::load(&fixture("bert_tiny"), &Device::flex()).unwrap().spec();
    for folder in written_there() {
        let name = folder.display();
        let there = read_adapter(&folder).unwrap();
        let here = write(&read(there.clone(), &spec).unwrap(), &spec);
        let names = |adapter: &Adapter| adapter.tensors.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&here), names(&there), "{name}");
        for (tensor, written) in &there.tensors {
            assert_eq!(here.tensors[tensor].shape(), written.shape(), "{name}: {tensor}");
            let numbers = |data: &TensorData| data.iter::<f32>().collect::<Vec<_>>();
            let (here, there) = (numbers(&here.tensors[tensor]), numbers(written));
            assert_close(&here, &there, 1e-6, format!("{name}: {tensor}"));
        }
        for (field, value) in &here.config {
            let written = &there.config[field];
            match field.as_str() {
                // The same said otherwise: by names, by patterns, by which and not how many, by
                // shares of other steps, without the head's other name.
                "target_modules" | "rank_pattern" | "alpha_pattern" | "modules_to_save"
                | "tinit" | "tfinal" | "total_step" => {}
                _ => assert_eq!(value, written, "{name}: {field}"),
            }
        }
    }
}

/// A LoRA adapter as the library wrote it, changed.
fn spoiled(name: &str, spoil: impl FnOnce(&mut Adapter)) -> Result<(), String> {
    let spec = Backbone::load(&fixture("bert_tiny"), &Device::flex()).unwrap().spec();
    let mut adapter = read_adapter(&fixture("peft_adapters").join(name)).unwrap();
    spoil(&mut adapter);
    read(adapter, &spec).map(drop)
}

#[track_caller]
fn refused(name: &str, spoil: impl FnOnce(&mut Adapter), parts: &[&str]) {
    let error = spoiled(name, spoil).expect_err("it was read");
    for part in parts {
        assert!(error.contains(part), "no {part:?} in: {error}");
    }
}

fn set(field: &str, value: Value) -> impl FnOnce(&mut Adapter) + use<> {
    let field = field.to_owned();
    move |adapter| drop(adapter.config.insert(field, value))
}

fn tensor(shape: &[usize]) -> TensorData {
    TensorData::new(vec![0.5_f32; shape.iter().product()], shape.to_vec())
}

#[test]
fn tensors_that_are_missing_misshapen_or_too_many_are_named() {
    const A: &str = "base_model.model.bert.encoder.layer.1.attention.self.query.lora_A.weight";
    const HEAD: &str = "base_model.model.classifier.bias";
    let without =
        |name: &'static str| move |adapter: &mut Adapter| drop(adapter.tensors.remove(name));
    let with = |name: &'static str, shape: &'static [usize]| {
        move |adapter: &mut Adapter| drop(adapter.tensors.insert(name.to_owned(), tensor(shape)))
    };
    refused("lora", without(A), &[A, "is missing"]);
    // Transposed, of another rank, of a wider model, of another number of dimensions.
    refused("lora", with(A, &[24, 4]), &[A, "[24, 4]", "[4, 24]"]);
    refused("lora", with(A, &[3, 24]), &[A, "[3, 24]", "[4, 24]"]);
    refused("lora", with(A, &[4, 32]), &[A, "[4, 32]", "[4, 24]"]);
    refused("lora", with(A, &[96]), &[A, "[96]", "[4, 24]"]);
    refused("lora", without(HEAD), &[HEAD, "is missing", "SEQ_CLS"]);
    refused("lora", with(HEAD, &[1]), &[HEAD, "[1]", "at least two"]);
    refused("lora", with(HEAD, &[4]), &["classifier.weight", "[3, 24]", "[4, 24]"]);
    let pooler = "base_model.model.bert.pooler.dense.lora_A.weight";
    refused("lora", with(pooler, &[4, 24]), &[pooler, "has no place"]);
    refused("prompt_tuning", without("prompt_embeddings"), &["'prompt_embeddings' is missing"]);
    refused("prefix_tuning", with("prompt_embeddings", &[3, 95]), &["[3, 95]", "[3, 96]"]);
}

#[test]
fn settings_that_are_not_supported_or_do_not_fit_are_named() {
    refused("lora", set("use_dora", json!(true)), &["adapter_config.json", "'use_dora' is true"]);
    let several = |adapter: &mut Adapter| {
        set("bias", json!("lora_only"))(adapter);
        set("layer_replication", json!([[0, 2]]))(adapter);
        set("modules_to_save", json!(["classifier", "bert.pooler"]))(adapter);
    };
    refused("lora", several, &["'bias'", "'layer_replication'", "'modules_to_save'"]);
    refused("lora", set("init_lora_weights", json!("pissa")), &["'init_lora_weights'", "pissa"]);
    refused("lora", set("r", json!(5)), &["lora_A.weight", "[4, 24]", "[5, 24]"]);
    refused("lora", set("r", json!(0)), &["'rank' is 0", "1 to 24"]);
    refused("lora", set("r", json!("many")), &["field 'r' is \"many\""]);
    refused("lora", set("target_modules", json!(["c_attn"])), &["'target_modules'", "c_attn"]);
    refused("lora", set("target_modules", json!(["query"])), &["value.lora_A", "has no place"]);
    refused("lora", set("rank_pattern", json!({"query": "x"})), &["'rank_pattern'", "\"x\""]);
    refused("lora", set("peft_type", json!("LOHA")), &["'peft_type' is 'LOHA'", "ADALORA"]);
    refused("lora", |adapter| adapter.config.clear(), &["'peft_type' is missing"]);
    refused("lora", set("task_type", json!("CAUSAL_LM")), &["'task_type'", "only SEQ_CLS"]);
    let one_short = |adapter: &mut Adapter| {
        let pattern = adapter.config["rank_pattern"].as_object_mut().unwrap();
        pattern.values_mut().next().unwrap().as_array_mut().unwrap().pop();
    };
    refused("adalora", one_short, &["'rank_pattern' has 2 values", "init_r is 3"]);
    refused("adalora", set("rank_pattern", json!({})), &["'rank_pattern' says nothing of bert."]);
    refused("adalora", set("rank_pattern", json!(null)), &["lora_A", "expected [3, 24]"]);
    refused("adalora", set("total_step", json!(0)), &["'total_step' is 0"]);
    refused("prompt_tuning", set("token_dim", json!(32)), &["'token_dim' is 32", "has 24"]);
    refused("prefix_tuning", set("num_layers", json!(6)), &["'num_layers' is 6", "has 2"]);
    refused("p_tuning", set("num_virtual_tokens", json!(90)), &["'tokens' is 90", "1 to 13"]);
    refused("p_tuning", set("num_virtual_tokens", json!(4)), &["[3, 24]", "[4, 24]"]);
}
