//! All methods and baselines in one suite, from training to prediction.

use std::fs;

use bench_suite::arm::Arm;
use report::{format, record::Status};
use serde_json::Value;

use crate::{
    desk::{Desk, TINY, files},
    tiny::other_rows,
};

/// A folder with the records of every method and baseline in `out`.
fn trained() -> Desk {
    let desk = Desk::new();
    desk.write_zoo("zoo.toml");
    let rows = other_rows().into_iter().map(|(text, label)| format!("{text},{label}\n"));
    desk.write("test.csv", format!("text,label\n{}", rows.collect::<String>()));
    run(&desk, "out");
    desk
}

fn run(desk: &Desk, results: &str) -> String {
    let words = format!("run zoo.toml {TINY} --test test.csv --results {results}");
    desk.run(&words).ok().stdout
}

#[test]
fn every_method_and_baseline_is_recorded_and_drawn() {
    let desk = trained();
    let records = desk.records("out");
    let mut names: Vec<&str> = records.iter().map(|record| record.method.name.as_str()).collect();
    let mut all = Arm::names();
    names.sort();
    all.sort();
    assert_eq!(names, all);
    for record in &records {
        assert_eq!(record.status, Status::Finished);
        assert!(record.scores.is_some() && record.task.n_test == other_rows().len());
        let tensors = desk.path(&format!("out/trained/{}.safetensors", record.id));
        assert_eq!(fs::metadata(tensors).unwrap().len(), record.counts.bytes_on_disk);
    }
    let made = files(&desk.path("out"));
    for name in ["REPORT.md", "report.html", "runs.csv"] {
        let text = String::from_utf8(made[std::path::Path::new(name)].clone()).unwrap();
        for record in &records {
            assert!(text.contains(&record.method.title), "{} in {name}", record.method.title);
        }
    }
    let ends_with = |ending: &str| {
        let in_charts = |path: &&std::path::PathBuf| path.starts_with("charts");
        made.keys().filter(in_charts).filter(|path| path.extension().unwrap() == ending).count()
    };
    assert!(ends_with("svg") >= 4 && ends_with("svg") == ends_with("png"), "{:?}", made.keys());
}

#[test]
fn what_is_recorded_is_found_again_and_every_file_stays_as_it_is() {
    let desk = trained();
    let before = files(&desk.path("out"));
    let n = Arm::names().len();
    let told = run(&desk, "out");
    assert!(told.contains(&format!("{n} runs, {n} recorded before")), "{told}");
    assert_eq!(files(&desk.path("out")), before);
}

#[test]
fn the_report_is_made_again_byte_for_byte_from_the_records_alone() {
    let desk = trained();
    let before = files(&desk.path("out"));
    for name in ["REPORT.md", "report.html", "runs.csv"] {
        fs::remove_file(desk.path("out").join(name)).unwrap();
    }
    fs::remove_dir_all(desk.path("out/charts")).unwrap();
    desk.run("report out").ok();
    assert_eq!(files(&desk.path("out")), before);
}

#[test]
fn equal_plans_give_equal_outcomes_and_equal_tensors() {
    let desk = trained();
    run(&desk, "again");
    assert_eq!(desk.outcomes("again"), desk.outcomes("out"));
    let tensors = |results: &str| files(&desk.path(results).join("trained"));
    assert_eq!(tensors("again"), tensors("out"));
}

#[test]
fn activations_that_are_computed_again_instead_of_kept_change_no_number() {
    let desk = trained();
    let words = format!("run zoo.toml {TINY} --test test.csv --results lean");
    desk.run(&format!("{words} --training gradient_checkpointing=true")).ok();
    let tensors = |results: &str, id: &str| {
        fs::read(desk.path(&format!("{results}/trained/{id}.safetensors"))).unwrap()
    };
    let lean = desk.records("lean");
    for record in desk.records("out") {
        let again = lean.iter().find(|again| again.method.name == record.method.name).unwrap();
        assert_eq!((&again.curve, &again.scores), (&record.curve, &record.scores));
        assert_eq!(tensors("lean", &again.id), tensors("out", &record.id), "{}", record.id);
    }
}

#[test]
fn the_command_in_a_record_reproduces_it() {
    let desk = trained();
    for record in desk.records("out") {
        desk.rerun(&record, &format!("again/{}", record.id)).ok();
        let again = desk.record(&format!("again/{}", record.id));
        assert_eq!(again.outcome(), record.outcome());
    }
}

#[test]
fn every_record_tells_which_test_rows_were_right() {
    let desk = trained();
    for record in desk.records("out") {
        let scores = record.scores.unwrap();
        let right = scores.test_correct.unwrap().len() as f64;
        assert_eq!(right / record.task.n_test as f64, scores.test_accuracy);
    }
}

#[test]
fn every_trained_run_predicts_the_test_rows_as_it_did_in_its_test() {
    let desk = trained();
    let rows = other_rows();
    for record in desk.records("out") {
        let mut words = vec!["predict", &record.id, "--results", "out", "--json"];
        words.extend(rows.iter().map(|(text, _)| text.as_str()));
        let answers = desk.run_words(&words).ok().json_lines();
        assert_eq!(answers.len(), rows.len());
        let mut hits = 0;
        for (answer, (text, label)) in answers.iter().zip(&rows) {
            assert_eq!(answer["text"], *text);
            hits += usize::from(answer["label"] == *label);
            let shares = answer["probabilities"].as_object().unwrap();
            assert_eq!(shares.keys().collect::<Vec<_>>(), ["neg", "pos"]);
            let share = |class: &str| shares[class].as_f64().unwrap();
            assert!((share("neg") + share("pos") - 1.0).abs() < 1e-9, "{answer}");
            let other = if answer["label"] == "pos" { "neg" } else { "pos" };
            assert!(share(answer["label"].as_str().unwrap()) >= share(other), "{answer}");
        }
        let accuracy = hits as f64 / rows.len() as f64;
        assert_eq!(accuracy, record.scores.unwrap().test_accuracy, "{}", record.method.name);
    }
}

#[test]
fn explanations_count_what_trainings_count() {
    let desk = trained();
    for record in desk.records("out") {
        let name = &record.method.name;
        let json = desk.run(&format!("explain {name} --model model --json")).ok().json();
        let text = desk.run(&format!("explain {name} --model model")).ok().stdout;
        assert!(text.contains(&record.method.title), "{text}");
        assert_eq!(json["title"], record.method.title);
        if record.method.baseline {
            continue;
        }
        let counts = &record.counts;
        assert_eq!(json["trainable"], counts.trainable);
        assert_eq!(json["config"], record.method.config);
        let n = |tensor: &Value| tensor["n"].as_u64().unwrap();
        let sum: u64 = json["tensors"].as_array().unwrap().iter().map(n).sum();
        assert_eq!(sum, counts.trainable as u64);
        let line = text.lines().find(|line| line.starts_with("trainable")).unwrap();
        assert!(line.contains(&format!(" {} ", format::count(counts.trainable))), "{line}");
    }
}
