//! Two results folders side by side: which runs are in both, and what differs between them.

use std::collections::BTreeMap;

use crate::format;
use crate::paired::{Duel, Entrant, block, correct, duels};
use crate::record::RunRecord;
use crate::stats::Estimate;
use crate::summary::{Configuration, compare, leaves};

/// What two folders, A and B, have in common.
#[derive(Clone, Debug)]
pub struct Pairing<'a> {
    /// What the folders are called.
    pub names: [String; 2],
    /// The configurations that are in both, in the order of A.
    pub pairs: Vec<Pair<'a>>,
    /// The runs that are in A alone and those that are in B alone.
    pub alone: [Vec<&'a RunRecord>; 2],
}

/// One configuration in both folders.
#[derive(Clone, Debug)]
pub struct Pair<'a> {
    /// Name for people, e.g. `LoRA rank=8`.
    pub label: String,
    /// The runs of A and B with equal seeds, by seed.
    pub runs: Vec<(&'a RunRecord, &'a RunRecord)>,
    /// The runs row by row, where all of them keep which of the same test rows they had right.
    pub(crate) duel: Option<Duel>,
    /// What differs although method, variant, budget and task are the same, e.g.
    /// `learning_rate 0.001 → 0.002`.
    pub changes: Vec<String>,
}

/// Puts together the runs of `a` and `b` with equal method, variant, budget, task and seed.
///
/// Where a folder has several configurations of that kind, those with equal settings on equal data
/// go together first, then those with equal settings, and at last what is alone on both sides.
pub fn pair<'a>(names: [String; 2], a: &'a [RunRecord], b: &'a [RunRecord]) -> Pairing<'a> {
    let mut pairing = Pairing { names, pairs: vec![], alone: [vec![], vec![]] };
    let mut rest_of_b = configurations(b);
    let mut seen: Vec<Kind> = vec![];
    let all_of_a = configurations(a);
    for configuration in &all_of_a {
        let kind = kind(configuration);
        if seen.contains(&kind) {
            continue;
        }
        let is_alike = |other: &Configuration| self::kind(other) == kind;
        let left = all_of_a.iter().filter(|other| is_alike(other)).cloned().collect();
        let (right, rest) = rest_of_b.into_iter().partition(is_alike);
        rest_of_b = rest;
        seen.push(kind);
        pairing.add(left, right);
    }
    for configuration in rest_of_b {
        pairing.alone[1].extend(configuration.runs);
    }
    pairing.compare_rows();
    pairing
}

/// All configurations, each with the budget and the settings that tell it apart in its label.
fn configurations(records: &[RunRecord]) -> Vec<Configuration<'_>> {
    let comparisons = compare(records);
    let all = comparisons.iter().flat_map(|comparison| comparison.configurations());
    all.map(|(_, configuration)| configuration.clone()).collect()
}

/// What runs must share to be put together, but for the seed.
type Kind = (String, String, String, Option<(String, usize)>);

fn kind(configuration: &Configuration) -> Kind {
    let RunRecord { task, method, .. } = configuration.runs[0];
    let budget = method.budget.as_ref().map(|budget| (budget.name.clone(), budget.value));
    (task.name.clone(), method.name.clone(), method.variant.clone(), budget)
}

impl<'a> Pairing<'a> {
    /// Puts configurations of one kind together.
    fn add(&mut self, mut left: Vec<Configuration<'a>>, mut right: Vec<Configuration<'a>>) {
        for are_like in [same_in_all, same_settings] {
            left.retain(|a| {
                let fits = |b: &Configuration| are_like(a.runs[0], b.runs[0]) && shares_seed(a, b);
                let found = right.iter().position(fits);
                if let Some(found) = found {
                    self.join(a, &right.remove(found));
                }
                found.is_none()
            });
        }
        match (left.as_slice(), right.as_slice()) {
            ([a], [b]) if shares_seed(a, b) => self.join(a, b),
            _ => self.set_apart([left, right].map(|rest| {
                rest.iter().flat_map(|configuration| configuration.runs.clone()).collect()
            })),
        }
    }

    fn join(&mut self, a: &Configuration<'a>, b: &Configuration<'a>) {
        let mut others: BTreeMap<u64, &RunRecord> =
            b.runs.iter().rev().map(|&run| (run.seed, run)).collect();
        let mut runs = vec![];
        let mut alone = vec![];
        for &run in &a.runs {
            match others.remove(&run.seed) {
                Some(other) => runs.push((run, other)),
                None => alone.push(run),
            }
        }
        let is_paired = |run: &&RunRecord| runs.iter().any(|(_, other)| other.id == run.id);
        let rest = b.runs.iter().copied().filter(|run| !is_paired(run)).collect();
        let (label, changes) = (a.label.clone(), changes(a, b));
        self.pairs.push(Pair { label, changes, runs, duel: None });
        self.set_apart([alone, rest]);
    }

