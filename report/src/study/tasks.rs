//! Several tasks in one folder: side by side in a table, never in one curve.

use crate::format;
use crate::summary::best_by_validation;
use crate::table::{Column, Table, number, text};

use super::{Study, methods};

/// The best configuration of each series on each task; `None` for a single task.
pub(crate) fn table(studies: &[Study]) -> Option<Table> {
    if studies.len() < 2 {
        return None;
    }
    let mut titles: Vec<&str> = Vec::new();
    for series in studies.iter().flat_map(|study| &study.largest().series) {
        if !titles.contains(&series.title.as_str()) {
            titles.push(&series.title);
        }
    }
    let mut columns = vec![Column::text("Method")];
    columns.extend(studies.iter().map(|study| Column::number(&format!("{} %", study.name))));
    let rows = titles.into_iter().map(|title| {
        let cells = studies.iter().map(|study| {
            let series = study.largest().series.iter().find(|series| series.title == title);
            let accuracy = series.and_then(|series| series.best()?.test_accuracy());
            accuracy.map_or(text("–"), |a| number(format::accuracy(&a), a.mean))
        });
        std::iter::once(text(title)).chain(cells).collect()
    });
    Some(Table { rows: rows.collect(), columns })
}

/// Which method is the best on which task.
pub(crate) fn words(studies: &[Study]) -> Option<String> {
    let best: Vec<String> = studies
        .iter()
        .filter_map(|study| {
            let all = methods(study.largest()).flat_map(|series| &series.configurations);
            Some(format!("{} on {}", best_by_validation(all)?.label, study.name))
        })
        .collect();
    (studies.len() > 1 && !best.is_empty()).then(|| {
        format!(
            "Best PEFT method on the validation split: {}. The table has the test accuracy of each \
             method's best configuration, chosen in the same way.",
            format::list(&best)
        )
    })
}
