//! Runs put together: those that may be compared, those of one curve, those of one configuration.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::record::{BackboneInfo, Counts, RunRecord, Status, TaskInfo};
use crate::stats::Estimate;

/// Registered names of the baselines that methods are compared with.
pub(crate) const HEAD_ONLY: &str = "head";
pub(crate) const FULL: &str = "full";

/// Runs on the same data with the same frozen model: the only ones that may be compared.
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    /// The task of all of them.
    pub task: &'a TaskInfo,
    /// The frozen model of all of them.
    pub backbone: &'a BackboneInfo,
    /// Baselines first, by what they train; then the methods by title.
    pub series: Vec<Series<'a>>,
}

/// One method and variant: one colour, one marker, one curve through its budgets.
#[derive(Clone, Debug)]
pub struct Series<'a> {
    /// Title with variant, e.g. `P-Tuning lstm`.
    pub title: String,
    /// A reference, not a PEFT method.
    pub baseline: bool,
    /// Registered name of the method.
    pub name: &'a str,
    /// By budget, then in the order of their settings.
    pub configurations: Vec<Configuration<'a>>,
}

/// One method configuration and training configuration, run with one seed or several.
#[derive(Clone, Debug)]
pub struct Configuration<'a> {
    /// What tells it apart in its series, e.g. `rank=8`; empty if nothing does.
    pub setting: String,
    /// Title for people, e.g. `LoRA rank=8`.
    pub label: String,
    /// The runs, by seed.
    pub runs: Vec<&'a RunRecord>,
}

/// Groups records; equal records in any order give equal groups.
pub fn compare(records: &[RunRecord]) -> Vec<Comparison<'_>> {
    let mut groups: BTreeMap<_, Vec<&RunRecord>> = BTreeMap::new();
    for record in records {
        groups.entry(comparison_key(record)).or_default().push(record);
    }
    groups.into_values().map(Comparison::of).collect()
}

fn comparison_key(record: &RunRecord) -> impl Ord + '_ {
    let (task, backbone) = (&record.task, &record.backbone);
    (
        (&task.name, &task.fingerprint, task.n_train, task.n_validation, task.n_test),
        (task.max_tokens, &backbone.name, &backbone.fingerprint, &backbone.pooling),
        &backbone.precision,
    )
}

impl<'a> Comparison<'a> {
    fn of(records: Vec<&'a RunRecord>) -> Self {
        let mut groups: BTreeMap<_, Vec<&RunRecord>> = BTreeMap::new();
        for record in &records {
            let method = &record.method;
            let key = (!method.baseline, &method.title, &method.name, &method.variant);
            groups.entry(key).or_default().push(record);
        }
        let mut series: Vec<Series> = groups.into_values().map(Series::of).collect();
        // A stable sort: methods keep the order of their titles.
        series.sort_by_key(|series| {
            series.baseline.then(|| series.size()).map_or((true, (0, 0)), |size| (false, size))
        });
        Self { task: &records[0].task, backbone: &records[0].backbone, series }
    }

    /// All configurations, in table order.
    pub fn configurations(&self) -> impl Iterator<Item = (&Series<'a>, &Configuration<'a>)> {
        self.series.iter().flat_map(|series| series.configurations.iter().map(move |c| (series, c)))
    }

    /// All runs, in table order.
    pub fn runs(&self) -> impl Iterator<Item = &'a RunRecord> {
        self.configurations().flat_map(|(_, configuration)| configuration.runs.iter().copied())
    }

    /// The best configuration of the baseline registered as `name`.
    pub fn baseline(&self, name: &str) -> Option<&Configuration<'a>> {
        self.series.iter().find(|series| series.baseline && series.name == name)?.best()
    }
}

impl<'a> Series<'a> {
    fn of(records: Vec<&'a RunRecord>) -> Self {
        let method = &records[0].method;
        let mut title = method.title.clone();
        if !method.variant.is_empty() {
            title += &format!(" {}", method.variant);
        }
        let mut groups: BTreeMap<_, Vec<&RunRecord>> = BTreeMap::new();
        for record in records {
            let budget = record.method.budget.as_ref().map(|budget| (budget.value, &budget.name));
            let key = (budget, record.method.config.to_string(), record.training.to_string());
            groups.entry(key).or_default().push(record);
        }
        let mut configurations: Vec<_> = groups
            .into_values()
            .map(|mut runs| {
                runs.sort_by(|a, b| (a.seed, &a.id).cmp(&(b.seed, &b.id)));
                let budget = runs[0].method.budget.as_ref();
                let setting = budget.map(|b| format!("{}={}", b.name, b.value)).unwrap_or_default();
                Configuration { setting, label: String::new(), runs }
            })
            .collect();
        tell_apart(&mut configurations);
        for configuration in &mut configurations {
            configuration.label =
                format!("{title} {}", configuration.setting).trim_end().to_owned();
        }
        Self { title, baseline: method.baseline, name: &method.name, configurations }
    }

