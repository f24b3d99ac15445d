//! `report`: tables, charts and pages again from the records.

use std::path::Path;

use anyhow::Result;
use report::{ResultsDir, render};

use super::print_json;
use crate::{
    cli::Common,
    suite::{SUITES, Suite},
};

pub fn report(folder: &Path, title: Option<String>, common: &Common) -> Result<()> {
    let results = ResultsDir::existing(folder)?;
    let name =
        folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let title = match title {
        Some(title) => title,
        None if SUITES.iter().any(|(suite, _)| *suite == name) => Suite::find(&name)?.title,
        None => format!("PEFT methods: {name}"),
    };
    let rendered = render(&results, &title)?;
    let charts = rendered.charts.iter().map(|path| path.as_path());
    let all: Vec<&Path> = [rendered.html.as_path(), &rendered.markdown, &rendered.csv]
        .into_iter()
        .chain(charts)
        .collect();
    if common.json {
        return print_json(&all);
    }
    for path in all {
        println!("{}", path.display());
    }
    Ok(())
}
