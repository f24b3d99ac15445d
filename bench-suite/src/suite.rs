//! A suite: a list of runs as a TOML file of deviations from the defaults.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};

use crate::{choice::TaskChoice, names::unknown, plan::RunPlan, suite_file::parse};

/// The suites that are built in: name and text.
pub const SUITES: &[(&str, &str)] = &[
    ("quick", include_str!("../suites/quick.toml")),
    ("full", include_str!("../suites/full.toml")),
    ("rank", include_str!("../suites/rank.toml")),
    ("where", include_str!("../suites/where.toml")),
    ("budget", include_str!("../suites/budget.toml")),
    ("length", include_str!("../suites/length.toml")),
    ("data", include_str!("../suites/data.toml")),
    ("transfer", include_str!("../suites/transfer.toml")),
];

/// The suite that runs when nothing is asked for.
pub const DEFAULT_SUITE: &str = "quick";

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

/// The task when none is named.
pub fn default_task() -> TaskChoice {
    TaskChoice::Named("movie".to_owned())
}

impl Suite {
    /// A built-in suite by name, or a file by path.
    ///
    /// # Errors
    /// An unknown name with the nearest ones; a file's mistake with file and line.
    pub fn find(name_or_path: &str) -> Result<Self> {
        if let Some((name, text)) = SUITES.iter().find(|(name, _)| *name == name_or_path) {
            return parse(name, Path::new(&format!("{name}.toml")), text);
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
        parse(&name.unwrap_or_default(), &path, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_suite_can_be_read_and_asks_for_no_run_twice() {
        for (name, _) in SUITES {
            let suite = Suite::find(name).unwrap();
            assert!(!suite.runs.is_empty() && !suite.title.is_empty());
            for (i, run) in suite.runs.iter().enumerate() {
                let run = run.clone().with_defaults();
                let is_same = |other: &RunPlan| other.clone().with_defaults() == run;
                assert!(!suite.runs[..i].iter().any(is_same), "{name}: {run:?}");
                let search_seed = run.search.as_ref().map(|search| search.seed);
                assert!(search_seed != Some(run.seed), "{name}: seed {}", run.seed);
            }
        }
    }

    #[test]
    fn the_full_suite_has_three_seeds_of_everything_and_five_of_what_is_cheap() {
        let runs = Suite::find("full").unwrap().runs;
        for run in &runs {
            let like = |other: &&RunPlan| RunPlan { seed: run.seed, ..(*other).clone() } == *run;
            let is_cheap = ["head", "majority"].contains(&run.arm.name());
            let n = runs.iter().filter(like).count();
            assert_eq!(n, if is_cheap { 5 } else { 3 }, "{:?}", run.arm);
        }
        for arm in crate::arm::Arm::names() {
            assert!(runs.iter().any(|run| run.arm.name() == arm), "{arm} is not in it");
        }
    }
}
