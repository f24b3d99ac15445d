//! The commands that only tell something.

use std::process::{Command, Stdio};

use bench_suite::{arm::Arm, cli::Cli};
use clap::CommandFactory;
use report::format;

use crate::desk::{Desk, Ran};

#[test]
fn every_list_names_what_there_is_for_people_and_for_scripts() {
    let desk = Desk::new();
    for (what, names) in [
        ("methods", Arm::names()),
        ("tasks", vec!["movie", "amazon", "nyt", "tweets", "domain", "sst2", "trec-fine"]),
        ("models", vec!["minilm-l6"]),
        ("suites", vec!["quick"]),
    ] {
        let text = desk.run(&format!("list {what}")).ok().stdout;
        let json = desk.run(&format!("list {what} --json")).ok().json();
        let rows = json.as_array().unwrap();
        for name in names {
            assert!(
                text.lines().any(|line| line.starts_with(&format!("{name} "))),
                "{name}: {text}"
            );
            let row = rows.iter().find(|row| row["name"] == name).unwrap();
            assert!(!row["title"].as_str().unwrap().is_empty(), "{row}");
        }
    }
    assert!(
        desk.files().keys().all(|path| path.starts_with("model") || path.ends_with("mine.csv"))
    );
}

#[test]
fn devices_tells_what_auto_takes_and_why() {
    let desk = Desk::new();
    let json = desk.run("devices --json").ok().json();
    let text = desk.run("devices").ok().stdout;
    let auto = &json["auto"];
    let line = format!("--device auto takes {}", auto["device"].as_str().unwrap());
    assert!(text.contains(&line) && text.contains(auto["reason"].as_str().unwrap()), "{text}");
    assert!(text.contains("flex"), "{text}");
    assert!(json["cpu"]["threads"].as_u64().unwrap() > 0 && json["adapters"].is_array(), "{json}");
}

#[test]
fn a_precision_is_part_of_a_run_and_the_default_one_leaves_no_trace() {
    let desk = Desk::new();
    desk.train("--method lora --results results/f32 --precision f32").ok();
    desk.train("--method lora --results results/bf16 --precision bf16").ok();
    let (f32, bf16) = (desk.record("results/f32"), desk.record("results/bf16"));
    assert_ne!(f32.id, bf16.id);
    assert_eq!((&f32.backbone.precision, f32.method.variant.as_str()), (&None, ""));
    assert!(!f32.command.contains("--precision"), "{}", f32.command);
    assert_eq!(bf16.backbone.precision.as_deref(), Some("bf16"));
    let told = desk.run("report --compare results/f32 results/bf16").ok().stdout;
    assert!(told.contains("precision f32 → bf16"), "{told}");
    assert!(bf16.command.contains("--precision bf16"), "{}", bf16.command);
    assert!(desk.run(&format!("show {}", bf16.id)).ok().stdout.contains("frozen matrices in bf16"));
    // What was trained in a precision is used in it.
    desk.run(&format!("predict {} good --device flex", bf16.id)).ok();
    let asked = desk.run("run --train mine.csv --model model --precision f16");
    asked.misused(&["f16", "f32", "bf16"]);
}

#[test]
fn show_tells_everything_that_is_recorded() {
    let desk = Desk::new();
    desk.train("--method lora --results results/out").ok();
    let record = desk.record("results/out");
    let text = desk.run("show lora").ok().stdout;
    for part in [&record.id, &record.label(), &record.command, &record.environment.hardware] {
        assert!(text.contains(part.as_str()), "{part} in {text}");
    }
    assert!(
        text.contains(&format!("{} trainable", format::count(record.counts.trainable))),
        "{text}"
    );
    assert!(text.contains("classes neg, pos"), "{text}");
    let json = desk.run(&format!("show {} --json", record.id)).ok().stdout;
    assert_eq!(serde_json::from_str::<report::RunRecord>(&json).unwrap(), record);
}

#[test]
fn what_is_recorded_can_be_shown_where_nothing_may_be_written() {
    let desk = Desk::new();
    desk.train("--method lora --results results/out").ok();
    let before = desk.files();
    let modified = |name: &str| desk.path(name).metadata().unwrap().modified().unwrap();
    let touched = modified("results/out");
    desk.run("show lora").ok();
    desk.run("predict lora film --device flex").ok();
    // A file made and removed again would show in the folder's time.
    assert_eq!((desk.files(), modified("results/out")), (before, touched));
}

#[test]
fn with_json_a_run_prints_its_records_and_nothing_else() {
    let desk = Desk::new();
    let json = desk.train("--method lora --seeds 0,1 --results out --json").ok().json();
    let told: Vec<report::RunRecord> = serde_json::from_value(json).unwrap();
    assert_eq!(told.iter().map(|record| record.seed).collect::<Vec<_>>(), [0, 1]);
    assert!(told.iter().all(|record| desk.records("out").contains(record)));
    let paths = desk.run("report out --json").ok().json();
    let is_file = |path: &serde_json::Value| desk.path(path.as_str().unwrap()).is_file();
    assert!(paths.as_array().unwrap().iter().all(is_file), "{paths}");
}

#[test]
fn the_help_of_every_command_can_be_read() {
    let desk = Desk::new();
    let all = desk.run("--help").ok().stdout;
    assert!(all.contains("Exit codes"), "{all}");
    let cli = Cli::command();
    for command in cli.get_subcommands().map(clap::Command::get_name) {
        assert!(all.contains(&format!("\n  {command} ")), "{command} in {all}");
        let help = desk.run(&format!("{command} --help")).ok().stdout;
        assert!(help.contains("Usage: ") && help.contains("--json"), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
}

#[test]
fn a_report_needs_a_folder_with_records() {
    let desk = Desk::new();
    desk.refuses("report nowhere", &["nowhere: no such folder", "run a suite first"]);
    std::fs::create_dir(desk.path("empty")).unwrap();
    desk.refuses("report empty", &["empty: no run records", "run a suite"]);
}

#[test]
fn a_reader_that_goes_away_ends_the_program_without_a_panic() {
    let desk = Desk::new();
    let mut program = desk.program();
    program.args(["list", "methods"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error_in_one_line() {
    let desk = Desk::new();
    let mut shell = desk.at_home(Command::new("sh"));
    let list = "exec \"$0\" list methods > /dev/full";
    let ran = Ran::of(shell.args(["-c", list, env!("CARGO_BIN_EXE_bench-suite")]));
    ran.refused(&["standard output cannot be written", "No space left"]);
}
