//! Which rows go where.

use datasets::{FileTask, from_files};

use super::{all, assert_no_leaks, folder, many_rows, spec};

#[test]
fn splits_without_a_file_are_about_a_tenth_each_and_told() {
    let dir = folder(&[("a.csv", many_rows().as_bytes())]);
    let task = from_files(&spec(&dir, "a.csv")).unwrap();
    assert_no_leaks(&task);
    let (n_validation, n_test) = (task.split.validation.len(), task.split.test.len());
    assert!((10..35).contains(&n_validation) && (10..35).contains(&n_test));
    let note = format!("validation is {n_validation} of 200 rows, chosen by a hash");
    assert!(task.notes.contains(&note), "{:?}", task.notes);
}

#[test]
fn a_row_keeps_its_split_when_other_rows_come_or_go() {
    let fewer = many_rows().lines().take(150).fold(String::new(), |all, row| all + row + "\n");
    let dir = folder(&[("all.csv", many_rows().as_bytes()), ("fewer.csv", fewer.as_bytes())]);
    let task = |name| from_files(&spec(&dir, name)).unwrap();
    let (all, fewer) = (task("all.csv"), task("fewer.csv"));
    assert!(fewer.split.test.iter().all(|row| all.split.test.contains(row)));
    assert!(fewer.split.validation.iter().all(|row| all.split.validation.contains(row)));
    assert!(fewer.split.train.iter().all(|row| all.split.train.contains(row)));
}

#[test]
fn texts_that_differ_in_signs_alone_stay_in_one_split() {
    let rows = many_rows();
    let signs: String = rows.lines().skip(1).map(|row| row.replace(',', "!!!,") + "\n").collect();
    let dir = folder(&[("a.csv", (rows + &signs).as_bytes())]);
    let task = from_files(&spec(&dir, "a.csv")).unwrap();
    assert_eq!(all(&task).len(), 400);
    for rows in [&task.split.train, &task.split.validation, &task.split.test] {
        let n_signs = rows.iter().filter(|row| row.text.ends_with("!!!")).count();
        assert_eq!(2 * n_signs, rows.len());
    }
}

#[test]
fn the_smallest_file_still_gives_three_splits_and_leaves_every_class_in_training() {
    let dir = folder(&[("a.csv", b"text,label\na,x\nb,x\nc,y\nd,y\n")]);
    let task = from_files(&spec(&dir, "a.csv")).unwrap();
    let sizes = [&task.split.train, &task.split.validation, &task.split.test].map(Vec::len);
    assert_eq!(sizes, [2, 1, 1]);
    assert_eq!(task.class_counts(), [1, 1]);
}

#[test]
fn training_rows_that_occur_in_the_test_file_are_removed_and_counted() {
    let dir = folder(&[
        ("a.csv", many_rows().as_bytes()),
        ("test.csv", b"text,label\n Sentence  7,no\nnew,yes\nSENTENCE 8,yes\n"),
    ]);
    let task = from_files(&spec(&dir, "a.csv")).unwrap();
    assert_no_leaks(&task);
    assert_eq!((task.split.test.len(), all(&task).len()), (3, 201));
    assert_eq!(task.notes[0], "2 train rows that also occur in test were removed");
}

#[test]
fn validation_rows_that_occur_in_the_test_file_are_removed_and_counted() {
    let dir = folder(&[
        ("a.csv", many_rows().as_bytes()),
        ("validation.csv", b"text,label\none,no\ntwo,yes\n"),
        ("test.csv", b"text,label\ntwo,yes\nthree,no\n"),
    ]);
    let validation = Some(dir.path().join("validation.csv"));
    let task = from_files(&FileTask { validation, ..spec(&dir, "a.csv") }).unwrap();
    assert_eq!(task.split.validation.len(), 1);
    assert_eq!(task.notes, ["1 validation rows that also occur in test were removed"]);
    assert_eq!(task.split.train.len(), 200);
}
