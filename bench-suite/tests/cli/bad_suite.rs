//! Mistakes in suite files: file, line, field.

use crate::desk::{Desk, TINY};

/// Puts `text` below line 1, the title.
fn refuses(text: &str, parts: &[&str]) {
    let desk = Desk::new();
    desk.write_suite("s.toml", text);
    desk.refuses(&format!("run s.toml {TINY}"), parts);
}

#[test]
fn an_unknown_field_is_told_with_file_and_line() {
    refuses("colour = 3\n[[run]]\nmethod = 'lora'", &["s.toml, line 2", "`colour`", "`seeds`"]);
    refuses("[training]\nepoch = 3\n[[run]]\nmethod = 'lora'", &["s.toml, line 3", "`epoch`"]);
    refuses("[[run]]\nmethod = 'lora'\nconfg = {}", &["s.toml, line 4", "`confg`", "`config`"]);
    let nested = "[[run]]\nmethod = 'lora'\n[run.config]\nalpha = 4\nrnk = 3";
    refuses(nested, &["s.toml, line 6", "`rnk`", "`rank`"]);
    let training = "[[run]]\nmethod = 'lora'\n[run.training]\nbatch_size = 4\nepoch = 3";
    refuses(training, &["s.toml, line 6", "`epoch`", "`epochs`"]);
    let task = "[[run]]\nmethod = 'lora'\n[task]\ntrain = 'mine.csv'\ntxt = 'text'";
    refuses(task, &["s.toml, line 6", "`txt`", "`text`"]);
}

#[test]
fn a_wrong_type_is_told_with_file_line_and_what_is_expected() {
    refuses("seeds = 'all'\n[[run]]\nmethod = 'lora'", &["s.toml, line 2", "\"all\"", "expected"]);
    let nested = "[[run]]\nmethod = 'lora'\n[run.config]\nalpha = 4\nrank = 'four'";
    refuses(nested, &["s.toml, line 6", "rank: ", "\"four\"", "expected a whole number"]);
    let training = "[training]\nepochs = 'few'\n[[run]]\nmethod = 'lora'";
    refuses(training, &["s.toml, line 3", "\"few\"", "expected a number"]);
}

#[test]
fn an_unknown_method_or_a_bad_value_is_told_with_file_and_line() {
    refuses("[[run]]\nmethod = 'lorra'", &["s.toml, line 3", "unknown method 'lorra'", "'lora'"]);
    let config = "[[run]]\nmethod = 'head'\nconfig = { rank = 3 }";
    refuses(config, &["s.toml, line 4", "'head' is a baseline"]);
    let training = "[[run]]\nmethod = 'lora'\ntraining = { epochs = -1 }";
    refuses(training, &["s.toml, line 4", "training.epochs is -1"]);
}

#[test]
fn what_is_no_suite_is_told_with_file_and_line() {
    refuses("[[run]\nmethod = 'lora'", &["s.toml, line 2"]);
    refuses("run = []", &["s.toml, line 1", "[[run]]"]);
    refuses("", &["s.toml, line 1", "missing field `run`"]);
    let desk = Desk::new();
    desk.write("latin.toml", b"title = 'caf\xe9'");
    desk.refuses("run latin.toml", &["latin.toml: not UTF-8"]);
    desk.refuses("run model", &["model: "]);
}
