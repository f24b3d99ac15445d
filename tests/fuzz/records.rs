//! Records of runs, and the pages made from them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use report::{ResultsDir, RunRecord, render};

use crate::reader::{Reader, Seed};

const FILE: &str = "run.json";

/// Records that this project made, under one id.
fn seeds() -> Vec<Seed> {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    let below = |folder: PathBuf| {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut paths = entries.collect::<Vec<_>>();
        paths.sort();
        paths
    };
    let files = below(results).into_iter().filter(|path| path.is_dir()).flat_map(below);
    let records = files.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    // A suite's list of runs lies among them.
    let records = records.filter(|path| !path.ends_with("suite.json"));
    let seed = |path: PathBuf| {
        let mut record: RunRecord = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        record.id = "run".to_owned();
        Seed::plain(serde_json::to_vec_pretty(&record).unwrap())
    };
    // A few methods are enough.
    let seeds: Vec<Seed> = records.step_by(3).take(4).map(seed).collect();
    assert!(!seeds.is_empty(), "no record under results/");
    seeds
}

fn read(folder: &Path) -> Result<ResultsDir, String> {
    let results = ResultsDir::existing(folder).map_err(|error| error.to_string())?;
    let record = results.read("run").map_err(|error| error.to_string())?;
    // What was read can be written again as it is.
    let again = results.write(&record).and_then(|_| results.read("run"));
    assert_eq!(again.map_err(|error| error.to_string())?, record);
    Ok(results)
}

#[test]
fn record() {
    Reader::new(FILE, seeds(), |folder| read(folder).map(drop)).holds("record");
}

#[test]
fn suite_of_a_folder() {
    let seed = r#"{"title": "What was asked for", "runs": ["lora-1", "head-2"]}"#;
    let read = |folder: &Path| {
        let results = ResultsDir::existing(folder).map_err(|error| error.to_string())?;
        let info = results.suite().map_err(|error| error.to_string())?;
        assert!(info.is_some());
        Ok(())
    };
    Reader::new("suite.json", vec![Seed::plain(seed)], read).holds("suite-of-a-folder");
}

#[test]
fn pages_of_a_record() {
    let draw = |folder: &Path| {
        let results = read(folder)?;
        render(&results, "Fuzz").map(drop).map_err(|error| error.to_string())
    };
    Reader::new(FILE, seeds(), draw).fixed_bytes(64 << 20).one_in(8).holds("pages");
}
