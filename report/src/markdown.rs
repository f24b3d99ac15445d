//! `REPORT.md`.

use std::fmt::Write;

use crate::finding::finding;
use crate::format;
use crate::notes::{environments, notes};
use crate::render::{Page, Section};
use crate::table::{Table, comparison_table};

/// The page as Markdown.
pub(crate) fn page(page: &Page) -> String {
    let mut text = format!("# {}\n", escape(page.title));
    if let Some(missing) = page.missing() {
        text += &format!("\n{missing}\n");
    }
    let is_alone = page.sections.len() == 1;
    for section in &page.sections {
        if !is_alone {
            let comparison = &section.comparison;
            let (task, backbone) = (&comparison.task.name, &comparison.backbone.name);
            text += &format!("\n## {} on {}\n", escape(task), escape(backbone));
        }
        text += &section_text(section, if is_alone { "##" } else { "###" });
    }
    text += &environment_text(page);
    text += &commands(page);
    text
}

fn section_text(section: &Section, heading: &str) -> String {
    let finding = finding(&section.comparison);
    let mut text = format!("\n**{}**\n", escape(&finding.headline));
    if !finding.sentences.is_empty() {
        let sentences: Vec<String> = finding.sentences.iter().map(|s| escape(s)).collect();
        text += &format!("\n{}\n", sentences.join("\n"));
    }
    if let Some(first) = section.charts.first() {
        text += &image(first);
    }
    text +=
        &format!("\n{heading} Results\n\n{}", table_text(&comparison_table(&section.comparison)));
    for chart in section.charts.iter().skip(1) {
        text += &format!("\n{heading} {}\n{}", chart.chart.caption, image(chart));
    }
    text += &format!("\n{heading} Notes\n\n");
    for note in notes(&section.comparison) {
        text += &format!("- {}\n", escape(&note));
    }
    text
}

fn image(chart: &crate::render::DrawnChart) -> String {
    let stem = &chart.stem;
    format!("\n[![{}]({stem}.png)]({stem}.svg)\n", escape(chart.chart.description()))
}

pub(crate) fn table_text(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(table.columns.iter().map(|column| column.title.to_owned()).collect());
    text += &line(
        table
            .columns
            .iter()
            .map(|column| if column.is_number { "---:" } else { "---" }.to_owned())
            .collect(),
    );
    for row in &table.rows {
        text += &line(row.iter().map(|cell| escape(&cell.text)).collect());
    }
    text
}

fn environment_text(page: &Page) -> String {
    let mut text = "\n## Environment\n\n".to_owned();
    for (environment, n_runs) in environments(page.records.iter()) {
        let commit = match environment.commit.as_str() {
            "" => "commit unknown".to_owned(),
            commit => format!("commit {commit}"),
        };
        let _ = writeln!(
            text,
            "- {}: device {} ({}), {}, {}; version {} ({commit}), Burn {}",
            format::plural(n_runs, "run"),
            escape(&environment.device),
            escape(&environment.hardware),
            format::plural(environment.threads, "thread"),
            escape(&environment.system),
            escape(&environment.version),
            escape(&environment.burn),
        );
    }
    text
}

fn commands(page: &Page) -> String {
    let mut commands: Vec<&str> = Vec::new();
    for run in page.sections.iter().flat_map(|section| section.comparison.runs()) {
        if !commands.contains(&run.command.as_str()) {
            commands.push(&run.command);
        }
    }
    let commands = commands.join("\n");
    // A fence must be longer than any run of backticks inside it.
    let longest = commands.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("\n## How to reproduce\n\nEach run again:\n\n{fence}sh\n{commands}\n{fence}\n")
}

/// Text that means itself, on one line.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '|' | '*' | '`' | '[' | ']' => escaped.extend(['\\', c]),
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '\n' | '\r' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_records_stays_text() {
        assert_eq!(escape("a|b\n*c* <i> `d` [e]"), "a\\|b \\*c\\* &lt;i&gt; \\`d\\` \\[e\\]");
    }
}
