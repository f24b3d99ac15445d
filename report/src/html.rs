//! `report.html`: one file, no network, fit for a projector, a phone and a screen reader.

mod explore;
mod runs;
mod section;

use std::fmt::Write;

use crate::chart::palette::{BELOW, FRONT, GRID, LEVELS, MUTED, PAPER, SERIES, TEXT};
use crate::notes::environments;
use crate::render::Page;

use section::section_html;
pub(crate) use section::table_html;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = concat!(include_str!("html/script.js"), include_str!("html/explore.js"));

/// Filled by the script; without it there is nothing to filter with.
const FILTER: &str = "<details id=\"filter\" hidden><summary>Filter by method and budget</summary>\
                      <div></div></details>\n";

/// Depth grows away from the background there too: dark text stands on the bright ones.
const DARK_LEVELS: [&str; 6] = ["#1d2733", "#20364c", "#27496a", "#2f608c", "#74b5e6", "#b9defb"];
const DARK_BELOW: [&str; 3] = ["#3c2a1b", "#6e421e", "#ff9d57"];

/// The page as HTML.
pub(crate) fn page(page: &Page) -> String {
    let has_headings = page.sections.len() > 1;
    let sections: String = page
        .sections
        .iter()
        .enumerate()
        .map(|(i, section)| section_html(i, section, has_headings))
        .collect();
    let missing = page.missing().map_or(String::new(), |missing| format!("<p>{missing}</p>\n"));
    let head = missing + &navigation(page) + FILTER;
    let main = overview(page) + &sections + &explore::html(page) + &environment_html(page);
    document(page.title, &head, &main)
}

fn overview(page: &Page) -> String {
    let Some((words, table)) = &page.overview else {
        return String::new();
    };
    let words = words.as_ref().map_or(String::new(), |words| prose(words));
    format!(
        "<section id=\"tasks\">\n<h2>The tasks side by side</h2>\n\
         <p class=\"headline\">{words}</p>\n{}</section>\n",
        table_html(table, &[])
    )
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
    let heat = LEVELS.into_iter().zip(DARK_LEVELS).chain(BELOW.into_iter().zip(DARK_BELOW));
    for (ink, dark) in heat {
        let _ = writeln!(css, ".chart [fill=\"{}\"] {{ fill: {dark} }}", ink.hex());
    }
    css + "}\n"
}

fn navigation(page: &Page) -> String {
    let mut links: Vec<(String, String)> = Vec::new();
    if page.overview.is_some() {
        links.push(("tasks".to_owned(), "All tasks".to_owned()));
    }
    if page.sections.len() > 1 {
        let names = page.sections.iter().enumerate();
        links.extend(names.map(|(i, section)| (format!("s{i}"), section.name.clone())));
    }
    links.push(("explore".to_owned(), "Any two figures".to_owned()));
    links.push(("environment".to_owned(), "Environment".to_owned()));
    let link = |(id, title): &(String, String)| {
        format!("<li><a href=\"#{id}\">{}</a></li>", escape(title))
    };
    let links: String = links.iter().map(link).collect();
    format!("<nav aria-label=\"On this page\"><ul>{links}</ul></nav>\n")
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
        "<section id=\"environment\">\n<h2>Environment</h2>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Environment\">\n\
         <table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n\
         </section>\n"
    )
}
