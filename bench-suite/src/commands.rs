//! The commands, one a file.

mod devices;
mod explain;
mod fetch;
mod find;
mod list;
mod predict;
mod report;
mod run;
mod show;

use std::process::ExitCode;

use anyhow::Result;
use assets::{Store, StoreOptions};

use crate::cli::{Cli, Command, Common};

/// Does what the command line asks for.
///
/// # Errors
/// One line for people, with the way out.
pub fn execute(cli: Cli) -> Result<ExitCode> {
    let Cli { command, common } = cli;
    match command.unwrap_or(Command::Run(Default::default())) {
        Command::Run(args) => return run::run(args, &common),
        Command::Report { results, title } => report::report(&results, title, &common)?,
        Command::List { what } => list::list(what, &common)?,
        Command::Explain { method, config, model } => {
            explain::explain(&method, &config, &model, &common)?;
        }
        Command::Show { run, results } => show::show(&run, results.as_deref(), &common)?,
        Command::Fetch { names } => fetch::fetch(&names, &common)?,
        Command::Predict { run, texts, results } => {
            predict::predict(&run, &texts, results.as_deref(), &common)?;
        }
        Command::Devices => devices::devices(&common)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn store(common: &Common) -> Result<Store> {
    Ok(Store::open(StoreOptions {
        cache_dir: common.cache.clone(),
        offline: common.offline,
        progress: !common.json,
        ..Default::default()
    })?)
}

/// Prints a value as JSON.
fn print_json(value: &impl serde::Serialize) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}
