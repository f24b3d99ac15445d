//! The strength of a low-rank branch against its rank: does α = 2r help, does more data want more
//! rank?

use std::collections::BTreeMap;

use crate::chart::legend::{Entry, Key};
use crate::chart::lines::{Across, Curve, Lines, Panel, Spot, Up};
use crate::chart::palette::Look;
use crate::chart::{self, Chart, MEAN_AND_INTERVAL};
use crate::format;
use crate::paired::{Duel, Entrant, correct, duels};
use crate::summary::{Comparison, Configuration, Series, best_by_validation};

use super::{Study, methods, number};

/// How α follows the rank.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) enum Rule {
    /// α = ratio · r
    Ratio(f64),
    /// α is the same for every rank.
    Fixed(f64),
}

impl Rule {
    fn name(self) -> String {
        match self {
            Self::Ratio(1.0) => "α = r".to_owned(),
            Self::Ratio(ratio) => format!("α = {ratio}r"),
            Self::Fixed(alpha) => format!("α = {alpha}"),
        }
    }
}

/// Ranks that a rule must cover to be one.
const MIN_RANKS: usize = 3;

fn rank(configuration: &Configuration) -> Option<usize> {
    Some(number(configuration, "rank")? as usize)
}

/// Each rule with its configurations by rank. One configuration may follow several rules.
type Rules<'c, 'a> = Vec<(Rule, BTreeMap<usize, &'c Configuration<'a>>)>;

/// The rules that the records hold: those of the series with the most of them.
pub(crate) fn rules<'c, 'a>(comparison: &'c Comparison<'a>) -> Rules<'c, 'a> {
    methods(comparison).map(rules_of).max_by_key(Vec::len).unwrap_or_default()
}

fn rules_of<'c, 'a>(series: &'c Series<'a>) -> Rules<'c, 'a> {
    let mut rules: Rules = Vec::new();
    for configuration in &series.configurations {
        let Some((rank, alpha)) = rank(configuration).zip(number(configuration, "alpha")) else {
            continue;
        };
        for rule in [Rule::Ratio(alpha / rank.max(1) as f64), Rule::Fixed(alpha)] {
            match rules.iter_mut().find(|(known, _)| *known == rule) {
                Some((_, by_rank)) => drop(by_rank.insert(rank, configuration)),
                None => rules.push((rule, BTreeMap::from([(rank, configuration)]))),
            }
        }
    }
    rules.retain(|(_, by_rank)| by_rank.len() >= MIN_RANKS);
    rules.sort_by(|(a, _), (b, _)| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    rules
}

fn has_rules(comparison: &&Comparison) -> bool {
    rules(comparison).len() > 1
}

pub(crate) fn chart(study: &Study) -> Option<Chart> {
    let mut legend: Vec<Entry> = Vec::new();
    let mut panels = Vec::new();
    for comparison in study.comparisons.iter().filter(has_rules) {
        let mut curves = Vec::new();
        for (rule, by_rank) in rules(comparison) {
            let title = rule.name();
            let place = legend.iter().position(|entry| entry.title == title);
            let look = Look::method(place.unwrap_or(legend.len()));
            if place.is_none() {
                let (key, title) = (Key::Curve(look), title.clone());
                legend.push(Entry { key, title, detail: String::new() });
            }
            let spots = by_rank
                .into_iter()
                .filter_map(|(rank, c)| Some(Spot::new(rank as f64, c.test_accuracy()?)));
            curves.push(Curve::new(&title, look, spots.collect()));
        }
        let title = format::plural(comparison.task.n_train, "training row");
        panels.push(Panel { title, detail: String::new(), look: None, curves });
    }
    let largest = study.comparisons.iter().rfind(has_rules)?;
    let lines = Lines {
        title: "Rank and α: test accuracy against the rank".to_owned(),
        subtitle: chart::subtitle(
            largest,
            Some((largest.task.n_test, "test row")),
            MEAN_AND_INTERVAL,
        ),
        key: key(&panels).to_owned(),
        x: Across { name: "Rank".to_owned(), is_logarithmic: true, show: |x| format!("{x}") },
        y: Up::Percent("Test accuracy"),
        panels,
        legend,
    };
    chart::of_lines("alpha_rules", "Accuracy against rank, by the rule for α", &lines)
}

/// The t of an interval is 12.7 for two seeds, and 4.3 or less for more.
fn key(panels: &[Panel]) -> &'static str {
    let mut spots = panels.iter().flat_map(|panel| &panel.curves).flat_map(|curve| &curve.spots);
    match spots.any(|spot| spot.y.is_some_and(|y| y.n == 2)) {
        true => "Intervals of two seeds are wide and may leave the frame.",
        false => "",
    }
}

pub(crate) fn words(study: &Study) -> Vec<String> {
    let comparisons: Vec<_> = study.comparisons.iter().filter(has_rules).collect();
    if comparisons.is_empty() {
        return Vec::new();
    }
    let mut words = against_the_others(&comparisons);
    words.extend(wanted_rank(&comparisons));
    words.extend(enough_rank(&comparisons));
    words
}

