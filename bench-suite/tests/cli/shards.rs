//! A suite in parts, on several machines, and the parts put together.

use std::fs;

use crate::desk::{Desk, Ran, TINY, files};

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write_zoo("zoo.toml");
    desk
}

fn run(desk: &Desk, words: &str) -> String {
    desk.run(&format!("run zoo.toml {TINY} {words}")).ok().stdout
}

#[test]
fn the_parts_of_a_suite_make_the_whole_when_merged() {
    let desk = desk();
    run(&desk, "--results whole");
    let n = desk.records("whole").len();
    let mut n_parts = 0;
    for i in 0..3 {
        let told = run(&desk, &format!("--shard {i}/3 --results part-{i}"));
        let n_part = desk.records(&format!("part-{i}")).len();
        assert!(n_part == n / 3 || n_part == n / 3 + 1, "{n_part} of {n}");
        let said = format!("{n_part} runs of the suite's {n} in part {i}/3, 0 recorded before.");
        assert!(told.contains(&said), "{said} in {told}");
        // A part reports what is there, and says that it is not all.
        let page = fs::read_to_string(desk.path(&format!("part-{i}/REPORT.md"))).unwrap();
        assert!(
            page.contains(&format!("{} of {n} runs are not recorded yet", n - n_part)),
            "{page}"
        );
        n_parts += n_part;
    }
    assert_eq!(n_parts, n, "a run is in two parts");

    let told = desk.run("merge part-0 part-1 --to merged").ok().stdout;
    assert!(told.contains("of the suite not recorded yet"), "{told}");
    let told = desk.run("merge part-2 --to merged").ok().stdout;
    assert!(told.contains(&format!("{n} runs in merged, ")) && !told.contains("yet"), "{told}");
    assert_eq!(desk.outcomes("merged"), desk.outcomes("whole"));
    assert_eq!(files(&desk.path("merged/trained")), files(&desk.path("whole/trained")));
    let suite = |results: &str| fs::read(desk.path(results).join("suite.json")).unwrap();
    assert_eq!(suite("merged"), suite("whole"));
    let page = fs::read_to_string(desk.path("merged/REPORT.md")).unwrap();
    assert!(page.starts_with("# PEFT methods on mine\n") && !page.contains("not recorded yet"));
    // What was merged is known to a run of the whole suite.
    let told = run(&desk, "--results merged");
    assert!(told.contains(&format!("{n} runs, {n} recorded before.")), "{told}");
}

#[test]
fn parts_may_share_a_folder() {
    let desk = desk();
    let parts =
        [0, 1].map(|i| desk.start(&format!("run zoo.toml {TINY} --shard {i}/2 --results out")));
    for child in parts {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    run(&desk, "--results whole");
    assert_eq!(desk.outcomes("out"), desk.outcomes("whole"));
    let page = fs::read_to_string(desk.path("out/REPORT.md")).unwrap();
    assert!(!page.contains("not recorded yet"), "{page}");
}

#[test]
fn a_part_without_runs_ends_well_and_merges_with_the_others() {
    let desk = Desk::new();
    desk.write_suite("s.toml", "[[run]]\nmethod = 'head'\n");
    let part = |i: usize| format!("run s.toml {TINY} --shard {i}/2 --results part-{i}");
    desk.run(&part(0)).ok();
    let told = desk.run(&part(1)).ok().stdout;
    assert!(told.contains("0 runs of the suite's 1 in part 1/2"), "{told}");
    desk.run("merge part-1 part-0 --to all").ok();
    assert_eq!(desk.records("all").len(), 1);
}

#[test]
fn all_plans_are_checked_whatever_the_part() {
    let desk = Desk::new();
    let bad = "[[run]]\nmethod = 'head'\n[[run]]\nmethod = 'lora'\nconfig = { rank = 999 }\n";
    desk.write_suite("s.toml", bad);
    for i in 0..2 {
        desk.refuses(&format!("run s.toml {TINY} --shard {i}/2 --results out"), &["'lora'", "999"]);
    }
}

#[test]
fn a_part_that_does_not_exist_is_a_mistake_on_the_command_line() {
    let desk = desk();
    let shard = |text: &str| desk.run(&format!("run zoo.toml {TINY} --shard {text}"));
    shard("3/3").misused(&["--shard", "counted from 0: the last of 3 is 2/3"]);
    shard("0/0").misused(&["0 parts"]);
    shard("one").misused(&["expected i/n"]);
}

#[test]
fn two_outcomes_of_one_run_are_not_merged_and_nothing_changes() {
    let desk = Desk::new();
    for results in ["a", "b"] {
        desk.train(&format!("--method head --results {results}")).ok();
    }
    let path = desk.record_path("b", "head");
    let mut record = desk.record("b");
    record.scores.as_mut().unwrap().test_accuracy = 0.125;
    fs::write(&path, serde_json::to_string_pretty(&record).unwrap()).unwrap();
    let name = format!("{}.json", record.id);
    let (a, b) = (format!("a/{name}"), format!("b/{name}"));
    let parts = [a.as_str(), b.as_str(), "`scores.test_accuracy`", "0.125"];
    desk.refuses("merge a b --to all", &parts);
    desk.refuses("merge a --to b", &parts);
    assert!(!desk.path("all").exists());
    desk.refuses("merge a nowhere --to all", &["nowhere: no such folder"]);
    desk.run("merge a").misused(&["--to"]);
}

/// The code block of docs/long-runs.md that contains `part`.
#[cfg(unix)]
fn from_the_page(part: &str) -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/long-runs.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.filter(|block| block.contains(part)).collect::<Vec<_>>().concat()
}

#[cfg(unix)]
#[test]
fn the_scripts_on_the_page_on_long_runs_do_a_suite_in_parts() {
    let desk = Desk::new();
    let task = "[task]\ntrain = 'mine.csv'\n[model]\nname = 'model'\n";
    let runs = ["head", "lora", "majority", "prompt_tuning", "adalora"];
    let runs = runs.map(|method| format!("[[run]]\nmethod = '{method}'\n")).concat();
    desk.write_suite("my-suite.toml", &format!("{task}{runs}"));
    desk.write("suite.sh", from_the_page("#SBATCH"));
    desk.write("merge.sh", from_the_page("bench-suite merge"));
    desk.write("both.sh", from_the_page("\nwait\n"));
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_bench-suite"));
    let path = [program.parent().unwrap().into(), std::env::var_os("PATH").unwrap()];
    let path = path.join(std::ffi::OsStr::new(":"));
    let script = |name: &str, part: usize| {
        let mut shell = desk.at_home(std::process::Command::new("bash"));
        shell.args(["-eu", name]).env("PATH", &path);
        shell.env("SLURM_ARRAY_TASK_ID", part.to_string()).env("SLURM_ARRAY_TASK_COUNT", "4");
        Ran::of(&mut shell).ok()
    };
    (0..4).for_each(|part| drop(script("suite.sh", part)));
    script("merge.sh", 0);
    script("both.sh", 0);
    assert_eq!(desk.records("results/my-suite").len(), 5);
    assert_eq!(desk.outcomes("results/mine"), desk.outcomes("results/my-suite"));
}
