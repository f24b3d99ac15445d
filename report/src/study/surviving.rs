//! Where a pruned budget survives: ranks by layer and role, and the budget over time.

use std::collections::BTreeMap;

use crate::chart::heat::{Cell, Grid, Heat, Row};
use crate::chart::legend::{Entry, Key};
use crate::chart::lines::{Across, Curve, Lines, Panel, Spot, Up};
use crate::chart::palette::Look;
use crate::chart::picture::Owner;
use crate::chart::{self, Chart, MEAN_AND_INTERVAL};
use crate::format;
use crate::record::RunRecord;
use crate::stats::Estimate;
use crate::summary::{Comparison, Configuration, Series};

use super::number;

/// The order in which a block computes its maps.
const ROLES: [&str; 7] = ["query", "key", "value", "output", "gate", "up", "down"];

/// Mean rank by layer and role.
struct Ranks<'c, 'a> {
    series: &'c Series<'a>,
    configuration: &'c Configuration<'a>,
    by_site: BTreeMap<(usize, usize), f64>,
}

impl Ranks<'_, '_> {
    fn layers(&self) -> Vec<usize> {
        super::distinct(self.by_site.keys().map(|(layer, _)| *layer))
    }

    fn roles(&self) -> Vec<usize> {
        super::distinct(self.by_site.keys().map(|(_, role)| *role))
    }

    fn mean(&self, is_in: impl Fn((usize, usize)) -> bool) -> f64 {
        let ranks: Vec<f64> =
            self.by_site.iter().filter(|(site, _)| is_in(**site)).map(|(_, rank)| *rank).collect();
        Estimate::of(&ranks).map_or(0.0, |estimate| estimate.mean)
    }
}

/// A run's ranks by layer and role; sites are written `3.query`.
fn ranks(run: &RunRecord) -> Option<BTreeMap<(usize, usize), f64>> {
    let sites = run.details.get("surviving_rank")?.as_object()?;
    let site = |name: &str| {
        let (layer, role) = name.split_once('.')?;
        Some((layer.parse().ok()?, ROLES.iter().position(|known| *known == role)?))
    };
    let ranks = sites.iter().filter_map(|(name, rank)| Some((site(name)?, rank.as_f64()?)));
    Some(ranks.collect()).filter(|ranks: &BTreeMap<_, _>| ranks.len() > 1)
}

fn all<'c, 'a>(comparison: &'c Comparison<'a>) -> Vec<Ranks<'c, 'a>> {
    let of = |(series, configuration): (&'c Series<'a>, &'c Configuration<'a>)| {
        let runs: Vec<_> = configuration.runs.iter().filter_map(|run| ranks(run)).collect();
        let mut by_site: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        for (site, rank) in runs.into_iter().flatten() {
            by_site.entry(site).or_default().push(rank);
        }
        let mean = |ranks: Vec<f64>| Estimate::of(&ranks).map_or(0.0, |estimate| estimate.mean);
        let by_site: BTreeMap<_, _> = by_site.into_iter().map(|(s, r)| (s, mean(r))).collect();
        (!by_site.is_empty()).then_some(Ranks { series, configuration, by_site })
    };
    comparison.configurations().filter_map(of).collect()
}

pub(crate) fn map(comparison: &Comparison) -> Option<Chart> {
    let all = all(comparison);
    let grids = all.iter().map(|ranks| {
        let highest = ranks.by_site.values().copied().fold(0.0, f64::max).max(1.0);
        let owner = Owner::of(ranks.series, ranks.configuration);
        let rows = ranks.layers().into_iter().rev().map(|layer| Row {
            label: format!("layer {layer}"),
            owner: Some(owner.clone()),
            cells: ranks
                .roles()
                .into_iter()
                .map(|role| match ranks.by_site.get(&(layer, role)) {
                    Some(rank) => Cell {
                        text: format!("{rank:.1}").trim_end_matches(".0").to_owned(),
                        level: rank / highest,
                        tip: format!("layer {layer}, {}: {rank:.2}", ROLES[role]),
                    },
                    None => Cell::none(),
                })
                .collect(),
        });
        Grid {
            title: ranks.configuration.label.clone(),
            columns: ranks.roles().into_iter().map(|role| ROLES[role].to_owned()).collect(),
            rows: rows.collect(),
        }
    });
    let heat = Heat {
        title: "Ranks that survive, by layer and role".to_owned(),
        subtitle: chart::subtitle(comparison, None, "means"),
        key: "Each map has its own scale: the deepest colour is its highest rank.".to_owned(),
        row_name: "Layer",
        grids: grids.collect(),
    };
    if heat.grids.is_empty() {
        return None;
    }
    chart::of_heat("surviving_ranks", "Ranks that survive, by layer and role", &heat)
}

