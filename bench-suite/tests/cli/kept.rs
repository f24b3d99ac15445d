//! What is made of a trained run's tensors: folded checkpoints, more training, training again.

use std::process::Command;

use bench_suite::arm::{Arm, Baseline};
use report::RunRecord;
use serde_json::Value;

use crate::{
    desk::{Desk, Ran, TINY, files},
    tiny::other_rows,
};

/// A folder with every method and baseline trained, in `results/out`.
fn trained(more: &str) -> Desk {
    let desk = Desk::new();
    desk.write_zoo("zoo.toml");
    desk.run(&format!("run zoo.toml {TINY} {more} --results results/out")).ok();
    desk
}

/// Whether a run can be a plain checkpoint.
fn is_foldable(record: &RunRecord) -> bool {
    let arm = Arm::named(&record.method.name).unwrap();
    arm.card().is_none_or(|card| card.foldable)
}

/// The answers of a run to the other rows, class by class.
fn logits(desk: &Desk, id: &str, results: &str) -> Vec<f64> {
    let texts: Vec<String> = other_rows().into_iter().map(|(text, _)| text).collect();
    let mut words = vec!["predict", id, "--results", results, "--json", "--device", "flex"];
    words.extend(texts.iter().map(String::as_str));
    let of_line = |line: Value| [0, 1].map(|class| line["logits"][class].as_f64().unwrap());
    desk.run_words(&words).ok().json_lines().into_iter().flat_map(of_line).collect()
}

/// The numbers of a tensor in a checkpoint.
fn tensor(desk: &Desk, file: &str, name: &str) -> (Vec<usize>, Vec<f32>) {
    let bytes = std::fs::read(desk.path(file)).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let view = file.tensor(name).unwrap();
    let numbers = view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
    (view.shape().to_vec(), numbers.collect())
}

#[test]
fn a_run_is_folded_into_a_model_that_answers_as_it_did_and_unfolded_into_the_old_bytes() {
    let desk = trained("");
    let base = files(&desk.path("model"));
    for record in desk.records("results/out").iter().filter(|record| is_foldable(record)) {
        let (id, to) = (&record.id, format!("folded/{}", record.id));
        desk.run(&format!("fold {id} --to {to} --device flex")).ok();
        let config: Value =
            serde_json::from_slice(&std::fs::read(desk.path(&to).join("config.json")).unwrap())
                .unwrap();
        assert_eq!(config["id2label"], serde_json::json!({"0": "neg", "1": "pos"}));
        assert_eq!(config["label2id"], serde_json::json!({"neg": 0, "pos": 1}));
        assert_eq!(config["architectures"], serde_json::json!(["BertModel"]));
        let readme = std::fs::read_to_string(desk.path(&to).join("README.md")).unwrap();
        assert!(readme.contains("the mean of the hidden states") && readme.contains(id));
        // Used as a model, with the head that the file holds, it gives the run's answers.
        let head = format!("--method head --seeds 0 --training epochs=0.1 --results probe/{id}");
        desk.run(&format!("run --model {to} --train mine.csv --device flex {head}")).ok();
        let probe = desk.record(&format!("probe/{id}"));
        let weights = format!("{to}/model.safetensors");
        let (_, weight) = tensor(&desk, &weights, "classifier.weight");
        let (shape, bias) = tensor(&desk, &weights, "classifier.bias");
        assert_eq!(shape, [2]);
        write_head(&desk, &format!("probe/{id}/trained/{}.safetensors", probe.id), &weight, &bias);
        let folded = logits(&desk, &probe.id, &format!("probe/{id}"));
        let injected = logits(&desk, id, "results/out");
        for (a, b) in folded.iter().zip(&injected) {
            assert!((a - b).abs() < 1e-5, "{}: {a} is not {b}", record.method.name);
        }
        let back = format!("unfolded/{id}");
        desk.run(&format!("unfold {to} --to {back}")).ok();
        assert_eq!(files(&desk.path(&back)), base, "{}", record.method.name);
    }
}

/// Puts another head into the file of a head-only run.
fn write_head(desk: &Desk, file: &str, weight: &[f32], bias: &[f32]) {
    let d_model = weight.len() / bias.len();
    let bytes =
        |numbers: Vec<f32>| numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    // Here a linear map lies input by output.
    let at = |i: usize| weight[i % bias.len() * d_model + i / bias.len()];
    let weight = bytes((0..weight.len()).map(at).collect());
    let n = bias.len();
    let bias = bytes(bias.to_vec());
    let view = |shape: Vec<usize>, bytes| {
        safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape, bytes).unwrap()
    };
    let head =
        [("head.weight", view(vec![d_model, n], &weight)), ("head.bias", view(vec![n], &bias))];
    desk.write(file, safetensors::serialize(head, None).unwrap());
}

#[test]
fn what_cannot_be_folded_is_told_with_the_reason_and_nothing_is_written() {
    let desk = trained("");
    let others = desk.records("results/out").into_iter().filter(|record| !is_foldable(record));
    let mut n = 0;
    for record in others {
        let words = format!("fold {} --to folded --device flex", record.id);
        desk.refuses(&words, &[&record.id, "cannot be folded: it puts", "no weight of the model"]);
        n += 1;
    }
    assert!(n > 0);
    desk.write("taken", "by a file");
    desk.refuses("fold lora --to taken --device flex", &["taken: exists"]);
    desk.refuses("fold lora --to model --device flex", &["model: exists and is not an empty"]);
    desk.refuses("unfold model --to base", &["model/unfold.safetensors", "'fold' wrote"]);
}

