//! `report.html`: one file, no network, fit for a projector, a phone and a screen reader.

use std::fmt::Write;

use serde_json::Value;

use crate::chart::palette::{FRONT, GRID, MUTED, PAPER, SERIES, TEXT};
use crate::finding::finding;
use crate::format;
use crate::notes::{environments, notes};
use crate::record::{RunRecord, Status};
use crate::render::{Page, Section};
use crate::summary::Configuration;
use crate::table::{Cell, Table, comparison_table};

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// The page as HTML.
pub(crate) fn page(page: &Page) -> String {
    let sections: String = page
        .sections
        .iter()
        .enumerate()
        .map(|(i, section)| section_html(i, section, page))
        .collect();
    let missing = page.missing().map_or(String::new(), |missing| format!("<p>{missing}</p>\n"));
    let head = missing + &navigation(page);
    document(page.title, &head, &(sections + &environment_html(page)))
}

/// A page that needs no other file; `head` goes below the title.
pub(crate) fn document(title: &str, head: &str, main: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}{}</style>\n</head>\n<body>\n\
         <header>\n<h1>{title}</h1>\n{head}</header>\n<main>\n{main}</main>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        dark_charts(),
    )
}

/// Text that means itself, in content and in attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(c),
        }
    }
    escaped
}

/// Escaped prose whose figures keep their units on the same line.
pub(crate) fn prose(text: &str) -> String {
    escape(text).replace(" %", "\u{a0}%").replace(" ± ", "\u{a0}±\u{a0}")
}

/// In the dark the charts' colours are exchanged: the figures say which they are.
fn dark_charts() -> String {
    let [blue, vermillion, green, purple, sky, orange, wine, olive] = SERIES;
    let exchanges = [
        (PAPER, "#161b22"),
        (TEXT, "#e6edf3"),
        (MUTED, "#9da7b3"),
        (GRID, "#2b323b"),
        (FRONT, "#4c5561"),
        (blue, "#3d9fe0"),
        (vermillion, "#ff7b2e"),
        (green, "#1fbf92"),
        (purple, "#e29ac3"),
        (sky, "#8fd3ff"),
        (orange, "#ffbf3f"),
        (wine, "#c2558b"),
        (olive, "#b9b94d"),
    ];
    let mut css = "@media (prefers-color-scheme: dark) {\n".to_owned();
    for (ink, dark) in exchanges {
        let hex = ink.hex();
        let _ = writeln!(
            css,
            ".chart [fill=\"{hex}\"] {{ fill: {dark} }} .chart [stroke=\"{hex}\"] {{ stroke: {dark} }}"
        );
    }
    css + "}\n"
}

fn navigation(page: &Page) -> String {
    if page.sections.len() == 1 {
        return String::new();
    }
    let links: String = page
        .sections
        .iter()
        .enumerate()
        .map(|(i, section)| format!("<li><a href=\"#s{i}\">{}</a></li>", escape(&name(section))))
        .collect();
    format!("<nav aria-label=\"Comparisons\"><ul>{links}</ul></nav>\n")
}

fn name(section: &Section) -> String {
    format!("{} on {}", section.comparison.task.name, section.comparison.backbone.name)
}

fn section_html(i: usize, section: &Section, page: &Page) -> String {
    let finding = finding(&section.comparison);
    let sentences: String =
        finding.sentences.iter().map(|s| format!("<li>{}</li>\n", prose(s))).collect();
    let charts: String = section.charts.iter().map(figure).collect();
    let details: String = section
        .comparison
        .configurations()
        .map(|(_, configuration)| configuration_html(configuration))
        .collect();
    let notes: String =
        notes(&section.comparison).iter().map(|n| format!("<li>{}</li>\n", prose(n))).collect();
    let heading = if page.sections.len() > 1 {
        format!("<h2>{}</h2>\n", escape(&name(section)))
    } else {
        String::new()
    };
    format!(
        "<section id=\"s{i}\">\n{heading}<p class=\"headline\">{}</p>\n\
         <ul class=\"findings\">\n{sentences}</ul>\n\
         <p class=\"hint narrow\">Charts and tables can be moved sideways.</p>\n{charts}\
         <h3>Results</h3>\n{}\
         <h3>Runs</h3>\n<p class=\"hint\">Configuration, figures and the command of each run.</p>\n\
         {details}<h3>Notes</h3>\n<ul class=\"notes\">\n{notes}</ul>\n</section>\n",
        prose(&finding.headline),
        table_html(&comparison_table(&section.comparison)),
    )
}