/// The parts alive after each pruning, by step, over the seeds.
fn budget(configuration: &Configuration) -> Vec<Spot> {
    let mut by_step: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for run in &configuration.runs {
        let prunings = run.details.get("prunings").and_then(|value| value.as_array());
        let Some(prunings) = prunings.filter(|prunings| !prunings.is_empty()) else { continue };
        let sites = ranks(run).map_or(0, |ranks| ranks.len()) as f64;
        if let Some(initial) = number(configuration, "initial_rank") {
            by_step.entry(0).or_default().push(initial * sites);
        }
        let mut last = 0.0;
        for pair in prunings {
            let at = |i: usize| pair.get(i).and_then(|value| value.as_f64());
            if let Some((step, alive)) = at(0).zip(at(1)) {
                by_step.entry(step as u64).or_default().push(alive);
                last = alive;
            }
        }
        by_step.entry(run.cost.steps as u64).or_default().push(last);
    }
    let spot = |(step, alive): (u64, Vec<f64>)| Some(Spot::new(step as f64, Estimate::of(&alive)?));
    by_step.into_iter().filter_map(spot).collect()
}

pub(crate) fn over_time(comparison: &Comparison) -> Option<Chart> {
    let (mut curves, mut legend) = (Vec::new(), Vec::new());
    for (i, ranks) in all(comparison).iter().enumerate() {
        let spots = budget(ranks.configuration);
        if spots.len() > 2 {
            let look = Look::method(i);
            let mut curve = Curve::new(&ranks.configuration.label, look, spots);
            curve.is_marked = false;
            curve.owner = Some(Owner::of(ranks.series, ranks.configuration));
            curves.push(curve);
            let (title, detail) = (ranks.series.title.clone(), ranks.configuration.setting.clone());
            legend.push(Entry { key: Key::Line(look), title, detail });
        }
    }
    let lines = Lines {
        title: "The budget over time: ranks alive over all sites".to_owned(),
        subtitle: chart::subtitle(comparison, None, MEAN_AND_INTERVAL),
        key: String::new(),
        x: Across {
            name: "Optimizer steps".to_owned(),
            is_logarithmic: false,
            show: format::short_count,
        },
        y: Up::Count("Ranks alive"),
        panels: vec![Panel { title: String::new(), detail: String::new(), look: None, curves }],
        legend,
    };
    chart::of_lines("budget_over_time", "The budget over time", &lines)
}

/// Where the ranks of the largest budget went.
pub(crate) fn words(comparison: &Comparison) -> Vec<String> {
    let all = all(comparison);
    let Some(ranks) = all.last() else {
        return Vec::new();
    };
    let mut roles: Vec<(f64, &str)> = ranks
        .roles()
        .into_iter()
        .map(|role| (ranks.mean(|(_, other)| other == role), ROLES[role]))
        .collect();
    roles.sort_by(|a, b| b.0.total_cmp(&a.0));
    let layers = ranks.layers();
    let (low, high) = layers.split_at(layers.len() / 2);
    let [low, high] = [low, high].map(|half| ranks.mean(|(layer, _)| half.contains(&layer)));
    let share = high / (low + high).max(f64::MIN_POSITIVE);
    let roles = roles.iter().map(|(mean, role)| format!("{role} {mean:.1}")).collect::<Vec<_>>();
    vec![format!(
        "Mean rank that survives by role in {}: {}. The upper half of the layers keeps {:.0} % of \
         what survives.",
        ranks.configuration.label,
        format::list(&roles),
        share * 100.0
    )]
}
