//! Tables in Markdown that can be read as they are.

use super::rounds::Spread;

/// A table; the first column is left, all others are right.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let width = |column: usize| {
        let cells = std::iter::once(&head).chain(rows).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default().max(3)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let cells = widths.iter().enumerate().map(|(column, width)| {
            let cell = cells.get(column).map_or("", String::as_str);
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let rules: Vec<String> = widths
        .iter()
        .enumerate()
        .map(|(column, width)| match column {
            0 => "-".repeat(*width),
            _ => format!("{}:", "-".repeat(width - 1)),
        })
        .collect();
    let rows: String = rows.iter().map(|row| line(row)).collect();
    format!("{}{}{rows}", line(&head), line(&rules))
}

/// `1.53 (1.49–1.58)`, each number as `show` has it; a dash for nothing.
pub fn spread(spread: Option<Spread>, show: impl Fn(f64) -> String) -> String {
    match spread {
        None => "–".to_owned(),
        Some(Spread { median, low, high }) => {
            format!("{} ({}–{})", show(median), show(low), show(high))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_the_first_one_is_left() {
        let rows = [vec!["LoRA".to_owned(), "1".to_owned()], vec!["x".to_owned()]];
        let text = table(&["method", "ms"], &rows);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            ["| method |  ms |", "| ------ | --: |", "| LoRA   |   1 |", "| x      |     |"]
        );
    }

    #[test]
    fn a_spread_is_the_median_with_the_reach() {
        let show = |number: f64| format!("{number:.1}");
        assert_eq!(spread(Spread::of([1.0, 2.0, 3.04]), show), "2.0 (1.0–3.0)");
        assert_eq!(spread(None, show), "–");
    }
}
