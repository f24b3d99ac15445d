//! Names that nobody knows: the nearest ones are offered.

use crate::desk::{Desk, TINY};

#[test]
fn an_unknown_method_is_told_with_the_nearest_names() {
    let desk = Desk::new();
    let parts = ["unknown method 'lorra'", "'lora'", "list methods"];
    desk.refuses(&format!("run {TINY} --method lorra"), &parts);
    desk.refuses("explain lorra --model model", &parts);
    desk.refuses("run --method zzz", &["unknown method 'zzz'", "known are lora, ", "full"]);
}

#[test]
fn an_unknown_task_is_told_with_the_nearest_names_before_a_model_is_asked_for() {
    let parts = ["unknown task 'moive'", "'movie'", "list tasks"];
    Desk::new().refuses("run --task moive --method lora --device flex", &parts);
}

#[test]
fn a_task_of_local_files_asks_for_its_folder() {
    let desk = Desk::new();
    desk.refuses("run --task sst2 --model model --device flex", &["task 'sst2'", "--data FOLDER"]);
}

#[test]
fn an_unknown_model_is_told_with_the_nearest_names_and_the_other_ways_to_give_one() {
    let desk = Desk::new();
    let run = |model: &str| format!("run --train mine.csv --device flex --model {model}");
    desk.refuses(&run("minilm"), &["unknown model 'minilm'", "'minilm-l6'", "folder", "org/name"]);
    desk.refuses(&run("./nowhere"), &["no folder `./nowhere`", "config.json"]);
    desk.refuses(&run("a/b/c"), &["`a/b/c` is not a hub repository", "org/name"]);
    desk.refuses(&run("sentiment-sentences"), &["is data, not a model", "minilm-l6"]);
    desk.refuses("explain lora --model minilm", &["unknown model 'minilm'", "'minilm-l6'"]);
}

#[test]
fn an_unknown_suite_is_told_with_the_nearest_names_and_a_missing_file_as_such() {
    let desk = Desk::new();
    desk.refuses("run quik", &["unknown suite 'quik'", "'quick'", "list suites"]);
    desk.refuses("run nowhere.toml", &["nowhere.toml: cannot be read", "No such file", "quick"]);
}

#[test]
fn an_unknown_asset_is_told_with_the_nearest_names() {
    Desk::new().refuses("fetch minilm", &["unknown asset 'minilm'", "'minilm-l6'"]);
}

#[test]
fn an_unknown_run_is_told_with_what_is_recorded() {
    let desk = Desk::new();
    desk.refuses("show lora", &["results: no such folder", "run a suite first"]);
    desk.refuses("show lora --results nowhere", &["nowhere: no such folder", "another folder"]);
    desk.train("--method head --results results/out").ok();
    let id = desk.record("results/out").id;
    desk.refuses("show lora", &["no run 'lora' in results/out", &id]);
    desk.refuses("show lora --results model", &["config.json", "not a run record"]);
}

#[test]
fn an_ambiguous_run_is_told_with_its_candidates() {
    let desk = Desk::new();
    desk.train("--method head --seeds 0,1 --results results/out").ok();
    let records = desk.records("results/out");
    let parts = ["run 'head' is ambiguous", &records[0].id, &records[1].id];
    desk.refuses("show head", &parts);
    desk.refuses("predict head text", &parts);
    assert!(desk.run(&format!("show {}", records[1].id)).ok().stdout.contains(&records[1].id));
}

#[test]
fn an_unknown_flag_command_or_choice_points_to_the_help() {
    let desk = Desk::new();
    desk.run("run --metod lora").misused(&["--metod", "--method"]);
    desk.run("runn").misused(&["runn", "run"]);
    desk.run("list mehtods").misused(&["methods", "tasks", "models", "suites"]);
    desk.run("run --device gpu").misused(&["gpu", "auto", "wgpu", "flex"]);
    desk.run("run --format xml --train mine.csv").misused(&["xml", "csv, tsv or jsonl"]);
    desk.run("run --seeds 0,x").misused(&["'x'", "--seeds"]);
    desk.run("run quick --method lora").misused(&["--method"]);
    desk.run("run --config rank=3").misused(&["--method"]);
}
