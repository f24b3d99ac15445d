//! `export` and `import`, from training to the same answers.

use std::fs;

use bench_suite::arm::Arm;
use report::{
    RunRecord,
    record::{Counts, Status},
};
use serde_json::{Value, json};

use crate::{
    desk::Desk,
    tiny::{other_rows, tokenizer},
};

/// A folder with one trained run in `out`, exported to `adapter`.
fn exported(method: &str) -> (Desk, RunRecord) {
    let desk = Desk::new();
    desk.train(&format!("--method {method} --results out")).ok();
    let record = desk.record("out");
    desk.run(&format!("export {} --results out --to adapter --device flex", record.id)).ok();
    (desk, record)
}

const IMPORT: &str = "import adapter --results in --device flex";

/// Scores of texts that no training has seen.
fn logits(desk: &Desk, id: &str, results: &str) -> Vec<f64> {
    let mut words = vec!["predict", id, "--results", results, "--json", "--device", "flex"];
    let rows = other_rows();
    words.extend(rows.iter().map(|(text, _)| text.as_str()));
    let answers = desk.run_words(&words).ok().json_lines();
    let of = |answer: &Value| answer["logits"].as_array().unwrap().clone();
    answers.iter().flat_map(of).map(|x| x.as_f64().unwrap()).collect()
}

/// Changes a JSON file.
fn edit(desk: &Desk, path: &str, edit: impl FnOnce(&mut Value)) {
    let mut json = serde_json::from_slice(&fs::read(desk.path(path)).unwrap()).unwrap();
    edit(&mut json);
    desk.write(path, json.to_string());
}

#[test]
fn every_method_is_exported_and_imported_with_the_same_answers() {
    let desk = Desk::new();
    desk.write_zoo("zoo.toml");
    desk.train("zoo.toml --results out").ok();
    for record in desk.records("out") {
        let (id, method) = (&record.id, &record.method);
        let to = format!("adapters/{}", method.name);
        let export = format!("export {id} --results out --to {to} --device flex");
        if method.baseline {
            desk.refuses(&export, &["cannot be an adapter"]);
            continue;
        }
        desk.run(&export).ok();
        let json = desk.run(&format!("import {to} --results in --device flex --json")).ok().json();
        let imported: RunRecord = serde_json::from_value(json).unwrap();
        assert_eq!(imported.status, Status::Imported);
        assert_eq!((imported.scores, imported.curve.len()), (None, 0));
        assert_eq!(imported.task.classes, record.task.classes);
        assert_eq!(imported.backbone, record.backbone);
        // The file of a run may also hold what only a training needs.
        let bytes_on_disk = record.counts.bytes_on_disk;
        assert!(imported.counts.bytes_on_disk <= bytes_on_disk, "{}", method.name);
        let counts = Counts { bytes_on_disk, ..imported.counts };
        assert_eq!(counts, record.counts, "{}", method.name);
        let (before, after) = (logits(&desk, id, "out"), logits(&desk, &imported.id, "in"));
        for (before, after) in before.iter().zip(&after) {
            assert!((before - after).abs() < 1e-5, "{}: {before} and {after}", method.name);
        }
    }
    assert_eq!(desk.records("in").len(), Arm::names().len() - 3);
}

#[test]
fn an_adapter_is_a_folder_that_tells_how_to_use_it() {
    let (desk, record) = exported("lora --pooling cls");
    let text = |name: &str| fs::read_to_string(desk.path("adapter").join(name)).unwrap();
    let card = text("README.md");
    for part in ["base_model: model", "library_name: peft", "PooledBert", &record.command] {
        assert!(card.contains(part), "no {part:?} in {card}");
    }
    assert!(text("pooled_bert.py").contains("class PooledBert(BertPreTrainedModel)"));
    let config: Value = serde_json::from_str(&text("config.json")).unwrap();
    assert_eq!(config["id2label"], json!({"0": "neg", "1": "pos"}));
    assert_eq!((&config["pooling"], &config["hidden_size"]), (&json!("cls"), &json!(16)));
    let settings: Value = serde_json::from_str(&text("adapter_config.json")).unwrap();
    assert_eq!(settings["peft_type"], "LORA");
    let bytes = fs::read(desk.path("adapter/adapter_model.safetensors")).unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(header.metadata().as_ref().unwrap()["format"], "pt");
}

#[test]
fn baselines_are_no_adapters_and_say_what_to_do_instead() {
    for (method, part) in [("head", "fold"), ("full", "fold"), ("majority", "trains nothing")] {
        let desk = Desk::new();
        desk.train(&format!("--method {method} --results out")).ok();
        let id = desk.record("out").id;
        desk.refuses(&format!("export {id} --results out --to x"), &["cannot be an adapter", part]);
    }
}

#[test]
fn an_export_overwrites_nothing() {
    let (desk, record) = exported("lora");
    let again = format!("export {} --results out --to", record.id);
    desk.refuses(&format!("{again} adapter"), &["adapter: exists", "name a new one"]);
    desk.refuses(&format!("{again} mine.csv"), &["mine.csv: exists", "name a new one"]);
}

#[test]
fn an_imported_run_is_shown_and_is_on_no_page() {
    let (desk, record) = exported("prompt_tuning");
    let told = desk.run(IMPORT).ok().stdout;
    let imported = desk.record("in");
    assert!(told.contains(&imported.id) && told.contains("classes neg, pos"), "{told}");
    let shown = desk.run(&format!("show {} --results in", imported.id)).ok().stdout;
    assert!(shown.contains("imported") && shown.contains(&imported.command), "{shown}");
    desk.refuses("report in", &["in: no run records", "imported ones apart"]);
    // The same adapter again is the same run.
    desk.run(IMPORT).ok();
    assert_eq!(desk.record("in").id, imported.id);
    assert_ne!(imported.id, record.id);
}

