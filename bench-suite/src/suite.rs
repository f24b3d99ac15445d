//! A suite: a list of runs as a TOML file of deviations from the defaults.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::{Result, anyhow, bail};
use serde::Deserialize;
use toml::Spanned;

use crate::{
    arm::Arm,
    choice::{ModelChoice, TaskChoice},
    names::unknown,
    plan::RunPlan,
    settings::{field, one_line, overlay},
    training::Training,
};

/// The suites that are built in: name and text.
pub const SUITES: &[(&str, &str)] = &[("quick", include_str!("../suites/quick.toml"))];

/// The suite that runs when nothing is asked for.
pub const DEFAULT_SUITE: &str = "quick";

/// A run takes minutes, so more are a mistake; seeds times methods soon are very many.
const MOST_RUNS: usize = 10_000;

/// A list of runs and where their results go.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// Short name, also of the results folder; empty for single runs, which are no suite.
    pub name: String,
    /// One line for people: the title of the report.
    pub title: String,
    /// The runs, in order.
    pub runs: Vec<RunPlan>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuiteFile {
    title: String,
    task: Option<Spanned<toml::Value>>,
    #[serde(default)]
    model: ModelChoice,
    #[serde(default)]
    training: Training,
    #[serde(default = "default_seeds")]
    seeds: Vec<u64>,
    run: Vec<RunEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunEntry {
    method: Spanned<String>,
    #[serde(default)]
    config: Option<Spanned<toml::Table>>,
    #[serde(default)]
    training: Option<Spanned<toml::Table>>,
    seeds: Option<Vec<u64>>,
}

/// The task when none is named.
pub fn default_task() -> TaskChoice {
    TaskChoice::Named("movie".to_owned())
}

fn default_seeds() -> Vec<u64> {
    vec![0]
}

impl Suite {
    /// A built-in suite by name, or a file by path.
    ///
    /// # Errors
    /// An unknown name with the nearest ones; a file's mistake with file and line.
    pub fn find(name_or_path: &str) -> Result<Self> {
        if let Some((name, text)) = SUITES.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(name, Path::new(&format!("{name}.toml")), text);
        }
        let path = PathBuf::from(name_or_path);
        if path.extension().is_none() && !path.exists() {
            let names: Vec<&str> = SUITES.iter().map(|(name, _)| *name).collect();
            bail!("{}", unknown("suite", name_or_path, &names, "list suites"));
        }
        let bytes = std::fs::read(&path).map_err(|error| {
            let names: Vec<&str> = SUITES.iter().map(|(name, _)| *name).collect();
            let (path, names) = (path.display(), names.join(", "));
            anyhow!("{path}: cannot be read ({error}); give a suite file, or a suite that is built in: {names}")
        })?;
        let text = String::from_utf8(bytes)
            .map_err(|error| anyhow!("{}: not UTF-8 ({error})", path.display()))?;
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        Self::parse(&name.unwrap_or_default(), &path, &text)
    }

    /// Reads the text of a suite file; `path` is for messages.
    ///
    /// # Errors
    /// The mistake with file and line.
    pub fn parse(name: &str, path: &Path, text: &str) -> Result<Self> {
        let at = |span: Option<Range<usize>>| {
            let line = span.map_or(1, |span| line_of(text, span.start));
            format!("{}, line {line}", path.display())
        };
        let file: SuiteFile = toml::from_str(text)
            .map_err(|error| anyhow!("{}: {}", at(error.span()), one_line(&error)))?;
        if file.run.is_empty() {
            bail!("{}: no [[run]]; a suite needs at least one", at(None));
        }
        let n_seeds = |run: &RunEntry| run.seeds.as_ref().unwrap_or(&file.seeds).len();
        let n_runs: usize = file.run.iter().map(n_seeds).sum();
        if n_runs > MOST_RUNS {
            bail!("{}: asks for {n_runs} runs; a suite has at most {MOST_RUNS}", at(None));
        }
        file.training.check().map_err(|problem| anyhow!("{}: {problem}", at(None)))?;
        let mistake = |span: Range<usize>, error: &toml::de::Error| {
            let place = place(text, span, field(error).as_deref());
            anyhow!("{}: {}", at(Some(place)), one_line(error))
        };
        let task = match &file.task {
            None => default_task(),
            Some(task) => TaskChoice::from_toml(task.get_ref().clone())
                .map_err(|error| mistake(task.span(), &error))?,
        };
        let mut runs = vec![];
        for entry in &file.run {
            let name = entry.method.get_ref();
            let mut arm = Arm::named(name)
                .map_err(|error| anyhow!("{}: {error}", at(Some(entry.method.span()))))?;
            if let Some(config) = &entry.config {
                arm = Arm::read(name, config.get_ref().clone()).map_err(|error| match error {
                    Some(error) => mistake(config.span(), &error),
                    None => {
                        let at = at(Some(config.span()));
                        anyhow!("{at}: '{name}' is a baseline and takes no config")
                    }
                })?;
            }
            let training = match &entry.training {
                None => file.training.clone(),
                Some(changes) => overlay(&file.training, changes.get_ref().clone())
                    .map_err(|error| mistake(changes.span(), &error))?,
            };
            training
                .check()
                .map_err(|problem| anyhow!("{}: {problem}", at(Some(entry.method.span()))))?;
            for &seed in entry.seeds.as_ref().unwrap_or(&file.seeds) {
                runs.push(RunPlan {
                    task: task.clone(),
                    model: file.model.clone(),
                    arm: arm.clone(),
                    from: None,
                    training: training.clone(),
                    seed,
                });
            }
        }
        Ok(Self { name: name.to_owned(), title: file.title, runs })
    }
}

