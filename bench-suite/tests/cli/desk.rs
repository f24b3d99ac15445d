//! A folder to work in, and the program run there.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use bench_suite::arm::Arm;
use report::RunRecord;
use tempfile::TempDir;

use crate::tiny;

/// Flags of a training on the tiny model and table.
pub const TINY: &str = "--model model --train mine.csv --device flex";

/// A folder that holds the tiny model as `model` and the table as `mine.csv`.
pub struct Desk {
    folder: TempDir,
}

impl Desk {
    /// A new folder.
    pub fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        tiny::write_model(&desk.path("model"));
        desk.write("mine.csv", tiny::table());
        desk
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// Writes a suite file: a title and what is given.
    pub fn write_suite(&self, name: &str, text: &str) {
        self.write(name, format!("title = \"A suite\"\n{text}"));
    }

    /// Writes a suite of every method and baseline with its default settings.
    pub fn write_zoo(&self, name: &str) {
        let runs = Arm::names().into_iter().map(|arm| format!("[[run]]\nmethod = \"{arm}\"\n"));
        self.write_suite(name, &runs.collect::<String>());
    }

    /// The program, to be started in the folder, offline, with an empty cache.
    pub fn program(&self) -> Command {
        self.at_home(Command::new(env!("CARGO_BIN_EXE_bench-suite")))
    }

    /// A command that works in the folder and leaves the user's own caches alone.
    pub fn at_home(&self, mut command: Command) -> Command {
        command
            .current_dir(self.folder.path())
            .env("PEFT_ZOO_CACHE", self.path("cache"))
            .env("PEFT_ZOO_OFFLINE", "1")
            .env("HF_HOME", self.path("hf"))
            .env_remove("HF_HUB_CACHE")
            .env_remove("HF_HUB_OFFLINE")
            .env_remove("HF_ENDPOINT")
            .stdin(Stdio::null());
        command
    }

    /// Starts the program with words separated by spaces; its output is kept.
    pub fn start(&self, words: &str) -> Child {
        let mut program = self.program();
        program.args(words.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
        program.spawn().unwrap()
    }

    /// Runs the program with words separated by spaces.
    pub fn run(&self, words: &str) -> Ran {
        self.run_words(&words.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs the program.
    pub fn run_words(&self, words: &[&str]) -> Ran {
        Ran::of(self.program().args(words))
    }

    /// Trains on the tiny model and table.
    pub fn train(&self, words: &str) -> Ran {
        self.run(&format!("run {TINY} {words}"))
    }

    /// Runs the command that a record says makes it again, on the same device.
    pub fn rerun(&self, record: &RunRecord, results: &str) -> Ran {
        let words = record.command.split_once("-- ").unwrap().1;
        let program = env!("CARGO_BIN_EXE_bench-suite");
        let line = format!("'{program}' {words} --device flex --results {results}");
        Ran::of(self.at_home(Command::new("sh")).args(["-c", &line]))
    }

    /// Runs the program, which must refuse in one line that contains all of `parts`, and must
    /// leave every file as it was.
    #[track_caller]
    pub fn refuses(&self, words: &str, parts: &[&str]) {
        let before = self.files();
        self.run(words).refused(parts);
        assert_eq!(self.files(), before, "files differ after: {words}");
    }

    /// Every file but locks, by path from the folder.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(self.folder.path())
    }

    /// The records of a results folder, in the order of their ids.
    pub fn records(&self, results: &str) -> Vec<RunRecord> {
        let results = fs::read_dir(self.path(results)).unwrap();
        let mut paths: Vec<PathBuf> = results.map(|entry| entry.unwrap().path()).collect();
        let is_suite = |path: &Path| path.ends_with("suite.json");
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
        paths.retain(|path| !is_suite(path));
        paths.sort();
        paths.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
    }

    /// The only record of a results folder.
    #[track_caller]
    pub fn record(&self, results: &str) -> RunRecord {
        let mut records = self.records(results);
        assert_eq!(records.len(), 1);
        records.remove(0)
    }

    /// The file of the only record of a method in a results folder.
    pub fn record_path(&self, results: &str, method: &str) -> PathBuf {
        let records = self.records(results);
        let record = records.iter().find(|record| record.method.name == method).unwrap();
        self.path(results).join(format!("{}.json", record.id))
    }

    /// What the records of a results folder must have in common with those of a rerun.
    pub fn outcomes(&self, results: &str) -> Vec<RunRecord> {
        self.records(results).iter().map(RunRecord::outcome).collect()
    }
}

/// Every file but locks below a folder, by path from there.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.to_string_lossy().ends_with(".lock") {
                let content = fs::read(&path).unwrap();
                files.insert(path.strip_prefix(folder).unwrap().to_path_buf(), content);
            }
        }
    }
    files
}

/// What came of a command.
#[derive(Debug)]
pub struct Ran {
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// The end of a process.
    pub fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The same, which must have gone well.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// The runs that the process began, by their labels: `LoRA rank=8 seed=0`.
    pub fn begun(&self) -> Vec<String> {
        let began = |line: &str| {
            let (_, label) = line.strip_prefix('[')?.strip_suffix(" …")?.split_once("] ")?;
            Some(label.to_owned())
        };
        self.stderr.lines().filter_map(began).collect()
    }

    /// Must have ended with one line of error, the last one, that contains all of `parts`.
    #[track_caller]
    pub fn refused(&self, parts: &[&str]) {
        assert_eq!(self.code, Some(1), "{self:#?}");
        let error = self.stderr.lines().last().unwrap_or_default();
        assert!(error.starts_with("error: ") && !self.stderr.contains("panicked"), "{self:#?}");
        let errors = self.stderr.lines().filter(|line| line.starts_with("error:"));
        assert_eq!(errors.count(), 1, "{self:#?}");
        for part in parts {
            assert!(error.contains(part), "no {part:?} in: {error}");
        }
    }

    /// Must have ended because of the command line itself, with a pointer to the help.
    #[track_caller]
    pub fn misused(&self, parts: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:#?}");
        assert!(self.stderr.starts_with("error: ") && self.stderr.contains("--help"), "{self:#?}");
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in: {}", self.stderr);
        }
    }

    /// Each line of standard output as JSON.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let json = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {self:#?}"));
        self.stdout.lines().map(json).collect()
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}
