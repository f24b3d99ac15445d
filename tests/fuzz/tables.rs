//! Rows of text with labels.

use std::{fmt::Write, path::Path};

use datasets::{FileTask, Task, from_dir, from_files, named};

use crate::reader::{Reader, Seed};

/// What every task keeps.
fn check(task: &Task) {
    assert!(task.classes.len() >= 2);
    let split = &task.split;
    for rows in [&split.train, &split.validation, &split.test] {
        assert!(!rows.is_empty());
        assert!(rows.iter().all(|row| row.label < task.classes.len() && !row.text.is_empty()));
    }
}

/// 60 rows with a separator between text and label, some of them quoted.
fn rows(header: &str, row: impl Fn(usize, &str) -> String) -> String {
    let label = |i: usize| ["good", "bad", "7"][i % 3];
    (0..60).fold(header.to_owned(), |mut text, i| {
        writeln!(text, "{}", row(i, label(i))).unwrap();
        text
    })
}

fn reader(file: &'static str, text: String) -> Reader {
    Reader::new(file, vec![Seed::plain(text)], move |folder| {
        let spec = FileTask { train: folder.join(file), ..FileTask::default() };
        from_files(&spec).map(|task| check(&task)).map_err(|error| error.to_string())
    })
}

#[test]
fn csv() {
    let row = |i: usize, label: &str| match i % 5 {
        0 => format!("\"row {i}, quoted \"\"so\"\"\",{label}"),
        _ => format!("row {i},{label}"),
    };
    reader("rows.csv", rows("text,label\n", row)).holds("csv");
}

#[test]
fn tsv() {
    reader("rows.tsv", rows("text\tlabel\n", |i, label| format!("row {i}\t{label}"))).holds("tsv");
}

#[test]
fn json_lines() {
    let row = |i: usize, label: &str| format!(r#"{{"text":"row {i}","label":"{label}","n":{i}}}"#);
    reader("rows.jsonl", rows("", row)).holds("json-lines");
}

#[test]
fn rated_sentences() {
    const FILE: &str = "amazonReviewSnippets_GroundTruth.txt";
    let row = |i: usize, _: &str| format!("{}_{i}\t{}\tsentence {i}", i / 2, i as f64 / 7.0 - 4.0);
    let read = |folder: &Path| {
        named("amazon", folder).map(|task| check(&task)).map_err(|error| error.to_string())
    };
    Reader::new(FILE, vec![Seed::plain(rows("", row))], read)
        .or_names("amazon")
        .holds("rated-sentences");
}

#[test]
fn questions() {
    let row = |i: usize, label: &str| format!("{label}:fine what is {i} ?");
    let read = |folder: &Path| {
        let read = from_dir(folder, "trec");
        read.map(|task| check(&task)).map_err(|error| error.to_string())
    };
    Reader::new("train.txt", vec![Seed::plain(rows("", row))], read)
        .beside("test.txt", "good:fine who is it ?\n")
        .or_names("test.txt")
        .or_names("trec")
        .holds("questions");
}
