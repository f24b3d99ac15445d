use serde_json::json;

use super::*;
use crate::example;

fn labels(comparison: &Comparison) -> Vec<String> {
    comparison.configurations().map(|(_, configuration)| configuration.label.clone()).collect()
}

#[test]
fn seeds_join_and_budgets_make_a_curve() {
    let records = example::suite(&[3, 1, 2]);
    let comparisons = compare(&records);
    assert_eq!(comparisons.len(), 1);
    let lora = comparisons[0].series.iter().find(|series| series.name == "lora").unwrap();
    let settings: Vec<_> = lora.configurations.iter().map(|c| c.setting.as_str()).collect();
    assert_eq!(settings, ["rank=1", "rank=4", "rank=8", "rank=16", "rank=32"]);
    let seeds: Vec<_> = lora.configurations[0].runs.iter().map(|run| run.seed).collect();
    assert_eq!(seeds, [1, 2, 3]);
}

#[test]
fn the_order_of_the_records_does_not_matter() {
    let mut records = example::searched();
    let before = labels(&compare(&records)[0]);
    records.reverse();
    assert_eq!(labels(&compare(&records)[0]), before);
}

#[test]
fn variants_are_series_of_their_own() {
    let records = example::suite(&[1]);
    let comparisons = compare(&records);
    let titles: Vec<_> = comparisons[0].series.iter().map(|series| series.title.as_str()).collect();
    assert_eq!(
        titles[3..],
        [
            "AdaLoRA",
            "LoRA",
            "P-Tuning lstm",
            "P-Tuning mlp",
            "Prefix-Tuning",
            "Prefix-Tuning projected",
            "Prompt Tuning",
        ]
    );
}

#[test]
fn settings_that_differ_are_part_of_the_label_and_others_are_not() {
    let records = example::searched();
    let comparisons = compare(&records);
    let labels = labels(&comparisons[0]);
    for label in [
        "LoRA rank=8 learning_rate=0.0001",
        "LoRA rank=8 learning_rate=0.001",
        "LoRA rank=8 learning_rate=0.005",
        "LoRA rank=4",
    ] {
        assert!(labels.iter().any(|l| l == label), "{label} not in {labels:?}");
    }
}

#[test]
fn a_setting_only_some_configurations_have_tells_them_apart_too() {
    let mut records = example::suite(&[1]);
    let mut other = example::find(&records, "LoRA rank=8").clone();
    other.id = "other".to_owned();
    other.method.config["init"] = json!({"kind": "gaussian"});
    records.push(other);
    let comparisons = compare(&records);
    let labels = labels(&comparisons[0]);
    assert!(labels.contains(&"LoRA rank=8 init.kind=gaussian".to_owned()), "{labels:?}");
    assert!(labels.contains(&"LoRA rank=8".to_owned()), "{labels:?}");
}

#[test]
fn the_curve_takes_the_best_setting_of_each_budget_by_validation() {
    let records = example::searched();
    let comparisons = compare(&records);
    let lora = comparisons[0].series.iter().find(|series| series.name == "lora").unwrap();
    assert_eq!(lora.configurations.len(), 7);
    let curve: Vec<_> = lora.curve().iter().map(|c| c.label.as_str()).collect();
    assert_eq!(curve[2], "LoRA rank=8 learning_rate=0.001");
    assert_eq!(curve.len(), 5);
}

#[test]
fn other_data_is_another_comparison() {
    let mut records = example::suite(&[1]);
    records[4].task.fingerprint = "d".repeat(64);
    records[5].backbone.pooling = "cls".to_owned();
    assert_eq!(compare(&records).len(), 3);
}

#[test]
fn a_run_without_scores_is_in_no_mean() {
    let mut records = example::suite(&[1, 2]);
    let lost = records.iter_mut().find(|r| r.seed == 2 && r.label() == "LoRA rank=1").unwrap();
    lost.scores = None;
    let comparisons = compare(&records);
    let lora = comparisons[0].series.iter().find(|series| series.name == "lora").unwrap();
    let estimate = lora.configurations[0].test_accuracy().unwrap();
    assert_eq!((estimate.mean, estimate.n), (0.806, 1));
}
