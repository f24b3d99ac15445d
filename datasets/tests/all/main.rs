//! The crate from outside: files that users bring, and the real sets.

mod files;
mod mistakes;
mod real;
mod sentences;
mod single;
mod splits;

use std::fmt::Write;
use std::path::PathBuf;

use datasets::{Example, FileTask, Task};
use tempfile::TempDir;

/// A folder with the given files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).expect("a temporary file");
    }
    dir
}

/// 200 rows of the classes `no` and `yes` under the header `text,label`.
fn many_rows() -> String {
    (0..200).fold("text,label\n".to_owned(), |mut rows, i| {
        writeln!(rows, "sentence {i},{}", if i % 4 == 0 { "yes" } else { "no" }).unwrap();
        rows
    })
}

/// The files `train`, and `test` if it is there, of a folder.
fn spec(dir: &TempDir, train: &str) -> FileTask {
    let test = Some(dir.path().join("test.csv")).filter(|path| path.is_file());
    FileTask { train: dir.path().join(train), test, ..FileTask::default() }
}

/// All rows, training first.
fn all(task: &Task) -> Vec<&Example> {
    let split = &task.split;
    split.train.iter().chain(&split.validation).chain(&split.test).collect()
}

/// The class names of rows.
fn labels<'a>(task: &'a Task, rows: &[Example]) -> Vec<&'a str> {
    rows.iter().map(|row| task.classes[row.label].as_str()).collect()
}

/// No text in two splits, case and white space aside, and no split without rows.
fn assert_no_leaks(task: &Task) {
    let keys = |rows: &[Example]| {
        assert!(!rows.is_empty());
        let key = |row: &Example| {
            let words =
                |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
            (words(&row.text), row.pair.as_deref().map(words))
        };
        rows.iter().map(key).collect::<std::collections::HashSet<_>>()
    };
    let split = &task.split;
    let (train, validation, test) =
        (keys(&split.train), keys(&split.validation), keys(&split.test));
    assert!(train.is_disjoint(&validation) && train.is_disjoint(&test));
    assert!(validation.is_disjoint(&test));
    assert!(task.class_counts().iter().all(|&n| n > 0));
}

/// The folder that an environment variable or else `default` gives, if it is there.
fn real_folder(variable: &str, default: Option<&str>) -> Option<PathBuf> {
    let given = std::env::var_os(variable).map(PathBuf::from);
    let path = given.or_else(|| default.map(|d| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(d)));
    let found = path.filter(|path| path.is_dir());
    if found.is_none() {
        println!("skipped: set {variable} to the folder of the real files to run this test");
    }
    found
}
