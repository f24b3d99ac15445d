//! Rows of one file outside a task.

use datasets::{FileRow, FileTask, Format, labelled, texts};

use super::folder;

fn row(line: usize, text: &str, pair: Option<&str>, label: &str) -> FileRow {
    FileRow { text: text.into(), pair: pair.map(str::to_owned), label: label.into(), line }
}

#[test]
fn every_row_is_read_in_order_repeats_and_empty_texts_included() {
    let content = "text,label\n b ,x\n\"a,\"\"1\"\"\",y\n b ,z\n,x\n";
    let dir = folder(&[("a.csv", content.as_bytes())]);
    let path = dir.path().join("a.csv");
    let rows = [
        row(2, "b", None, "x"),
        row(3, "a,\"1\"", None, "y"),
        row(4, "b", None, "z"),
        row(5, "", None, "x"),
    ];
    assert_eq!(labelled(&path, &FileTask::default()).unwrap(), rows);
    let bare = rows.map(|row| FileRow { label: String::new(), ..row });
    assert_eq!(texts(&path, &FileTask::default()).unwrap(), bare);
}

#[test]
fn texts_need_no_column_of_labels_by_name_or_by_number() {
    let dir = folder(&[
        ("named.tsv", b"id\tquestion\tanswer\n1\tq1\ta1\n2\tq2\ta2\n"),
        ("bare.data", b"1,q1,a1\n2,q2,a2\n"),
        ("rows.jsonl", b"{\"q\": \"q1\", \"a\": \"a1\"}\n"),
    ]);
    let read = |name: &str, text: &str, pair: &str, format| {
        let (text, pair) = (Some(text.to_owned()), Some(pair.to_owned()));
        let columns = FileTask { text, pair, format, ..FileTask::default() };
        texts(&dir.path().join(name), &columns).unwrap()
    };
    let named = read("named.tsv", "question", "answer", None);
    assert_eq!(named, [row(2, "q1", Some("a1"), ""), row(3, "q2", Some("a2"), "")]);
    // With numbers alone the first line is a row.
    let bare = read("bare.data", "2", "3", Some(Format::Csv));
    assert_eq!(bare, [row(1, "q1", Some("a1"), ""), row(2, "q2", Some("a2"), "")]);
    assert_eq!(read("rows.jsonl", "q", "a", None), [row(1, "q1", Some("a1"), "")]);
}

#[test]
fn what_is_missing_is_named_with_file_and_line() {
    let dir = folder(&[("a.csv", b"text,stars\na,1\n"), ("b.csv", b"text,label\na,1\nb, \n")]);
    let path = |name: &str| dir.path().join(name);
    let error = labelled(&path("a.csv"), &FileTask::default()).unwrap_err().to_string();
    assert!(error.contains("a.csv line 1: no column label for the label"), "{error}");
    let error = labelled(&path("b.csv"), &FileTask::default()).unwrap_err().to_string();
    assert!(error.contains("b.csv line 3: the label is empty"), "{error}");
    let error = texts(&path("c.csv"), &FileTask::default()).unwrap_err().to_string();
    assert!(error.contains("c.csv: cannot be read"), "{error}");
    let text = Some("txet".to_owned());
    let misspelt = FileTask { text, ..FileTask::default() };
    let error = texts(&path("a.csv"), &misspelt).unwrap_err().to_string();
    assert!(error.contains("no column \"txet\" for the text; found text, stars"), "{error}");
}
