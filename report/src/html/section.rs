//! One task on a page: findings, charts with their figures, results, runs, notes.

use super::runs::runs_html;
use super::{escape, prose};
use crate::chart::picture::Owner;
use crate::format;
use crate::notes::notes;
use crate::render::{DrawnChart, Part, Section};
use crate::table::{Cell, Table, comparison_table};

pub(super) fn section_html(i: usize, section: &Section, has_heading: bool) -> String {
    let heading = match has_heading {
        true => format!("<h2>{}</h2>\n", escape(&section.name)),
        false => String::new(),
    };
    let content = match section.parts.as_slice() {
        [part] => part_html(part),
        parts => {
            let charts: String = section.charts.iter().map(figure).collect();
            let parts: String = parts.iter().map(folded).collect();
            let words = list("findings", &section.words);
            format!("{words}{charts}<h3>By the number of training rows</h3>\n{parts}")
        }
    };
    format!("<section id=\"s{i}\">\n{heading}{content}</section>\n")
}

/// One of several numbers of training rows.
fn folded(part: &Part) -> String {
    format!(
        "<details class=\"part\">\n<summary>{}</summary>\n<div>\n{}</div>\n</details>\n",
        format::plural(part.comparison.task.n_train, "training row"),
        part_html(part)
    )
}

fn part_html(part: &Part) -> String {
    let comparison = &part.comparison;
    let charts: String = part.charts.iter().map(figure).collect();
    let owners: Vec<Owner> =
        comparison.configurations().map(|(series, c)| Owner::of(series, c)).collect();
    format!(
        "<p class=\"headline\">{}</p>\n{}\
         <p class=\"hint narrow\">Tables can be moved sideways.</p>\n{charts}\
         <h3>Results</h3>\n<p class=\"hint\">Click a heading to sort.</p>\n{}\
         <h3>Runs</h3>\n<p class=\"hint\">Configuration, figures and the command of each run.</p>\n\
         {}<h3>Notes</h3>\n{}",
        prose(&part.finding.headline),
        list("findings", &part.finding.sentences),
        table_html(&comparison_table(comparison), &owners),
        runs_html(comparison),
        list("notes", &notes(comparison)),
    )
}

fn list(class: &str, items: &[String]) -> String {
    let items: String = items.iter().map(|item| format!("<li>{}</li>\n", prose(item))).collect();
    format!("<ul class=\"{class}\">\n{items}</ul>\n")
}

fn figure(drawn: &DrawnChart) -> String {
    let figures = drawn.chart.table.as_ref().map_or(String::new(), |table| {
        format!(
            "<details class=\"behind\"><summary>Figures behind this chart</summary>\n{}</details>\n",
            table_html(table, &[])
        )
    });
    format!(
        "<figure aria-label=\"{}\">\n<div class=\"chart broad\">\n{}</div>\n\
         <div class=\"chart narrow\">\n{}</div>\n{figures}</figure>\n",
        drawn.chart.caption, drawn.svg, drawn.narrow_svg
    )
}

/// A table that can be sorted; `owners` say whose each row is, where a filter may hide it.
pub(crate) fn table_html(table: &Table, owners: &[Owner]) -> String {
    let head: String = table
        .columns
        .iter()
        .map(|column| {
            let class = if column.is_number { " class=\"number\"" } else { "" };
            let title = escape(&column.title);
            format!("<th scope=\"col\"{class}><button type=\"button\">{title}</button></th>")
        })
        .collect();
    let rows: String = table
        .rows
        .iter()
        .enumerate()
        .map(|(i, row)| {
            let cells: String = row
                .iter()
                .enumerate()
                .map(|(i, cell)| cell_html(cell, i, table.columns[i].is_number))
                .collect();
            let owner = owners.get(i).map_or(String::new(), |o| format!(" {}", o.attributes()));
            format!("<tr{owner}>{cells}</tr>\n")
        })
        .collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table\">\n\
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
