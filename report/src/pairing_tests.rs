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
fn rows_show_what_one_seed_alone_could_not() {
    let a = crate::example::studies::places();
    let a = &a[..1];
    let mut b = a.to_vec();
    let scores = b[0].scores.as_mut().unwrap();
    scores.test_correct = Some(crate::record::RowSet::of(&[true; 1061]));
    scores.test_accuracy = 1.0;
    let better = pair(names(), a, &b);
    assert!(better.pairs[0].is_clear() && better.pairs[0].duel.unwrap().low > 0.1);
    assert!(!pair(names(), a, a).pairs[0].is_clear());
    b[0].task.fingerprint = "other rows".to_owned();
    assert_eq!(pair(names(), a, &b).pairs[0].duel, None);
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
