//! `eval`: tests a trained run on rows that it has not seen.

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use assets::Store;
use datasets::{Example, FileTask};
use serde_json::json;

use super::{find::find, print_json, store};
use crate::{
    choice::TaskChoice,
    cli::{Common, EvalArgs},
    device::choose,
    finished::Finished,
    measure::{Tally, log_probabilities},
    names::unknown,
};

pub fn eval(args: &EvalArgs, common: &Common) -> Result<()> {
    let (results, record) = find(&args.run, args.results.as_deref())?;
    let store = store(common)?;
    let classes = Classes { run: &record.id, names: &record.task.classes };
    // What is wrong with the rows is told before the model is loaded.
    let (name, rows) = match (&args.test, &args.task) {
        (Some(path), _) => (path.display().to_string(), file_rows(args, path, &classes)?),
        (None, Some(task)) => (task.clone(), task_rows(args, task, &store, &classes)?),
        (None, None) => bail!("say on what: --test FILE or --task NAME"),
    };
    let n_classes = classes.names.len();
    let run = Finished::load(&results, record.clone(), &store, choose(common.device)?)?;
    let mut tally = Tally::new(n_classes, rows.len());
    let scores = run.scores(&run.model.encoder.encode(&rows)?);
    for (i, (scores, row)) in scores.iter().zip(&rows).enumerate() {
        tally.add(i, &log_probabilities(scores), row.label);
    }
    print(&run, &name, &tally, common.json)
}

/// The classes that a run tells apart.
struct Classes<'a> {
    run: &'a str,
    names: &'a [String],
}

impl Classes<'_> {
    /// The number of a class, or which classes there are, the nearest first.
    fn number(&self, label: &str) -> Result<usize, String> {
        self.names.iter().position(|name| name == label).ok_or_else(|| {
            let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
            unknown("label", label, &names, &format!("show {}", self.run))
        })
    }
}

fn file_rows(args: &EvalArgs, path: &Path, classes: &Classes) -> Result<Vec<Example>> {
    let columns = FileTask {
        text: args.text.clone(),
        pair: args.pair.clone(),
        label: args.label.clone(),
        format: args.format,
        encoding: args.encoding.unwrap_or_default(),
        header: args.header,
        ..FileTask::default()
    };
    let at = |line: usize| format!("{} line {line}", path.display());
    let mut examples = vec![];
    let mut n_empty = 0;
    for row in datasets::labelled(path, &columns)? {
        let label = classes.number(&row.label).map_err(|e| anyhow!("{}: {e}", at(row.line)))?;
        if row.text.is_empty() || row.pair.as_ref().is_some_and(String::is_empty) {
            n_empty += 1;
            continue;
        }
        examples.push(Example { text: row.text, pair: row.pair, label });
    }
    if examples.is_empty() {
        bail!("{}: no row has a text; is --text the right column?", path.display());
    }
    if n_empty > 0 {
        eprintln!("{n_empty} rows without text were left out");
    }
    Ok(examples)
}

/// The test rows of a named task, with labels as the run numbers them.
fn task_rows(
    args: &EvalArgs,
    name: &str,
    store: &Store,
    classes: &Classes,
) -> Result<Vec<Example>> {
    let choice = match &args.data {
        Some(folder) => TaskChoice::Folder { folder: folder.clone(), name: name.to_owned() },
        None => TaskChoice::Named(name.to_owned()),
    };
    let task = choice.read(store)?;
    let numbers = task
        .classes
        .iter()
        .map(|class| classes.number(class).map_err(|error| anyhow!("task '{name}': {error}")))
        .collect::<Result<Vec<usize>>>()?;
    let renumbered = |row: Example| Example { label: numbers[row.label], ..row };
    Ok(task.split.test.into_iter().map(renumbered).collect())
}

fn print(run: &Finished, on: &str, tally: &Tally, as_json: bool) -> Result<()> {
    let (classes, confusion) = (&run.record.task.classes, &tally.confusion);
    let loss = tally.evaluation().loss;
    let scores: Vec<_> = (0..classes.len()).map(|class| confusion.class(class)).collect();
    if as_json {
        let by_class: serde_json::Map<_, _> =
            classes.iter().zip(&scores).map(|(name, of)| (name.clone(), json!(of))).collect();
        return print_json(&json!({
            "run": run.record.id,
            "on": on,
            "rows": confusion.rows(),
            "accuracy": confusion.accuracy(),
            "macro_f1": confusion.macro_f1(),
            "matthews": confusion.matthews(),
            "loss": loss,
            "classes": by_class,
            "confusion": confusion,
        }));
    }
    println!("{} on {on}, {} rows\n", run.record.id, confusion.rows());
    println!("accuracy   {:>6.1} %", 100.0 * confusion.accuracy());
    println!("macro-F1   {:>6.3}", confusion.macro_f1());
    println!("Matthews   {:>6.3}", confusion.matthews());
    println!("loss       {loss:>6.3}\n");
    let width = classes.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(5);
    println!("{:<width$} {:>9} {:>7} {:>6} {:>7}", "class", "precision", "recall", "F1", "rows");
    for (name, of) in classes.iter().zip(&scores) {
        let (precision, recall) = (of.precision, of.recall);
        println!("{name:<width$} {precision:>9.3} {recall:>7.3} {:>6.3} {:>7}", of.f1, of.rows);
    }
    println!("\nrows of the class on the left, taken for the class above");
    let cell = width.max(7);
    let head = classes.iter().map(|name| format!(" {name:>cell$}")).collect::<String>();
    println!("{:<width$}{head}", "");
    for (truth, name) in classes.iter().enumerate() {
        let counts = (0..classes.len()).map(|taken| confusion.at(truth, taken));
        let counts = counts.map(|count| format!(" {count:>cell$}")).collect::<String>();
        println!("{name:<width$}{counts}");
    }
    Ok(())
}
