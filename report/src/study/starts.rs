//! Variants at one equal budget: how a prompt starts, what makes it, and how fast each converges.

use std::collections::BTreeMap;

use crate::chart::legend::{Entry, Key};
use crate::chart::lines::{Across, Curve, Lines, Panel, Spot, Up};
use crate::chart::picture::Owner;
use crate::chart::{self, Chart, MEAN_AND_INTERVAL, looks};
use crate::format;
use crate::paired::{duels, entrant};
use crate::stats::Estimate;
use crate::summary::{Comparison, Configuration, Series, best_by_validation};

use super::{knob, methods, placement};

/// A point of accuracy: how close to its best counts as having arrived.
const CLOSE: f64 = 0.01;

/// Series, each with one of its configurations.
type Group<'c, 'a> = Vec<(&'c Series<'a>, &'c Configuration<'a>)>;

/// The budget that most series share, if three do, with the best configuration of each.
fn shared<'c, 'a>(comparison: &'c Comparison<'a>) -> Option<((String, usize), Group<'c, 'a>)> {
    if placement::is_asked(comparison) {
        return None; // variants there are places, which have their own chart
    }
    let mut groups: BTreeMap<(String, usize), Group> = BTreeMap::new();
    for series in methods(comparison) {
        for configuration in series.curve() {
            if let Some(knob) = knob(configuration) {
                groups.entry(knob).or_default().push((series, configuration));
            }
        }
    }
    let most = groups.into_iter().max_by_key(|(_, group)| group.len())?;
    (most.1.len() >= 3).then_some(most)
}

/// Mean validation accuracy after the steps at which all seeds were looked at.
fn course(configuration: &Configuration) -> Vec<(usize, Estimate)> {
    let mut looks: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for point in configuration.runs.iter().flat_map(|run| &run.curve) {
        looks.entry(point.step).or_default().push(point.validation_accuracy);
    }
    let n = configuration.runs.len();
    let all = looks.into_iter().filter(|(_, values)| values.len() == n);
    all.filter_map(|(step, values)| Some((step, Estimate::of(&values)?))).collect()
}

pub(crate) fn chart(comparison: &Comparison) -> Option<Chart> {
    let ((name, value), group) = shared(comparison)?;
    let (mut curves, mut legend) = (Vec::new(), Vec::new());
    for (series, look) in looks(comparison) {
        let Some((_, configuration)) = group.iter().find(|(s, _)| s.title == series.title) else {
            continue;
        };
        let course = course(configuration);
        if course.len() < 4 {
            continue;
        }
        let spots = course.into_iter().map(|(step, y)| Spot::new(step as f64, y)).collect();
        let mut curve = Curve::new(&series.title, look, spots);
        curve.owner = Some(Owner::of(series, configuration));
        curves.push(curve);
        let title = series.title.clone();
        legend.push(Entry { key: Key::Curve(look), title, detail: String::new() });
    }
    if curves.len() < 3 {
        return None;
    }
    let lines = Lines {
        title: format!("Convergence at an equal budget, {name} = {value}"),
        subtitle: chart::subtitle(
            comparison,
            Some((comparison.task.n_validation, "validation row")),
            MEAN_AND_INTERVAL,
        ),
        key: String::new(),
        x: Across {
            name: "Optimizer steps".to_owned(),
            is_logarithmic: false,
            show: format::short_count,
        },
        y: Up::Percent("Validation accuracy"),
        panels: vec![Panel { title: String::new(), detail: String::new(), look: None, curves }],
        legend,
    };
    chart::of_lines("convergence", "Speed of convergence at an equal budget", &lines)
}

pub(crate) fn words(comparison: &Comparison) -> Vec<String> {
    let Some(((name, value), group)) = shared(comparison) else {
        return Vec::new();
    };
    let at = format!("{name} = {value}");
    variants(comparison, &at, &group).into_iter().chain(speed(&at, &group)).collect()
}

/// The variants of one method against the plain one.
fn variants(comparison: &Comparison, at: &str, group: &[(&Series, &Configuration)]) -> Vec<String> {
    let plain = |c: &Configuration| c.runs[0].method.variant.is_empty();
    let mut words = Vec::new();
    for (series, reference) in group.iter().filter(|(_, c)| plain(c)) {
        let others: Vec<_> =
            group.iter().filter(|(other, c)| other.name == series.name && !plain(c)).collect();
        let mut entrants = vec![entrant(reference)];
        entrants.extend(others.iter().map(|(_, c)| entrant(c)));
        let pairs: Vec<_> = (1..entrants.len()).map(|i| (i, 0)).collect();
        let duels = duels(&entrants, comparison.task.n_test, &pairs);
        let told: Vec<String> = others
            .iter()
            .zip(duels)
            .filter_map(|((_, other), duel)| {
                let (duel, variant) = (duel?, &other.runs[0].method.variant);
                let verdict = match duel.is_shown() {
                    true if duel.gain > 0.0 => ", better",
                    true => ", worse",
                    false => "",
                };
                Some(format!("{variant} {}{verdict}", duel.words()))
            })
            .collect();
        if !told.is_empty() {
            let what = match reference.runs[0].method.config.get("init").and_then(|i| i.as_str()) {
                Some(init) => format!("started from its default ({})", init.replace('_', " ")),
                None => "in its plain form".to_owned(),
            };
            words.push(format!("At {at}, against {} {what}: {}.", series.title, told.join("; ")));
        }
    }
    words
}

fn speed(at: &str, group: &[(&Series, &Configuration)]) -> Option<String> {
    let mut arrivals: Vec<(usize, &str)> = Vec::new();
    for (series, configuration) in group {
        let course = course(configuration);
        let best = course.iter().map(|(_, y)| y.mean).reduce(f64::max)?;
        let arrived = course.iter().find(|(_, y)| y.mean >= best - CLOSE)?;
        if course.len() >= 4 {
            arrivals.push((arrived.0, &series.title));
        }
    }
    arrivals.sort();
    let told: Vec<String> =
        arrivals.iter().map(|(step, title)| format!("{title} {}", format::count(*step))).collect();
    let fastest = best_by_validation(group.iter().map(|(_, configuration)| *configuration))?;
    (told.len() >= 3).then(|| {
        format!(
            "Steps until the validation accuracy is within one point of its own best, at {at}: {}. \
             The highest there is that of {}.",
            format::list(&told),
            fastest.label
        )
    })
}
