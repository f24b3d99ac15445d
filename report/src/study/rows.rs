//! Accuracy against the number of training rows: who wins when data is scarce.

use crate::chart::legend::{Entry, Key};
use crate::chart::lines::{Across, Curve, Lines, Panel, Spot, Up};
use crate::chart::palette::{Look, MUTED};
use crate::chart::picture::Owner;
use crate::chart::{self, Chart, MEAN_AND_INTERVAL};
use crate::format;
use crate::summary::{Comparison, FULL, HEAD_ONLY, Series};

use super::winners::{Winners, winners};
use super::{Study, methods};

/// Dashes and grey tell the baselines apart, which share a marker.
const DASHES: [(f64, f64); 2] = [(16.0, 9.0), (4.0, 8.0)];

fn find<'c, 'a>(comparison: &'c Comparison<'a>, title: &str) -> Option<&'c Series<'a>> {
    comparison.series.iter().find(|series| series.title == title)
}

/// Titles of all series, baselines last, in the order of the largest comparison first.
fn titles(study: &Study) -> Vec<(String, bool)> {
    let mut titles: Vec<(String, bool)> = Vec::new();
    for series in study.comparisons.iter().rev().flat_map(|comparison| &comparison.series) {
        if titles.iter().all(|(title, _)| *title != series.title) {
            titles.push((series.title.clone(), series.baseline));
        }
    }
    titles.sort_by_key(|(_, is_baseline)| *is_baseline);
    titles
}

/// Whether several methods were trained on several numbers of rows.
fn is_asked(study: &Study) -> bool {
    let several = |title: &str| {
        let n = study.comparisons.iter().filter(|c| find(c, title).is_some()).count();
        n > 1
    };
    let methods = titles(study).into_iter().filter(|(title, baseline)| !baseline && several(title));
    methods.count() > 1
}

pub(crate) fn chart(study: &Study) -> Option<Chart> {
    if !is_asked(study) {
        return None;
    }
    let (mut curves, mut legend) = (Vec::new(), Vec::new());
    let (mut n_methods, mut n_baselines) = (0, 0);
    for (title, is_baseline) in titles(study) {
        let mut owner = None;
        let spots: Vec<Spot> = study
            .comparisons
            .iter()
            .filter_map(|comparison| {
                let series = find(comparison, &title)?;
                owner = Some(Owner::all_of(series));
                let accuracy = series.best()?.test_accuracy()?;
                Some(Spot::new(comparison.task.n_train as f64, accuracy))
            })
            .collect();
        let mut look = Look::baseline();
        let mut dashes = None;
        if is_baseline {
            // The last one, which trains the most, stays solid and dark.
            dashes = DASHES.get(n_baselines).copied();
            n_baselines += 1;
        } else {
            look = Look::method(n_methods);
            n_methods += 1;
        }
        if dashes.is_some() {
            look.ink = MUTED;
        }
        let key = dashes.map_or(Key::Curve(look), Key::Reference);
        legend.push(Entry { key, title: title.clone(), detail: String::new() });
        curves.push(Curve { owner, dashes, ..Curve::new(&title, look, spots) });
    }
    let lines = Lines {
        title: "Who wins when data is scarce: test accuracy against training rows".to_owned(),
        subtitle: chart::subtitle(
            study.largest(),
            Some((study.task().n_test, "test row")),
            MEAN_AND_INTERVAL,
        ),
        key: "Of each method the configuration that is best on the validation split.".to_owned(),
        x: Across {
            name: "Training rows".to_owned(),
            is_logarithmic: true,
            show: format::short_count,
        },
        y: Up::Percent("Test accuracy"),
        panels: vec![Panel { title: String::new(), detail: String::new(), look: None, curves }],
        legend,
    };
    chart::of_lines("accuracy_vs_rows", "Test accuracy against the number of training rows", &lines)
}

pub(crate) fn words(study: &Study) -> Vec<String> {
    if !is_asked(study) {
        return Vec::new();
    }
    let mut best = Vec::new();
    for comparison in &study.comparisons {
        let all = methods(comparison).flat_map(|series| &series.configurations);
        if let Some(configuration) = crate::summary::best_by_validation(all)
            && let Some(accuracy) = configuration.test_accuracy()
        {
            best.push(format!(
                "{} ({} %) with {}",
                configuration.label,
                format::accuracy(&accuracy),
                format::plural(comparison.task.n_train, "row"),
            ));
        }
    }
    let best = format!("The best PEFT method on the validation split is {}.", format::list(&best));
    let with_winners = study.comparisons.iter().filter_map(|c| Some((c, winners(c)?)));
    let compared: Vec<_> = with_winners.collect();
    let against = [
        shown(&compared, HEAD_ONLY, "better than the head alone", |gain| gain > 0.0),
        shown(&compared, FULL, "worse than full fine-tuning", |gain| gain < 0.0),
    ];
    std::iter::once(best).chain(against.into_iter().flatten()).collect()
}

/// Which methods are shown to differ from a baseline in one direction, by the number of rows.
fn shown(
    compared: &[(&Comparison, Winners)],
    baseline: &str,
    what: &str,
    is_it: fn(f64) -> bool,
) -> Option<String> {
    let said: Vec<String> = compared
        .iter()
        .filter_map(|(comparison, winners)| {
            let against = &comparison.baseline(baseline)?.label;
            let is_shown = |label: &str| {
                let duel = winners.duel(label, against);
                duel.is_some_and(|duel| duel.is_shown() && is_it(duel.gain))
            };
            let entrants = winners.entrants.iter().filter(|(series, _)| !series.baseline);
            let titles: Vec<&str> = entrants
                .filter(|(_, configuration)| is_shown(&configuration.label))
                .map(|(series, _)| series.title.as_str())
                .collect();
            let titles = if titles.is_empty() { "none".into() } else { format::list(&titles) };
            Some(format!("{titles} with {}", format::plural(comparison.task.n_train, "row")))
        })
        .collect();
    (!said.is_empty()).then(|| format!("Shown to be {what}: {}.", said.join("; ")))
}
