//! The table of results, for the page, the Markdown file and the terminal.

use crate::format;
use crate::record::RunRecord;
use crate::stats::Estimate;
use crate::summary::{Comparison, Configuration, Series};

/// Rows and columns of text, with the numbers behind them.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows; every row has one cell per column.
    pub rows: Vec<Vec<Cell>>,
}

/// The head of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The heading, with the unit where there is one.
    pub title: String,
    /// Numbers stand right-aligned.
    pub is_number: bool,
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// What is shown; `–` where nothing is known.
    pub text: String,
    /// What to sort by; `None` for text and for what is not known.
    pub value: Option<f64>,
}

/// The results of a comparison with the seeds of a configuration put together: mean and 95 %
/// interval. One row per configuration, in the order baselines, methods, budgets.
pub(crate) fn comparison_table(comparison: &Comparison) -> Table {
    Table { columns: columns(), rows: rows(comparison).collect() }
}

impl Column {
    pub(crate) fn text(title: &str) -> Self {
        Self { title: title.to_owned(), is_number: false }
    }

    pub(crate) fn number(title: &str) -> Self {
        Self { title: title.to_owned(), is_number: true }
    }
}

impl std::fmt::Display for Table {
    /// Lines for a terminal: columns as wide as their widest cell, numbers to the right.
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let head: Vec<&str> = self.columns.iter().map(|column| column.title.as_str()).collect();
        let texts = |row: &'_ [Cell]| row.iter().map(|cell| cell.text.clone()).collect();
        let rows: Vec<Vec<String>> = self.rows.iter().map(|row| texts(row)).collect();
        let width = |i: usize| {
            let cells = rows.iter().map(|row| row[i].as_str()).chain([head[i]]);
            cells.map(|text| text.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let head = head.into_iter().map(str::to_owned).collect();
        for row in std::iter::once(&head).chain(&rows) {
            let mut line = String::new();
            for ((text, column), width) in row.iter().zip(&self.columns).zip(&widths) {
                line += &match column.is_number {
                    true => format!("{text:>width$}  "),
                    false => format!("{text:<width$}  "),
                };
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn columns() -> Vec<Column> {
    let (text, number) = (Column::text, Column::number);
    vec![
        text("Method"),
        text("Configuration"),
        number("Trainable"),
        number("Stored"),
        number("Head"),
        number("On disk"),
        number("Test %"),
        number("Validation %"),
        number("Train s"),
        number("Tokens/s"),
        number("Peak memory"),
        number("Seeds"),
    ]
}

fn rows(comparison: &Comparison) -> impl Iterator<Item = Vec<Cell>> {
    comparison.configurations().map(|(series, configuration)| row(series, configuration))
}

fn row(series: &Series, configuration: &Configuration) -> Vec<Cell> {
    let counts = configuration.counts();
    let bytes_on_disk = counts.bytes_on_disk as f64;
    let trained = |run: &RunRecord| run.cost.steps > 0;
    let train_seconds =
        configuration.estimate(|run| trained(run).then_some(run.cost.train_seconds));
    let tokens_per_second =
        configuration.estimate(|run| trained(run).then_some(run.cost.tokens_per_second));
    let peak_bytes = configuration.estimate(|run| run.cost.peak_bytes.map(|bytes| bytes as f64));
    vec![
        text(&series.title),
        text(&configuration.setting),
        number(format::count(counts.trainable), counts.trainable as f64),
        number(format::count(counts.stored), counts.stored as f64),
        number(format::count(counts.head), counts.head as f64),
        number(format::bytes(bytes_on_disk), bytes_on_disk),
        estimate(configuration.test_accuracy(), format::accuracy),
        estimate(configuration.validation_accuracy(), format::accuracy),
        estimate(train_seconds, format::seconds_over_seeds),
        estimate(tokens_per_second, |rate| {
            format::over_seeds(rate, |n| format::count(n.round() as usize))
        }),
        estimate(peak_bytes, format::bytes_over_seeds),
        seeds(configuration),
    ]
}

pub(crate) fn text(text: &str) -> Cell {
    Cell { text: text.to_owned(), value: None }
}

pub(crate) fn number(text: String, value: f64) -> Cell {
    Cell { text, value: Some(value) }
}

fn estimate(estimate: Option<Estimate>, show: impl Fn(&Estimate) -> String) -> Cell {
    match estimate {
        Some(estimate) => number(show(&estimate), estimate.mean),
        None => text("–"),
    }
}

fn seeds(configuration: &Configuration) -> Cell {
    let n = configuration.runs.len();
    let text = match configuration.n_diverged() {
        0 => n.to_string(),
        n_diverged => format!("{n} ({n_diverged} diverged)"),
    };
    number(text, n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use crate::summary::compare;

    fn table(records: &[RunRecord]) -> Table {
        comparison_table(&compare(records)[0])
    }

    fn texts<'t>(table: &'t Table, method: &str, setting: &str) -> Vec<&'t str> {
        let is_row = |row: &&Vec<Cell>| row[0].text == method && row[1].text == setting;
        let row = table.rows.iter().find(is_row).unwrap();
        row.iter().map(|cell| cell.text.as_str()).collect()
    }

    #[test]
    fn a_row_tells_all_there_is_to_know_of_a_configuration() {
        let table = table(&example::suite(&[1]));
        assert_eq!(table.columns.len(), 12);
        assert_eq!(
            texts(&table, "LoRA", "rank=8")[..8],
            ["LoRA", "rank=8", "73,728", "73,728", "770", "300 kB", "82.8", "82.9"]
        );
    }

    #[test]
    fn seeds_are_put_together_and_the_rest_is_not() {
        let one = table(&example::suite(&[1]));
        let three = table(&example::suite(&[1, 2, 3]));
        assert_eq!(one.rows.len(), three.rows.len());
        let row = texts(&three, "LoRA", "rank=8");
        assert!(row[6..=10].iter().all(|figure| figure.contains(" ± ")), "{row:?}");
        assert_eq!(row[11], "3");
    }

    #[test]
    fn baselines_come_first_from_the_smallest_to_the_largest() {
        let table = table(&example::suite(&[1]));
        let methods: Vec<_> = table.rows.iter().map(|row| row[0].text.as_str()).collect();
        assert_eq!(methods[..4], ["Majority class", "Head only", "Full fine-tuning", "AdaLoRA"]);
    }

    #[test]
    fn what_is_not_known_is_a_dash_and_divergence_is_said() {
        let table = table(&example::all_diverged());
        let row = &table.rows[0];
        assert_eq!((row[6].text.as_str(), row[6].value), ("–", None));
        assert_eq!(row[11].text, "1 (1 diverged)");
    }

    #[test]
    fn in_a_terminal_columns_stand_under_their_heads() {
        let table = Table {
            columns: vec![Column::text("Name"), Column::number("±")],
            rows: vec![vec![text("a longer one"), text("1.5")], vec![text("b"), text("–")]],
        };
        let lines = "Name            ±\na longer one  1.5\nb               –\n";
        assert_eq!(table.to_string(), lines);
    }
}
