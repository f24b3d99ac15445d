//! One page over several results folders, with a link and a chart for each.

use std::fs;
use std::path::{Path, PathBuf};

use crate::chart::NAMES;
use crate::files::write_atomic;
use crate::finding::headline_of;
use crate::markdown;
use crate::render::trained_here;
use crate::summary::compare;
use crate::{ReportError, ResultsDir, RunRecord, html};

/// Charts that say the most of a folder come first; the plainest is in every one.
const PLAINEST: &str = "accuracy_vs_trainable";
const TELLING: [&str; 5] =
    ["alpha_rules", "accuracy_vs_rows", "placements", "transfer", "accuracy_vs_length"];

/// What the page says of one folder.
struct Entry {
    folder: String,
    title: String,
    headline: String,
    n_runs: usize,
    /// File name in `charts/`, without ending.
    chart: Option<String>,
}

/// Writes `index.html` and `REPORT.md` over the results folders inside `parent`.
///
/// # Errors
/// None of its folders has a report, a record cannot be read, or a page cannot be written.
pub fn index(parent: &Path) -> Result<[PathBuf; 2], ReportError> {
    let list = |source| ReportError::io("list", parent, source);
    let mut entries = Vec::new();
    for folder in fs::read_dir(parent).map_err(list)? {
        let folder = folder.map_err(list)?.path();
        if folder.join("report.html").is_file() {
            entries.extend(entry(&folder)?);
        }
    }
    if entries.is_empty() {
        return Err(ReportError::NoRecords { path: parent.to_owned() });
    }
    entries.sort_by(|a, b| a.folder.cmp(&b.folder));
    let [page, markdown] = ["index.html", "REPORT.md"].map(|name| parent.join(name));
    write_atomic(&page, html(parent, &entries)?.as_bytes())?;
    write_atomic(&markdown, markdown_text(&entries).as_bytes())?;
    Ok([page, markdown])
}

fn entry(folder: &Path) -> Result<Option<Entry>, ReportError> {
    let results = ResultsDir::existing(folder)?;
    let records = trained_here(&results)?;
    if records.is_empty() {
        return Ok(None);
    }
    let folder_name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut title = results.suite()?.map_or_else(|| folder_name.clone(), |suite| suite.title);
    if let Some(precision) = precision(&records) {
        title += &format!(", in {precision}");
    }
    let headlines: Vec<String> = compare(&records).iter().rev().filter_map(headline_of).collect();
    Ok(Some(Entry {
        title,
        headline: headlines.into_iter().next().unwrap_or_default(),
        n_runs: records.len(),
        chart: chart(&folder.join("charts"))?,
        folder: folder_name,
    }))
}

/// What all backbones of a folder were rounded to: suites are run in several precisions under one
/// title.
fn precision(records: &[RunRecord]) -> Option<&str> {
    let precision = records.first()?.backbone.precision.as_deref()?;
    let is_same = |record: &RunRecord| record.backbone.precision.as_deref() == Some(precision);
    records.iter().all(is_same).then_some(precision)
}

/// The chart of a folder that says the most.
fn chart(charts: &Path) -> Result<Option<String>, ReportError> {
    let error = |source| ReportError::io("list", charts, source);
    if !charts.is_dir() {
        return Ok(None);
    }
    let mut stems = Vec::new();
    for file in fs::read_dir(charts).map_err(error)? {
        let name = file.map_err(error)?.file_name().to_string_lossy().into_owned();
        stems.extend(name.strip_suffix(".svg").map(str::to_owned));
    }
    stems.sort();
    let wanted = TELLING.into_iter().chain([PLAINEST]).chain(NAMES);
    let mut found = wanted.filter_map(|name| stems.iter().find(|stem| stem.ends_with(name)));
    Ok(found.next().cloned())
}

fn html(parent: &Path, entries: &[Entry]) -> Result<String, ReportError> {
    let mut main = String::new();
    for entry in entries {
        let chart = match &entry.chart {
            Some(stem) => {
                let path = parent.join(&entry.folder).join(format!("charts/{stem}.svg"));
                let svg = fs::read_to_string(&path);
                svg.map_err(|source| ReportError::io("read", &path, source))?
            }
            None => String::new(),
        };
        let folder = html::escape(&entry.folder);
        main += &format!(
            "<section>\n<h2><a href=\"{folder}/report.html\">{}</a></h2>\n<p>{}</p>\n\
             <a class=\"chart thumbnail\" href=\"{folder}/report.html\" aria-label=\"{}\">\n{chart}\
             </a>\n<p class=\"hint\">{}</p>\n</section>\n",
            html::escape(&entry.title),
            html::prose(&entry.headline),
            html::escape(&entry.title),
            crate::format::plural(entry.n_runs, "run"),
        );
    }
    Ok(html::document("Results", "", &format!("<div class=\"index\">\n{main}</div>\n")))
}

fn markdown_text(entries: &[Entry]) -> String {
    let mut text = "# Results\n".to_owned();
    for Entry { folder, title, headline, n_runs, chart } in entries {
        let (title, headline) = (markdown::escape(title), markdown::escape(headline));
        text += &format!("\n## [{title}]({folder}/REPORT.md)\n\n{headline}\n");
        text += &format!("{}.\n", crate::format::plural(*n_runs, "run"));
        if let Some(stem) = chart {
            text += &format!("\n[![{title}]({folder}/charts/{stem}.png)]({folder}/REPORT.md)\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{example, render};

    #[test]
    fn every_folder_with_a_report_is_linked_with_its_most_telling_chart() {
        let parent = tempfile::tempdir().unwrap();
        for (name, records) in
            [("plain", example::same_point()), ("where", example::studies::places())]
        {
            let results = ResultsDir::open(&parent.path().join(name)).unwrap();
            records.iter().for_each(|record| drop(results.write(record).unwrap()));
            render(&results, name).unwrap();
        }
        fs::create_dir(parent.path().join("something else")).unwrap();
        let pages = index(parent.path()).unwrap();
        let [page, markdown] = pages.each_ref().map(|path| fs::read_to_string(path).unwrap());
        assert!(markdown.contains("(where/charts/placements.png)"), "{markdown}");
        assert!(markdown.contains("(plain/charts/accuracy_vs_trainable.png)"), "{markdown}");
        assert!(page.contains("href=\"where/report.html\"") && page.contains("Where LoRA should"));
        assert_eq!(page.matches("<section>").count(), 2);
        assert_eq!(index(parent.path()).unwrap(), pages);
        assert_eq!(fs::read_to_string(&pages[0]).unwrap(), page);
    }

    #[test]
    fn a_suite_in_another_precision_says_so_in_its_title() {
        let parent = tempfile::tempdir().unwrap();
        for (name, precision) in [("in-f32", None), ("in-bf16", Some("bf16"))] {
            let results = ResultsDir::open(&parent.path().join(name)).unwrap();
            for mut record in example::same_point() {
                record.backbone.precision = precision.map(str::to_owned);
                results.write(&record).unwrap();
            }
            render(&results, name).unwrap();
        }
        let [_, markdown] = index(parent.path()).unwrap();
        let markdown = fs::read_to_string(markdown).unwrap();
        assert!(markdown.contains("[in-f32](") && markdown.contains("[in-bf16, in bf16]("));
    }

    #[test]
    fn a_folder_without_reports_has_no_index() {
        let parent = tempfile::tempdir().unwrap();
        assert!(index(parent.path()).unwrap_err().to_string().contains("no run records"));
    }
}