/// The runs of a rule, each block a rank and a seed.
fn blocks<'a>(by_rank: &BTreeMap<usize, &Configuration<'a>>) -> Entrant<'a> {
    by_rank
        .iter()
        .flat_map(|(rank, c)| c.runs.iter().copied().map(move |run| (*rank, run)))
        .filter_map(|(rank, run)| Some((format!("{rank} {}", run.seed), correct(run)?)))
        .collect()
}

/// α = 2r, the common advice, against each other rule.
fn against_the_others(comparisons: &[&Comparison]) -> Vec<String> {
    let advised = Rule::Ratio(2.0);
    let mut told: BTreeMap<String, Vec<(String, Duel)>> = BTreeMap::new();
    for comparison in comparisons {
        let rules = rules(comparison);
        let Some(own) = rules.iter().position(|(rule, _)| *rule == advised) else {
            return Vec::new();
        };
        let entrants: Vec<Entrant> = rules.iter().map(|(_, by_rank)| blocks(by_rank)).collect();
        let others: Vec<usize> = (0..rules.len()).filter(|i| *i != own).collect();
        let pairs: Vec<_> = others.iter().map(|&other| (own, other)).collect();
        for (other, duel) in
            others.into_iter().zip(duels(&entrants, comparison.task.n_test, &pairs))
        {
            let at = format::plural(comparison.task.n_train, "row");
            told.entry(rules[other].0.name()).or_default().extend(duel.map(|duel| (at, duel)));
        }
    }
    told.into_iter()
        .filter(|(_, told)| !told.is_empty())
        .map(|(other, told)| {
            let n_helped = told.iter().filter(|(_, d)| d.is_shown() && d.gain > 0.0).count();
            let n_hurt = told.iter().filter(|(_, d)| d.is_shown() && d.gain < 0.0).count();
            let verdict = match (n_helped, n_hurt) {
                (0, 0) => "was not shown to help or to hurt",
                (_, 0) => "helped",
                (0, _) => "hurt",
                _ => "helped with some numbers of rows and hurt with others",
            };
            let told: Vec<String> =
                told.into_iter().map(|(at, duel)| format!("with {at} {}", duel.words())).collect();
            format!(
                "α = 2r, as often advised, {verdict} against {other} at this learning rate, over \
                 ranks, seeds and test rows: {}.",
                told.join("; ")
            )
        })
        .collect()
}

/// The best rank on the validation split by the number of rows.
fn wanted_rank(comparisons: &[&Comparison]) -> Option<String> {
    let wanted: Vec<(usize, usize)> = comparisons
        .iter()
        .filter_map(|comparison| {
            let rules = rules(comparison);
            let all = rules.iter().flat_map(|(_, by_rank)| by_rank.values().copied());
            Some((comparison.task.n_train, rank(best_by_validation(all)?)?))
        })
        .collect();
    let ([(_, first), .., (_, last)], told) = (wanted.as_slice(), list(&wanted, "rank ")) else {
        return None;
    };
    let grows = wanted.windows(2).all(|pair| pair[0].1 <= pair[1].1) && first < last;
    let verdict = match grows {
        true => "more data went with more rank",
        false => "more data did not consistently want more rank",
    };
    Some(format!("The best on the validation split is {told}: {verdict}."))
}

/// The smallest rank that is not shown to be worse than the best rank on the validation split.
fn enough_rank(comparisons: &[&Comparison]) -> Option<String> {
    let mut enough = Vec::new();
    for comparison in comparisons {
        let rules = rules(comparison);
        let mut by_rank: BTreeMap<usize, Vec<(String, &Configuration)>> = BTreeMap::new();
        for (rule, configurations) in &rules {
            for (rank, c) in configurations {
                by_rank.entry(*rank).or_default().push((rule.name(), c));
            }
        }
        let all = by_rank.values().flatten().map(|(_, c)| *c);
        let best = rank(best_by_validation(all)?)?;
        let ranks: Vec<usize> = by_rank.keys().copied().filter(|rank| *rank <= best).collect();
        let entrants: Vec<Entrant> = ranks
            .iter()
            .map(|rank| {
                let configurations = by_rank[rank].iter();
                let runs = configurations
                    .flat_map(|(rule, c)| c.runs.iter().copied().map(move |run| (rule, run)));
                runs.filter_map(|(rule, run)| Some((format!("{rule} {}", run.seed), correct(run)?)))
                    .collect()
            })
            .collect();
        let last = ranks.len() - 1;
        let pairs: Vec<_> = (0..last).map(|i| (last, i)).collect();
        let duels = duels(&entrants, comparison.task.n_test, &pairs);
        if last > 0 && duels.iter().all(Option::is_none) {
            return None;
        }
        let smallest = ranks
            .iter()
            .zip(&duels)
            .find(|(_, duel)| duel.is_some_and(|duel| !(duel.is_shown() && duel.gain > 0.0)))
            .map_or(best, |(rank, _)| *rank);
        enough.push((comparison.task.n_train, smallest));
    }
    let told = list(&enough, "rank ");
    Some(format!("The smallest that is not shown to be worse than it is {told}."))
}

/// `rank 4 with 250 rows, rank 8 with 1,000 rows`.
fn list(pairs: &[(usize, usize)], before: &str) -> String {
    let one = |&(rows, value): &(usize, usize)| {
        format!("{before}{value} with {}", format::plural(rows, "row"))
    };
    format::list(&pairs.iter().map(one).collect::<Vec<_>>())
}
