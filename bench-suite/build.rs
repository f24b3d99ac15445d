//! Tells the program its commit and Burn's version, for the records.

use std::{fs, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=../Cargo.lock");
    println!("cargo::rerun-if-changed=../.git/logs/HEAD");
    println!("cargo::rustc-env=COMMIT={}", commit().unwrap_or_default());
    println!("cargo::rustc-env=BURN_VERSION={}", burn_version().unwrap_or_default());
}

/// The commit, with `+dirty` if tracked files of the source differ from it.
fn commit() -> Option<String> {
    let hash = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changes = git(&[
        "status",
        "--porcelain",
        "--untracked-files=no",
        "--",
        "..",
        ":!../results",
        ":!../docs",
    ])?;
    Some(if changes.is_empty() { hash } else { format!("{hash}+dirty") })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn burn_version() -> Option<String> {
    let lock = fs::read_to_string("../Cargo.lock").ok()?;
    let mut lines = lock.lines().skip_while(|line| *line != "name = \"burn\"");
    let version = lines.nth(1)?.strip_prefix("version = ")?;
    Some(version.trim_matches('"').to_owned())
}