    /// Compares B with A on every row, corrected for the comparisons on the same rows.
    fn compare_rows(&mut self) {
        let mut tasks: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, pair) in self.pairs.iter().enumerate().filter(|(_, pair)| pair.has_rows()) {
            tasks.entry(&pair.runs[0].0.task.fingerprint).or_default().push(i);
        }
        for (_, pairs) in tasks {
            let n_rows = self.pairs[pairs[0]].runs[0].0.task.n_test;
            let sides = pairs.iter().flat_map(|&i| {
                let runs = &self.pairs[i].runs;
                [entrant(runs.iter().map(|(_, b)| *b)), entrant(runs.iter().map(|(a, _)| *a))]
            });
            let entrants: Vec<Entrant> = sides.collect();
            let asked: Vec<_> = (0..pairs.len()).map(|i| (2 * i, 2 * i + 1)).collect();
            for (i, duel) in pairs.into_iter().zip(duels(&entrants, n_rows, &asked)) {
                self.pairs[i].duel = duel;
            }
        }
    }

    fn set_apart(&mut self, runs: [Vec<&'a RunRecord>; 2]) {
        for (alone, runs) in self.alone.iter_mut().zip(runs) {
            alone.extend(runs);
        }
    }
}

fn entrant<'a>(runs: impl Iterator<Item = &'a RunRecord>) -> Entrant<'a> {
    runs.filter_map(|run| Some((block(run), correct(run)?))).collect()
}

fn shares_seed(a: &Configuration, b: &Configuration) -> bool {
    a.runs.iter().any(|a| b.runs.iter().any(|b| a.seed == b.seed))
}

fn same_in_all(a: &RunRecord, b: &RunRecord) -> bool {
    let data = |run: &RunRecord| (run.task.fingerprint.clone(), run.backbone.fingerprint.clone());
    same_settings(a, b) && data(a) == data(b)
}

fn same_settings(a: &RunRecord, b: &RunRecord) -> bool {
    a.method.config == b.method.config && a.training == b.training
}

fn changes(a: &Configuration, b: &Configuration) -> Vec<String> {
    let (first, second) = (a.runs[0], b.runs[0]);
    let mut changes = vec![];
    let mut told = |name: &str, a: &str, b: &str| {
        if a != b {
            changes.push(format!("{name} {a} → {b}"));
        }
    };
    told("model", &first.backbone.name, &second.backbone.name);
    let precisions =
        [first, second].map(|run| run.backbone.precision.as_deref().unwrap_or("f32").to_owned());
    told("precision", &precisions[0], &precisions[1]);
    told("pooling", &first.backbone.pooling, &second.backbone.pooling);
    told("device", &first.environment.device, &second.environment.device);
    let tokens = [first, second].map(|run| run.task.max_tokens.to_string());
    told("max_tokens", &tokens[0], &tokens[1]);
    let rows = [first, second].map(|run| format::count(run.task.n_train));
    told("training rows", &rows[0], &rows[1]);
    let (settings, others) = (leaves(a), leaves(b));
    let mut keys: Vec<&String> = settings.keys().chain(others.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let value = |of: &BTreeMap<String, String>| of.get(key).map_or("–", |v| v).to_owned();
        told(key, &value(&settings), &value(&others));
    }
    if rows[0] == rows[1] && first.task.fingerprint != second.task.fingerprint {
        changes.push("other rows".to_owned());
    }
    changes
}

impl Pair<'_> {
    /// A figure in A and in B: means over the seeds that have it in both.
    pub fn means(&self, figure: impl Fn(&RunRecord) -> Option<f64>) -> Option<(f64, f64)> {
        let both = self.runs.iter().filter_map(|(a, b)| Some((figure(a)?, figure(b)?)));
        let (a, b): (Vec<f64>, Vec<f64>) = both.unzip();
        Some((Estimate::of(&a)?.mean, Estimate::of(&b)?.mean))
    }

    /// Test accuracy of B minus that of A, seed by seed.
    pub fn gain(&self) -> Option<Estimate> {
        let gains: Vec<f64> =
            self.runs.iter().filter_map(|(a, b)| Some(accuracy(b)? - accuracy(a)?)).collect();
        Estimate::of(&gains)
    }

    fn has_rows(&self) -> bool {
        self.runs.iter().all(|(a, b)| {
            let same = a.task.fingerprint == b.task.fingerprint && a.task.n_test == b.task.n_test;
            same && correct(a).is_some() && correct(b).is_some()
        })
    }

    /// Whether the gain is more than chance: row by row where the records keep the rows.
    /// Otherwise the 95 % interval over the seeds must leave zero out, and one seed shows nothing.
    pub fn is_clear(&self) -> bool {
        if let Some(duel) = self.duel {
            return duel.is_shown();
        }
        let gain = self.gain();
        gain.is_some_and(|gain| gain.half_width().is_some_and(|half| gain.mean.abs() > half))
    }
}

pub(crate) fn accuracy(run: &RunRecord) -> Option<f64> {
    run.scores.as_ref().map(|scores| scores.test_accuracy)
}

#[cfg(test)]
#[path = "pairing_tests.rs"]
mod tests;
