//! What is done with a trained run: `predict` and `eval`.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    desk::{Desk, Ran},
    tiny::other_rows,
};

/// A folder with a trained LoRA in `results/out`.
fn trained() -> Desk {
    let desk = Desk::new();
    desk.train("--method lora --training epochs=2 --results results/out").ok();
    desk
}

/// The program with a standard input.
fn fed(desk: &Desk, words: &str, input: &str) -> Ran {
    let mut program: Command = desk.program();
    program.args(words.split(' ')).stdin(Stdio::piped());
    let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that refuses its input without reading it closes the pipe.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn texts_from_arguments_files_and_standard_input_get_the_same_answers() {
    let desk = trained();
    let texts: Vec<String> = other_rows().into_iter().map(|(text, _)| text).collect();
    let lines = texts.join("\n") + "\n";
    desk.write("texts.txt", &lines);
    desk.write("texts.csv", format!("review\n{lines}"));
    desk.write("texts.tsv", format!("1\t{}\n", texts.join("\n1\t")));
    let objects = texts.iter().map(|text| format!("{{\"text\": \"{text}\"}}\n"));
    desk.write("texts.jsonl", objects.collect::<String>());
    let mut words = vec!["predict", "lora", "--json", "--device", "flex"];
    words.extend(texts.iter().map(String::as_str));
    let expected = desk.run_words(&words).ok().stdout;
    assert_eq!(expected.lines().count(), texts.len());
    let predict = "predict lora --json --device flex";
    for source in [
        "--file texts.txt",
        "--file texts.csv --text review",
        "--file texts.tsv --text 2",
        "--file texts.jsonl",
    ] {
        assert_eq!(desk.run(&format!("{predict} {source}")).ok().stdout, expected, "{source}");
    }
    assert_eq!(fed(&desk, predict, &lines).ok().stdout, expected);
    assert_eq!(fed(&desk, &format!("{predict} -"), &lines).ok().stdout, expected);
}

#[test]
fn more_texts_than_are_in_memory_at_a_time_keep_their_order() {
    let desk = trained();
    let all = other_rows();
    let text = |i: usize| all[i % all.len()].0.as_str();
    let lines: String = (0..2500).map(|i| format!("{}\n", text(i))).collect();
    let csv = fed(&desk, "predict lora --csv --device flex -", &lines).ok().stdout;
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!((rows.len(), rows[0]), (2501, "text,label,probability_neg,probability_pos"));
    for (i, row) in rows[1..].iter().enumerate() {
        // Rows of one text can differ in rounding where their batches do.
        assert!(row.starts_with(&format!("{},", text(i))), "{row}");
    }
}

#[test]
fn a_table_is_quoted_where_it_must_be_and_holds_what_json_holds() {
    let desk = trained();
    let texts = ["fine, really", "a \"great\" film", "dull"];
    let mut words = vec!["predict", "lora", "--device", "flex"];
    words.extend(texts);
    let csv = desk.run_words(&[&words[..], &["--csv"]].concat()).ok().stdout;
    let json = desk.run_words(&[&words[..], &["--json"]].concat()).ok().json_lines();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    for ((row, json), text) in reader.records().zip(&json).zip(texts) {
        let row = row.unwrap();
        assert_eq!((&row[0], &json["text"]), (text, &Value::from(text)));
        assert_eq!(json["label"], row[1]);
        let share = |class: &str| json["probabilities"][class].as_f64().unwrap();
        assert_eq!(row[2].parse::<f64>().unwrap(), share("neg"));
        assert_eq!(row[3].parse::<f64>().unwrap(), share("pos"));
        let logit = |class: usize| json["logits"][class].as_f64().unwrap();
        let odds = (logit(1) - logit(0)).exp();
        assert!((share("pos") / share("neg") - odds).abs() < 1e-6 * odds, "{json}");
    }
    assert_eq!(json.len(), 3);
}

#[test]
fn a_run_on_pairs_takes_pairs() {
    let desk = Desk::new();
    let rows = crate::tiny::table();
    let rows = rows.lines().skip(1).enumerate();
    let rows: String = rows.map(|(i, row)| format!("film {},{row}\n", i % 2)).collect();
    desk.write("pairs.csv", format!("first,second,label\n{rows}"));
    let columns = "--text first --pair second";
    let train = format!("run --model model --train pairs.csv {columns} --label label");
    desk.run(&format!("{train} --method head --results results/out --device flex")).ok();
    let predict = format!("predict head --device flex --file pairs.csv {columns}");
    let told = desk.run(&format!("{predict} --json")).ok().json_lines();
    assert_eq!(told.len(), 64);
    assert_eq!((&told[0]["text"], &told[0]["pair"]), (&"film 0".into(), &"fine a a".into()));
    let csv = desk.run(&format!("{predict} --csv")).ok().stdout;
    assert!(csv.starts_with("text,pair,label,probability_neg,"), "{csv}");
    let eval = format!("eval head --device flex --test pairs.csv {columns} --json");
    assert_eq!(desk.run(&eval).ok().json()["rows"], 64);
    // The second text matters.
    let alone = desk.run("predict head --device flex --file pairs.csv --text first --json").ok();
    assert_ne!(alone.json_lines()[0]["logits"], told[0]["logits"]);
}

#[test]
fn texts_that_cannot_be_read_are_told_before_a_model_is_loaded() {
    let desk = trained();
    desk.write("t.csv", "title\nfine\n");
    std::fs::remove_dir_all(desk.path("model")).unwrap();
    desk.refuses(
        "predict lora --file t.csv",
        &["t.csv line 1: no column text or sentence", "title"],
    );
    desk.write("empty.txt", "");
    for nothing in ["predict lora", "predict lora -", "predict lora --file empty.txt"] {
        desk.refuses(nothing, &["no text; give texts, --file FILE, or -"]);
    }
    desk.refuses("predict lora --file nowhere.txt", &["nowhere.txt: cannot be read"]);
    desk.refuses("predict lora --file t.docx", &["t.docx"]);
    desk.run("predict lora --text title film").misused(&["--text"]);
    desk.run("predict lora film --csv --json").misused(&["--csv", "--json"]);
}

#[test]
fn an_evaluation_counts_what_predict_answers() {
    let desk = trained();
    let rows = other_rows();
    let table = rows.iter().map(|(text, label)| format!("{label};{text}\n").replace(';', "\t"));
    desk.write("test.tsv", format!("truth\tsays\n{}", table.collect::<String>()));
    let eval = "eval lora --device flex --test test.tsv --text says --label truth";
    let json = desk.run(&format!("{eval} --json")).ok().json();
    let told =
        desk.run("predict lora --device flex --file test.tsv --text says --json").json_lines();
    let mut confusion = [[0, 0], [0, 0]];
    let class = |label: &str| usize::from(label == "pos");
    for ((_, label), answer) in rows.iter().zip(&told) {
        confusion[class(label)][class(answer["label"].as_str().unwrap())] += 1;
    }
    assert_eq!(json["confusion"], serde_json::to_value(confusion).unwrap());
    assert_eq!(json["rows"], rows.len());
    let hits = confusion[0][0] + confusion[1][1];
    assert_eq!(json["accuracy"], hits as f64 / rows.len() as f64);
    assert_eq!(json["classes"]["pos"]["rows"], confusion[1][0] + confusion[1][1]);
    let text = desk.run(eval).ok().stdout;
    for part in ["accuracy", "macro-F1", "Matthews", "precision", "neg", "pos"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn an_evaluation_on_the_rows_of_the_test_gives_the_recorded_figures() {
    let desk = Desk::new();
    let rows = other_rows().into_iter().map(|(text, label)| format!("{text},{label}\n"));
    desk.write("test.csv", format!("text,label\n{}", rows.collect::<String>()));
    desk.train("--method adalora --test test.csv --results results/out").ok();
    let scores = desk.record("results/out").scores.unwrap();
    let json = desk.run("eval adalora --device flex --test test.csv --json").ok().json();
    assert_eq!(json["accuracy"], scores.test_accuracy);
    assert_eq!(json["macro_f1"], scores.test_macro_f1);
    assert!((json["loss"].as_f64().unwrap() - scores.test_loss).abs() < 1e-6);
}

#[test]
fn labels_that_the_run_does_not_know_are_told_with_the_nearest() {
    let desk = trained();
    desk.write("t.csv", "text,label\nfilm,pos\nplot,poss\n");
    let parts = ["t.csv line 3: unknown label 'poss'", "did you mean 'pos'?", "show lora-"];
    desk.refuses("eval lora --test t.csv", &parts);
    desk.write("u.csv", "text,label\n,pos\n");
    desk.refuses("eval lora --test u.csv", &["u.csv", "no row has a text"]);
    desk.run("eval lora").misused(&["--test"]);
    desk.run("eval lora --test t.csv --task movie").misused(&["--task"]);
}
