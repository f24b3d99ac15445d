//! The command line program.

use std::process::{ExitCode, exit};

use bench_suite::{cli::Cli, commands};
use clap::Parser;

/// The allocators of systems other than glibc's return large blocks to the system or are slow.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
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

/// Freed memory stays with the process: training takes the same large blocks at every step, and the
/// system would fill them with zeros each time.
///
/// One arena for all threads joins free neighbours whoever freed them, which keeps the peak low.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_freed_memory() {
    use libc::{M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, mallopt};
    /// The largest that glibc takes; what is larger goes back to the system when it is freed.
    const LARGEST: libc::c_int = 32 << 20;
    const NEVER: libc::c_int = -1;
    for (option, value) in
        [(M_ARENA_MAX, 1), (M_MMAP_THRESHOLD, LARGEST), (M_TRIM_THRESHOLD, NEVER)]
    {
        // SAFETY: any thread may set these at any time. One that is refused costs time alone.
        unsafe { mallopt(option, value) };
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
