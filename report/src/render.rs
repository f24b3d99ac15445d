//! Everything derived from the records of a folder, made again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::chart::{self, Chart};
use crate::files::{make_folder, remove_leftovers, write_atomic};
use crate::finding::{Finding, finding};
use crate::format::plural;
use crate::record::Status;
use crate::study::winners::winners;
use crate::study::{self, Study, studies};
use crate::summary::{Comparison, compare};
use crate::table::Table;
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
    /// Several tasks side by side.
    pub overview: Option<(Option<String>, Table)>,
    pub sections: Vec<Section<'a>>,
}

/// One task on one frozen model.
pub(crate) struct Section<'a> {
    pub name: String,
    /// What only several numbers of training rows can tell; empty for a single one.
    pub words: Vec<String>,
    pub charts: Vec<DrawnChart>,
    /// One for each number of training rows.
    pub parts: Vec<Part<'a>>,
}

/// One comparison with its charts.
pub(crate) struct Part<'a> {
    pub comparison: Comparison<'a>,
    pub finding: Finding,
    pub charts: Vec<DrawnChart>,
}

/// A chart with its files' names.
pub(crate) struct DrawnChart {
    pub chart: Chart,
    pub svg: String,
    /// The same for a phone held upright.
    pub narrow_svg: String,
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
    let page = Page::of(title, n_missing, &records)?;
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

pub(crate) fn trained_here(results: &ResultsDir) -> Result<Vec<RunRecord>, ReportError> {
    let mut records = results.read_all()?;
    records.retain(|record| record.status != Status::Imported);
    Ok(records)
}

impl Section<'_> {
    pub fn all_charts(&self) -> impl Iterator<Item = &DrawnChart> {
        self.charts.iter().chain(self.parts.iter().flat_map(|part| &part.charts))
    }
}

impl Page<'_> {
    pub fn parts(&self) -> impl Iterator<Item = &Part<'_>> {
        self.sections.iter().flat_map(|section| &section.parts)
    }

    pub fn into_charts(self) -> impl Iterator<Item = DrawnChart> {
        let of_part = |part: Part<'_>| part.charts;
        self.sections.into_iter().flat_map(move |section| {
            section.charts.into_iter().chain(section.parts.into_iter().flat_map(of_part))
        })
    }

    /// One line on runs that are not there; `None` when the suite is whole.
    pub fn missing(&self) -> Option<String> {
        let (n, runs) = (self.n_missing, plural(self.records.len() + self.n_missing, "run"));
        let are = if n == 1 { "is" } else { "are" };
        (n > 0).then(|| format!("Not all is done: {n} of {runs} {are} not recorded yet."))
    }
}

impl<'a> Page<'a> {
    pub fn of(
        title: &'a str,
        n_missing: usize,
        records: &'a [RunRecord],
    ) -> Result<Self, ReportError> {
        let studies = studies(compare(records));
        let overview = study::tasks::table(&studies);
        let overview = overview.map(|table| (study::tasks::words(&studies), table));
        let prefixes = prefixes(&studies);
        let sections =
            studies.into_iter().zip(prefixes).map(|(study, prefix)| section(study, &prefix));
        let sections = sections.collect::<Result<_, _>>()?;
        Ok(Page { title, n_missing, records, overview, sections })
    }
}

fn section<'a>(study: Study<'a>, prefix: &str) -> Result<Section<'a>, ReportError> {
    let charts = [study::alpha::chart(&study), study::rows::chart(&study)];
    let mut charts = drawn(charts.into_iter().flatten(), prefix)?;
    let mut words = study::alpha::words(&study);
    words.extend(study::rows::words(&study));
    let name = study.name.clone();
    let n = study.comparisons.len();
    let parts = study.comparisons.into_iter().enumerate().map(|(i, comparison)| {
        let prefix = match n {
            1 => prefix.to_owned(),
            _ => format!("{prefix}{}-rows-", comparison.task.n_train),
        };
        // What a run costs is told once, with the most rows.
        part(comparison, &prefix, i + 1 == n)
    });
    let mut parts = parts.collect::<Result<Vec<_>, _>>()?;
    if let [part] = parts.as_mut_slice() {
        part.finding.sentences.append(&mut words);
        part.charts.splice(0..0, charts.drain(..));
    }
    Ok(Section { name, words, charts, parts })
}

fn part<'a>(
    comparison: Comparison<'a>,
    prefix: &str,
    with_costs: bool,
) -> Result<Part<'a>, ReportError> {
    let winners = winners(&comparison);
    let finding = finding(&comparison, winners.as_ref());
    let placement = study::placement::chart(&comparison);
    let mut plain = chart::charts(&comparison);
    // At equal sizes an axis of sizes tells nothing.
    plain.retain(|chart| {
        let is_size = chart.name.starts_with("accuracy_vs");
        let is_cost =
            ["train_time", "peak_memory", "accuracy_vs_stored_bytes"].contains(&chart.name);
        (placement.is_none() || !is_size) && (with_costs || !is_cost)
    });
    let at = plain.iter().position(|chart| !chart.name.starts_with("accuracy_vs_trainable"));
    let rest = plain.split_off(at.unwrap_or(plain.len()));
    let mut charts: Vec<Chart> = placement.into_iter().collect();
    charts.extend(study::budgets::charts(&comparison));
    charts.extend(study::transfer::chart(&comparison));
    charts.extend(plain);
    charts.extend(study::starts::chart(&comparison));
    charts.extend(winners.as_ref().and_then(|winners| winners.chart(&comparison)));
    charts.extend(study::surviving::map(&comparison));
    charts.extend(study::surviving::over_time(&comparison));
    charts.extend(study::rates::chart(&comparison));
    charts.extend(rest);
    drop(winners);
    Ok(Part { charts: drawn(charts.into_iter(), prefix)?, finding, comparison })
}

fn drawn(
    charts: impl Iterator<Item = Chart>,
    prefix: &str,
) -> Result<Vec<DrawnChart>, ReportError> {
    let draw = |chart: Chart| {
        let stem = format!("{CHARTS_FOLDER}/{prefix}{}", chart.name);
        Ok(DrawnChart { svg: chart.svg()?, narrow_svg: chart.narrow_svg()?, chart, stem })
    };
    charts.map(draw).collect()
}

/// What the names of each study's charts begin with: nothing for the only one.
fn prefixes(studies: &[Study]) -> Vec<String> {
    if studies.len() == 1 {
        return vec![String::new()];
    }
    let mut taken = BTreeSet::new();
    studies
        .iter()
        .map(|study| {
            let name =
                format!("{}-{}", study.task().name, study.backbone().title().replace(' ', "-"));
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
    for drawn in sections.iter().flat_map(Section::all_charts) {
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