    /// The best configuration on the validation split, which is what a choice may rest on.
    pub fn best(&self) -> Option<&Configuration<'a>> {
        best_by_validation(self.configurations.iter())
    }

    /// For each budget its best configuration on the validation split: the points of the curve.
    pub fn curve(&self) -> Vec<&Configuration<'a>> {
        self.configurations
            .chunk_by(|a, b| a.runs[0].method.budget == b.runs[0].method.budget)
            .filter_map(|equal_budget| best_by_validation(equal_budget.iter()))
            .collect()
    }

    fn size(&self) -> (usize, usize) {
        let sizes = self.configurations.iter().map(|c| (c.counts().trainable, c.counts().head));
        sizes.max().unwrap_or_default()
    }
}

/// The configuration with the highest mean validation accuracy; the smaller one of equals.
pub(crate) fn best_by_validation<'r, 'a: 'r>(
    configurations: impl Iterator<Item = &'r Configuration<'a>>,
) -> Option<&'r Configuration<'a>> {
    configurations
        .filter_map(|configuration| {
            Some((configuration.validation_accuracy()?.mean, configuration))
        })
        .min_by(|(a, first), (b, second)| {
            b.total_cmp(a).then(first.counts().trainable.cmp(&second.counts().trainable))
        })
        .map(|(_, configuration)| configuration)
}

impl Configuration<'_> {
    /// Test accuracy over the seeds; `None` when no run got as far as an evaluation.
    pub fn test_accuracy(&self) -> Option<Estimate> {
        self.estimate(|run| run.scores.as_ref().map(|scores| scores.test_accuracy))
    }

    /// Validation accuracy over the seeds.
    pub fn validation_accuracy(&self) -> Option<Estimate> {
        self.estimate(|run| run.scores.as_ref().map(|scores| scores.validation_accuracy))
    }

    /// Any figure over the seeds, those runs left out that do not have it.
    pub fn estimate(&self, figure: impl Fn(&RunRecord) -> Option<f64>) -> Option<Estimate> {
        let values: Vec<f64> = self.runs.iter().filter_map(|run| figure(run)).collect();
        Estimate::of(&values)
    }

    /// Parameter counts. Where seeds differ (a method that prunes), the largest of each.
    pub fn counts(&self) -> Counts {
        let first = self.runs[0].counts;
        self.runs.iter().map(|run| run.counts).fold(first, |a, b| Counts {
            trainable: a.trainable.max(b.trainable),
            stored: a.stored.max(b.stored),
            active: a.active.max(b.active),
            head: a.head.max(b.head),
            bytes_on_disk: a.bytes_on_disk.max(b.bytes_on_disk),
        })
    }

    /// How many runs diverged.
    pub fn n_diverged(&self) -> usize {
        self.runs.iter().filter(|run| matches!(run.status, Status::Diverged { .. })).count()
    }
}

/// Adds to the settings what differs between configurations of equal budget.
fn tell_apart(configurations: &mut [Configuration]) {
    let same_budget = |a: &Configuration, b: &Configuration| a.setting == b.setting;
    for group in configurations.chunk_by_mut(same_budget).filter(|group| group.len() > 1) {
        let settings: Vec<_> = group.iter().map(|configuration| leaves(configuration)).collect();
        for (configuration, own) in group.iter_mut().zip(&settings) {
            for (key, value) in own {
                let is_shared = settings.iter().all(|other| other.get(key) == Some(value));
                if !is_shared {
                    configuration.setting += &format!(" {key}={value}");
                }
            }
            configuration.setting = configuration.setting.trim_start().to_owned();
        }
    }
}

/// Every single value of the method's and the training configuration under its dotted path.
pub(crate) fn leaves(configuration: &Configuration) -> BTreeMap<String, String> {
    let run = configuration.runs[0];
    let mut leaves = BTreeMap::new();
    collect_leaves(&run.training, "", &mut leaves);
    collect_leaves(&run.method.config, "", &mut leaves);
    leaves
}

fn collect_leaves(value: &Value, path: &str, leaves: &mut BTreeMap<String, String>) {
    let below = |key: &str| {
        if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
    };
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| collect_leaves(value, &below(key), leaves));
        }
        Value::String(text) => drop(leaves.insert(path.to_owned(), text.clone())),
        other => drop(leaves.insert(path.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
