//! Everything derived from the records of a folder, made again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::chart::{self, Chart};
use crate::files::{make_folder, remove_leftovers, write_atomic};
use crate::format::plural;
use crate::record::Status;
use crate::summary::{Comparison, compare};
use crate::{ReportError, ResultsDir, RunRecord, html, markdown, runs_csv};

const CHARTS_FOLDER: &str = "charts";

/// What is written beside the charts.
pub(crate) const PAGES: [&str; 3] = ["runs.csv", "REPORT.md", "report.html"];

/// The files that [`render`] wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One row per run, full figures.
    pub csv: PathBuf,
    /// `REPORT.md`.
    pub markdown: PathBuf,
    /// `report.html`, which needs no other file.
    pub html: PathBuf,
    /// The charts, each as SVG and as PNG.
    pub charts: Vec<PathBuf>,
}

impl Rendered {
    /// All files.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let pages = [&self.csv, &self.markdown, &self.html];
        pages.into_iter().chain(&self.charts).map(PathBuf::as_path)
    }
}

/// What a page is written from.
pub(crate) struct Page<'a> {
    pub title: &'a str,
    /// How many runs of the suite are not recorded yet.
    pub n_missing: usize,
    pub records: &'a [RunRecord],
    pub sections: Vec<Section<'a>>,
}

/// One comparison with its charts.
pub(crate) struct Section<'a> {
    pub comparison: Comparison<'a>,
    pub charts: Vec<DrawnChart>,
}

/// A chart with its files' names.
pub(crate) struct DrawnChart {
    pub chart: Chart,
    pub svg: String,
    /// Path from the results folder, without ending.
    pub stem: String,
}

/// Writes `runs.csv`, `charts/`, `REPORT.md` and `report.html` from the records in `results`.
/// Equal records give equal bytes. Two processes may do it at the same time: they take turns, and
/// the last one has seen all records. Imported runs have nothing to compare and are left out.
pub fn render(results: &ResultsDir, title: &str) -> Result<Rendered, ReportError> {
    if trained_here(results)?.is_empty() {
        return Err(ReportError::NoRecords { path: results.path().to_owned() });
    }
    let lock = results.lock()?;
    let records = trained_here(results)?;
    let n_missing = results.suite()?.map_or(0, |suite| suite.n_missing(&records));
    let page = Page { title, n_missing, records: &records, sections: sections(&records)? };
    let folder = results.path();
    if lock.excludes() {
        remove_leftovers(&folder.join(CHARTS_FOLDER), "");
    }
    let [csv, markdown, html] = PAGES.map(|name| folder.join(name));
    let rendered = Rendered { csv, markdown, html, charts: write_charts(folder, &page.sections)? };
    let csv = runs_csv::runs_csv(&records)
        .map_err(|error| ReportError::io("write", &rendered.csv, std::io::Error::other(error)))?;
    write_atomic(&rendered.csv, &csv)?;
    write_atomic(&rendered.markdown, markdown::page(&page).as_bytes())?;
    write_atomic(&rendered.html, html::page(&page).as_bytes())?;
    Ok(rendered)
}

fn trained_here(results: &ResultsDir) -> Result<Vec<RunRecord>, ReportError> {
    let mut records = results.read_all()?;
    records.retain(|record| record.status != Status::Imported);
    Ok(records)
}

impl Page<'_> {
    /// One line on runs that are not there; `None` when the suite is whole.
    pub fn missing(&self) -> Option<String> {
        let (n, runs) = (self.n_missing, plural(self.records.len() + self.n_missing, "run"));
        let are = if n == 1 { "is" } else { "are" };
        (n > 0).then(|| format!("Not all is done: {n} of {runs} {are} not recorded yet."))
    }
}

fn sections(records: &[RunRecord]) -> Result<Vec<Section<'_>>, ReportError> {
    let comparisons = compare(records);
    let prefixes = prefixes(&comparisons);
    comparisons
        .into_iter()
        .zip(prefixes)
        .map(|(comparison, prefix)| {
            let charts = chart::charts(&comparison)
                .into_iter()
                .map(|chart| {
                    let stem = format!("{CHARTS_FOLDER}/{prefix}{}", chart.name);
                    Ok(DrawnChart { svg: chart.svg()?, chart, stem })
                })
                .collect::<Result<_, ReportError>>()?;
            Ok(Section { comparison, charts })
        })
        .collect()
}

/// What the names of each comparison's charts begin with: nothing for the only one.
fn prefixes(comparisons: &[Comparison]) -> Vec<String> {
    if comparisons.len() == 1 {
        return vec![String::new()];
    }
    let mut taken = BTreeSet::new();
    comparisons
        .iter()
        .map(|comparison| {
            let name = format!("{}-{}", comparison.task.name, comparison.backbone.name);
            let plain = |c: char| {
                if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }
            };
            let name: String = name.chars().map(plain).collect();
            let mut prefix = format!("{name}-");
            let mut n = 1;
            while !taken.insert(prefix.clone()) {
                n += 1;
                prefix = format!("{name}-{n}-");
            }
            prefix
        })
        .collect()
}

fn write_charts(folder: &Path, sections: &[Section]) -> Result<Vec<PathBuf>, ReportError> {
    make_folder(&folder.join(CHARTS_FOLDER))?;
    let mut written = Vec::new();
    for drawn in sections.iter().flat_map(|section| &section.charts) {
        let (svg, png) = (format!("{}.svg", drawn.stem), format!("{}.png", drawn.stem));
        let (svg, png) = (folder.join(svg), folder.join(png));
        write_atomic(&svg, drawn.svg.as_bytes())?;
        write_atomic(&png, &drawn.chart.png()?)?;
        written.extend([svg, png]);
    }
    remove_stale_charts(&folder.join(CHARTS_FOLDER), &written)?;
    Ok(written)
}

/// Removes charts of earlier records; files that no version of this program drew stay.
fn remove_stale_charts(folder: &Path, written: &[PathBuf]) -> Result<(), ReportError> {
    let error = |source| ReportError::io("clean up", folder, source);
    for entry in fs::read_dir(folder).map_err(error)? {
        let path = entry.map_err(error)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_chart = chart::NAMES.iter().any(|chart| {
            [".svg", ".png"].iter().any(|ending| name.ends_with(&format!("{chart}{ending}")))
        });
        if is_chart && !written.contains(&path) {
            fs::remove_file(&path).map_err(error)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
