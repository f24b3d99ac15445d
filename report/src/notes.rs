//! The small print: how the figures came about and how far they carry.

use std::collections::{BTreeMap, BTreeSet};

use crate::format;
use crate::paired;
use crate::record::{Environment, RunRecord, Status};
use crate::summary::Comparison;

/// What a reader must know before believing the figures of `comparison`, one statement each.
pub(crate) fn notes(comparison: &Comparison) -> Vec<String> {
    let mut notes = vec![data(comparison), seeds(comparison), tuning(comparison)];
    let is_paired = |run: &RunRecord| paired::correct(run).is_some();
    notes.push(match comparison.runs().any(is_paired) {
        true => format!("“Clearly” means shown. {}", paired::note()),
        false => "“Clearly” means a two-proportion z-test at the 95 % level: unpaired, pooled \
                  variance plus the variance between seeds, not corrected for the number of \
                  comparisons. For each method it takes the configuration that is best on the \
                  validation split."
            .to_owned(),
    });
    if comparison.configurations().any(|(_, configuration)| configuration.runs.len() > 1) {
        notes.push(
            "± is the 95 % t-interval of the mean over seeds; it does not hold the chance in the \
             choice of test rows."
                .to_owned(),
        );
    }
    notes.push(
        "Trainable, stored and head are counted apart: what the optimizer moves, what must be kept \
         to use the result, and the classification head, which is in neither."
            .to_owned(),
    );
    notes.extend(trained_but_not_stored(comparison));
    notes.extend(endings(comparison));
    notes.extend(unknown_memory(comparison));
    notes.extend(machines(comparison));
    notes
}

/// The distinct environments of `records` with the number of runs in each.
pub(crate) fn environments<'a>(
    records: impl Iterator<Item = &'a RunRecord>,
) -> Vec<(&'a Environment, usize)> {
    let mut environments: Vec<(&Environment, usize)> = Vec::new();
    for record in records {
        match environments.iter_mut().find(|(known, _)| *known == &record.environment) {
            Some((_, n_runs)) => *n_runs += 1,
            None => environments.push((&record.environment, 1)),
        }
    }
    environments
}

fn data(comparison: &Comparison) -> String {
    let task = comparison.task;
    format!(
        "{}. {} to train on, {} to choose by, {} to test on. Texts longer than {} tokens were cut \
         ({} of them).",
        task.title.trim_end_matches('.'),
        format::plural(task.n_train, "row"),
        format::count(task.n_validation),
        format::count(task.n_test),
        format::count(task.max_tokens),
        format::small_share(task.truncated_share),
    )
}

fn seeds(comparison: &Comparison) -> String {
    let seeds: BTreeSet<u64> = comparison.runs().map(|run| run.seed).collect();
    let listed = format::list(&seeds.iter().map(u64::to_string).collect::<Vec<_>>());
    let fewer: Vec<&str> = comparison
        .configurations()
        .filter(|(_, configuration)| configuration.runs.len() < seeds.len())
        .map(|(_, configuration)| configuration.label.as_str())
        .collect();
    let mut note = format!("{}: {listed}.", format::plural(seeds.len(), "seed"));
    if seeds.len() == 1 {
        note += " How much the figures change from seed to seed is not measured here.";
    }
    if !fewer.is_empty() {
        note += &format!(" Not all seeds were run for {}.", format::list(&fewer));
    }
    note
}

/// Whether settings were searched can be told from the records: several for one budget.
fn tuning(comparison: &Comparison) -> String {
    if let Some(note) = search(comparison) {
        return note;
    }
    let tried: Vec<String> = comparison
        .series
        .iter()
        .flat_map(|series| {
            series
                .configurations
                .chunk_by(|a, b| a.runs[0].method.budget == b.runs[0].method.budget)
                .filter(|group| group.len() > 1)
                .map(|group| {
                    let budget = group[0].runs[0].method.budget.as_ref();
                    let budget =
                        budget.map_or(String::new(), |b| format!(" {}={}", b.name, b.value));
                    format!("{}{budget} ({})", series.title, group.len())
                })
        })
        .collect();
    if tried.is_empty() {
        return "Not tuned here: these records hold one setting per method and budget.".to_owned();
    }
    format!(
        "Settings tried per budget, where more than one: {}. The curve goes through the best on \
         the validation split.",
        format::list(&tried)
    )
}

/// The rule of the search. It names the rate in the middle, which every method has its own of.
fn search(comparison: &Comparison) -> Option<String> {
    let searched: Vec<_> = comparison
        .configurations()
        .filter_map(|(series, configuration)| {
            let search = configuration.runs[0].search.as_ref()?;
            Some((&series.title, search.rule.trim_end_matches('.')))
        })
        .collect();
    let (title, rule) = *searched.first()?;
    let is_one_rule = searched.iter().all(|(_, other)| *other == rule);
    let rule = if is_one_rule {
        format!(": {rule}.")
    } else {
        format!(". Of {title}: {rule}. Of the others the same around their own default rates.")
    };
    Some(format!(
        "Learning rates were searched on the validation split alone, with as many trials for \
         every configuration, each in proportion to its own training{rule} Other settings were \
         not searched."
    ))
}

