//! Results folders that cannot be written, or that hold something else.

use std::process::Command;

use crate::desk::{Desk, Ran, TINY, files};

#[test]
fn a_results_folder_that_cannot_be_made_is_refused_before_any_training() {
    let desk = Desk::new();
    let run = |results: &str| format!("run {TINY} --results {results}");
    desk.refuses(&run("mine.csv"), &["mine.csv: not a folder", "another results folder"]);
    let way_out = "give a results folder you may write to";
    desk.refuses(&run("mine.csv/out"), &["mine.csv: not a folder", "another results folder"]);
    if cfg!(target_os = "linux") {
        // Even root cannot write here.
        desk.refuses(&run("/proc/out"), &["/proc: cannot write into this folder", way_out]);
        desk.refuses(&run("/proc"), &["/proc: cannot write into this folder", way_out]);
    }
}

#[test]
fn a_run_that_fails_while_it_loads_leaves_no_folder() {
    let desk = Desk::new();
    for mistake in [
        "--model nowhere --train mine.csv",
        "--model model --train mine.csv --text nothing",
        "--model model --train mine.csv --method lora --config rank=0",
    ] {
        desk.refuses(&format!("run --device flex {mistake} --results new/out"), &[]);
        assert!(!desk.path("new").exists(), "after {mistake}");
    }
}

#[test]
fn a_folder_of_results_folders_gets_an_index_over_their_reports() {
    let desk = Desk::new();
    for name in ["one", "two"] {
        desk.run(&format!("run {TINY} --method head --results all/{name}")).ok();
    }
    let told = desk.run("report all").ok().stdout;
    assert!(told.contains("all/index.html") && told.contains("all/REPORT.md"), "{told}");
    let page = std::fs::read_to_string(desk.path("all/index.html")).unwrap();
    assert!(page.contains("one/report.html") && page.contains("two/report.html"));
}

#[test]
fn a_report_remembers_the_title_of_the_suite_that_was_run() {
    let desk = Desk::new();
    let task = "[task]\ntrain = 'mine.csv'\n[model]\nname = 'model'\n";
    desk.write("mine.toml", format!("title = 'Mine'\n{task}[[run]]\nmethod = 'head'\n"));
    desk.run("run mine.toml --device flex --results out").ok();
    let page = || std::fs::read_to_string(desk.path("out/REPORT.md")).unwrap();
    assert!(page().starts_with("# Mine\n"));
    std::fs::remove_file(desk.path("out/REPORT.md")).unwrap();
    desk.run("report out").ok();
    assert!(page().starts_with("# Mine\n"));
    // A single run joins the suite; it does not rename it.
    desk.train("--method majority --results out").ok();
    assert!(page().starts_with("# Mine\n"));
    assert!(!page().contains("not recorded yet"));
    desk.run("report out --title Another").ok();
    assert!(page().starts_with("# Another\n"));
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

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_in_the_middle_of_a_suite_costs_the_current_run_alone() {
    let desk = Desk::new();
    // The tensors of full fine-tuning alone are larger than 16 kB.
    let methods = ["head", "lora", "full", "majority"];
    let runs = methods.map(|method| format!("[[run]]\nmethod = '{method}'\n"));
    desk.write_suite("s.toml", &runs.concat());
    let run = format!("run s.toml {TINY} --results out");
    let limited = format!("trap '' XFSZ; ulimit -f 32; exec \"$0\" {run}");
    let mut shell = desk.at_home(Command::new("sh"));
    let ran = Ran::of(shell.args(["-c", &limited, env!("CARGO_BIN_EXE_bench-suite")]));
    ran.refused(&[
        "out/trained/full-",
        "cannot write",
        "free some space",
        "finished runs are kept",
    ]);
    let names: Vec<String> = desk.records("out").into_iter().map(|r| r.method.name).collect();
    assert_eq!(names, ["head", "lora"]);
    let is_half = |path: &std::path::PathBuf| path.to_string_lossy().ends_with(".partial");
    assert!(!files(&desk.path("out")).keys().any(is_half));
    let again = desk.run(&run).ok().stdout;
    assert!(again.contains("4 runs, 2 recorded before."), "{again}");
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
