//! Accuracy against the size knob itself: ranks, or lengths.

use std::collections::BTreeMap;

use crate::chart::legend::{Entry, Key};
use crate::chart::lines::{Across, Curve, Lines, Panel, Spot, Up};
use crate::chart::picture::Owner;
use crate::chart::{self, Chart, MEAN_AND_INTERVAL, looks};
use crate::format;
use crate::paired::{duels, entrant};
use crate::summary::{Comparison, Configuration, Series, best_by_validation};

use super::{alpha, distinct, knob, methods};

/// Values of the knob from which on a curve tells something.
const MIN_VALUES: usize = 4;

fn values(series: &Series, name: &str) -> Vec<usize> {
    let of_name = |c: &Configuration| knob(c).filter(|(n, _)| n == name).map(|(_, value)| value);
    distinct(series.configurations.iter().filter_map(of_name))
}

/// The knobs that some method was tried with at several values.
fn knobs(comparison: &Comparison) -> Vec<String> {
    if alpha::rules(comparison).len() > 1 {
        return Vec::new(); // shown by the rule for α instead
    }
    let all = methods(comparison).flat_map(|series| &series.configurations).filter_map(knob);
    let mut names: Vec<String> = all.map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    names.retain(|name| methods(comparison).any(|s| values(s, name).len() >= MIN_VALUES));
    names
}

pub(crate) fn charts(comparison: &Comparison) -> Vec<Chart> {
    knobs(comparison).iter().filter_map(|name| chart(comparison, name)).collect()
}

fn chart(comparison: &Comparison, name: &str) -> Option<Chart> {
    let (mut curves, mut legend) = (Vec::new(), Vec::new());
    for (series, look) in looks(comparison).filter(|(series, _)| !series.baseline) {
        let values = values(series, name);
        let spots: Vec<Spot> = series
            .curve()
            .into_iter()
            .filter_map(|c| Some(Spot::new(knob(c)?.1 as f64, c.test_accuracy()?)))
            .collect();
        if values.is_empty() || spots.is_empty() {
            continue;
        }
        let key = if spots.len() > 1 { Key::Curve(look) } else { Key::Point(look) };
        legend.push(Entry { key, title: series.title.clone(), detail: String::new() });
        let mut curve = Curve::new(&series.title, look, spots);
        curve.owner = Some(Owner::all_of(series));
        curves.push(curve);
    }
    let (file, title, axis) = match name {
        "rank" => ("accuracy_vs_rank", "Test accuracy against the rank", "Rank"),
        "tokens" => ("accuracy_vs_length", "Test accuracy against the length", "Virtual tokens"),
        _ => ("accuracy_vs_budget", "Test accuracy against the budget", "Budget"),
    };
    let is_pruned = |c: &Configuration| c.counts().stored < c.counts().trainable;
    let axis = match methods(comparison).flat_map(|s| &s.configurations).any(is_pruned) {
        true if name == "rank" => "Rank (the mean of what survives, where it is pruned)",
        _ => axis,
    };
    let lines = Lines {
        title: title.to_owned(),
        subtitle: chart::subtitle(
            comparison,
            Some((comparison.task.n_test, "test row")),
            MEAN_AND_INTERVAL,
        ),
        key: String::new(),
        x: Across { name: axis.to_owned(), is_logarithmic: true, show: |x| format!("{x}") },
        y: Up::Percent("Test accuracy"),
        panels: vec![Panel { title: String::new(), detail: String::new(), look: None, curves }],
        legend,
    };
    chart::of_lines(file, title, &lines)
}

/// For each series that was tried with several values, what they made of it.
pub(crate) fn words(comparison: &Comparison) -> Vec<String> {
    let mut words = Vec::new();
    for name in knobs(comparison) {
        for series in methods(comparison).filter(|s| values(s, &name).len() >= MIN_VALUES) {
            words.extend(size_that_is_enough(comparison, series, &name));
        }
        words.extend(equal_budgets(comparison, &name));
    }
    words
}

fn size_that_is_enough(comparison: &Comparison, series: &Series, name: &str) -> Option<String> {
    let curve = series.curve();
    let best = best_by_validation(curve.iter().copied())?;
    let at = |c: &Configuration| knob(c).map_or(0, |(_, value)| value);
    let percent =
        |c: &Configuration| c.test_accuracy().map(|a| format!("{} %", format::accuracy(&a)));
    let (first, last) = (curve.first()?, curve.last()?);
    let mut said = format!(
        "{}: from {name} {} ({}) to {} ({}) the best on the validation split is {} ({})",
        series.title,
        at(first),
        percent(first)?,
        at(last),
        percent(last)?,
        at(best),
        percent(best)?,
    );
    let smaller: Vec<&&Configuration> = curve.iter().filter(|c| at(c) < at(best)).collect();
    let mut entrants = vec![entrant(best)];
    entrants.extend(smaller.iter().map(|c| entrant(c)));
    let pairs: Vec<_> = (1..entrants.len()).map(|i| (0, i)).collect();
    let duels = duels(&entrants, comparison.task.n_test, &pairs);
    let enough = smaller.iter().zip(&duels).find(|(_, duel)| duel.is_some_and(|d| !d.is_shown()));
    match enough {
        Some((enough, _)) => {
            said += &format!("; {} is the smallest that is not shown to be worse.", at(enough));
        }
        None if duels.iter().any(Option::is_some) => {
            said += "; every smaller one is shown to be worse."
        }
        None => said += ".",
    }
    Some(said)
}

/// Methods that share a knob, at equal values and on the same roles.
fn equal_budgets(comparison: &Comparison, name: &str) -> Option<String> {
    let mut groups: BTreeMap<(usize, String), Vec<&Configuration>> = BTreeMap::new();
    for series in methods(comparison) {
        for configuration in series.curve() {
            let (knob, value) = knob(configuration)?;
            let roles = configuration.runs[0].method.config.get("roles").map(|r| r.to_string());
            // Equal lengths of prompts and prefixes are not equal in size.
            if let Some(roles) = roles.filter(|_| knob == name) {
                groups.entry((value, roles)).or_default().push(configuration);
            }
        }
    }
    let (mut entrants, mut pairs, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for ((value, _), group) in groups {
        if let [a, b] = group[..]
            && a.runs[0].method.name != b.runs[0].method.name
        {
            pairs.push((entrants.len(), entrants.len() + 1));
            entrants.extend([entrant(a), entrant(b)]);
            names.push((value, &a.runs[0].method.title, &b.runs[0].method.title));
        }
    }
    let (_, a, b) = names.first()?;
    let duels = duels(&entrants, comparison.task.n_test, &pairs);
    let told: Vec<String> = names
        .iter()
        .zip(duels)
        .filter_map(|((value, ..), duel)| Some(format!("{value}: {}", duel?.words())))
        .collect();
    (!told.is_empty())
        .then(|| format!("{a} against {b} at an equal final {name} of {}.", told.join("; ")))
}
