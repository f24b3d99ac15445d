//! The command line program.

use std::process::{ExitCode, exit};

use bench_suite::{cli::Cli, commands};
use clap::Parser;

/// Training frees and takes the same large blocks at every step; this allocator keeps them.
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

/// Freed memory stays with the process: the system would fill it with zeros again for the next
/// step, which took a tenth of the time.
fn keep_freed_memory() {
    use libmimalloc_sys::{mi_option_set, mi_option_t};
    // Its place in the list of options in `mimalloc.h`; the crate leaves this one out.
    const PURGE_DELAY: mi_option_t = 15;
    const NEVER: std::ffi::c_long = -1;
    // SAFETY: the option exists in every version of mimalloc, and any thread may set it.
    unsafe { mi_option_set(PURGE_DELAY, NEVER) };
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