fn figure(drawn: &crate::render::DrawnChart) -> String {
    format!(
        "<figure class=\"chart\" tabindex=\"0\" aria-label=\"{}\">\n{}</figure>\n",
        drawn.chart.caption, drawn.svg
    )
}

pub(crate) fn table_html(table: &Table) -> String {
    let head: String = table
        .columns
        .iter()
        .map(|column| {
            let class = if column.is_number { " class=\"number\"" } else { "" };
            format!(
                "<th scope=\"col\"{class}><button type=\"button\">{}</button></th>",
                column.title
            )
        })
        .collect();
    let rows: String = table
        .rows
        .iter()
        .map(|row| {
            let cells: String = row
                .iter()
                .enumerate()
                .map(|(i, cell)| cell_html(cell, i, table.columns[i].is_number))
                .collect();
            format!("<tr>{cells}</tr>\n")
        })
        .collect();
    format!(
        "<p class=\"hint\">Click a heading to sort.</p>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Results\">\n\
         <table class=\"sortable\">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n\
         </table>\n</div>\n"
    )
}

fn cell_html(cell: &Cell, i: usize, is_number: bool) -> String {
    let text = escape(&cell.text);
    let value = cell.value.map_or(String::new(), |value| format!(" data-value=\"{value}\""));
    match (i, is_number) {
        (0, _) => format!("<th scope=\"row\">{text}</th>"),
        (_, true) => format!("<td class=\"number\"{value}>{text}</td>"),
        (_, false) => format!("<td>{text}</td>"),
    }
}

fn configuration_html(configuration: &Configuration) -> String {
    let accuracy = configuration
        .test_accuracy()
        .map_or("no result".to_owned(), |accuracy| format!("{} %", format::accuracy(&accuracy)));
    let first = configuration.runs[0];
    let counts = configuration.counts();
    let runs: String = configuration.runs.iter().map(|run| run_html(run)).collect();
    format!(
        "<details>\n<summary>{} <span class=\"figure\">{accuracy}</span></summary>\n\
         <p>Trainable {}, stored {}, active at inference {}, head {}; {} on disk.</p>\n\
         <div class=\"columns\"><div><h4>Method</h4><pre>{}</pre></div>\
         <div><h4>Training</h4><pre>{}</pre></div></div>\n{runs}</details>\n",
        escape(&configuration.label),
        format::count(counts.trainable),
        format::count(counts.stored),
        format::count(counts.active),
        format::count(counts.head),
        format::bytes(counts.bytes_on_disk as f64),
        json(&first.method.config),
        json(&first.training),
    )
}

fn run_html(run: &RunRecord) -> String {
    let scores = run.scores.as_ref().map_or(String::new(), |scores| {
        format!(
            " Test {} %, validation {} % at step {}.",
            format::percent(scores.test_accuracy),
            format::percent(scores.validation_accuracy),
            format::count(scores.best_step)
        )
    });
    let details: String = run
        .details
        .iter()
        .map(|(key, value)| format!("<h4>{}</h4><pre>{}</pre>\n", escape(key), json(value)))
        .collect();
    format!(
        "<div class=\"run\"><p><strong>Seed {}</strong>: {}.{scores} {} s of training. \
         Started {}. Run <code>{}</code>.</p>\n<pre class=\"command\">{}</pre>\n{details}</div>\n",
        run.seed,
        status(&run.status),
        format::seconds(run.cost.train_seconds),
        escape(&run.started),
        escape(&run.id),
        escape(&run.command),
    )
}

fn status(status: &Status) -> String {
    match status {
        Status::Finished => "finished".to_owned(),
        Status::StoppedEarly { step } => format!("stopped early at step {}", format::count(*step)),
        Status::Diverged { step } => format!("diverged at step {}", format::count(*step)),
        Status::Imported => "imported".to_owned(),
    }
}

fn json(value: &Value) -> String {
    escape(&format!("{value:#}"))
}

fn environment_html(page: &Page) -> String {
    let rows: String = environments(page.records.iter())
        .into_iter()
        .map(|(environment, n_runs)| {
            let cells = [
                &n_runs.to_string(),
                &environment.device,
                &environment.hardware,
                &environment.threads.to_string(),
                &environment.system,
                &environment.version,
                &environment.commit,
                &environment.burn,
            ];
            let cells: String =
                cells.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect();
            format!("<tr>{cells}</tr>\n")
        })
        .collect();
    let head: String =
        ["Runs", "Device", "Hardware", "Threads", "System", "Version", "Commit", "Burn"]
            .iter()
            .map(|title| format!("<th scope=\"col\">{title}</th>"))
            .collect();
    format!(
        "<section>\n<h3>Environment</h3>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Environment\">\n\
         <table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n\
         </section>\n"
    )
}
