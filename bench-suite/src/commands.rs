//! The commands, one a file.

mod advise;
mod bench;
mod devices;
mod eval;
mod explain;
mod export;
mod fetch;
mod find;
mod fold;
mod import;
mod list;
mod merge;
mod predict;
mod report;
mod run;
mod show;

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use assets::{Store, StoreOptions};

use crate::{
    arm::Arm,
    cli::{Cli, Command, Common},
    settings::{one_line, table},
};

/// Does what the command line asks for.
///
/// # Errors
/// One line for people, with the way out.
pub fn execute(cli: Cli) -> Result<ExitCode> {
    let Cli { command, common } = cli;
    match command.unwrap_or(Command::Run(Default::default())) {
        Command::Run(args) => return run::run(*args, &common),
        Command::Advise(args) => return advise::advise(*args, &common),
        Command::Report(args) => report::report(args, &common)?,
        Command::Merge { folders, to } => merge::merge_folders(&folders, &to, &common)?,
        Command::List { what } => list::list(what, &common)?,
        Command::Explain { method, config, model } => {
            explain::explain(&method, &config, &model, &common)?;
        }
        Command::Show { run, results } => show::show(&run, results.as_deref(), &common)?,
        Command::Fetch { names } => fetch::fetch(&names, &common)?,
        Command::Predict(args) => predict::predict(&args, &common)?,
        Command::Eval(args) => eval::eval(&args, &common)?,
        Command::Fold(args) => fold::fold(&args, &common)?,
        Command::Unfold { folder, to } => fold::unfold(&folder, &to, &common)?,
        Command::Export(args) => export::export(&args, &common)?,
        Command::Import(args) => import::import(&args, &common)?,
        Command::Devices => devices::devices(&common)?,
        Command::Bench(args) => bench::bench(*args, &common)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The arm that the flags name.
fn arm(name: &str, config: &[String]) -> Result<Arm> {
    if config.is_empty() {
        return Arm::named(name).map_err(anyhow::Error::msg);
    }
    let settings = table("--config", config)?;
    Arm::read(name, settings).map_err(|error| match (error, Arm::named(name)) {
        (_, Err(unknown)) => anyhow!("{unknown}"),
        (None, _) => anyhow!("'{name}' is a baseline and takes no --config"),
        (Some(error), _) => {
            anyhow!("--config {}: {}", config.join(" --config "), one_line(&error))
        }
    })
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
