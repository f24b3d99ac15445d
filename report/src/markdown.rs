//! `REPORT.md`.

use std::fmt::Write;

use crate::format;
use crate::notes::{environments, notes};
use crate::render::{DrawnChart, Page, Part, Section};
use crate::table::{Table, comparison_table};

/// The page as Markdown.
pub(crate) fn page(page: &Page) -> String {
    let mut text = format!("# {}\n", escape(page.title));
    if let Some(missing) = page.missing() {
        text += &format!("\n{missing}\n");
    }
    if let Some((words, table)) = &page.overview {
        text += "\n## The tasks side by side\n";
        text += &words.as_ref().map_or(String::new(), |words| format!("\n{}\n", escape(words)));
        text += &format!("\n{}", table_text(table));
    }
    let is_alone = page.sections.len() == 1;
    for section in &page.sections {
        if !is_alone {
            text += &format!("\n## {}\n", escape(&section.name));
        }
        text += &section_text(section, if is_alone { "##" } else { "###" });
    }
    text += &environment_text(page);
    text += &commands(page);
    text
}

fn section_text(section: &Section, heading: &str) -> String {
    if let [part] = section.parts.as_slice() {
        return part_text(part, heading);
    }
    let mut text = sentences(&section.words);
    for chart in &section.charts {
        text += &format!("\n{heading} {}\n{}", chart.chart.caption, image(chart));
    }
    for part in &section.parts {
        let rows = format::plural(part.comparison.task.n_train, "training row");
        text += &format!("\n{heading} With {rows}\n{}", part_text(part, &format!("{heading}#")));
    }
    text
}

fn sentences(sentences: &[String]) -> String {
    let lines: String = sentences.iter().map(|s| format!("- {}\n", escape(s))).collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

fn part_text(part: &Part, heading: &str) -> String {
    let mut text = format!("\n**{}**\n", escape(&part.finding.headline));
    text += &sentences(&part.finding.sentences);
    if let Some(first) = part.charts.first() {
        text += &image(first);
    }
    text += &format!("\n{heading} Results\n\n{}", table_text(&comparison_table(&part.comparison)));
    for chart in part.charts.iter().skip(1) {
        text += &format!("\n{heading} {}\n{}", chart.chart.caption, image(chart));
    }
    text += &format!("\n{heading} Notes\n\n");
    for note in notes(&part.comparison) {
        text += &format!("- {}\n", escape(&note));
    }
    text
}

/// The chart, and the figures behind it where no other table has them.
fn image(drawn: &DrawnChart) -> String {
    let (stem, chart) = (&drawn.stem, &drawn.chart);
    let mut text = format!("\n[![{}]({stem}.png)]({stem}.svg)\n", escape(chart.description()));
    if let Some(table) = &chart.table {
        text += &format!(
            "\n<details><summary>Figures</summary>\n\n{}\n</details>\n",
            table_text(table)
        );
    }
    text
}

pub(crate) fn table_text(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(table.columns.iter().map(|column| escape(&column.title)).collect());
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
    for run in page.parts().flat_map(|part| part.comparison.runs()) {
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
