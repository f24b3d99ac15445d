//! `import`: an adapter of Hugging Face PEFT as a run.

use anyhow::Result;
use report::ResultsDir;

use super::{print_json, store};
use crate::{
    cli::{Common, ImportArgs},
    device::choose,
    exchange,
};

pub fn import(args: &ImportArgs, common: &Common) -> Result<()> {
    let chosen = choose(common.device)?;
    let (record, trainable) = exchange::import(args, &store(common)?, &chosen)?;
    let results = ResultsDir::open(&args.results)?;
    let record = exchange::keep(record, &trainable, &results)?;
    if common.json {
        return print_json(&record);
    }
    let classes = record.task.classes.join(", ");
    println!("{} on {}, classes {classes}", record.label(), record.backbone.name);
    println!("{} in {}", record.id, results.path().display());
    Ok(())
}
