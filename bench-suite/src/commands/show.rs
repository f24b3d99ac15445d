//! `show`: everything that is recorded of a run.

use std::path::Path;

use anyhow::Result;
use report::format;

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
    println!("\n{}", record.command);
    Ok(())
}
