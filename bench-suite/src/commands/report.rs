//! `report`: tables, charts and pages again from the records.

use std::path::PathBuf;

use anyhow::Result;
use report::{ResultsDir, render};

use super::print_json;
use crate::{
    cli::{Common, ReportArgs},
    suite::{SUITES, Suite},
};

pub fn report(args: ReportArgs, common: &Common) -> Result<()> {
    let results = ResultsDir::existing(&args.results)?;
    let title = match args.title {
        Some(title) => title,
        None => title(&results)?,
    };
    let rendered = render(&results, &title)?;
    let [csv, markdown, html] = [rendered.csv, rendered.markdown, rendered.html];
    print_paths([html, markdown, csv].into_iter().chain(rendered.charts).collect(), common)
}

/// The title of what was run into the folder.
fn title(results: &ResultsDir) -> Result<String> {
    if let Some(suite) = results.suite()? {
        return Ok(suite.title);
    }
    let name = results.path().file_name().unwrap_or_default().to_string_lossy();
    Ok(match SUITES.iter().any(|(suite, _)| *suite == name) {
        true => Suite::find(&name)?.title,
        false => format!("PEFT methods: {name}"),
    })
}

fn print_paths(paths: Vec<PathBuf>, common: &Common) -> Result<()> {
    if common.json {
        return print_json(&paths);
    }
    paths.iter().for_each(|path| println!("{}", path.display()));
    Ok(())
}
