//! What is wrong is said in one line: file, line, value and what to do.

use datasets::{FileTask, Format, from_dir, from_files};

use super::{folder, spec};

const GOOD: &[u8] = b"text,label\na,x\nb,x\nc,y\nd,y\n";

/// The message for the given bytes as train.csv, without the folder's name.
fn message(train: &[u8], edit: fn(&mut FileTask)) -> String {
    let dir = folder(&[("rows.csv", train), ("test.csv", b"text,label\nnew,x\n")]);
    let mut spec = spec(&dir, "rows.csv");
    edit(&mut spec);
    let message = from_files(&spec).expect_err("a mistake").to_string();
    assert!(!message.contains('\n'), "{message}");
    message.replace(&format!("{}/", dir.path().display()), "")
}

fn plain(_: &mut FileTask) {}

#[test]
fn a_missing_file_is_named() {
    let message = message(GOOD, |spec| spec.train.set_file_name("other.csv"));
    assert!(message.starts_with("other.csv: cannot be read"), "{message}");
}

#[test]
fn an_empty_file_and_a_lone_header_are_told() {
    for content in [&b""[..], b" \n\n", b"text,label\n"] {
        assert!(message(content, plain).starts_with("rows.csv: has no data rows"));
    }
}

#[test]
fn a_byte_that_is_not_utf_8_is_told_with_its_line_and_offset() {
    let message = message(b"text,label\na,x\ncaf\xe9,x\n", plain);
    assert!(
        message.starts_with("rows.csv line 3: byte 0xe9 at offset 18 is not UTF-8"),
        "{message}"
    );
    assert!(message.contains("--encoding latin1"));
}

#[test]
fn utf_16_is_recognised() {
    assert_eq!(message(b"\xff\xfet\0", plain), "rows.csv: is UTF-16; save it as UTF-8");
}

#[test]
fn a_line_with_too_many_fields_is_told_with_its_number() {
    let message = message(b"text,label\r\na,x\r\n\r\nb, c,x\r\n", plain);
    assert!(
        message.starts_with("rows.csv line 4: has 3 fields where the first line has 2"),
        "{message}"
    );
}

#[test]
fn a_quote_that_is_never_closed_is_told_where_it_opens() {
    let message = message(b"label,text\nx,a\nx,\"b\ny,c\ny,d\n", plain);
    assert!(
        message.starts_with("rows.csv line 3: a quote opened here is never closed"),
        "{message}"
    );
}

#[test]
fn a_missing_column_is_told_with_those_that_are_there() {
    assert_eq!(
        message(b"review,stars\na,x\n", plain),
        "rows.csv line 1: no column text or sentence for the text; \
         found review, stars (say --text NAME or NUMBER)"
    );
    let missing = message(GOOD, |spec| spec.label = Some("class".into()));
    assert!(missing.contains("no column \"class\" for the label; found text, label"), "{missing}");
    let number = message(GOOD, |spec| spec.label = Some("3".into()));
    assert!(number.contains("no column \"3\" for the label"), "{number}");
}

#[test]
fn broken_json_is_told_with_its_line_and_column() {
    let jsonl = |content: &[u8]| message(content, |spec| spec.format = Some(Format::Jsonl));
    let good = r#"{"text": "a", "label": 1}"#;
    let broken = jsonl(format!("{good}\n{{\"text\": \"b\", label: 1}}\n").as_bytes());
    assert!(broken.starts_with("rows.csv line 2: column 15: key must be a string"), "{broken}");
    assert!(!broken.contains("at line 1"));
    let null = jsonl(format!("{good}\n{{\"text\": null, \"label\": 1}}\n").as_bytes());
    assert!(null.starts_with("rows.csv line 2: field \"text\" is null"), "{null}");
    let missing = jsonl(format!("{good}\n\n{{\"txt\": \"b\", \"label\": 1}}\n").as_bytes());
    assert!(missing.starts_with("rows.csv line 3: no column text or sentence"), "{missing}");
    assert!(missing.contains("found txt, label"), "{missing}");
}

#[test]
fn one_class_alone_is_refused() {
    let message = message(b"text,label\na,x\nb,x\nc,x\nd,x\n", plain);
    assert!(message.starts_with("rows.csv: all 3 training rows have the label \"x\""), "{message}");
}

#[test]
fn a_label_that_training_never_sees_is_told_with_file_and_line() {
    let dir = folder(&[("rows.csv", GOOD), ("test.csv", b"text,label\ne,x\nf,z\n")]);
    let message = from_files(&spec(&dir, "rows.csv")).unwrap_err().to_string();
    assert!(
        message
            .ends_with("test.csv line 3: label \"z\" does not occur in training, which has x, y"),
        "{message}"
    );
}

#[test]
fn an_empty_label_is_refused() {
    let message = message(b"text,label\na,x\nb, \n", plain);
    assert!(message.starts_with("rows.csv line 3: the label is empty"), "{message}");
}

#[test]
fn a_training_file_that_is_also_the_test_file_is_refused() {
    let message = message(GOOD, |spec| spec.test = Some(spec.train.clone()));
    assert!(
        message.starts_with("rows.csv: all of its 4 rows also occur in the test split"),
        "{message}"
    );
}

#[test]
fn too_few_rows_to_set_a_split_aside_are_told() {
    let message = message(b"text,label\na,x\nb,y\n", plain);
    assert!(
        message.contains("rows.csv: its 2 rows are too few to set a validation split aside"),
        "{message}"
    );
    assert!(message.contains("--validation FILE"));
}

#[test]
fn an_unknown_extension_is_told_with_the_formats() {
    let message = message(GOOD, |spec| {
        std::fs::rename(&spec.train, spec.train.with_extension("xlsx")).unwrap();
        spec.train.set_extension("xlsx");
    });
    assert!(message.starts_with("rows.xlsx: the extension is not csv"), "{message}");
    assert!(message.contains("say --format csv, tsv or jsonl"), "{message}");
}

#[test]
fn numbered_columns_over_a_probable_header_are_refused() {
    let message = message(GOOD, |spec| {
        (spec.text, spec.label) = (Some("1".into()), Some("2".into()));
    });
    assert!(
        message.starts_with("rows.csv line 1: label \"label\" occurs nowhere else"),
        "{message}"
    );
}

#[test]
fn a_folder_without_a_training_file_is_told_with_what_it_holds() {
    let dir = folder(&[("b.txt", b"x"), ("a.txt", b"x")]);
    let message = from_dir(dir.path(), "mine").unwrap_err().to_string();
    assert!(
        message.ends_with("holds no train.csv, train.tsv or train.jsonl; it holds a.txt, b.txt")
    );
    let missing = from_dir(&dir.path().join("nowhere"), "mine").unwrap_err().to_string();
    assert!(missing.contains("nowhere: cannot be read"), "{missing}");
}