/// Line of a byte, from 1.
fn line_of(text: &str, byte: usize) -> usize {
    text.as_bytes().iter().take(byte).filter(|&&byte| byte == b'\n').count() + 1
}

/// Where in the text a field of the table at `span` stands, or else the table.
fn place(text: &str, span: Range<usize>, field: Option<&str>) -> Range<usize> {
    let rest = &text[span.start..];
    let is_key = |at: usize, key: &str| {
        let before = rest[..at].trim_end_matches([' ', '\t']);
        let after = rest[at + key.len()..].trim_start();
        (before.is_empty() || before.ends_with(['\n', '{', ','])) && after.starts_with('=')
    };
    let key = field.and_then(|path| path.split('.').next());
    let found = key.and_then(|key| rest.match_indices(key).find(|(at, _)| is_key(*at, key)));
    found.map_or(span.clone(), |(at, _)| span.start + at..span.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let text = format!("title = \"T\"\n{text}");
        format!("{:#}", Suite::parse("s", Path::new("s.toml"), &text).unwrap_err())
    }

    #[test]
    fn every_built_in_suite_can_be_read() {
        for (name, _) in SUITES {
            assert!(!Suite::find(name).unwrap().runs.is_empty());
        }
    }

    #[test]
    fn a_run_overrides_the_suite_and_the_suite_the_defaults() {
        let text = "title = 'T'\ntraining = { epochs = 2 }\nseeds = [1, 2]\n\
                    [[run]]\nmethod = 'lora'\nconfig = { rank = 4 }\n\
                    training = { batch_size = 8 }\n";
        let suite = Suite::parse("s", Path::new("s.toml"), text).unwrap();
        assert_eq!(suite.runs.iter().map(|run| run.seed).collect::<Vec<_>>(), [1, 2]);
        let run = &suite.runs[0];
        assert_eq!((run.training.epochs, run.training.batch_size), (2.0, 8));
        assert_eq!(run.arm.budget().unwrap().value, 4);
    }

    #[test]
    fn seeds_times_methods_are_counted_before_they_are_planned() {
        let seeds = vec!["1"; 5001].join(",");
        let run = format!("[[run]]\nmethod = 'lora'\nseeds = [{seeds}]\n");
        assert!(error(&run.repeat(2)).contains("asks for 10002 runs; a suite has at most 10000"));
    }

    #[test]
    fn mistakes_are_told_with_file_and_line() {
        let unknown_method = error("[[run]]\nmethod = 'lorra'");
        assert!(
            unknown_method.starts_with("s.toml, line 3: unknown method 'lorra'"),
            "{unknown_method}"
        );
        let unknown_field = error("[[run]]\nmethod = 'lora'\n[run.config]\nalpha = 4\nrnk = 3");
        assert!(
            unknown_field.starts_with("s.toml, line 6: unknown field `rnk`"),
            "{unknown_field}"
        );
        let unknown_key = error("colour = 3\n[[run]]\nmethod = 'lora'");
        assert!(unknown_key.starts_with("s.toml, line 2: unknown field `colour`"), "{unknown_key}");
        let baseline = error("[[run]]\nmethod = 'head'\nconfig = { rank = 3 }");
        assert!(baseline.contains("line 4: 'head' is a baseline"), "{baseline}");
        let syntax = error("[[run]\nmethod = 'lora'");
        assert!(syntax.starts_with("s.toml, line 2"), "{syntax}");
        let value = error("training = { epochs = -1 }\n[[run]]\nmethod = 'lora'");
        assert!(value.contains("training.epochs is -1"), "{value}");
    }
}
