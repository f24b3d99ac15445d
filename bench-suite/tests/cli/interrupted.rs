//! Runs that are killed.

use std::{fs, process::Child, thread, time::Duration};

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

    let mut child = desk.start(&words("killed"));
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
    desk.write(&format!("killed/.{missing}.json.x.partial"), "{\"schema\":");
    desk.write(&format!("killed/trained/.{missing}.safetensors.x.partial"), "half of it");

    let told = desk.run(&words("killed")).ok().stdout;
    let known = format!("{n} runs, {} recorded before", kept.len());
    assert!(told.contains(&known), "{known} in {told}");
    assert_eq!(desk.outcomes("killed"), desk.outcomes("whole"));
    assert_eq!(files(&desk.path("killed/trained")), files(&desk.path("whole/trained")));
    assert_eq!(hidden(&desk, "killed"), [".lock"]);
}

#[test]
fn processes_that_are_killed_at_any_moment_leave_whole_runs_alone() {
    let desk = Desk::new();
    desk.write_zoo("zoo.toml");
    let mut n_recorded = 0;
    for milliseconds in [3, 30, 200, 90, 350, 600, 15, 140, 420] {
        let both = [desk.start(&words("killed")), desk.start(&words("killed"))];
        thread::sleep(Duration::from_millis(milliseconds));
        for mut child in both {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let recorded = if desk.path("killed").is_dir() { desk.records("killed") } else { vec![] };
        assert!(recorded.len() >= n_recorded, "records were lost");
        n_recorded = recorded.len();
        for record in recorded {
            let tensors = desk.path(&format!("killed/trained/{}.safetensors", record.id));
            assert_eq!(fs::metadata(tensors).unwrap().len(), record.counts.bytes_on_disk);
        }
    }
    desk.run(&words("killed")).ok();
    desk.run(&words("whole")).ok();
    assert_eq!(desk.outcomes("killed"), desk.outcomes("whole"));
    assert_eq!(files(&desk.path("killed/trained")), files(&desk.path("whole/trained")));
    assert_eq!(hidden(&desk, "killed"), [".lock"]);
}

/// Names of a folder's hidden files, those of `trained` included.
fn hidden(desk: &Desk, results: &str) -> Vec<String> {
    let of = |folder: &str| fs::read_dir(desk.path(folder)).unwrap();
    let entries = of(results).chain(of(&format!("{results}/trained")));
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('.')).collect()
}

fn wait_for_a_record(desk: &Desk, child: &mut Child) {
    let folder = desk.path("killed");
    while !folder.is_dir() || desk.records("killed").is_empty() {
        assert_eq!(child.try_wait().unwrap(), None, "ended before its first record");
        thread::sleep(Duration::from_millis(1));
    }
}
