//! Two results folders side by side.

use std::fs;

use crate::desk::{Desk, TINY};

/// Two folders: LoRA in both with another learning rate, head in both, majority in B alone.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.train("--method lora --seeds 0,1,2 --results a").ok();
    desk.train("--method lora --seeds 0,1 --training learning_rate=0.05 --results b").ok();
    for results in ["a", "b"] {
        desk.train(&format!("--method head --results {results}")).ok();
    }
    desk.train("--method majority --results b").ok();
    desk
}

#[test]
fn two_folders_are_compared_in_the_terminal_and_on_pages() {
    let desk = desk();
    let told = desk.run("report --compare a b").ok().stdout;
    let markdown = fs::read_to_string(desk.path("b/compare.md")).unwrap();
    let html = fs::read_to_string(desk.path("b/compare.html")).unwrap();
    for page in [&told, &markdown, &html] {
        for part in [
            "A: a, B: b",
            "LoRA rank=8",
            "Head only",
            "2 configurations in both",
            "Only in A: LoRA rank=8 seed 2 on mine (lora-",
            "Only in B: Majority class seed 0 on mine (majority-",
        ] {
            assert!(page.contains(part), "{part} not in {page}");
        }
        assert!(page.contains("LoRA rank=8 differs in learning_rate "), "{page}");
    }
    let row = told.lines().find(|line| line.starts_with("Head only")).unwrap();
    assert!(row.contains(" 0.00 "), "{row}");
    assert!(told.contains("b/compare.md"), "{told}");
}

#[test]
fn a_comparison_goes_where_it_is_told_and_leaves_the_two_folders_as_they_are() {
    let desk = desk();
    let before = [crate::desk::files(&desk.path("a")), crate::desk::files(&desk.path("b"))];
    let paths = desk.run("report --compare a b --to c/d --json").ok().json();
    assert_eq!(paths, serde_json::json!(["c/d/compare.md", "c/d/compare.html"]));
    assert!(desk.path("c/d/compare.html").is_file());
    let after = [crate::desk::files(&desk.path("a")), crate::desk::files(&desk.path("b"))];
    assert_eq!(after, before);
}

#[test]
fn what_cannot_be_compared_is_told() {
    let desk = Desk::new();
    desk.run(&format!("run {TINY} --method head --results a")).ok();
    desk.refuses("report --compare a nowhere", &["nowhere: no such folder"]);
    fs::create_dir(desk.path("empty")).unwrap();
    desk.refuses("report --compare a empty", &["empty: no run records"]);
    desk.run("report --compare a").misused(&["--compare"]);
    desk.run("report a --compare a a").misused(&["--compare"]);
    desk.run("report a --to b").misused(&["cannot be used with", "--to"]);
    desk.run("report --to b").misused(&["--compare"]);
}
