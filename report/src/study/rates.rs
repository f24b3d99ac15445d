//! How touchy a method is: validation accuracy of the trials against the learning rate.

use std::collections::BTreeMap;

use crate::chart::legend::Entry;
use crate::chart::lines::{Across, Curve, Lines, Panel, Spot, Up};
use crate::chart::picture::Owner;
use crate::chart::{self, Chart, looks};
use crate::format;
use crate::record::{Search, Status, Trial};
use crate::stats::Estimate;
use crate::summary::{Comparison, Configuration, Series};

/// The search of a configuration, which its seeds share.
fn search<'a>(configuration: &Configuration<'a>) -> Option<&'a Search> {
    configuration.runs.iter().find_map(|run| run.search.as_ref())
}

fn accuracy(trial: &Trial) -> Option<f64> {
    match trial.status {
        Status::Diverged { .. } => None,
        _ => trial.best.map(|best| best.accuracy),
    }
}

fn searched<'c, 'a>(
    comparison: &'c Comparison<'a>,
) -> impl Iterator<Item = (&'c Series<'a>, &'c Configuration<'a>, &'a Search)> {
    comparison.configurations().filter_map(|(series, c)| Some((series, c, search(c)?)))
}

pub(crate) fn chart(comparison: &Comparison) -> Option<Chart> {
    let mut panels = Vec::new();
    for (series, look) in looks(comparison) {
        let best = series.best().map(|best| best.label.as_str());
        let mut curves: Vec<Curve> = series
            .configurations
            .iter()
            .filter_map(|configuration| {
                let spots = search(configuration)?.trials.iter().map(|trial| Spot {
                    x: trial.learning_rate,
                    y: accuracy(trial).and_then(|accuracy| Estimate::of(&[accuracy])),
                    is_chosen: search(configuration).is_some_and(|s| {
                        s.chosen == trial.learning_rate && accuracy(trial).is_some()
                    }),
                });
                let mut curve = Curve::new(&configuration.label, look, spots.collect());
                curve.is_faint = best != Some(&configuration.label);
                curve.owner = Some(Owner::of(series, configuration));
                Some(curve)
            })
            .collect();
        // What is strong comes last, over what is faint.
        curves.sort_by_key(|curve| !curve.is_faint);
        if !curves.is_empty() {
            let detail = series.best().map_or("no result", |best| best.setting.as_str());
            let (title, detail) = (series.title.clone(), detail.to_owned());
            panels.push(Panel { title, detail, look: Some(look), curves });
        }
    }
    let (_, _, search) = searched(comparison).next()?;
    let lines = Lines {
        title: "How touchy: validation accuracy against the learning rate".to_owned(),
        subtitle: format!(
            "{} with {}, {}, trials of one seed each",
            comparison.task.name,
            comparison.backbone.title(),
            format::plural(comparison.task.n_validation, "validation row"),
        ),
        key: "Ring: the rate that was chosen. × at the bottom: diverged. Strong: the best budget \
              on the validation split; faint: the others."
            .to_owned(),
        x: Across {
            name: format!(
                "Learning rate ({} a configuration)",
                format::plural(search.trials.len(), "trial")
            ),
            is_logarithmic: true,
            show: format::rate,
        },
        y: Up::Percent("Validation accuracy"),
        panels,
        legend: Vec::<Entry>::new(),
    };
    chart::of_lines("learning_rates", "Validation accuracy against the learning rate", &lines)
}

/// The search in words.
pub(crate) fn words(comparison: &Comparison) -> Vec<String> {
    let mut ranges: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let (mut at_edge, mut n_diverged, mut n_trials) = (Vec::new(), 0, 0);
    for (series, configuration, search) in searched(comparison) {
        let accuracies: Vec<f64> = search.trials.iter().filter_map(accuracy).collect();
        n_trials += search.trials.len();
        n_diverged += search.trials.len() - accuracies.len();
        let high = accuracies.iter().copied().reduce(f64::max);
        let low = accuracies.iter().copied().reduce(f64::min);
        if let Some(range) = high.zip(low).map(|(high, low)| high - low) {
            ranges.entry(&series.title).or_default().push(range);
        }
        if search.edge {
            at_edge.push(configuration.label.as_str());
        }
    }
    if n_trials == 0 {
        return Vec::new();
    }
    let mut ranges: Vec<(f64, &str)> = ranges
        .into_iter()
        .filter_map(|(title, ranges)| Some((Estimate::of(&ranges)?.mean, title)))
        .collect();
    ranges.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let mut words = Vec::new();
    if let [(most, touchy), .., (least, calm)] = ranges[..] {
        words.push(format!(
            "The learning rate matters most for {touchy}: from its worst rate to its best, \
             validation accuracy differs by {} points, for {calm} by {}.",
            format::percent(most),
            format::percent(least),
        ));
    }
    let diverged = match n_diverged {
        0 => "none diverged".to_owned(),
        n => format!("{} diverged", format::count(n)),
    };
    let edge = match at_edge.len() {
        0 => "No choice lies at the edge of its grid".to_owned(),
        n if n > 6 => format!(
            "{} choices lie at the edge of their grid, so that a better rate may lie beyond it",
            format::count(n)
        ),
        _ => format!(
            "At the edge of the grid, so that a better rate may lie beyond it: {}",
            format::list(&at_edge)
        ),
    };
    words.push(format!("Of {}, {diverged}. {edge}.", format::plural(n_trials, "trial")));
    words
}
