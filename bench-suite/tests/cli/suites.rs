//! Suites of several tasks, and tests on other tasks.

use std::fs;

use crate::desk::Desk;

const TINY: &str = "--model model --device flex";

/// A desk with SST-2 as a local folder `sets/sst2`, and the table with its names of classes.
fn with_sst2() -> Desk {
    let desk = Desk::new();
    let table = fs::read_to_string(desk.path("mine.csv")).unwrap();
    let table = table.replace(",pos", ",positive").replace(",neg", ",negative");
    desk.write("mine.csv", &table);
    fs::create_dir_all(desk.path("sets/sst2")).unwrap();
    let rows = |prefix: &str, n: usize| {
        let row = |i: usize| match i % 2 {
            0 => format!("{prefix} lovely scene {i}\t1\n"),
            _ => format!("{prefix} dull scene {i}\t0\n"),
        };
        "sentence\tlabel\n".to_owned() + &(0..n).map(row).collect::<String>()
    };
    desk.write("sets/sst2/train.tsv", rows("story", 60));
    desk.write("sets/sst2/dev.tsv", rows("plot", 9));
    desk
}

#[test]
fn a_trained_run_is_tested_on_other_tasks_and_its_command_does_the_same() {
    let desk = with_sst2();
    let words = "--method lora --train mine.csv --transfer sst2 --data sets --results out";
    desk.run(&format!("run {TINY} {words}")).ok();
    let record = desk.record("out");
    let [transfer] = &record.transfer[..] else { panic!("{:?}", record.transfer) };
    assert_eq!((transfer.task.as_str(), transfer.n_test), ("sst2", 9));
    assert_eq!(transfer.test_correct.len() as f64 / 9.0, transfer.accuracy);
    desk.rerun(&record, "again").ok();
    assert_eq!(desk.record("again").outcome(), record.outcome());
    // Without the other task it is another run, which the figures of the own test do not tell.
    desk.run(&format!("run {TINY} --method lora --train mine.csv --results out")).ok();
    let records = desk.records("out");
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].scores, records[1].scores);
}

#[test]
fn another_task_must_have_the_same_classes() {
    let desk = with_sst2();
    desk.write("mine.csv", crate::tiny::table());
    let words = "--method head --train mine.csv --transfer sst2 --data sets --results out";
    desk.run(&format!("run {TINY} {words}"))
        .refused(&["transfer: sst2 has the classes negative, positive", "neg, pos"]);
}

#[test]
fn sets_that_are_not_there_are_left_out_with_a_note_and_found_with_their_folder() {
    let desk = with_sst2();
    desk.write_suite(
        "two.toml",
        "tasks = [{ train = 'mine.csv' }, 'sst2']\n[[run]]\nmethod = 'head'\n[[run]]\n\
         method = 'majority'\n",
    );
    let ran = desk.run(&format!("run two.toml {TINY} --results out")).ok();
    assert!(ran.stderr.contains("sst2 is read from local files: its 2 runs are left out"));
    assert_eq!(desk.records("out").len(), 2);
    desk.run(&format!("run two.toml {TINY} --data sets --results out")).ok();
    let records = desk.records("out");
    assert_eq!(records.iter().filter(|record| record.task.name == "sst2").count(), 2);
    assert_eq!(records.len(), 4);
}
