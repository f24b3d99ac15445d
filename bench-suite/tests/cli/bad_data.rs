//! Files of rows that cannot be a task: file, line, what to do.

use crate::{
    desk::{Desk, TINY},
    tiny::table,
};

/// Trains on a file of this content.
fn refuses(content: impl AsRef<[u8]>, parts: &[&str]) {
    let desk = Desk::new();
    desk.write("bad.csv", content);
    desk.refuses("run --model model --device flex --method lora --train bad.csv", parts);
}

#[test]
fn a_malformed_line_is_told_with_its_number() {
    let rows = table();
    let line = rows.lines().count() + 1;
    let at = format!("bad.csv line {line}: ");
    refuses(format!("{rows}a film, with a comma,pos\n"), &[&at, "3 fields", "separator"]);
    refuses(format!("{rows}\"never closed,pos\n"), &[&at, "quote", "never closed", "close it"]);
    refuses(format!("{rows}\"closed\" early,pos\n"), &[&at, "two quotes"]);
    refuses(format!("{rows}no label,\n"), &[&at, "label is empty", "fill it in"]);
    let desk = Desk::new();
    desk.write("bad.jsonl", "{\"text\": \"a\", \"label\": \"x\"}\n{\"text\": \"b\"\n");
    let run = "run --model model --device flex --train bad.jsonl";
    desk.refuses(run, &["bad.jsonl line 2: column 12", "JSON Lines"]);
}

#[test]
fn one_class_alone_is_refused() {
    let rows: Vec<String> =
        table().lines().filter(|line| !line.ends_with("neg")).map(str::to_owned).collect();
    let parts = ["bad.csv: all 32 training rows have the label \"pos\"", "two classes", "--label"];
    let desk = Desk::new();
    desk.write("bad.csv", rows.join("\n"));
    // With files for the other splits every row of this one is for training.
    desk.write("other.csv", "text,label\nx,pos\n");
    desk.write("more.csv", "text,label\ny,pos\n");
    let splits = "--validation other.csv --test more.csv";
    desk.refuses(&format!("run --model model --train bad.csv {splits} --device flex"), &parts);
}

#[test]
fn a_label_that_training_never_saw_is_told_with_its_line() {
    let desk = Desk::new();
    desk.write("test.csv", "text,label\na new film,pos\nanother film,meh\n");
    let parts = ["test.csv line 3: label \"meh\"", "does not occur in training", "neg, pos"];
    desk.refuses(&format!("run {TINY} --test test.csv"), &parts);
}

#[test]
fn a_file_without_rows_is_refused() {
    refuses("", &["bad.csv: has no data rows"]);
    refuses("text,label\n", &["bad.csv: has no data rows"]);
    refuses("\n\n\n", &["bad.csv: has no data rows"]);
}

#[test]
fn a_file_that_is_not_utf_8_is_told_with_line_and_way_out() {
    let rows = [table().as_bytes(), b"caf\xe9,pos\n"].concat();
    refuses(&rows, &["bad.csv line 66: byte 0xe9", "not UTF-8", "--encoding latin1"]);
    refuses(b"\xff\xfet\0e\0", &["bad.csv: is UTF-16", "UTF-8"]);
    let desk = Desk::new();
    desk.write("latin.csv", rows);
    let latin = "run --model model --device flex --method head --train latin.csv --encoding latin1";
    desk.run(latin).ok();
}

#[test]
fn a_missing_column_is_told_with_those_that_are_there() {
    let desk = Desk::new();
    let run = |words: &str| format!("run {TINY} {words}");
    let parts = ["mine.csv line 1: no column \"review\" for the text", "text, label", "--text"];
    desk.refuses(&run("--text review"), &parts);
    desk.refuses(&run("--label 3"), &["no column \"3\" for the label", "text, label", "--label"]);
    desk.refuses(&run("--pair other"), &["no column \"other\" for the pair", "--pair"]);
    refuses("review,stars\na,1\nb,2\n", &["no column text or sentence", "review, stars", "--text"]);
}

#[test]
fn a_missing_file_or_one_of_an_unknown_kind_is_named_with_the_way_out() {
    let desk = Desk::new();
    let run = |words: &str| format!("run --model model --device flex --train {words}");
    desk.refuses(&run("nowhere.csv"), &["nowhere.csv: cannot be read (No such file", "path"]);
    desk.refuses(&run("model"), &["model: holds no train.csv", "config.json"]);
    desk.write("mine.dat", table());
    desk.refuses(&run("mine.dat"), &["mine.dat: the extension", "--format csv"]);
    desk.run(&run("mine.dat --format csv --method head")).ok();
}

#[test]
fn splits_that_are_the_same_are_refused() {
    let parts = ["mine.csv: all of its 64 rows also occur in the test split", "overlap"];
    Desk::new().refuses(&format!("run {TINY} --test mine.csv"), &parts);
}

#[test]
fn rows_too_few_to_split_are_refused() {
    let parts = ["bad.csv: its 2 rows are too few", "--test FILE"];
    refuses("text,label\na,1\nb,2\n", &parts);
}

#[test]
fn a_mistake_in_the_files_is_told_before_the_model_is_fetched() {
    // The default model is not in the cache, and offline it cannot be had.
    let run = "run --device flex --method lora --train nowhere.csv";
    Desk::new().refuses(run, &["nowhere.csv: cannot be read"]);
}