#[test]
fn a_damaged_fold_is_not_unfolded() {
    let desk = Desk::new();
    desk.train("--method lora --results results/out").ok();
    desk.run("fold lora --to folded --device flex").ok();
    let weights = desk.path("folded/model.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&weights, &bytes).unwrap();
    desk.refuses("unfold folded --to base", &["folded: cannot be unfolded", "SHA-256"]);
    std::fs::write(&weights, &bytes[..middle]).unwrap();
    desk.refuses("unfold folded --to base", &["folded: cannot be unfolded"]);
}

#[test]
fn every_method_goes_on_from_what_it_learned_and_the_recorded_command_does_the_same() {
    let desk = trained("--training epochs=2");
    let parents = desk.records("results/out");
    let majority = parents.iter().find(|r| r.method.name == Baseline::Majority.name()).unwrap();
    let refused = format!("run --from {} --train mine.csv --device flex", majority.id);
    desk.refuses(&refused, &[&majority.id, "trained nothing"]);
    for parent in parents.iter().filter(|parent| parent.id != majority.id) {
        let results = format!("more/{}", parent.id);
        let run = format!("run --from {} --train mine.csv --device flex", parent.id);
        // A rate at which nothing moves: the child starts where its parent ended.
        let still = "--training learning_rate=1e-30 --training head_learning_rate=1e-30";
        desk.run(&format!("{run} {still} --training weight_decay=0 --results {results}")).ok();
        let child = desk.record(&results);
        assert_eq!(child.from.as_ref(), Some(&parent.id));
        assert_eq!(child.method.config, parent.method.config);
        assert!(child.method.variant.contains(&parent.id) && child.id != parent.id);
        let told = [logits(&desk, &child.id, &results), logits(&desk, &parent.id, "results/out")];
        for (a, b) in told[0].iter().zip(&told[1]) {
            assert!((a - b).abs() < 1e-5, "{}: {a} is not {b}", parent.method.name);
        }
        let command = child.command.split_once("-- ").unwrap().1;
        let line = format!("exec \"$0\" {command} --device flex --results again/{}", parent.id);
        let mut shell = desk.at_home(Command::new("sh"));
        Ran::of(shell.args(["-c", &line, env!("CARGO_BIN_EXE_bench-suite")])).ok();
        assert_eq!(desk.record(&format!("again/{}", parent.id)).outcome(), child.outcome());
    }
}

#[test]
fn a_run_goes_on_with_its_own_classes_and_settings_alone() {
    let desk = Desk::new();
    desk.train("--method lora --config rank=2 --results results/out").ok();
    desk.write("other.csv", crate::tiny::table().replace("neg", "bad"));
    let words = "run --from lora --train other.csv --device flex --results results/out";
    desk.run(words).refused(&["run lora-", "tells neg, pos apart", "classes bad, pos"]);
    desk.run("run --from lora --method lora").misused(&["--from", "--method"]);
    desk.run("run --from lora --model model").misused(&["--from", "--model"]);
    desk.run("run quick --from lora").misused(&["--from"]);
    // A grandchild is another run than a child.
    let train = "--train mine.csv --device flex --results results/out";
    desk.run(&format!("run --from lora {train}")).ok();
    let child = desk.records("results/out").into_iter().find(|r| r.from.is_some()).unwrap();
    desk.run(&format!("run --from {} {train}", child.id)).ok();
    assert_eq!(desk.records("results/out").len(), 3);
}

#[test]
fn what_only_training_needs_is_kept_beside_the_run_where_there_is_such_a_thing() {
    let desk = trained("");
    let kept = |record: &&RunRecord| {
        desk.path(&format!("results/out/trained/{}.state.safetensors", record.id)).is_file()
    };
    let records = desk.records("results/out");
    let mut names: Vec<&str> =
        records.iter().filter(kept).map(|record| record.method.name.as_str()).collect();
    names.sort();
    assert_eq!(names, ["adalora", "p_tuning"]);
}

#[test]
fn a_run_whose_tensors_are_gone_is_trained_again_by_the_command_that_the_message_gives() {
    let desk = Desk::new();
    desk.train("--method lora --results results/out").ok();
    let (before, record) = (files(&desk.path("results/out")), desk.record("results/out"));
    std::fs::remove_dir_all(desk.path("results/out/trained")).unwrap();
    let refused = desk.run("predict lora film --device flex");
    refused.refused(&["not there", "make them again with: "]);
    let command = refused.stderr.trim_end().split_once("bench-suite -- ").unwrap().1;
    let line = format!("exec \"$0\" {command} --device flex");
    let mut shell = desk.at_home(Command::new("sh"));
    Ran::of(shell.args(["-c", &line, env!("CARGO_BIN_EXE_bench-suite")])).ok();
    let after = files(&desk.path("results/out"));
    let tensors = std::path::PathBuf::from(format!("trained/{}.safetensors", record.id));
    assert_eq!(after[&tensors], before[&tensors]);
    assert_eq!(desk.record("results/out").outcome(), record.outcome());
    assert!(desk.run("predict lora film --device flex").ok().stdout.contains("film"));
    // With its tensors there a run is known, asked for again or not.
    let told = desk.train("--method lora --results results/out --retrain").ok().stdout;
    assert!(told.contains("1 recorded before"), "{told}");
}