fn trained_but_not_stored(comparison: &Comparison) -> Option<String> {
    let mut examples = BTreeMap::new();
    for (series, configuration) in comparison.configurations() {
        let counts = configuration.counts();
        if counts.trainable > counts.stored {
            examples.insert(&series.title, (counts.trainable, counts.stored));
        }
    }
    let listed: Vec<String> = examples
        .into_iter()
        .map(|(title, (trainable, stored))| {
            format!("{title} ({} to {})", format::count(trainable), format::count(stored))
        })
        .collect();
    (!listed.is_empty()).then(|| format!("Train more than they store: {}.", format::list(&listed)))
}

fn endings(comparison: &Comparison) -> Vec<String> {
    let mut diverged = Vec::new();
    let mut n_stopped_early = 0;
    for (_, configuration) in comparison.configurations() {
        for run in &configuration.runs {
            match run.status {
                Status::Diverged { step } => diverged.push(format!(
                    "{} seed {} (step {})",
                    configuration.label,
                    run.seed,
                    format::count(step)
                )),
                Status::StoppedEarly { .. } => n_stopped_early += 1,
                Status::Finished | Status::Imported => {}
            }
        }
    }
    let mut notes = Vec::new();
    if !diverged.is_empty() {
        notes.push(format!(
            "Diverged (loss became NaN or infinite): {}. Figures of such a run are those of its \
             best checkpoint before; without one it has none and is in no mean.",
            format::list(&diverged)
        ));
    }
    if n_stopped_early > 0 {
        notes.push(format!("{} stopped early.", format::plural(n_stopped_early, "run")));
    }
    notes
}

fn unknown_memory(comparison: &Comparison) -> Option<String> {
    let n_runs = comparison.runs().count();
    let n_unknown = comparison.runs().filter(|run| run.cost.peak_bytes.is_none()).count();
    match n_unknown {
        0 => None,
        n if n == n_runs => {
            Some("Peak memory is not known: the system did not tell it.".to_owned())
        }
        n => Some(format!("Peak memory is not known for {}.", format::plural(n, "run"))),
    }
}

fn machines(comparison: &Comparison) -> Option<String> {
    let machine = |e: &Environment| (e.device.clone(), e.hardware.clone(), e.threads);
    let machines: BTreeSet<_> = comparison.runs().map(|run| machine(&run.environment)).collect();
    (machines.len() > 1).then(|| {
        format!(
            "The runs come from {} different machines or devices: times and memory cannot be \
             compared between those.",
            machines.len()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use crate::summary::compare;

    fn text(records: &[RunRecord]) -> String {
        notes(&compare(records)[0]).join("\n")
    }

    #[test]
    fn one_seed_and_no_search_are_admitted() {
        let text = text(&example::suite(&[7]));
        assert!(text.contains("1 seed: 7. How much the figures change"), "{text}");
        assert!(text.contains("Not tuned here"), "{text}");
    }

    #[test]
    fn missing_seeds_are_named() {
        let mut records = example::suite(&[1, 2, 3]);
        records.retain(|r| r.seed != 3 || r.label() != "LoRA rank=4");
        let text = text(&records);
        assert!(text.contains("3 seeds: 1, 2 and 3. Not all seeds were run for LoRA rank=4."));
    }

    #[test]
    fn a_search_is_seen_from_several_settings_of_one_budget() {
        let text = text(&example::searched());
        assert!(text.contains("where more than one: LoRA rank=8 (3)."), "{text}");
    }

    #[test]
    fn a_rule_that_names_the_rate_of_one_method_is_not_said_of_all() {
        let mut records = example::studies::tuned();
        let rule = |record: &RunRecord| Some(record.search.as_ref()?.rule.clone());
        let first = records.iter().find_map(rule).unwrap();
        assert!(text(&records).contains(&format!("its own training: {first}. Other")));
        let other = records.iter_mut().filter(|record| record.method.name == "lora");
        other.for_each(|record| record.search.as_mut().unwrap().rule = "another".to_owned());
        let text = text(&records);
        assert!(text.contains(&format!("Of Head only: {first}. Of the others the same")), "{text}");
    }

    #[test]
    fn divergence_says_which_run_and_when() {
        let text = text(&example::all_diverged());
        assert!(text.contains("LoRA rank=8 seed 1 (step 37)"), "{text}");
    }

    #[test]
    fn encoders_that_are_thrown_away_are_mentioned() {
        let text = text(&example::suite(&[1]));
        assert!(text.contains("P-Tuning lstm (3,259,008 to 7,680)"), "{text}");
        assert!(!text.contains("Peak memory is not known"), "{text}");
    }

    #[test]
    fn figures_from_several_machines_are_marked() {
        let mut records = example::suite(&[1]);
        assert!(!text(&records).contains("different machines"));
        records[0].environment.hardware = "another".to_owned();
        records[0].cost.peak_bytes = None;
        let text = text(&records);
        assert!(text.contains("2 different machines"), "{text}");
        assert!(text.contains("Peak memory is not known for 1 run."), "{text}");
        assert_eq!(environments(records.iter()).len(), 2);
    }
}
