//! The command line program.

use std::process::{ExitCode, exit};

use bench_suite::{cli::Cli, commands, memory::keep_freed_memory};
use clap::Parser;

/// The allocators of systems other than glibc's return large blocks to the system or are slow.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    keep_freed_memory();
    end_with_the_reader();
    quieten_vulkan();
    // Inside the pool, so that the thread that asks takes part in the work: from outside it would
    // wake the others and sleep, some hundred times a step.
    match rayon::scope(|_| commands::execute(Cli::parse())) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// Ends the program where its output cannot be written, quietly if the reader went away as in
/// `… | head`. `println!` knows no other way to tell than a panic.
fn end_with_the_reader() {
    const END_BY_SIGPIPE: i32 = 128 + 13;
    let panic = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let message = info.payload_as_str().unwrap_or_default();
        match message.strip_prefix("failed printing to stdout: ") {
            None => panic(info),
            Some(reason) if reason.starts_with("Broken pipe") => exit(END_BY_SIGPIPE),
            Some(reason) => {
                eprintln!("error: standard output cannot be written: {reason}");
                exit(1);
            }
        }
    }));
}

/// An error and its causes; many errors already quote their cause.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line.replace('\n', " ")
}

/// Mesa's layer that asks the desktop for its favourite GPU complains where there is no desktop.
fn quieten_vulkan() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: no other thread runs yet that could read the environment.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}
