//! `show`: everything that is recorded of a run.

use std::path::Path;

use anyhow::Result;
use report::{
    format,
    record::{Search, Transfer},
};

use super::{find::find, print_json};
use crate::{
    cli::Common,
    console::{table_head, table_row},
};

pub fn show(id: &str, folder: Option<&Path>, common: &Common) -> Result<()> {
    let (results, record) = find(id, folder)?;
    if common.json {
        return print_json(&record);
    }
    println!("{} in {}\n", record.id, results.path().display());
    println!("{}\n{}\n", table_head(), table_row(&record));
    let task = &record.task;
    println!(
        "task       {}: {} training, {} validation, {} test rows, classes {}",
        task.name,
        task.n_train,
        task.n_validation,
        task.n_test,
        task.classes.join(", ")
    );
    let backbone = &record.backbone;
    let precision = backbone.precision.as_ref();
    println!(
        "model      {}: {} layers of width {}, {} parameters, pooling {}{}",
        backbone.name,
        backbone.n_layers,
        backbone.d_model,
        format::count(backbone.n_parameters),
        backbone.pooling,
        precision.map(|precision| format!(", frozen matrices in {precision}")).unwrap_or_default()
    );
    let counts = &record.counts;
    println!(
        "parameters {} trainable, {} stored, {} active, {} in the head; {} on disk",
        format::count(counts.trainable),
        format::count(counts.stored),
        format::count(counts.active),
        format::count(counts.head),
        format::bytes(counts.bytes_on_disk as f64)
    );
    println!("method     {}", record.method.config);
    if let Some(parent) = &record.from {
        println!("goes on    from {parent}");
    }
    println!("training   {}", record.training);
    for (name, value) in &record.details {
        println!("{name} {value}");
    }
    let environment = &record.environment;
    println!(
        "device     {} ({}), {} threads, {}, version {} at {}, burn {}",
        environment.device,
        environment.hardware,
        environment.threads,
        environment.system,
        environment.version,
        environment.commit,
        environment.burn
    );
    println!("started    {}\n", record.started);
    println!(
        "{:>6} {:>7} {:>11} {:>10} {:>10} {:>10}",
        "step", "epoch", "train loss", "val. loss", "val. %", "rate"
    );
    for point in &record.curve {
        let loss = point.train_loss.map_or("–".to_owned(), |loss| format!("{loss:.4}"));
        println!(
            "{:>6} {:>7.2} {loss:>11} {:>10.4} {:>10.1} {:>10.2e}",
            point.step,
            point.epoch,
            point.validation_loss,
            100.0 * point.validation_accuracy,
            point.learning_rate
        );
    }
    if let Some(search) = &record.search {
        show_search(search);
    }
    for Transfer { task, n_test, accuracy, loss, .. } in &record.transfer {
        let percent = 100.0 * accuracy;
        println!(
            "\non {task}, not trained on it: {percent:.1}% of {n_test} test rows, loss {loss:.4}"
        );
    }
    println!("\n{}", record.command);
    Ok(())
}

fn show_search(search: &Search) {
    println!("\n{} was searched: {}; seed {}", search.setting, search.rule, search.seed);
    println!("{:>10} {:>6} {:>10} {:>10}", "rate", "steps", "val. loss", "val. %");
    for trial in &search.trials {
        let (loss, accuracy) = match &trial.best {
            Some(best) => (format!("{:.4}", best.loss), format!("{:.1}", 100.0 * best.accuracy)),
            None => ("diverged".to_owned(), "–".to_owned()),
        };
        let mark = if trial.learning_rate == search.chosen { "  chosen" } else { "" };
        println!("{:>10} {:>6} {loss:>10} {accuracy:>10}{mark}", trial.learning_rate, trial.steps);
    }
    if search.edge {
        println!("the choice is at the edge of the grid: a better rate may lie beyond it");
    }
}
