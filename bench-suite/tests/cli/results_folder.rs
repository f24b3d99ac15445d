//! Results folders that cannot be written, or that belong to another run.

use std::process::Command;

use report::ResultsDir;

use crate::desk::{Desk, Ran, TINY, files};

#[test]
fn a_results_folder_that_cannot_be_made_is_refused_before_any_training() {
    let desk = Desk::new();
    let run = |results: &str| format!("run {TINY} --results {results}");
    desk.refuses(&run("mine.csv"), &["mine.csv: not a folder", "another results folder"]);
    let way_out = "give a results folder you may write to";
    desk.refuses(&run("mine.csv/out"), &["mine.csv/out: cannot create", way_out]);
    if cfg!(target_os = "linux") {
        // Even root cannot write here.
        desk.refuses(&run("/proc/out"), &["/proc/out: cannot create", way_out]);
        desk.refuses(&run("/proc"), &["/proc: cannot write into this folder", way_out]);
    }
}

#[test]
fn a_results_folder_in_use_by_another_run_is_left_alone() {
    let desk = Desk::new();
    desk.train("--method head --results out").ok();
    let results = ResultsDir::open(&desk.path("out")).unwrap();
    let lock = results.lock().unwrap();
    let holder = format!("out: in use by process {}", std::process::id());
    desk.refuses(&format!("run {TINY} --method lora --results out"), &[&holder, "wait", "another"]);
    drop(lock);
    desk.train("--method lora --results out").ok();
    assert_eq!(desk.records("out").len(), 2);
}

#[test]
fn a_file_that_is_no_record_is_named_and_nothing_is_lost() {
    let desk = Desk::new();
    desk.train("--method head --results out").ok();
    let record = desk.record_path("out", "head");
    desk.write("out/notes.json", "{}");
    desk.refuses("report out", &["out/notes.json: not a run record", "move it"]);
    let whole = std::fs::read(&record).unwrap();
    std::fs::remove_file(desk.path("out/notes.json")).unwrap();
    std::fs::write(&record, &whole[..whole.len() / 2]).unwrap();
    desk.refuses("report out", &[".json: field", "delete the file to run it again"]);
    desk.refuses(&format!("run {TINY} --method head --results out"), &["delete the file"]);
}

/// A write beyond the limit on a file's size fails as one to a full disk does.
#[cfg(unix)]
#[test]
fn a_write_that_fails_leaves_what_was_there_and_says_so() {
    let desk = Desk::new();
    desk.train("--method head --results out").ok();
    let before = files(&desk.path("out"));
    let run = format!("run {TINY} --method lora --results out");
    let limited = format!("trap '' XFSZ; ulimit -f 1; exec \"$0\" {run}");
    let mut shell = desk.at_home(Command::new("sh"));
    let ran = Ran::of(shell.args(["-c", &limited, env!("CARGO_BIN_EXE_bench-suite")]));
    ran.refused(&["out/", "cannot write", "free some space"]);
    let after = files(&desk.path("out"));
    assert!(before.iter().all(|(path, bytes)| after.get(path) == Some(bytes)));
    assert!(
        !after.keys().any(|path| path.to_string_lossy().contains("lora")),
        "{:?}",
        after.keys()
    );
    desk.train("--method lora --results out").ok();
    assert_eq!(desk.records("out").len(), 2);
}

/// A disk of 64 kB, which only root may make.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_what_was_recorded_is_kept() {
    let desk = Desk::new();
    let mount = "mkdir -p disk && mount -t tmpfs -o size=64k none disk";
    let may_mount = desk.at_home(Command::new("unshare")).args(["-m", "sh", "-c", mount]).output();
    if !may_mount.is_ok_and(|output| output.status.success()) {
        println!("skipped: no right to mount a small disk here");
        return;
    }
    let run = format!("\"$0\" run {TINY} --method full --seeds 0,1,2,3,4,5 --results disk/out");
    let script = format!("{mount}; {run}; code=$?; cp -r disk/out kept; exit $code");
    let mut shell = desk.at_home(Command::new("unshare"));
    let ran = Ran::of(shell.args(["-m", "sh", "-c", &script, env!("CARGO_BIN_EXE_bench-suite")]));
    ran.refused(&["disk/out/", "cannot write", "free some space"]);
    let kept = desk.records("kept");
    assert!((1..6).contains(&kept.len()), "{} records", kept.len());
    // What was recorded is of use once there is room.
    let again = desk.train("--method full --seeds 0,1,2,3,4,5 --results kept").ok();
    assert!(again.stdout.contains(&format!("{} recorded before", kept.len())), "{again:#?}");
}
