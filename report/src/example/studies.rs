//! Records in the shape of each larger suite: several seeds, searched rates, rows kept.

use serde_json::json;

use super::{find, search, suite, transfer};
use crate::record::{Budget, RowSet, RunRecord, Transfer};

/// A share from 0 to 1 that depends on the text alone.
fn share(text: &str) -> f64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

/// The share of `n` rows that are easiest for the run: most are easy or hard for everybody.
fn easiest(record: &RunRecord, n: usize, accuracy: f64) -> RowSet {
    let ease = |row: usize| {
        0.7 * share(&format!("row {row}")) + 0.3 * share(&format!("{row} of {}", record.id))
    };
    let mut rows: Vec<usize> = (0..n).collect();
    rows.sort_by(|a, b| ease(*a).total_cmp(&ease(*b)));
    let mut is_right = vec![false; n];
    let n_right = (accuracy * n as f64).round() as usize;
    rows[..n_right].iter().for_each(|&row| is_right[row] = true);
    RowSet::of(&is_right)
}

/// Gives the run this accuracy, a little more or less by seed, and the rows that make it.
fn graded(mut record: RunRecord, accuracy: f64) -> RunRecord {
    let luck = (share(&format!("luck {}", record.id)) - 0.5) * 0.02;
    let n = record.task.n_test;
    let rows = easiest(&record, n, accuracy + luck);
    let scores = record.scores.as_mut().unwrap();
    scores.test_accuracy = rows.len() as f64 / n as f64;
    scores.test_macro_f1 = scores.test_accuracy - 0.002;
    scores.test_loss = 1.2 - scores.test_accuracy;
    scores.validation_accuracy = accuracy + luck / 2.0;
    scores.test_correct = Some(rows);
    record
}

