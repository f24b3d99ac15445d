//! The adviser, on the tiny model.

use std::fs;

use serde_json::Value;

use crate::desk::{Desk, TINY};

/// The advice that was written into a results folder.
fn advice(desk: &Desk, results: &str) -> Value {
    let text = fs::read(desk.path(&format!("{results}/advice/advice.json"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn advice_names_what_it_chose_and_leaves_it_ready_for_use() {
    let desk = Desk::new();
    let ran = desk.run(&format!("advise {TINY} --budget 20s --results out")).ok();
    let (advice, record) = (advice(&desk, "out"), desk.record("out"));
    let winner = &advice["winner"];
    let label = winner["label"].as_str().unwrap();
    assert!(ran.stdout.starts_with(&format!("Use {label} at a ")), "{}", ran.stdout);
    assert_eq!(record.label(), label);
    assert_eq!(advice["run"], record.id);
    assert_eq!(advice["test_accuracy"], record.scores.as_ref().unwrap().test_accuracy);
    assert_eq!(record.task.n_train, advice["n_train"].as_u64().unwrap() as usize);
    let rounds = advice["rounds"].as_array().unwrap();
    // How many rounds there are depends on how much a slow machine has time for.
    assert!((1..=3).contains(&rounds.len()), "{:?}", advice["notes"]);
    let page = fs::read_to_string(desk.path("out/advice/advice.md")).unwrap();
    assert!(page.contains(ran.stdout.lines().next().unwrap()) && page.contains(&record.command));
    // Every method was tried, and of the last ones no two are of one arm.
    let tried = rounds[0]["results"].as_array().unwrap();
    for name in bench_suite::arm::Arm::names() {
        let is_tried = tried.iter().any(|result| result["method"] == name);
        assert_eq!(is_tried, name != "majority", "{name}");
    }
    let last = rounds[rounds.len() - 1]["results"].as_array().unwrap();
    let mut labels: Vec<&str> = last.iter().map(|r| r["label"].as_str().unwrap()).collect();
    labels.dedup();
    assert_eq!(labels.len(), 3);
    // All rows were held out once for each of them.
    assert!(last.iter().all(|result| result["rows"].as_array().unwrap().len() == 3));

    desk.run_words(&["predict", &record.id, "--results", "out", "a fine film"]).ok();
    desk.rerun(&record, "again").ok();
    assert_eq!(desk.record("again").outcome(), record.outcome());
}

/// The words of the command on a page of advice, without the program's name.
fn on_page(page: &str, command: &str) -> Option<String> {
    let of = |line: &str| line.strip_prefix("bench-suite ").map(str::to_owned);
    page.lines().filter_map(of).find(|words| words.starts_with(command))
}

#[test]
fn what_is_advised_is_exported_by_the_command_on_its_page() {
    let desk = Desk::new();
    desk.run(&format!("advise {TINY} --methods lora --budget 8s --results out")).ok();
    let page = fs::read_to_string(desk.path("out/advice/advice.md")).unwrap();
    let words = on_page(&page, "export ").unwrap();
    desk.run(&format!("{words} --device flex")).ok();
    let to = words.split_once("--to ").unwrap().1;
    let config = fs::read(desk.path(&format!("{to}/adapter_config.json"))).unwrap();
    let config: Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["peft_type"], "LORA");
    assert_eq!(config["r"], advice(&desk, "out")["winner"]["config"]["rank"]);

    // A head alone is no adapter; its page does not say that it can be exported.
    desk.run(&format!("advise {TINY} --methods head --budget 8s --results plain")).ok();
    let page = fs::read_to_string(desk.path("plain/advice/advice.md")).unwrap();
    assert!(on_page(&page, "predict ").is_some() && on_page(&page, "export ").is_none(), "{page}");
}

#[test]
fn advice_ends_by_its_budget_or_says_that_it_is_too_small() {
    let desk = Desk::new();
    desk.run(&format!("advise {TINY} --methods lora,head --budget 8s --results out")).ok();
    let advice = advice(&desk, "out");
    // Far from what all candidates would take; the rest is for a machine that stalls.
    assert!(advice["spent_seconds"].as_f64().unwrap() < 16.0, "{}", advice["spent_seconds"]);
    assert!(["lora", "head"].contains(&advice["winner"]["method"].as_str().unwrap()));
    let hasty = desk.run(&format!("advise {TINY} --budget 0.0001s --results hasty"));
    hasty.refused(&["too small", "--budget"]);
}

#[test]
fn bad_questions_are_refused() {
    let desk = Desk::new();
    desk.refuses(&format!("advise {TINY} --methods lorra"), &["unknown method 'lorra'", "'lora'"]);
    desk.run(&format!("advise {TINY} --budget soon")).misused(&["'soon' is no duration", "20m"]);
    desk.refuses(&format!("advise {TINY} --folds 1 --results out"), &["into 1 folds"]);
}
