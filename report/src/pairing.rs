//! Two results folders side by side: which runs are in both, and what differs between them.

use std::collections::BTreeMap;

use crate::format;
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
        self.pairs.push(Pair { label: a.label.clone(), changes: changes(a, b), runs });
        self.set_apart([alone, rest]);
    }

    fn set_apart(&mut self, runs: [Vec<&'a RunRecord>; 2]) {
        for (alone, runs) in self.alone.iter_mut().zip(runs) {
            alone.extend(runs);
        }
    }
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

    /// Whether the 95 % interval of the gain leaves zero out. One seed shows nothing.
    pub fn is_clear(&self) -> bool {
        let gain = self.gain();
        gain.is_some_and(|gain| gain.half_width().is_some_and(|half| gain.mean.abs() > half))
    }
}

pub(crate) fn accuracy(run: &RunRecord) -> Option<f64> {
    run.scores.as_ref().map(|scores| scores.test_accuracy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    fn names() -> [String; 2] {
        ["a", "b"].map(str::to_owned)
    }

    fn lora(seeds: &[u64]) -> Vec<RunRecord> {
        let mut records = example::suite(seeds);
        records.retain(|record| record.label() == "LoRA rank=8");
        records
    }

    /// Three seeds of one configuration, and the same with these gains.
    fn gained(gains: [f64; 3]) -> (Vec<RunRecord>, Vec<RunRecord>) {
        let a = lora(&[1, 2, 3]);
        let mut b = a.clone();
        for (record, gain) in b.iter_mut().zip(gains) {
            record.scores.as_mut().unwrap().test_accuracy += gain;
        }
        (a, b)
    }

    #[test]
    fn equal_folders_pair_every_run_with_a_gain_of_nothing() {
        let records = example::suite(&[1, 2]);
        let pairing = pair(names(), &records, &records);
        let n_paired: usize = pairing.pairs.iter().map(|pair| pair.runs.len()).sum();
        assert_eq!(n_paired, records.len());
        assert!(pairing.alone.iter().all(Vec::is_empty));
        for pair in &pairing.pairs {
            assert!(pair.runs.iter().all(|(a, b)| a.id == b.id), "{}", pair.label);
            assert!(pair.changes.is_empty() && !pair.is_clear(), "{pair:?}");
            assert_eq!(pair.gain().unwrap().mean, 0.0);
        }
    }

    #[test]
    fn a_gain_is_paired_by_seed_with_the_interval_worked_out_by_hand() {
        let (a, mut b) = gained([0.01, 0.02, 0.03]);
        b.reverse(); // the order in which they are read is none of our business
        let pairing = pair(names(), &a, &b);
        // mean 0.02, s = 0.01, t(2) = 4.303: 4.303 · 0.01 / √3 = 0.024843
        let gain = pairing.pairs[0].gain().unwrap();
        assert!((gain.mean - 0.02).abs() < 1e-12);
        assert!((gain.half_width().unwrap() - 0.024_843).abs() < 1e-6);
        assert!(!pairing.pairs[0].is_clear());
        let (a, b) = gained([0.019, 0.02, 0.021]);
        assert!(pair(names(), &a, &b).pairs[0].is_clear());
    }

    #[test]
    fn one_seed_shows_nothing_however_large_the_gain() {
        let (a, b) = gained([0.3; 3]);
        let pairing = pair(names(), &a[..1], &b[..1]);
        assert_eq!(pairing.pairs[0].gain().unwrap().half_width(), None);
        assert!(!pairing.pairs[0].is_clear());
    }

    #[test]
    fn seeds_and_configurations_of_one_folder_alone_are_set_apart() {
        let (a, b) = (lora(&[1, 2]), lora(&[2, 3]));
        let pairing = pair(names(), &a, &b);
        let seeds: Vec<u64> = pairing.pairs[0].runs.iter().map(|(a, _)| a.seed).collect();
        assert_eq!(seeds, [2]);
        assert_eq!(pairing.alone.map(|runs| runs[0].seed), [1, 3]);
        let suite = example::suite(&[1]);
        let one = lora(&[1]);
        let alone = pair(names(), &one, &suite).alone;
        assert_eq!([alone[0].len(), alone[1].len()], [0, suite.len() - 1]);
    }

    #[test]
    fn what_was_changed_between_the_folders_is_told() {
        let a = lora(&[1]);
        let mut b = a.clone();
        b[0].training["learning_rate"] = 0.5.into();
        b[0].environment.device = "wgpu".to_owned();
        let pairing = pair(names(), &a, &b);
        let changes = pairing.pairs[0].changes.join(", ");
        assert!(changes.contains("device flex → wgpu"), "{changes}");
        assert!(changes.contains("learning_rate ") && changes.contains(" → 0.5"), "{changes}");
    }

    #[test]
    fn of_several_settings_those_that_are_equal_go_together() {
        let a = example::searched();
        let mut b = a.clone();
        b.retain(|record| record.id.ends_with("-0"));
        let pairing = pair(names(), &a, &b);
        assert_eq!(pairing.pairs.len(), 1);
        assert_eq!(pairing.pairs[0].runs[0].0.id, b[0].id);
        assert_eq!(pairing.alone[0].len(), a.len() - 1);
    }

    #[test]
    fn another_task_is_not_compared() {
        let a = lora(&[1]);
        let mut b = a.clone();
        b[0].task.name = "other".to_owned();
        let pairing = pair(names(), &a, &b);
        assert!(pairing.pairs.is_empty());
        assert_eq!(pairing.alone.map(|runs| runs.len()), [1, 1]);
    }
}
