//! A suite file: TOML, read into runs.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Range,
    path::Path,
};

use anyhow::{Result, anyhow, bail};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::{Spanned, Table, Value};

use crate::{
    arm::Arm,
    choice::{ModelChoice, TaskChoice},
    plan::RunPlan,
    search::SearchSettings,
    settings::{field, one_line, overlay},
    suite::{Suite, default_task},
    training::Training,
};

/// What a suite file says. Every task, with each of the trainings, runs every entry.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuiteFile {
    title: String,
    task: Option<Spanned<Value>>,
    tasks: Option<Vec<Spanned<Value>>>,
    #[serde(default)]
    transfer: Vec<Spanned<Value>>,
    #[serde(default)]
    model: ModelChoice,
    #[serde(default)]
    training: Training,
    /// Deviations from `training`, one at a time.
    trainings: Option<Vec<Spanned<Table>>>,
    search: Option<Spanned<SearchSettings>>,
    #[serde(default = "default_seeds")]
    seeds: Vec<u64>,
    run: Vec<RunEntry>,
}

/// One `[[run]]`: the settings of `config`, with each of `configs`, with every combination of
/// `grid`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunEntry {
    method: Spanned<String>,
    config: Option<Spanned<Table>>,
    configs: Option<Vec<Spanned<Table>>>,
    grid: Option<Spanned<BTreeMap<String, Vec<Value>>>>,
    training: Option<Spanned<Table>>,
    seeds: Option<Vec<u64>>,
}

/// A run takes minutes, so more are a mistake; lists multiplied soon give very many.
const MOST_RUNS: usize = 10_000;

fn default_seeds() -> Vec<u64> {
    vec![0]
}

/// Reads a suite. A run that is asked for twice is there once.
///
/// # Errors
/// The mistake with file and line.
pub fn parse(name: &str, path: &Path, text: &str) -> Result<Suite> {
    let source = Source { path, text };
    let file: SuiteFile = toml::from_str(text)
        .map_err(|error| anyhow!("{}: {}", source.at(error.span()), one_line(&error)))?;
    if file.run.is_empty() {
        bail!("{}: no [[run]]; a suite needs at least one", source.at(None));
    }
    let n_runs = file.n_runs();
    if n_runs > MOST_RUNS {
        bail!("{}: asks for {n_runs} runs; a suite has at most {MOST_RUNS}", source.at(None));
    }
    file.training.check().map_err(|problem| anyhow!("{}: {problem}", source.at(None)))?;
    let search = match file.search {
        None => None,
        Some(search) => {
            let problem = |problem| anyhow!("{}: {problem}", source.at(Some(search.span())));
            search.get_ref().check().map_err(problem)?;
            Some(search.into_inner())
        }
    };
    let transfer =
        file.transfer.iter().map(|task| source.task(task)).collect::<Result<Vec<_>>>()?;
    let trainings = source.trainings(&file.training, &file.trainings)?;
    let mut runs = Once::default();
    for task in source.tasks(&file.task, &file.tasks)? {
        for training in &trainings {
            for entry in &file.run {
                let training = source.entry_training(entry, training)?;
                for arm in source.arms(entry)? {
                    for &seed in entry.seeds.as_ref().unwrap_or(&file.seeds) {
                        runs.push(RunPlan {
                            task: task.clone(),
                            model: file.model.clone(),
                            arm: arm.clone(),
                            from: None,
                            training: training.clone(),
                            seed,
                            search: search.clone(),
                            transfer: transfer.clone(),
                        });
                    }
                }
            }
        }
    }
    Ok(Suite { name: name.to_owned(), title: file.title, runs: runs.plans })
}

impl SuiteFile {
    /// Runs that the lists give when multiplied, before any is planned.
    fn n_runs(&self) -> usize {
        let n_tasks = self.tasks.as_ref().map_or(1, Vec::len);
        let n_trainings = self.trainings.as_ref().map_or(1, Vec::len);
        let of_entry = |entry: &RunEntry| {
            let grid = entry.grid.as_ref().map(|grid| grid.get_ref().values().map(Vec::len));
            grid.map_or(1, |lens| lens.fold(1, usize::saturating_mul))
                .saturating_mul(entry.configs.as_ref().map_or(1, Vec::len))
                .saturating_mul(entry.seeds.as_ref().unwrap_or(&self.seeds).len())
        };
        let n_entries = self.run.iter().map(of_entry).fold(0, usize::saturating_add);
        n_tasks.saturating_mul(n_trainings).saturating_mul(n_entries)
    }
}

/// Plans, each once, whether its defaults are written out or not.
#[derive(Default)]
struct Once {
    /// Digests, because ten thousand plans in words are megabytes.
    known: HashSet<[u8; 32]>,
    plans: Vec<RunPlan>,
}

impl Once {
    fn push(&mut self, plan: RunPlan) {
        let whole = format!("{:?}", plan.clone().with_defaults());
        if self.known.insert(Sha256::digest(whole).into()) {
            self.plans.push(plan);
        }
    }
}

