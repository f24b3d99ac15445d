//! Records made up for tests: a suite as one would run it, and its edges.

pub(crate) mod studies;
mod suite;

use serde_json::json;

use crate::record::{Best, RowSet, RunRecord, Search, Status, Transfer, Trial};

pub(crate) use suite::suite;

/// LoRA at rank 8 with three learning rates.
pub(crate) fn searched() -> Vec<RunRecord> {
    let mut records = suite(&[1]);
    for (i, learning_rate) in [1e-4, 5e-3].into_iter().enumerate() {
        let mut record = find(&records, "LoRA rank=8").clone();
        record.id = format!("{}-{i}", record.id);
        record.training["learning_rate"] = json!(learning_rate);
        let scores = record.scores.as_mut().unwrap();
        scores.test_accuracy -= 0.02;
        scores.validation_accuracy -= 0.02;
        records.push(record);
    }
    records
}

/// A search that found the rate of a record, with one trial that diverged.
pub(crate) fn search(record: &RunRecord) -> Search {
    let chosen = record.training["learning_rate"].as_f64().unwrap();
    let trial = |(i, learning_rate): (usize, f64)| Trial {
        id: format!("{}-trial-{i}", record.method.name),
        learning_rate,
        status: if i == 2 { Status::Diverged { step: 12 } } else { Status::Finished },
        steps: 165,
        best: (i < 2).then_some(Best { step: 150, accuracy: 0.7 + 0.1 * i as f64, loss: 0.5 }),
        curve: Vec::new(),
        seconds: 20.0,
    };
    let grid = vec![chosen / 3.0, chosen, 3.0 * chosen];
    Search {
        rule: "3 rates a factor 3 apart".to_owned(),
        setting: "learning_rate".to_owned(),
        seed: 1000,
        trials: grid.iter().copied().enumerate().map(trial).collect(),
        grid,
        chosen,
        edge: false,
    }
}

/// Figures on another task.
pub(crate) fn transfer() -> Transfer {
    Transfer {
        task: "amazon".to_owned(),
        title: "Product reviews: positive or negative".to_owned(),
        fingerprint: "d".repeat(64),
        n_test: 3,
        accuracy: 2.0 / 3.0,
        macro_f1: 0.6,
        loss: 0.5,
        test_correct: RowSet::of(&[true, true, false]),
    }
}

/// Two methods whose loss became NaN before their first evaluation.
pub(crate) fn all_diverged() -> Vec<RunRecord> {
    let mut records = suite(&[1]);
    records.retain(|record| ["LoRA rank=8", "Prompt Tuning tokens=20"].contains(&&*record.label()));
    for record in &mut records {
        record.status = Status::Diverged { step: 37 };
        record.scores = None;
        record.curve.clear();
        record.cost.peak_bytes = None;
    }
    records
}

/// The suite, and half of it again on a second task.
pub(crate) fn two_tasks() -> Vec<RunRecord> {
    let mut records = suite(&[1]);
    let mut second: Vec<_> = records.iter().step_by(2).cloned().collect();
    for record in &mut second {
        record.id += "-trec";
        record.task.name = "trec".to_owned();
        record.task.title = "Question type (TREC, 6 classes)".to_owned();
        record.task.fingerprint = "b".repeat(64);
        record.task.n_test = 500;
        if let Some(scores) = &mut record.scores {
            scores.test_accuracy += 0.1;
        }
    }
    records.extend(second);
    records
}

/// Two methods of the same size with the same accuracy.
pub(crate) fn same_point() -> Vec<RunRecord> {
    let mut records = suite(&[1]);
    let mut twin = find(&records, "LoRA rank=8").clone();
    twin.id = "twin".to_owned();
    twin.method.name = "twin".to_owned();
    twin.method.title = "A twin of LoRA".to_owned();
    records.push(twin);
    records
}

/// The record with this label.
pub(crate) fn find<'r>(records: &'r [RunRecord], label: &str) -> &'r RunRecord {
    records.iter().find(|record| record.label() == label).unwrap()
}

/// Twelve more methods, some with titles longer than any legend.
pub(crate) fn many_methods() -> Vec<RunRecord> {
    let mut records = suite(&[1]);
    let originals: Vec<_> = records.iter().filter(|r| !r.method.baseline).cloned().collect();
    for (i, mut record) in originals.into_iter().take(12).enumerate() {
        record.id = format!("more-{i}");
        record.method.name = format!("more_{i}");
        record.method.title = format!("Method {i} with a title that is {}long", "very ".repeat(i));
        record.method.variant = if i % 3 == 0 { "variant".to_owned() } else { String::new() };
        if let Some(scores) = &mut record.scores {
            scores.test_accuracy -= 0.004 * i as f64;
        }
        records.push(record);
    }
    records
}