#[test]
fn an_imported_run_can_be_tested_and_folded() {
    let (desk, record) = exported("lora");
    desk.run(IMPORT).ok();
    let accuracy = |id: &str, results: &str| {
        let words = format!("eval {id} --test mine.csv --results {results} --device flex --json");
        desk.run(&words).ok().json()["accuracy"].clone()
    };
    let imported = desk.record("in").id;
    assert!(accuracy(&imported, "in").is_number());
    assert_eq!(accuracy(&imported, "in"), accuracy(&record.id, "out"));
    desk.run(&format!("fold {imported} --results in --to folded --device flex")).ok();
    assert!(desk.path("folded/model.safetensors").is_file());
}

#[test]
fn classes_are_given_or_numbered_where_nothing_names_them() {
    let (desk, _) = exported("lora");
    let classes = |desk: &Desk, words: &str| {
        let json = desk.run(&format!("{IMPORT} {words} --json")).ok().json();
        json["task"]["classes"].clone()
    };
    assert_eq!(classes(&desk, "--classes bad,good"), json!(["bad", "good"]));
    desk.refuses(&format!("{IMPORT} --classes a,b,c"), &["--classes names 3", "2 classes"]);
    fs::remove_file(desk.path("adapter/config.json")).unwrap();
    // Without that file Hugging Face's own pooling is meant, and this model has no pooler.
    desk.refuses(IMPORT, &["pooling", "pooler", "'mean' or 'cls'"]);
    assert_eq!(classes(&desk, "--pooling mean"), json!(["LABEL_0", "LABEL_1"]));
}

#[test]
fn folders_that_are_no_adapters_are_refused_with_their_file() {
    let refuses = |spoil: &dyn Fn(&Desk), parts: &[&str]| {
        let (desk, _) = exported("lora");
        spoil(&desk);
        desk.refuses(IMPORT, parts);
    };
    let (config, tensors) = ("adapter/adapter_config.json", "adapter/adapter_model.safetensors");
    let remove = |desk: &Desk, path: &str| fs::remove_file(desk.path(path)).unwrap();
    refuses(&|desk| remove(desk, config), &["no adapter of Hugging Face PEFT", config]);
    refuses(&|desk| desk.write(config, "{\"r\": "), &[config, "is not JSON"]);
    refuses(&|desk| desk.write(config, "[]"), &[config, "no object"]);
    refuses(&|desk| remove(desk, tensors), &[tensors, "cannot be read"]);
    let pickled = |desk: &Desk| {
        remove(desk, tensors);
        desk.write("adapter/adapter_model.bin", "pickle");
    };
    refuses(&pickled, &["adapter_model.bin", "can run code"]);
    for share in [0, 3, 50, 99] {
        let cut = |desk: &Desk| {
            let bytes = fs::read(desk.path(tensors)).unwrap();
            desk.write(tensors, &bytes[..bytes.len() * share / 100]);
        };
        refuses(&cut, &[tensors, "not a whole safetensors file"]);
    }
    let not_a_number = |desk: &Desk| {
        let mut bytes = fs::read(desk.path(tensors)).unwrap();
        let n = bytes.len();
        bytes[n - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        desk.write(tensors, bytes);
    };
    refuses(&not_a_number, &[tensors, "not finite"]);
    let field = |name: &'static str, value: Value| {
        move |desk: &Desk| edit(desk, config, |json| json[name] = value.clone())
    };
    refuses(&field("use_dora", json!(true)), &["adapter/adapter_config.json: field 'use_dora'"]);
    refuses(
        &field("base_model_name_or_path", json!(null)),
        &["does not name its model", "--model"],
    );
    refuses(&field("base_model_name_or_path", json!("modle")), &["model", "'modle'"]);
    let pooling =
        |desk: &Desk| edit(desk, "adapter/config.json", |json| json["pooling"] = json!("max"));
    refuses(&pooling, &["adapter/config.json: field 'pooling' is \"max\"", "mean"]);
    let other_words = |desk: &Desk| {
        let mut tokenizer = tokenizer();
        tokenizer["model"]["vocab"]["unheard"] = json!(20);
        desk.write("adapter/tokenizer.json", tokenizer.to_string());
    };
    refuses(&other_words, &["adapter/tokenizer.json has other words", "--model"]);
}

#[test]
fn a_prompt_and_its_texts_must_fit_into_the_model() {
    let (desk, _) = exported("prompt_tuning");
    desk.refuses(&format!("{IMPORT} --max-tokens 150"), &["take 20", "leaves 140", "--max-tokens"]);
}

#[test]
fn an_imported_run_whose_tensors_are_gone_is_imported_again_by_the_command_of_the_message() {
    let (desk, _) = exported("lora");
    desk.run(IMPORT).ok();
    let id = desk.record("in").id;
    let before = logits(&desk, &id, "in");
    fs::remove_dir_all(desk.path("in/trained")).unwrap();
    let refused = desk.run(&format!("predict {id} --results in film --device flex"));
    refused.refused(&["are not there; make them again with: "]);
    let command = refused.stderr.trim_end().split_once("bench-suite -- ").unwrap().1;
    desk.run(&format!("{command} --device flex")).ok();
    assert_eq!(logits(&desk, &id, "in"), before);
}