/// The record as another run, with these settings on top of its own.
fn varied(base: &RunRecord, id: &str, seed: u64, config: serde_json::Value) -> RunRecord {
    let mut record = base.clone();
    record.id = format!("{id}-{seed}");
    record.id.retain(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    record.seed = seed;
    for (key, value) in config.as_object().unwrap() {
        record.method.config[key] = value.clone();
    }
    record
}

fn with_rows(mut record: RunRecord, n_train: usize) -> RunRecord {
    record.id += &format!("-{n_train}");
    record.task.n_train = n_train;
    record.task.fingerprint = format!("{n_train:064}");
    record.training["train_rows"] = json!(n_train);
    record
}

fn with_budget(mut record: RunRecord, name: &str, value: usize) -> RunRecord {
    record.method.budget = Some(Budget { name: name.to_owned(), value });
    record
}

/// LoRA at ranks, rules for α and numbers of rows.
pub(crate) fn ranks() -> Vec<RunRecord> {
    let base = find(&suite(&[1]), "LoRA rank=8").clone();
    let mut records = Vec::new();
    for n_train in [250, 1000, 4000] {
        for rank in [1, 2, 4, 8, 16, 32, 64_usize] {
            let mut alphas = vec![rank, 2 * rank, 16];
            alphas.sort_unstable();
            alphas.dedup();
            for (alpha, seed) in alphas.into_iter().flat_map(|alpha| [(alpha, 0), (alpha, 1)]) {
                let config = json!({ "rank": rank, "alpha": alpha });
                let record = varied(&base, &format!("r{rank}a{alpha}"), seed, config);
                let mut record = with_budget(with_rows(record, n_train), "rank", rank);
                record.counts.trainable = 9216 * rank;
                record.counts.stored = 9216 * rank;
                let gain = 0.012 * (n_train as f64 / 250.0).log2() + 0.006 * (rank as f64).log2();
                let strong = if alpha == 2 * rank { 0.03 } else { 0.0 };
                records.push(graded(record, 0.72 + gain + strong));
            }
        }
    }
    records
}

/// LoRA in other places at an equal size.
pub(crate) fn places() -> Vec<RunRecord> {
    let base = find(&suite(&[1]), "LoRA rank=8").clone();
    let all = json!(["query", "key", "value", "output", "up", "down"]);
    let mut places: Vec<(String, serde_json::Value, serde_json::Value, f64)> =
        ["query", "key", "value", "output", "up", "down"]
            .into_iter()
            .enumerate()
            .map(|(i, role)| {
                (format!("on {role}"), json!([role]), json!(null), 0.78 + 0.01 * i as f64)
            })
            .collect();
    places.push((String::new(), json!(["query", "value"]), json!(null), 0.815));
    places.push(("on 6 roles".to_owned(), all.clone(), json!(null), 0.85));
    for (layers, accuracy) in [([0, 1], 0.76), ([2, 3], 0.80), ([4, 5], 0.825)] {
        places.push(("on 6 roles".to_owned(), all.clone(), json!(layers), accuracy));
    }
    let mut records = Vec::new();
    for seed in [0, 1, 2] {
        for (i, (variant, roles, layers, accuracy)) in places.iter().enumerate() {
            let config = json!({ "roles": roles, "layers": layers, "rank": 15 + i / 8 });
            let mut record = varied(&base, &format!("place{i}"), seed, config);
            record.method.variant.clone_from(variant);
            record.counts.trainable = 207_360;
            record.search = Some(search(&record));
            records.push(graded(record, *accuracy));
        }
    }
    records
}

/// A pruned budget against an even one.
pub(crate) fn pruned() -> Vec<RunRecord> {
    let records = suite(&[1]);
    let all = json!(["query", "key", "value", "output", "up", "down"]);
    let mut made = Vec::new();
    for (label, knob) in [("LoRA rank=8", "rank"), ("AdaLoRA target_rank=8", "target_rank")] {
        for (rank, seed) in [1, 2, 4, 8_usize].into_iter().flat_map(|r| [(r, 0), (r, 1), (r, 2)]) {
            let initial = (rank * 3).div_ceil(2);
            let config = json!({ knob: rank, "roles": all, "initial_rank": initial });
            let record = varied(find(&records, label), &format!("{knob}{rank}"), seed, config);
            let mut record = with_budget(record, knob, rank);
            record.method.variant = "on 6 roles".to_owned();
            record.counts.stored = 30_000 * rank;
            record.counts.trainable = 30_000 * if knob == "rank" { rank } else { initial };
            if knob == "target_rank" {
                let site = |i: usize, role: &str| {
                    let chance = share(&format!("{i}{role}{rank}{seed}"));
                    let bias = if ["value", "up"].contains(&role) { 0.4 } else { -0.2 };
                    let rank = ((chance + bias).clamp(0.0, 1.0) * initial as f64).round();
                    (format!("{i}.{role}"), json!(rank))
                };
                let roles = ["query", "key", "value", "output", "up", "down"];
                let sites: serde_json::Map<_, _> =
                    (0..6).flat_map(|i| roles.map(|role| site(i, role))).collect();
                record.details.insert("surviving_rank".to_owned(), sites.into());
                let n = |step: usize| 36 * initial - (36 * (initial - rank)) * (step - 40) / 160;
                let prunings: Vec<_> = (40..=200).step_by(10).map(|s| json!([s, n(s)])).collect();
                record.details.insert("prunings".to_owned(), prunings.into());
            }
            record.search = Some(search(&record));
            made.push(graded(record, 0.79 + 0.012 * rank as f64 / 2.0));
        }
    }
    made
}

/// Prompts and prefixes by length, start and network.
pub(crate) fn lengths() -> Vec<RunRecord> {
    let records = suite(&[1]);
    let mut made = Vec::new();
    for seed in [0, 1, 2] {
        let mut add = |label: &str, variant: &str, tokens: usize, accuracy: f64| {
            let base = find(&records, label);
            let id = format!("{}{variant}{tokens}", base.method.name);
            let config = json!({ "tokens": tokens, "init": "vocabulary" });
            let mut record = with_budget(varied(base, &id, seed, config), "tokens", tokens);
            record.method.variant = variant.to_owned();
            record.counts.trainable = tokens * if label.starts_with("Prefix") { 4608 } else { 384 };
            record.search = Some(search(&record));
            let pace = 40.0 + 400.0 * share(&id);
            for point in &mut record.curve {
                let progress = 1.0 - (-(point.step as f64) / pace).exp();
                point.validation_accuracy = 0.5 + (accuracy - 0.5) * progress;
            }
            made.push(graded(record, accuracy));
        };
        for tokens in [1, 5, 10, 20, 50, 100] {
            let more = (tokens as f64).log10();
            add("Prompt Tuning tokens=20", "", tokens, 0.74 + 0.02 * more);
            add("Prefix-Tuning tokens=20", "", tokens, 0.76 + 0.025 * more);
        }
        add("Prompt Tuning tokens=20", "from text", 20, 0.768);
        add("Prompt Tuning tokens=20", "scaled normal", 20, 0.76);
        add("Prompt Tuning tokens=20", "N(0,1)", 20, 0.66);
        add("P-Tuning mlp tokens=20", "", 20, 0.775);
        add("P-Tuning lstm tokens=20", "LSTM", 20, 0.70);
        let head = varied(find(&records, "Head only"), "head", seed, json!({}));
        made.push(graded(head, 0.72));
    }
    made
}

/// Every method with four numbers of training rows.
pub(crate) fn scarce() -> Vec<RunRecord> {
    let mut made = Vec::new();
    for (n_train, seed) in [64, 256, 1000, 4000].into_iter().flat_map(|n| [(n, 0), (n, 1), (n, 2)])
    {
        for record in chosen() {
            let most = record.scores.as_ref().unwrap().test_accuracy;
            let pace = if record.method.name == "full" { 0.7 } else { 0.4 };
            let share = (n_train as f64 / 4000.0).powf(pace);
            let accuracy = 0.52 + (most - 0.52) * share;
            let mut record = with_rows(varied(&record, &record.id, seed, json!({})), n_train);
            if record.cost.steps == 0 {
                made.push(record);
                continue;
            }
            record.search = Some(search(&record));
            made.push(graded(record, accuracy));
        }
    }
    made
}

/// Every method tested on three other tasks.
pub(crate) fn elsewhere() -> Vec<RunRecord> {
    let mut made = Vec::new();
    for seed in [0, 1, 2] {
        for record in chosen() {
            let accuracy = record.scores.as_ref().unwrap().test_accuracy;
            let record = varied(&record, &record.id, seed, json!({}));
            let mut record = graded(record, accuracy);
            for (task, n_test, kept) in
                [("amazon", 400, 0.9), ("nyt", 250, 0.4), ("tweets", 300, 0.7)]
            {
                let accuracy = 0.5 + (accuracy - 0.5) * kept * (0.8 + 0.3 * share(&record.id));
                let test_correct = easiest(&record, n_test, accuracy);
                let accuracy = test_correct.len() as f64 / n_test as f64;
                let (task, title) = (task.to_owned(), format!("{task} texts"));
                record.transfer.push(Transfer {
                    task,
                    title,
                    n_test,
                    accuracy,
                    test_correct,
                    ..transfer()
                });
            }
            made.push(record);
        }
    }
    made
}

/// Two tasks, tuned, with three seeds.
pub(crate) fn tuned() -> Vec<RunRecord> {
    let mut made = Vec::new();
    for (task, seed) in ["movie", "domain"].into_iter().flat_map(|t| [(t, 0), (t, 1), (t, 2)]) {
        for record in suite(&[1]) {
            let accuracy = record.scores.as_ref().unwrap().test_accuracy;
            let id = format!("{task}-{}", record.id);
            let mut record = varied(&record, &id, seed, json!({}));
            if task == "domain" {
                record.task.name = task.to_owned();
                record.task.title = "Where a sentence comes from".to_owned();
                record.task.fingerprint = "e".repeat(64);
            }
            if record.cost.steps > 0 {
                record.search = Some(search(&record));
                record = graded(record, accuracy - 0.05 * share(task));
            }
            made.push(record);
        }
    }
    made
}

/// One configuration of each method, and the baselines.
fn chosen() -> Vec<RunRecord> {
    let records = suite(&[1]);
    let labels = [
        "Majority class",
        "Head only",
        "Full fine-tuning",
        "LoRA rank=8",
        "AdaLoRA target_rank=8",
        "Prompt Tuning tokens=20",
        "P-Tuning mlp tokens=20",
        "Prefix-Tuning tokens=20",
    ];
    labels.into_iter().map(|label| find(&records, label).clone()).collect()
}
