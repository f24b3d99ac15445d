//! Runs that are killed.

use std::{
    fs,
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use crate::desk::{Desk, TINY, files};

/// Three seeds of every method and baseline, in small steps so that there is time to be killed.
fn words(results: &str) -> String {
    let training = "--training epochs=5 --training batch_size=4";
    format!("run zoo.toml {TINY} {training} --seeds 0,1,2 --results {results}")
}

#[test]
fn a_suite_that_is_killed_goes_on_and_ends_with_the_same_records() {
    let desk = Desk::new();
    desk.write_zoo("zoo.toml");
    desk.run(&words("whole")).ok();

    let mut program = desk.program();
    program.args(words("killed").split(' ')).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = program.spawn().unwrap();
    wait_for_a_record(&desk, &mut child);
    child.kill().unwrap(); // SIGKILL on Unix
    child.wait().unwrap();
    let (kept, n) = (desk.records("killed"), desk.records("whole").len());
    assert!(kept.len() < n, "all {n} runs were done before the kill");

    // What a kill in the middle of a write may leave.
    let mut missing = desk.records("whole").into_iter().map(|record| record.id);
    let missing = missing.find(|id| kept.iter().all(|record| record.id != *id)).unwrap();
    fs::create_dir_all(desk.path("killed/trained")).unwrap();
    desk.write(&format!("killed/trained/{missing}.safetensors"), "half of it");
    desk.write("killed/.half.partial", "{\"schema\":");

    let told = desk.run(&words("killed")).ok().stdout;
    let known = format!("{n} runs, {} recorded before", kept.len());
    assert!(told.contains(&known), "{known} in {told}");
    assert_eq!(desk.outcomes("killed"), desk.outcomes("whole"));
    let whole = files(&desk.path("whole/trained"));
    let mut resumed = files(&desk.path("killed/trained"));
    resumed.retain(|path, _| path.extension().is_some_and(|ending| ending == "safetensors"));
    assert_eq!(resumed, whole);
}

fn wait_for_a_record(desk: &Desk, child: &mut Child) {
    let folder = desk.path("killed");
    while !folder.is_dir() || desk.records("killed").is_empty() {
        assert_eq!(child.try_wait().unwrap(), None, "ended before its first record");
        thread::sleep(Duration::from_millis(1));
    }
}
