//! `report`: tables, charts and pages again from the records, of one folder or of two.

use std::path::{Path, PathBuf};

use anyhow::Result;
use report::{ReportError, ResultsDir, RunRecord, index, pair, render};

use super::print_json;
use crate::{
    cli::{Common, ReportArgs},
    suite::{SUITES, Suite},
};

pub fn report(args: ReportArgs, common: &Common) -> Result<()> {
    if let [a, b] = args.compare.as_slice() {
        return compare(a, b, args.to.as_deref().unwrap_or(b), common);
    }
    let results = ResultsDir::existing(&args.results)?;
    if results.is_empty()? && args.title.is_none() && has_reports(&args.results) {
        return print_paths(index(&args.results)?.to_vec(), common);
    }
    let title = match args.title {
        Some(title) => title,
        None => title(&results)?,
    };
    let rendered = render(&results, &title)?;
    let [csv, markdown, html] = [rendered.csv, rendered.markdown, rendered.html];
    print_paths([html, markdown, csv].into_iter().chain(rendered.charts).collect(), common)
}

/// Whether there are results folders inside this one.
fn has_reports(folder: &Path) -> bool {
    let inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
    inside.into_iter().any(|entry| entry.path().join("report.html").is_file())
}

/// The title of what was run into the folder.
pub(super) fn title(results: &ResultsDir) -> Result<String> {
    if let Some(suite) = results.suite()? {
        return Ok(suite.title);
    }
    let name = results.path().file_name().unwrap_or_default().to_string_lossy();
    Ok(match SUITES.iter().any(|(suite, _)| *suite == name) {
        true => Suite::find(&name)?.title,
        false => format!("PEFT methods: {name}"),
    })
}

fn compare(a: &Path, b: &Path, to: &Path, common: &Common) -> Result<()> {
    let (of_a, of_b) = (records(a)?, records(b)?);
    let names = [a, b].map(|folder| folder.display().to_string());
    let pairing = pair(names, &of_a, &of_b);
    let paths = pairing.write(to)?;
    if !common.json {
        println!("{pairing}");
    }
    print_paths(paths.to_vec(), common)
}

fn records(folder: &Path) -> Result<Vec<RunRecord>> {
    let records = ResultsDir::existing(folder)?.read_all()?;
    match records.is_empty() {
        true => Err(ReportError::NoRecords { path: folder.to_owned() }.into()),
        false => Ok(records),
    }
}

fn print_paths(paths: Vec<PathBuf>, common: &Common) -> Result<()> {
    if common.json {
        return print_json(&paths);
    }
    paths.iter().for_each(|path| println!("{}", path.display()));
    Ok(())
}
