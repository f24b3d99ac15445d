//! What the records say in plain words, and no more than they say.

use crate::format;
use crate::stats::{Z_95, smallest_clear_difference, z_of_difference};
use crate::study::winners::Winners;
use crate::study::{self, methods};
use crate::summary::{Comparison, Configuration, FULL, HEAD_ONLY, best_by_validation};

/// How close to full fine-tuning counts as close: one point of accuracy.
const ONE_POINT: f64 = 0.01;

/// The result of a comparison in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// One sentence for the top of the page.
    pub headline: String,
    /// What else is to be said, one statement each.
    pub sentences: Vec<String>,
}

/// Puts a comparison into words, with what its paired comparisons show.
pub(crate) fn finding(comparison: &Comparison, winners: Option<&Winners>) -> Finding {
    let Some(best) = best_method(comparison) else {
        return Finding {
            headline: "No PEFT method has a result to report.".to_owned(),
            sentences: Vec::new(),
        };
    };
    let rivals = winners.and_then(|winners| winners.words(&best.label));
    let sentences = [
        Some(choice(comparison)),
        Some(cheapest_close_to_full(comparison)),
        Some(above_head_only(comparison, winners)),
        rivals.or_else(|| noise(comparison, best)),
    ];
    let answers = [
        study::placement::words(comparison),
        study::budgets::words(comparison),
        study::starts::words(comparison),
        study::surviving::words(comparison),
        study::transfer::words(comparison),
        study::rates::words(comparison),
    ];
    Finding {
        headline: headline(comparison, best),
        sentences: sentences.into_iter().flatten().chain(answers.into_iter().flatten()).collect(),
    }
}

fn best_method<'c, 'a>(comparison: &'c Comparison<'a>) -> Option<&'c Configuration<'a>> {
    best_by_validation(methods(comparison).flat_map(|series| &series.configurations))
}

fn headline(comparison: &Comparison, best: &Configuration) -> String {
    let trainable = best.counts().trainable;
    let n_parameters = comparison.backbone.n_parameters.max(1);
    let of_what = match comparison.baseline(FULL) {
        Some(full) if full.test_accuracy().is_some() => format!(
            "{} of what full fine-tuning trains, which reaches {}",
            format::small_share(trainable as f64 / full.counts().trainable.max(1) as f64),
            test_percent(full),
        ),
        _ => format!(
            "{} of the backbone's {}",
            format::small_share(trainable as f64 / n_parameters as f64),
            format::short_count(n_parameters as f64),
        ),
    };
    format!(
        "{} classifies {} of the test rows right and trains {} parameters: {of_what}.",
        best.label,
        test_percent(best),
        format::count(trainable),
    )
}

fn choice(comparison: &Comparison) -> String {
    let n_configurations = methods(comparison).map(|series| series.configurations.len()).sum();
    let mut names: Vec<_> = methods(comparison).map(|series| series.name).collect();
    names.dedup();
    let (n_methods, n_test) = (names.len(), comparison.task.n_test);
    format!(
        "It is the best on the validation split of {} of {}; figures are accuracies on {}.",
        format::plural(n_configurations, "configuration"),
        format::plural(n_methods, "PEFT method"),
        format::plural(n_test, "test row"),
    )
}

fn cheapest_close_to_full(comparison: &Comparison) -> String {
    let full = comparison.baseline(FULL);
    let Some((full, full_accuracy)) = full.and_then(|full| Some((full, full.test_accuracy()?)))
    else {
        return "Full fine-tuning has no result here, so nothing is said about its distance."
            .to_owned();
    };
    let is_close = |configuration: &&Configuration| {
        let accuracy = configuration.test_accuracy();
        accuracy.is_some_and(|accuracy| accuracy.mean >= full_accuracy.mean - ONE_POINT)
    };
    let cheapest = methods(comparison)
        .flat_map(|series| &series.configurations)
        .filter(is_close)
        .min_by_key(|configuration| configuration.counts().trainable);
    match cheapest {
        Some(cheapest) => format!(
            "The fewest trainable parameters within one point of full fine-tuning ({}) are those \
             of {}: {} ({}), {}.",
            test_percent(full),
            cheapest.label,
            format::count(cheapest.counts().trainable),
            format::small_share(
                cheapest.counts().trainable as f64 / full.counts().trainable.max(1) as f64
            ),
            test_percent(cheapest),
        ),
        None => format!(
            "No PEFT method comes within one point of full fine-tuning ({}).",
            test_percent(full)
        ),
    }
}

