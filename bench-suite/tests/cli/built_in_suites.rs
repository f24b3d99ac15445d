//! Every built-in suite in miniature: the studies of the report find in the real records what the
//! suite varied.
//!
//! Tasks, rows, seeds and the number of rates are cut; methods, settings and their order are the
//! suite's own. The model is narrow, but its maps have the proportions of the real one, so that
//! equal budgets stay equal.

use std::fs;

use bench_suite::suite::SUITES;
use toml::{Table, Value};

use crate::{desk::Desk, tiny};

const SIZE: tiny::Size = tiny::Size { width: 64, layers: 6, feed_forward: 256 };

/// Rows and looks that a test has time for; the largest number of rows is all of them.
const ROWS: [i64; 4] = [16, 24, 32, 48];

/// A desk on which the report of a suite was made, in the folder `out`.
fn reported(name: &str) -> Desk {
    let (_, text) = SUITES.iter().find(|(known, _)| *known == name).unwrap();
    let (desk, table) = (Desk::new(), tiny::table());
    tiny::write_model_of(&desk.path("model"), SIZE);
    // Other rows make another task, whatever the file is called.
    for (other, n) in [("second.csv", 60), ("third.csv", 58), ("fourth.csv", 56)] {
        let lines: Vec<&str> = table.lines().take(1 + n).collect();
        desk.write(other, lines.join("\n"));
    }
    let suite = in_miniature(text.parse().unwrap());
    desk.write("mini.toml", toml::to_string(&suite).unwrap());
    desk.run("run mini.toml --model model --max-tokens 16 --device flex --results out").ok();
    desk
}

fn in_miniature(mut suite: Table) -> Table {
    let file = |name: &str| Value::from(Table::from_iter([("train".to_owned(), name.into())]));
    let tasks = suite.get("tasks").and_then(Value::as_array).map_or(1, Vec::len).min(2);
    suite.remove("task");
    let names = ["mine.csv", "second.csv"].map(file);
    suite.insert("tasks".to_owned(), names[..tasks].to_vec().into());
    if let Some(Value::Array(others)) = suite.get_mut("transfer") {
        assert_eq!(others.len(), 3);
        *others = ["second.csv", "third.csv", "fourth.csv"].map(file).to_vec();
    }
    suite.insert("seeds".to_owned(), vec![0].into());
    let training = suite["training"].as_table_mut().unwrap();
    training.insert("train_rows".to_owned(), ROWS[3].into());
    training.insert("batch_size".to_owned(), 8.into());
    training.insert("validation_rows".to_owned(), 6.into());
    if let Some(Value::Array(trainings)) = suite.get_mut("trainings") {
        for (training, n) in trainings.iter_mut().zip(ROWS) {
            let n: Table = Table::from_iter([
                ("train_rows".to_owned(), n.into()),
                ("epochs".to_owned(), 1.into()),
            ]);
            *training = n.into();
        }
    }
    if let Some(search) = suite.get_mut("search") {
        search.as_table_mut().unwrap().insert("rates".to_owned(), 2.into());
    }
    for run in suite["run"].as_array_mut().unwrap() {
        run.as_table_mut().unwrap().remove("seeds");
    }
    suite
}

/// The report must have these charts, and say this.
#[track_caller]
fn shows(desk: &Desk, charts: &[&str], sentences: &[&str]) {
    let names: Vec<String> = fs::read_dir(desk.path("out/charts"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for chart in charts {
        assert!(names.iter().any(|name| name.contains(chart)), "no {chart} in {names:?}");
    }
    let report = fs::read_to_string(desk.path("out/REPORT.md")).unwrap();
    for sentence in sentences {
        assert!(report.contains(sentence), "no {sentence:?} in:\n{report}");
    }
}

#[test]
fn full_tells_rates_winners_and_tasks() {
    shows(
        &reported("full"),
        &["learning_rates", "who_beats_whom", "accuracy_vs_trainable"],
        &["The learning rate matters most for", "Best PEFT method on the validation split:"],
    );
}

#[test]
fn rank_tells_what_alpha_and_more_rank_do() {
    let desk = reported("rank");
    let n_train: std::collections::BTreeSet<_> =
        desk.records("out").iter().map(|record| record.task.n_train).collect();
    assert_eq!(n_train.len(), 3);
    shows(
        &desk,
        &["alpha_rules"],
        &["against α = r at this learning rate", "against α = 16", "The smallest that is not"],
    );
}

#[test]
fn where_compares_places_of_one_budget() {
    let desk = reported("where");
    let records = desk.records("out");
    let sizes = records.iter().filter(|record| !record.method.baseline);
    let sizes: std::collections::BTreeSet<_> =
        sizes.map(|record| record.counts.trainable).collect();
    assert_eq!(sizes.len(), 1, "{sizes:?}");
    shows(
        &desk,
        &["placements"],
        &["trained numbers each, the best place on the validation split is", "query + value"],
    );
}

#[test]
fn budget_maps_what_survives_and_draws_the_budget_over_time() {
    shows(
        &reported("budget"),
        &["surviving_ranks", "budget_over_time", "accuracy_vs_rank"],
        &["at an equal final rank of 1: ", "Mean rank that survives by role"],
    );
}

#[test]
fn length_tells_lengths_starts_and_convergence() {
    shows(
        &reported("length"),
        &["accuracy_vs_length", "convergence"],
        &[
            "Prompt Tuning: from tokens 1 (",
            "Prefix-Tuning: from tokens 1 (",
            "At tokens = 10, against Prompt Tuning started from its default (vocabulary): ",
            "At tokens = 10, against P-Tuning ",
        ],
    );
}

#[test]
fn data_draws_every_method_against_the_rows() {
    let desk = reported("data");
    shows(&desk, &["accuracy_vs_rows"], &["The best PEFT method on the validation split is "]);
}

#[test]
fn transfer_tells_the_accuracy_on_every_other_task() {
    shows(
        &reported("transfer"),
        &["transfer"],
        &["On second (", "On third (", "On fourth (", "the highest is"],
    );
}
