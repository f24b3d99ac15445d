//! How a run may end, and what its record says of it.

use std::process::Command;

use report::record::Status;

use crate::desk::{Desk, Ran, TINY};

#[test]
fn a_divergence_ends_with_its_own_exit_code_a_record_and_a_report() {
    let desk = Desk::new();
    let rates = "--training learning_rate=1e30 --training head_learning_rate=1e30";
    for (method, evaluations) in [("lora", 1), ("lora", 3), ("full", 3), ("head", 3)] {
        let out = format!("{method}{evaluations}");
        let training = format!("{rates} --training epochs=3 --training evaluations={evaluations}");
        let ran = desk.train(&format!("--method {method} {training} --results {out}"));
        assert_eq!(ran.code, Some(3), "{ran:#?}");
        assert!(ran.stdout.contains("diverged at step"), "{ran:#?}");
        let record = desk.record(&out);
        assert!(matches!(record.status, Status::Diverged { .. }), "{record:#?}");
        let page = std::fs::read_to_string(desk.path(&out).join("REPORT.md")).unwrap();
        assert!(page.contains("diverged"), "{page}");
        // Found again, it is still a divergence.
        let again = desk.train(&format!("--method {method} {training} --results {out}"));
        assert_eq!(again.code, Some(3), "{again:#?}");
    }
}

#[test]
fn a_divergence_does_not_stop_the_runs_after_it() {
    let desk = Desk::new();
    let diverging = "[[run]]\nmethod = 'lora'\ntraining = { epochs = 3, learning_rate = 1e30 }\n";
    desk.write_suite("s.toml", &format!("{diverging}[[run]]\nmethod = 'head'"));
    let ran = desk.run(&format!("run s.toml {TINY} --results out"));
    assert_eq!((ran.code, desk.records("out").len()), (Some(3), 2), "{ran:#?}");
}

#[test]
fn patience_stops_a_run_early() {
    let desk = Desk::new();
    // A rate at which nothing moves, so that no evaluation is better than the first.
    let rates = "--training learning_rate=1e-30 --training head_learning_rate=1e-30";
    let training = format!("{rates} --training patience=1 --training epochs=4");
    let told = desk.train(&format!("--method lora {training} --results out")).ok().stdout;
    let record = desk.record("out");
    let Status::StoppedEarly { step } = record.status else { panic!("{record:#?}") };
    assert!(told.contains(&format!("stopped early at step {step}")), "{told}");
    assert_eq!((record.curve.len(), record.cost.steps), (2, step));
    assert_eq!(record.scores.unwrap().best_step, record.curve[0].step);
}

#[test]
fn two_seeds_make_two_records_that_differ() {
    let desk = Desk::new();
    desk.train("--method lora --seeds 0,1 --results out").ok();
    let records = desk.records("out");
    let mut seeds: Vec<u64> = records.iter().map(|record| record.seed).collect();
    seeds.sort();
    assert_eq!(seeds, [0, 1]);
    assert_ne!(records[0].curve, records[1].curve);
}

#[test]
fn the_recorded_command_makes_the_same_record() {
    let desk = Desk::new();
    let config =
        ["--config", "roles=[\"query\", \"up\"]", "--config", "rank_pattern={\"0.query\"=2}"];
    let training = ["--training", "learning_rate=3e-4", "--training", "schedule=cosine"];
    let task = ["--name", "it's mine", "--label", "label", "--max-tokens", "64"];
    let mut words = vec!["run", "--method", "lora", "--results", "out", "--seeds", "7"];
    words.extend(TINY.split(' ').chain(config).chain(training).chain(task));
    desk.run_words(&words).ok();
    let record = desk.record("out");

    let prefix = "cargo run --release -p bench-suite -- ";
    let Some(rest) = record.command.strip_prefix(prefix) else { panic!("{}", record.command) };
    // What is not said is the default, and no more is said than need be.
    assert!(!rest.contains("--encoding") && !rest.contains("batch_size"), "{rest}");
    let line = format!("exec \"$0\" {rest} --device flex --results again");
    let mut shell = desk.at_home(Command::new("sh"));
    Ran::of(shell.args(["-c", &line, env!("CARGO_BIN_EXE_bench-suite")])).ok();
    assert_eq!(desk.record("again").outcome(), record.outcome());
}

#[test]
fn a_run_whose_tensors_are_gone_says_how_to_make_them_again() {
    let desk = Desk::new();
    desk.train("--method lora --results results/out").ok();
    let record = desk.record("results/out");
    assert!(desk.run("predict lora film --device flex").ok().stdout.contains("film"));
    let tensors = format!("results/out/trained/{}.safetensors", record.id);
    desk.write(&tensors, "half of it");
    desk.refuses("predict lora film --device flex", &[&tensors, "not a whole safetensors file"]);
    std::fs::remove_file(desk.path(&tensors)).unwrap();
    let again = format!("{} --retrain --results results/out", record.command);
    let parts = [tensors.as_str(), "not there", &again];
    desk.refuses("predict lora film --device flex", &parts);
}

#[test]
fn a_model_that_changed_since_the_training_is_noticed() {
    let desk = Desk::new();
    desk.train("--method lora --results results/out").ok();
    let mut weights = crate::tiny::weights();
    weights.values_mut().for_each(|(_, values)| values[0] += 0.5);
    crate::tiny::write_weights(&desk.path("model"), &weights);
    desk.refuses("predict lora film --device flex", &["model 'model'", "weights differ"]);
}
