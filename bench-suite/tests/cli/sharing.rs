//! Several processes in one results folder.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::Child,
};

use report::{Claim, ResultsDir, RunRecord};

use crate::desk::{Desk, Ran, TINY, files};

#[test]
fn two_processes_divide_the_runs_and_do_none_twice() {
    let desk = Desk::new();
    desk.write_zoo("zoo.toml");
    let words = |results: &str| {
        let training = "--training epochs=5 --training batch_size=4";
        format!("run zoo.toml {TINY} {training} --seeds 0,1,2 --results {results}")
    };
    let both = [desk.start(&words("shared")), desk.start(&words("shared"))];
    let both = both.map(|child| Ran::from(child.wait_with_output().unwrap()).ok());
    desk.run(&words("alone")).ok();

    let n = desk.records("alone").len();
    let parts = both.each_ref().map(Ran::begun);
    assert!(parts.iter().all(|part| !part.is_empty()), "one did nothing: {parts:?}");
    let mut begun = parts.concat();
    assert_eq!(begun.len(), n, "{begun:?}");
    begun.sort();
    begun.dedup();
    assert_eq!(begun.len(), n, "a run was done twice");

    assert_eq!(desk.outcomes("shared"), desk.outcomes("alone"));
    assert_eq!(files(&desk.path("shared/trained")), files(&desk.path("alone/trained")));
    for (ran, part) in both.iter().zip(&parts) {
        let known = format!("{n} runs, 0 recorded before, {} done by other", n - part.len());
        assert!(ran.stdout.contains(&known), "{known} in {}", ran.stdout);
        let table = ran.stdout.split("\n\n").next().unwrap();
        assert_eq!(table.lines().count(), n + 1, "{table}");
    }
    // The report is that of all records: drawing it once more changes nothing.
    let drawn = files(&desk.path("shared"));
    desk.run("report shared").ok();
    assert_eq!(files(&desk.path("shared")), drawn);
}

/// A desk, the record of a run that is not in `out`, and the claim that keeps it from being done
/// there.
fn claimed() -> (Desk, RunRecord, ResultsDir, Claim) {
    let desk = Desk::new();
    desk.train("--method lora --results elsewhere").ok();
    let record = desk.record("elsewhere");
    let results = ResultsDir::open(&desk.path("out")).unwrap();
    let claim = results.claim(&record.id).unwrap();
    assert!(matches!(claim, Claim::Mine(_)));
    (desk, record, results, claim)
}

/// What a process says until it waits for others, and the process.
fn start_until_it_waits(desk: &Desk) -> (String, Child) {
    let mut child = desk.start(&format!("run {TINY} --method lora --results out"));
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let waits = lines.find_map(|line| {
        let line = line.unwrap();
        line.starts_with("waiting for").then_some(line)
    });
    // The rest is read, so that the process never waits for its reader.
    std::thread::spawn(move || lines.for_each(drop));
    (waits.expect("it never waited"), child)
}

fn stdout_of(mut child: Child) -> String {
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert!(child.wait().unwrap().success(), "{stdout}");
    stdout
}

#[test]
fn a_run_that_another_process_is_doing_is_waited_for_and_not_done_again() {
    let (desk, record, results, claim) = claimed();
    let (told, child) = start_until_it_waits(&desk);
    let holder = format!("LoRA rank=8 seed=0 (process {} on host ", std::process::id());
    assert!(told.contains(&holder), "{told}");
    let mut theirs = record.clone();
    theirs.started = "2026-01-01T00:00:00Z".to_owned();
    results.write(&theirs).unwrap();
    drop(claim);
    let told = stdout_of(child);
    assert!(told.contains("1 run, 0 recorded before, 1 done by other processes"), "{told}");
    assert_eq!(desk.record("out"), theirs);
    assert!(fs::read_to_string(desk.path("out/REPORT.md")).unwrap().contains("LoRA"));
}

#[test]
fn a_run_whose_process_ends_without_a_record_is_done_by_the_one_that_waits() {
    let (desk, record, _, claim) = claimed();
    let (_, child) = start_until_it_waits(&desk);
    drop(claim);
    let told = stdout_of(child);
    assert!(told.contains("1 run, 0 recorded before."), "{told}");
    assert_eq!(desk.record("out").outcome(), record.outcome());
}

#[test]
fn while_one_process_does_a_run_others_do_theirs() {
    let (desk, ..) = claimed();
    desk.train("--method head --results out").ok();
    assert_eq!(desk.record("out").method.name, "head");
}
