//! One page over several results folders, with a link and a chart for each.

use std::fs;
use std::path::{Path, PathBuf};

use crate::chart::NAMES;
use crate::files::write_atomic;
use crate::markdown;
use crate::render::{DrawnChart, Page, trained_here};
use crate::{ReportError, ResultsDir, RunRecord, html};

/// Charts that say the most of a folder come first; the plainest is in nearly every one.
const PLAINEST: &str = "accuracy_vs_trainable";
const TELLING: [&str; 5] =
    ["alpha_rules", "accuracy_vs_rows", "placements", "transfer", "accuracy_vs_length"];

/// What the page says of one folder.
struct Entry {
    folder: String,
    title: String,
    headline: String,
    n_runs: usize,
    chart: Option<DrawnChart>,
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
    write_atomic(&page, html(&entries).as_bytes())?;
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
    let page = Page::of(&title, 0, &records)?;
    let headline = page.parts().last().map(|part| part.finding.headline.clone());
    let (headline, chart) = (headline.unwrap_or_default(), most_telling(page));
    Ok(Some(Entry { title, headline, n_runs: records.len(), chart, folder: folder_name }))
}

/// What all backbones of a folder were rounded to: suites are run in several precisions under one
/// title.
fn precision(records: &[RunRecord]) -> Option<&str> {
    let precision = records.first()?.backbone.precision.as_deref()?;
    let is_same = |record: &RunRecord| record.backbone.precision.as_deref() == Some(precision);
    records.iter().all(is_same).then_some(precision)
}

/// The chart that says the most.
fn most_telling(page: Page) -> Option<DrawnChart> {
    let wanted = TELLING.into_iter().chain([PLAINEST]).chain(NAMES);
    let place = |chart: &DrawnChart| wanted.clone().position(|name| name == chart.chart.name);
    page.into_charts().min_by_key(|chart| place(chart).unwrap_or(usize::MAX))
}

fn html(entries: &[Entry]) -> String {
    let mut main = String::new();
    for Entry { folder, title, headline, n_runs, chart } in entries {
        let [folder, title] = [folder, title].map(|text| html::escape(text));
        // There are two columns on a broad screen: even there none is broader than a phone.
        let chart = chart.as_ref().map_or("", |chart| &chart.narrow_svg);
        main += &format!(
            "<section>\n<h2><a href=\"{folder}/report.html\">{title}</a></h2>\n<p>{}</p>\n\
             <a class=\"chart thumbnail\" href=\"{folder}/report.html\" aria-label=\"{title}\">\n\
             {chart}</a>\n<p class=\"hint\">{}</p>\n</section>\n",
            html::prose(headline),
            crate::format::plural(*n_runs, "run"),
        );
    }
    html::document("Results", "", &format!("<div class=\"index\">\n{main}</div>\n"))
}

fn markdown_text(entries: &[Entry]) -> String {
    let mut text = "# Results\n".to_owned();
    for Entry { folder, title, headline, n_runs, chart } in entries {
        let (title, headline) = (markdown::escape(title), markdown::escape(headline));
        text += &format!("\n## [{title}]({folder}/REPORT.md)\n\n{headline}\n");
        text += &format!("{}.\n", crate::format::plural(*n_runs, "run"));
        if let Some(DrawnChart { stem, .. }) = chart {
            text += &format!("\n[![{title}]({folder}/{stem}.png)]({folder}/REPORT.md)\n");
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
