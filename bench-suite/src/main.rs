//! The command line program.

use std::process::ExitCode;

use bench_suite::{cli::Cli, commands};
use clap::Parser;

/// Training frees and takes the same large blocks at every step; this allocator keeps them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match commands::execute(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
