//! Files that users bring.

use std::fmt::Write;
use std::path::Path;

use datasets::{Encoding, FileTask, Format, from_dir, from_files};

use super::{all, assert_no_leaks, folder, labels, many_rows, spec};

#[test]
fn csv_tsv_and_json_lines_of_the_same_rows_are_the_same_task() {
    let tsv = many_rows().replace(',', "\t");
    let jsonl: String = many_rows().lines().skip(1).fold(String::new(), |mut lines, row| {
        let (text, label) = row.split_once(',').unwrap();
        writeln!(lines, r#"{{"id": 1, "text": "{text}", "label": "{label}"}}"#).unwrap();
        lines
    });
    let (csv, tsv, jsonl) = (many_rows().into_bytes(), tsv.into_bytes(), jsonl.into_bytes());
    let dir = folder(&[("a.csv", &csv), ("a.tsv", &tsv), ("a.jsonl", &jsonl)]);
    let task = |name: &str| from_files(&spec(&dir, name)).unwrap();
    assert_eq!(task("a.csv"), task("a.tsv"));
    assert_eq!(task("a.csv"), task("a.jsonl"));
    assert_eq!((task("a.csv").name.as_str(), all(&task("a.csv")).len()), ("a", 200));
}

#[test]
fn number_labels_are_sorted_by_value_and_names_by_letter() {
    let classes = |content: &str| {
        let dir = folder(&[
            ("a.csv", content.as_bytes()),
            ("test.csv", content.replace("t", "u").as_bytes()),
        ]);
        let spec = FileTask {
            text: Some("1".into()),
            label: Some("2".into()),
            header: Some(false),
            ..spec(&dir, "a.csv")
        };
        let validation = spec.test.clone();
        let (validation, test) = (validation, None);
        from_files(&FileTask { validation, test, ..spec }).unwrap().classes
    };
    assert_eq!(classes("t1,10\nt2,9\nt3,10\nt4,9\nt5,-1\nt6,-1\n"), ["-1", "9", "10"]);
    assert_eq!(classes("t1,b\nt2,10\nt3,b\nt4,10\nt5,9\nt6,9\n"), ["10", "9", "b"]);
}

#[test]
fn columns_are_found_by_name_or_by_number_from_one() {
    let rows = "id,Review,stars\n1,good,5\n2,bad,1\n3,fine,5\n4,poor,1\n5,nice,5\n6,sad,1\n";
    let bare = rows.split_once('\n').unwrap().1;
    let dir = folder(&[("named.csv", rows.as_bytes()), ("bare.csv", bare.as_bytes())]);
    let task = |file, text: &str, label: &str, header| {
        let (text, label) = (Some(text.into()), Some(label.into()));
        let name = Some("a".into());
        from_files(&FileTask { name, text, label, header, ..spec(&dir, file) }).unwrap()
    };
    let named = task("named.csv", "review", "stars", None);
    assert_eq!(named.classes, ["1", "5"]);
    assert_eq!(named, task("bare.csv", "2", "3", None));
    assert_eq!(named, task("named.csv", "2", "3", Some(true)));
    assert_eq!(named, task("named.csv", "Review", "3", None));
}

#[test]
fn two_text_columns_make_pairs() {
    let rows = "a,b,label\nsame,same,1\nsame,other,0\nleft,right,0\nup,up,1\nx,y,0\nz,z,1\n";
    let dir = folder(&[("a.csv", rows.as_bytes())]);
    let (text, pair) = (Some("a".into()), Some("b".into()));
    let task = from_files(&FileTask { text, pair, ..spec(&dir, "a.csv") }).unwrap();
    assert_no_leaks(&task);
    let row = all(&task).into_iter().find(|row| row.pair.as_deref() == Some("other")).unwrap();
    assert_eq!((row.text.as_str(), row.label), ("same", 0));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    let windows = format!("\u{feff}{}", many_rows().replace('\n', "\r\n"));
    let dir = folder(&[("a.csv", many_rows().as_bytes()), ("b.csv", windows.as_bytes())]);
    let task = |file| from_files(&spec(&dir, file)).unwrap();
    assert_eq!(task("a.csv").fingerprint(), task("b.csv").fingerprint());
}

#[test]
fn latin_1_is_read_when_it_is_asked_for() {
    let dir = folder(&[("a.csv", b"text,label\ncaf\xe9,x\nb,x\nc,y\nd,y\n")]);
    let spec = FileTask { encoding: Encoding::Latin1, ..spec(&dir, "a.csv") };
    assert!(all(&from_files(&spec).unwrap()).iter().any(|row| row.text == "café"));
}

#[test]
fn the_format_can_be_given_where_the_extension_does_not_tell_it() {
    let dir = folder(&[("rows.txt", many_rows().as_bytes())]);
    let spec = FileTask { format: Some(Format::Csv), ..spec(&dir, "rows.txt") };
    assert_eq!(all(&from_files(&spec).unwrap()).len(), 200);
    assert_eq!(("TSV".parse(), "latin-1".parse()), (Ok(Format::Tsv), Ok(Encoding::Latin1)));
}

#[test]
fn rows_without_text_are_left_out_and_told() {
    let dir = folder(&[("a.csv", b"text,label\na,x\n  ,x\nb,x\nc,y\nd,y\n,y\n")]);
    let task = from_files(&spec(&dir, "a.csv")).unwrap();
    assert_eq!(all(&task).len(), 4);
    let note = &task.notes[0];
    assert!(note.starts_with("2 rows without text were left out") && note.ends_with("line 3)"));
}

#[test]
fn a_folder_with_train_dev_and_test_files_is_a_task() {
    let dir = folder(&[
        ("train.csv", many_rows().as_bytes()),
        ("dev.tsv", b"text\tlabel\nsome\tno\n"),
        ("test.jsonl", br#"{"text": "other", "label": "yes"}"#),
    ]);
    let task = from_files(&FileTask { train: dir.path().into(), ..FileTask::default() }).unwrap();
    let sizes = [&task.split.train, &task.split.validation, &task.split.test].map(Vec::len);
    assert_eq!(sizes, [200, 1, 1]);
    assert_eq!(labels(&task, &task.split.test), ["yes"]);
    assert_eq!(task.name, dir.path().file_name().unwrap().to_str().unwrap());

    let by_name = from_dir(dir.path(), "mine").unwrap();
    assert_eq!((by_name.name.as_str(), by_name.split), ("mine", task.split));
}

#[test]
fn a_standard_folder_is_known_by_its_name_from_itself_and_from_above() {
    let dir = tempfile::tempdir().unwrap();
    let sst2 = dir.path().join("sst2");
    std::fs::create_dir(&sst2).unwrap();
    let rows = "sentence\tlabel\na \"lone quote \t1\nb \t0\nc \t1\nd \t0\n";
    std::fs::write(sst2.join("train.tsv"), rows).unwrap();
    std::fs::write(sst2.join("dev.tsv"), "sentence\tlabel\ne\t1\nf\t0\n").unwrap();
    let above = from_dir(dir.path(), "sst2").unwrap();
    assert_eq!(above.classes, ["negative", "positive"]);
    assert_eq!(labels(&above, &above.split.test), ["positive", "negative"]);
    assert!(all(&above).iter().any(|row| row.text == "a \"lone quote"));
    assert_eq!(above, from_dir(&sst2, "sst2").unwrap());
    let train: &Path = &sst2;
    let spec = FileTask { train: train.into(), ..FileTask::default() };
    assert_eq!(above, from_files(&spec).unwrap());
}

#[test]
fn a_file_task_is_read_from_json_and_unknown_fields_are_refused() {
    let spec: FileTask =
        serde_json::from_str(r#"{"train": "a.csv", "encoding": "latin1", "format": "tsv"}"#)
            .unwrap();
    assert_eq!((spec.encoding, spec.format), (Encoding::Latin1, Some(Format::Tsv)));
    assert!(serde_json::from_str::<FileTask>(r#"{"train": "a.csv", "labels": "x"}"#).is_err());
}