fn above_head_only(comparison: &Comparison, winners: Option<&Winners>) -> String {
    let head = comparison.baseline(HEAD_ONLY);
    let Some((head, head_accuracy)) = head.and_then(|head| Some((head, head.test_accuracy()?)))
    else {
        return "The head-only baseline has no result here, so nothing is said about what the \
                methods add to it."
            .to_owned();
    };
    let (mut clear, mut unclear) = (Vec::new(), Vec::new());
    for series in methods(comparison) {
        let Some((best, accuracy)) = series.best().and_then(|b| Some((b, b.test_accuracy()?)))
        else {
            continue;
        };
        let duel = winners.and_then(|winners| winners.duel(&best.label, &head.label));
        let is_clear = match duel {
            Some(duel) => duel.is_shown() && duel.gain > 0.0,
            None => z_of_difference(&accuracy, &head_accuracy, comparison.task.n_test) > Z_95,
        };
        let side = if is_clear { &mut clear } else { &mut unclear };
        side.push(format!("{} ({})", series.title, test_percent(best)));
    }
    let baseline = format!("the head-only baseline ({})", test_percent(head));
    match (clear.is_empty(), unclear.is_empty()) {
        (false, true) => format!("Clearly above {baseline}: {}.", format::list(&clear)),
        (true, false) => {
            format!("No method is clearly above {baseline}: {}.", format::list(&unclear))
        }
        _ => format!(
            "Clearly above {baseline}: {}. Not clearly above it: {}.",
            format::list(&clear),
            format::list(&unclear)
        ),
    }
}

fn noise(comparison: &Comparison, best: &Configuration) -> Option<String> {
    let accuracy = best.test_accuracy()?;
    let difference = smallest_clear_difference(&accuracy, comparison.task.n_test);
    Some(format!(
        "With {} and {}, differences below {} points are not shown to be more than chance.",
        format::plural(accuracy.n, "seed"),
        format::plural(comparison.task.n_test, "test row"),
        format::percent(difference),
    ))
}

fn test_percent(configuration: &Configuration) -> String {
    configuration.test_accuracy().map_or_else(
        || "no result".to_owned(),
        |accuracy| format!("{} %", format::accuracy(&accuracy)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use crate::record::RunRecord;
    use crate::study::winners::winners;
    use crate::summary::compare;

    fn words(records: &[RunRecord]) -> (String, String) {
        let comparisons = compare(records);
        let finding = finding(&comparisons[0], winners(&comparisons[0]).as_ref());
        (finding.headline, finding.sentences.join("\n"))
    }

    #[test]
    fn the_best_is_chosen_on_validation_and_not_on_the_test_split() {
        let mut records = example::suite(&[1]);
        let lucky = records.iter_mut().find(|r| r.label() == "Prompt Tuning tokens=5").unwrap();
        lucky.scores.as_mut().unwrap().test_accuracy = 0.999;
        let (headline, _) = words(&records);
        assert!(headline.starts_with("LoRA rank=16 classifies 83.1 %"), "{headline}");
        assert!(headline.contains("147,456 parameters: 0.65 % of what full"), "{headline}");
    }

    #[test]
    fn the_cheapest_within_a_point_of_full_fine_tuning_is_named() {
        let (_, sentences) = words(&example::suite(&[1]));
        assert!(sentences.contains("within one point of full fine-tuning (83.2 %)"), "{sentences}");
        assert!(sentences.contains("are those of LoRA rank=4: 36,864 (0.16 %)"), "{sentences}");
    }

    #[test]
    fn methods_not_clearly_above_the_head_only_baseline_are_named_as_such() {
        let (_, sentences) = words(&example::suite(&[1]));
        let (clear, unclear) = sentences.split_once("Not clearly above it: ").unwrap();
        assert!(clear.contains("LoRA (83.1 %)") && clear.contains("AdaLoRA"), "{sentences}");
        assert!(unclear.starts_with("P-Tuning lstm (73.4 %)"), "{sentences}");
        assert!(sentences.contains("With 1 seed and 1,061 test rows, differences below 3."));
    }

    #[test]
    fn several_seeds_come_with_intervals() {
        let (headline, sentences) = words(&example::suite(&[1, 2, 3]));
        assert!(headline.contains(" ± "), "{headline}");
        assert!(sentences.contains("With 3 seeds and"), "{sentences}");
    }

    #[test]
    fn without_baselines_nothing_is_claimed_about_them() {
        let mut records = example::suite(&[1]);
        records.retain(|record| !record.method.baseline);
        let (headline, sentences) = words(&records);
        assert!(headline.contains("of the backbone's 22.7M"), "{headline}");
        assert!(sentences.contains("Full fine-tuning has no result here"), "{sentences}");
        assert!(sentences.contains("head-only baseline has no result here"), "{sentences}");
    }

    #[test]
    fn when_all_diverged_there_is_no_winner() {
        let (headline, sentences) = words(&example::all_diverged());
        assert_eq!(headline, "No PEFT method has a result to report.");
        assert!(sentences.is_empty());
    }
}
