//! `runs.csv`: one row per run with full figures, for spreadsheets and scripts.

use serde::Serialize;
use serde_json::Value;

use crate::record::{RunRecord, Search, Status, Transfer};

/// The columns of the file, in order.
#[derive(Serialize)]
struct Row<'r> {
    id: &'r str,
    status: &'static str,
    status_step: Option<usize>,
    task: &'r str,
    n_classes: usize,
    n_train: usize,
    n_validation: usize,
    n_test: usize,
    max_tokens: usize,
    truncated_share: f64,
    task_fingerprint: &'r str,
    backbone: &'r str,
    backbone_parameters: usize,
    pooling: &'r str,
    backbone_fingerprint: &'r str,
    method: &'r str,
    title: &'r str,
    variant: &'r str,
    budget_name: Option<&'r str>,
    budget_value: Option<usize>,
    baseline: bool,
    seed: u64,
    trainable: usize,
    stored: usize,
    active: usize,
    head: usize,
    bytes_on_disk: u64,
    test_accuracy: Option<f64>,
    test_loss: Option<f64>,
    test_macro_f1: Option<f64>,
    validation_accuracy: Option<f64>,
    validation_loss: Option<f64>,
    best_step: Option<usize>,
    learning_rate: Option<f64>,
    searched_rates: Option<usize>,
    search_edge: Option<bool>,
    search_seconds: Option<f64>,
    steps: usize,
    train_seconds: f64,
    evaluation_seconds: f64,
    tokens_per_second: f64,
    peak_bytes: Option<u64>,
    device: &'r str,
    hardware: &'r str,
    threads: usize,
    system: &'r str,
    version: &'r str,
    burn: &'r str,
    commit: &'r str,
    started: &'r str,
    command: &'r str,
    method_config: String,
    training: String,
    /// Accuracy by other task, as JSON; empty without one.
    transfer: String,
}

/// The file's bytes.
pub(crate) fn runs_csv(records: &[RunRecord]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in records {
        writer.serialize(row(record))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn row(record: &RunRecord) -> Row<'_> {
    let RunRecord { task, backbone, method, counts, cost, environment, .. } = record;
    let (status, status_step) = match record.status {
        Status::Finished => ("finished", None),
        Status::StoppedEarly { step } => ("stopped_early", Some(step)),
        Status::Diverged { step } => ("diverged", Some(step)),
        Status::Imported => ("imported", None),
    };
    let scores = record.scores.as_ref();
    Row {
        id: &record.id,
        status,
        status_step,
        task: &task.name,
        n_classes: task.classes.len(),
        n_train: task.n_train,
        n_validation: task.n_validation,
        n_test: task.n_test,
        max_tokens: task.max_tokens,
        truncated_share: task.truncated_share,
        task_fingerprint: &task.fingerprint,
        backbone: &backbone.name,
        backbone_parameters: backbone.n_parameters,
        pooling: &backbone.pooling,
        backbone_fingerprint: &backbone.fingerprint,
        method: &method.name,
        title: &method.title,
        variant: &method.variant,
        budget_name: method.budget.as_ref().map(|budget| budget.name.as_str()),
        budget_value: method.budget.as_ref().map(|budget| budget.value),
        baseline: method.baseline,
        seed: record.seed,
        trainable: counts.trainable,
        stored: counts.stored,
        active: counts.active,
        head: counts.head,
        bytes_on_disk: counts.bytes_on_disk,
        test_accuracy: scores.map(|scores| scores.test_accuracy),
        test_loss: scores.map(|scores| scores.test_loss),
        test_macro_f1: scores.map(|scores| scores.test_macro_f1),
        validation_accuracy: scores.map(|scores| scores.validation_accuracy),
        validation_loss: scores.map(|scores| scores.validation_loss),
        best_step: scores.map(|scores| scores.best_step),
        learning_rate: record.training.get("learning_rate").and_then(Value::as_f64),
        searched_rates: record.search.as_ref().map(|search| search.trials.len()),
        search_edge: record.search.as_ref().map(|search| search.edge),
        search_seconds: record.search.as_ref().map(Search::seconds),
        steps: cost.steps,
        train_seconds: cost.train_seconds,
        evaluation_seconds: cost.evaluation_seconds,
        tokens_per_second: cost.tokens_per_second,
        peak_bytes: cost.peak_bytes,
        device: &environment.device,
        hardware: &environment.hardware,
        threads: environment.threads,
        system: &environment.system,
        version: &environment.version,
        burn: &environment.burn,
        commit: &environment.commit,
        started: &record.started,
        command: &record.command,
        method_config: method.config.to_string(),
        training: record.training.to_string(),
        transfer: transfer(record),
    }
}

fn transfer(record: &RunRecord) -> String {
    if record.transfer.is_empty() {
        return String::new();
    }
    let accuracy = |other: &Transfer| (other.task.clone(), other.accuracy.into());
    Value::Object(record.transfer.iter().map(accuracy).collect()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    fn read(records: &[RunRecord]) -> (csv::StringRecord, Vec<csv::StringRecord>) {
        let bytes = runs_csv(records).unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let header = reader.headers().unwrap().clone();
        (header, reader.records().map(Result::unwrap).collect())
    }

    #[test]
    fn figures_keep_every_digit_and_text_keeps_its_commas() {
        let mut records = example::suite(&[1]);
        let accuracy = 0.1 + 0.2;
        records[5].scores.as_mut().unwrap().test_accuracy = accuracy;
        records[5].command = "run --title \"a, b\"\nmore".to_owned();
        let (header, rows) = read(&records);
        let column = |name: &str| header.iter().position(|title| title == name).unwrap();
        assert_eq!(rows.len(), records.len());
        let read_back: f64 = rows[5][column("test_accuracy")].parse().unwrap();
        assert_eq!(read_back, accuracy);
        assert_eq!(&rows[5][column("command")], records[5].command);
    }

    #[test]
    fn searches_and_other_tasks_are_in_it() {
        let mut records = example::suite(&[1]);
        records[5].search = Some(example::search(&records[5]));
        records[5].transfer = vec![Transfer { accuracy: 0.5, ..example::transfer() }];
        let (header, rows) = read(&records);
        let column = |name: &str| header.iter().position(|title| title == name).unwrap();
        assert_eq!(&rows[5][column("searched_rates")], "3");
        assert_eq!(&rows[5][column("search_edge")], "false");
        assert_eq!(&rows[5][column("transfer")], "{\"amazon\":0.5}");
    }

    #[test]
    fn what_is_not_known_is_empty() {
        let (header, rows) = read(&example::all_diverged());
        let column = |name: &str| header.iter().position(|title| title == name).unwrap();
        assert_eq!(&rows[0][column("test_accuracy")], "");
        assert_eq!(&rows[0][column("peak_bytes")], "");
        assert_eq!(&rows[0][column("status")], "diverged");
        assert_eq!(&rows[0][column("status_step")], "37");
        assert_eq!(&rows[0][column("searched_rates")], "");
        assert_eq!(&rows[0][column("transfer")], "");
    }
}