/// The plans without those that are there already, with defaults that are written out or not.
pub fn once(plans: impl IntoIterator<Item = RunPlan>) -> Vec<RunPlan> {
    let mut once = Once::default();
    plans.into_iter().for_each(|plan| once.push(plan));
    once.plans
}

/// A file's text, to say where in it a mistake is.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn at(&self, span: Option<Range<usize>>) -> String {
        let line = span.map_or(1, |span| line_of(self.text, span.start));
        format!("{}, line {line}", self.path.display())
    }

    fn mistake(&self, span: Range<usize>, error: &toml::de::Error) -> anyhow::Error {
        let place = place(self.text, span, field(error).as_deref());
        anyhow!("{}: {}", self.at(Some(place)), one_line(error))
    }

    fn task(&self, task: &Spanned<Value>) -> Result<TaskChoice> {
        TaskChoice::from_toml(task.get_ref().clone())
            .map_err(|error| self.mistake(task.span(), &error))
    }

    fn tasks(
        &self,
        one: &Option<Spanned<Value>>,
        many: &Option<Vec<Spanned<Value>>>,
    ) -> Result<Vec<TaskChoice>> {
        match (one, many) {
            (None, None) => Ok(vec![default_task()]),
            (Some(task), None) => Ok(vec![self.task(task)?]),
            (None, Some(tasks)) => tasks.iter().map(|task| self.task(task)).collect(),
            (Some(task), Some(_)) => {
                bail!("{}: 'task' and 'tasks' are both given", self.at(Some(task.span())))
            }
        }
    }

    fn trainings(
        &self,
        base: &Training,
        deviations: &Option<Vec<Spanned<Table>>>,
    ) -> Result<Vec<Training>> {
        let Some(deviations) = deviations else {
            return Ok(vec![base.clone()]);
        };
        deviations.iter().map(|changes| self.training(base, changes)).collect()
    }

    fn entry_training(&self, entry: &RunEntry, base: &Training) -> Result<Training> {
        match &entry.training {
            None => Ok(base.clone()),
            Some(changes) => self.training(base, changes),
        }
    }

    fn training(&self, base: &Training, changes: &Spanned<Table>) -> Result<Training> {
        let training = overlay(base, changes.get_ref().clone())
            .map_err(|error| self.mistake(changes.span(), &error))?;
        let problem = |problem| anyhow!("{}: {problem}", self.at(Some(changes.span())));
        training.check().map_err(problem)?;
        Ok(training)
    }

    /// The arms of an entry, in the order of its lists.
    fn arms(&self, entry: &RunEntry) -> Result<Vec<Arm>> {
        let name = entry.method.get_ref();
        let named = Arm::named(name)
            .map_err(|error| anyhow!("{}: {error}", self.at(Some(entry.method.span()))))?;
        if entry.config.is_none() && entry.configs.is_none() && entry.grid.is_none() {
            return Ok(vec![named]);
        }
        let one = vec![None];
        let configs = entry.configs.as_ref();
        let configs = configs.map_or(one, |configs| configs.iter().map(Some).collect());
        let grid = entry.grid.as_ref();
        let combinations = grid.map_or(vec![Table::new()], |grid| product(grid.get_ref()));
        let mut arms = vec![];
        for config in configs {
            for combination in &combinations {
                let mut table = Table::new();
                let mut spans = vec![entry.method.span()];
                for part in [entry.config.as_ref(), config].into_iter().flatten() {
                    table.extend(part.get_ref().clone());
                    spans.push(part.span());
                }
                table.extend(combination.clone());
                spans.extend(grid.map(Spanned::span));
                arms.push(self.arm(name, table, &spans)?);
            }
        }
        Ok(arms)
    }

    fn arm(&self, name: &str, settings: Table, spans: &[Range<usize>]) -> Result<Arm> {
        Arm::read(name, settings).map_err(|error| match error {
            None => {
                let at = self.at(spans.get(1).cloned());
                anyhow!("{at}: '{name}' is a baseline and takes no config")
            }
            Some(error) => {
                // The last table that has the field is the one that set it.
                let field = field(&error);
                let has_it = |span: &&Range<usize>| {
                    let place = place(self.text, (*span).clone(), field.as_deref());
                    place.start != span.start && place.start < span.end
                };
                let span = spans.iter().rev().find(has_it).or(spans.get(1));
                self.mistake(span.cloned().unwrap_or_default(), &error)
            }
        })
    }
}

/// Every combination of the lists' values, the last list varying fastest.
fn product(lists: &BTreeMap<String, Vec<Value>>) -> Vec<Table> {
    lists.iter().fold(vec![Table::new()], |tables, (key, values)| {
        let with = |table: &Table, value: &Value| {
            let mut table = table.clone();
            table.insert(key.clone(), value.clone());
            table
        };
        tables.iter().flat_map(|table| values.iter().map(move |value| with(table, value))).collect()
    })
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
#[path = "suite_file_tests.rs"]
mod tests;
