//! Where to put the parameters: the same number of them on other maps and other layers.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::chart::palette::Look;
use crate::chart::picture::Owner;
use crate::chart::spread::{Mark, Spread};
use crate::chart::{self, Chart, MEAN_AND_INTERVAL};
use crate::format;
use crate::paired::{duels, entrant};
use crate::summary::{Comparison, Configuration, HEAD_ONLY, Series, best_by_validation};

use super::methods;

/// How far apart equal numbers of parameters may be.
const TOLERANCE: f64 = 1.02;
const MIN_PLACES: usize = 3;

/// One placement.
struct Place<'c, 'a> {
    series: &'c Series<'a>,
    configuration: &'c Configuration<'a>,
    roles: Vec<String>,
    /// `None` for all layers.
    layers: Option<Vec<u64>>,
}

impl Place<'_, '_> {
    fn label(&self, all_roles: &BTreeSet<String>) -> String {
        let roles = match self.roles.len() {
            n if n == all_roles.len() && n > 2 => "every role".to_owned(),
            _ => self.roles.join(" + "),
        };
        match &self.layers {
            None => roles,
            Some(layers) => match (layers.first(), layers.last()) {
                (Some(first), Some(last)) if first < last => format!("layers {first} to {last}"),
                (Some(only), _) => format!("layer {only}"),
                _ => roles,
            },
        }
    }
}

fn strings(value: Option<&Value>) -> Option<Vec<String>> {
    value?.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

/// The largest set of placements of one method with equal numbers of trained parameters.
fn places<'c, 'a>(comparison: &'c Comparison<'a>) -> Option<Vec<Place<'c, 'a>>> {
    let mut all = Vec::new();
    for series in methods(comparison) {
        for configuration in &series.configurations {
            let config = &configuration.runs[0].method.config;
            let Some(roles) = strings(config.get("roles")) else { continue };
            let layers = config.get("layers").and_then(Value::as_array);
            let layers = layers.map(|layers| layers.iter().filter_map(Value::as_u64).collect());
            all.push(Place { series, configuration, roles, layers });
        }
    }
    let size = |place: &Place| place.configuration.counts().trainable as f64;
    let like = |a: &Place, b: &Place| {
        a.series.name == b.series.name && (1.0..=TOLERANCE).contains(&(size(b) / size(a)))
    };
    let most = (0..all.len()).max_by_key(|&i| {
        let group = all.iter().filter(|other| like(&all[i], other));
        (group.map(|p| (&p.roles, &p.layers)).collect::<BTreeSet<_>>().len(), usize::MAX - i)
    })?;
    let is_in: Vec<bool> = all.iter().map(|other| like(&all[most], other)).collect();
    let mut kept: Vec<Place> =
        all.into_iter().zip(is_in).filter(|(_, is_in)| *is_in).map(|(place, _)| place).collect();
    let distinct: BTreeSet<_> = kept.iter().map(|p| (p.roles.clone(), p.layers.clone())).collect();
    kept.sort_by_key(|place| (place.layers.clone(), place.roles.len()));
    (distinct.len() >= MIN_PLACES).then_some(kept)
}

/// Whether the records hold placements to compare.
pub(crate) fn is_asked(comparison: &Comparison) -> bool {
    places(comparison).is_some()
}

fn all_roles(places: &[Place]) -> BTreeSet<String> {
    places.iter().flat_map(|place| place.roles.iter().cloned()).collect()
}

pub(crate) fn chart(comparison: &Comparison) -> Option<Chart> {
    let places = places(comparison)?;
    let all_roles = all_roles(&places);
    let groups = ["Roles, in all layers", "Layers, every role"].into_iter().enumerate();
    let groups = groups.map(|(i, title)| {
        let marks = places.iter().filter(|place| place.layers.is_some() == (i == 1));
        let marks = marks.filter_map(|place| {
            Some(Mark {
                label: place.label(&all_roles),
                owner: Some(Owner::of(place.series, place.configuration)),
                look: Look::method(i),
                accuracy: place.configuration.test_accuracy()?,
            })
        });
        (title.to_owned(), marks.collect::<Vec<Mark>>())
    });
    let head = comparison.baseline(HEAD_ONLY).and_then(|head| head.test_accuracy());
    let first = places[0].configuration;
    let spread = Spread {
        title: format!(
            "Where {} should act, with {} trained numbers each",
            first.runs[0].method.title,
            format::count(first.counts().trainable)
        ),
        subtitle: chart::subtitle(
            comparison,
            Some((comparison.task.n_test, "test row")),
            MEAN_AND_INTERVAL,
        ),
        axis_name: "Test accuracy".to_owned(),
        groups: groups.filter(|(_, marks)| !marks.is_empty()).collect(),
        level: head.map(|accuracy| ("head only".to_owned(), accuracy.mean)),
    };
    chart::of_spread("placements", "Accuracy by role and by layers at an equal budget", &spread)
}

pub(crate) fn words(comparison: &Comparison) -> Vec<String> {
    let Some(places) = places(comparison) else {
        return Vec::new();
    };
    let all_roles = all_roles(&places);
    let Some(best) = best_by_validation(places.iter().map(|place| place.configuration)) else {
        return Vec::new();
    };
    let told = |place: &Place| {
        let accuracy = place.configuration.test_accuracy();
        let accuracy = accuracy.map_or("no result".to_owned(), |a| format::accuracy(&a) + " %");
        format!("{} ({accuracy})", place.label(&all_roles))
    };
    let is_best = |place: &&Place| place.configuration.label == best.label;
    let best_place = places.iter().find(is_best).map(told).unwrap_or_default();
    let mut words = vec![format!(
        "With {} trained numbers each, the best place on the validation split is {best_place}.",
        format::count(best.counts().trainable),
    )];
    // The usual choice, where it was tried.
    let usual = |place: &&Place| place.roles == ["query", "value"] && place.layers.is_none();
    let reference = places.iter().position(|place| usual(&place));
    let reference = reference.or_else(|| places.iter().position(|place| is_best(&place)));
    let Some(reference) = reference else {
        return words;
    };
    let entrants: Vec<_> = places.iter().map(|place| entrant(place.configuration)).collect();
    let pairs: Vec<_> =
        (0..places.len()).filter(|i| *i != reference).map(|i| (i, reference)).collect();
    let (mut shown, mut not_shown) = (Vec::new(), Vec::new());
    for (duel, (i, _)) in duels(&entrants, comparison.task.n_test, &pairs).into_iter().zip(pairs) {
        match duel {
            Some(duel) if duel.is_shown() => {
                shown.push(format!("{} {}", places[i].label(&all_roles), duel.words()));
            }
            Some(_) => not_shown.push(places[i].label(&all_roles)),
            None => {}
        }
    }
    let reference = told(&places[reference]);
    if !shown.is_empty() {
        words.push(format!("Shown to differ from {reference}: {}.", shown.join("; ")));
    }
    if !not_shown.is_empty() {
        let others = format::list(&not_shown);
        words.push(format!("No difference shown between {reference} and {others}."));
    }
    words
}
