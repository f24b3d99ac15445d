//! The words around the accuracy charts: legend and description.

use crate::format;
use crate::record::Budget;
use crate::summary::{Comparison, Series};

use super::legend::{Entry, Key};
use super::looks;
use super::points::{Level, Size, is_level};

/// Methods first, since a legend is read from the data; then the references.
pub(super) fn entries(comparison: &Comparison, size: &Size, levels: &[Level]) -> Vec<Entry> {
    let mut series: Vec<_> = looks(comparison)
        .filter(|(series, _)| !is_level(series) && series.best().is_some())
        .collect();
    series.sort_by_key(|(series, _)| series.baseline);
    let series = series.into_iter().map(|(series, look)| {
        let key = if series.curve().len() > 1 { Key::Curve(look) } else { Key::Point(look) };
        Entry { key, title: series.title.clone(), detail: budgets(series, size) }
    });
    let levels = levels.iter().map(|level| Entry {
        key: Key::Reference(level.dashes),
        title: level.title.to_owned(),
        detail: format!("{} %", format::percent(level.accuracy)),
    });
    series.chain(levels).collect()
}

/// The entry of the Pareto front.
pub(super) fn front_entry() -> Entry {
    Entry {
        key: Key::Front,
        title: "Pareto front".to_owned(),
        detail: "no smaller one is as good".to_owned(),
    }
}

/// `rank 1–32`, or size and accuracy where there is no knob.
fn budgets(series: &Series, size: &Size) -> String {
    let budgets: Vec<&Budget> =
        series.curve().iter().filter_map(|c| c.runs[0].method.budget.as_ref()).collect();
    let name = |budget: &Budget| budget.name.replace('_', " ");
    match (budgets.first(), budgets.last(), series.best()) {
        (Some(first), Some(last), _) if first.value != last.value => {
            format!("{} {}–{}", name(first), first.value, last.value)
        }
        (Some(only), ..) => format!("{} {}", name(only), only.value),
        (None, _, Some(best)) => {
            let accuracy = best.test_accuracy().map(|a| format!(", {} %", format::percent(a.mean)));
            (size.show)((size.of)(best)) + &accuracy.unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// The chart in words.
pub(super) fn describe(comparison: &Comparison, size: &Size) -> String {
    let series: Vec<String> = comparison.series.iter().filter_map(range).collect();
    format!("{}, {}: {}.", size.title, comparison.task.name, series.join(", "))
}

/// `LoRA 80.6 to 83.1 %`.
fn range(series: &Series) -> Option<String> {
    let accuracies = series.curve().into_iter().filter_map(|c| c.test_accuracy());
    let means: Vec<f64> = accuracies.map(|accuracy| accuracy.mean).collect();
    let low = means.iter().copied().reduce(f64::min)?;
    let high = means.iter().copied().reduce(f64::max)?;
    let range = if low == high {
        format::percent(low)
    } else {
        format!("{} to {}", format::percent(low), format::percent(high))
    };
    Some(format!("{} {range} %", series.title))
}
