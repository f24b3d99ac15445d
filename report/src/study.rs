//! What was varied on purpose, found in the records: one file a question.
//!
//! No suite is known here by name. A question is asked where the records can answer it.

pub(crate) mod alpha;
pub(crate) mod budgets;
pub(crate) mod placement;
pub(crate) mod rates;
pub(crate) mod rows;
pub(crate) mod starts;
pub(crate) mod surviving;
pub(crate) mod tasks;
pub(crate) mod transfer;
pub(crate) mod winners;

use std::collections::BTreeSet;

use crate::record::{BackboneInfo, TaskInfo};
use crate::summary::{Comparison, Configuration, Series};

/// The comparisons of one task on one frozen model, which differ in the number of training rows.
/// They share the test rows; their accuracies may stand in one curve against the rows.
pub(crate) struct Study<'a> {
    /// The task, and the model where there are several: `movie on minilm-l6`.
    pub name: String,
    /// From few training rows to many.
    pub comparisons: Vec<Comparison<'a>>,
}

/// Puts comparisons together, in their order. Those of other data stay apart.
pub(crate) fn studies(comparisons: Vec<Comparison<'_>>) -> Vec<Study<'_>> {
    let mut studies: Vec<Study> = Vec::new();
    for comparison in comparisons {
        match studies.iter_mut().find(|study| study.can_take(&comparison)) {
            Some(study) => study.comparisons.push(comparison),
            None => studies.push(Study { name: String::new(), comparisons: vec![comparison] }),
        }
    }
    for study in &mut studies {
        study.comparisons.sort_by_key(|comparison| comparison.task.n_train);
    }
    let models: BTreeSet<String> = studies.iter().map(|study| study.backbone().title()).collect();
    for study in &mut studies {
        study.name = match models.len() {
            1 => study.task().name.clone(),
            _ => format!("{} on {}", study.task().name, study.backbone().title()),
        };
    }
    studies
}

impl<'a> Study<'a> {
    fn can_take(&self, other: &Comparison) -> bool {
        let frame = |comparison: &Comparison| {
            let (task, backbone) = (comparison.task, comparison.backbone);
            let sizes = (task.n_test, task.max_tokens);
            let model = (backbone.title(), backbone.fingerprint.clone());
            (task.name.clone(), task.classes.clone(), sizes, model, backbone.pooling.clone())
        };
        let n_train = other.task.n_train;
        frame(&self.comparisons[0]) == frame(other)
            && self.comparisons.iter().all(|known| known.task.n_train != n_train)
    }

    /// The task, with the numbers of the largest training set.
    pub fn task(&self) -> &'a TaskInfo {
        self.largest().task
    }

    pub fn backbone(&self) -> &'a BackboneInfo {
        self.largest().backbone
    }

    /// The comparison with the most training rows.
    pub fn largest(&self) -> &Comparison<'a> {
        &self.comparisons[self.comparisons.len() - 1]
    }
}

/// The PEFT methods of a comparison.
pub(crate) fn methods<'c, 'a>(
    comparison: &'c Comparison<'a>,
) -> impl Iterator<Item = &'c Series<'a>> {
    comparison.series.iter().filter(|series| !series.baseline)
}

/// A setting of the method that is a number.
pub(crate) fn number(configuration: &Configuration, name: &str) -> Option<f64> {
    configuration.runs[0].method.config.get(name)?.as_f64()
}

/// The size knob of a configuration: `rank` for AdaLoRA's `target_rank` as well, and its value.
pub(crate) fn knob(configuration: &Configuration) -> Option<(String, usize)> {
    let budget = configuration.runs[0].method.budget.as_ref()?;
    let name = budget.name.rsplit('_').next().unwrap_or(&budget.name);
    Some((name.to_owned(), budget.value))
}

/// Distinct values, from small to large.
pub(crate) fn distinct(values: impl Iterator<Item = usize>) -> Vec<usize> {
    values.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
#[path = "study_tests.rs"]
mod tests;
