//! The real sets, where they are.

use datasets::{Summary, Task, TextEncoder, from_dir, named, train_batches};

use super::{all, assert_no_leaks, real_folder};

fn standard(name: &str) -> Option<Task> {
    let root = real_folder("PEFT_ZOO_DATASETS", Some("../../shared/datasets"))?;
    let task = from_dir(&root, name).unwrap();
    println!("{}", Summary::new(&task, &[]));
    assert_no_leaks(&task);
    Some(task)
}

fn sizes(task: &Task) -> [usize; 3] {
    [&task.split.train, &task.split.validation, &task.split.test].map(Vec::len)
}

#[test]
fn sst2_keeps_every_row_and_tests_on_dev() {
    let Some(task) = standard("sst2") else { return };
    assert_eq!((all(&task).len(), task.split.test.len()), (67_349 + 872, 872));
    assert_eq!(task.classes, ["negative", "positive"]);
    let first = &task.split.test[0];
    assert_eq!(first.text, "it 's a charming and often affecting journey .");
    assert_eq!(first.label, 1);
}

#[test]
fn trec_has_six_coarse_and_fifty_fine_classes_of_the_same_questions() {
    let (Some(coarse), Some(fine)) = (standard("trec"), standard("trec-fine")) else {
        return;
    };
    assert_eq!(coarse.classes, ["ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"]);
    assert_eq!(fine.classes.len(), 50);
    for task in [&coarse, &fine] {
        assert_eq!(task.split.test.len(), 500);
        assert_eq!(all(task).len(), 5452 + 500 - 11);
        assert!(task.notes.contains(&"11 train rows that also occur in test were removed".into()));
    }
}

#[test]
fn cola_tests_on_both_dev_sets() {
    let Some(task) = standard("cola") else { return };
    assert_eq!((task.split.test.len(), all(&task).len()), (527 + 516, 8551 - 18 + 1043));
    assert_eq!(task.classes, ["unacceptable", "acceptable"]);
    assert_eq!(task.split.test[0].text, "The sailors rode the breeze clear of the rocks.");
    assert_eq!((task.split.test[0].label, task.majority_class()), (1, 1));
}

#[test]
fn banking77_has_its_77_intents() {
    let Some(task) = standard("banking77") else {
        return;
    };
    assert_eq!((task.classes.len(), task.split.test.len()), (77, 3080));
    assert_eq!(all(&task).len(), 10_003 - 7 + 3080);
    assert_eq!(task.classes[task.split.test[0].label], "card_arrival");
}

#[test]
fn subj_is_split_by_hash() {
    let Some(task) = standard("subj") else { return };
    assert_eq!((all(&task).len(), task.classes.len()), (10_000, 2));
    assert!(sizes(&task)[1..].iter().all(|n| (850..1150).contains(n)), "{:?}", sizes(&task));
}

#[test]
fn the_sentences_give_the_tasks_that_the_readme_states() {
    let Some(dir) = real_folder("PEFT_ZOO_SENTENCES", None) else {
        return;
    };
    // Splits never change: these are the first digits of the fingerprints.
    for (name, expected, fingerprint) in [
        ("movie", [8450, 1049, 1067], "20a11d2c"),
        ("amazon", [2934, 315, 351], "0b4263d2"),
        ("nyt", [3792, 561, 525], "e3c42a91"),
        ("tweets", [3321, 396, 419], "d856cbce"),
        ("domain", [18790, 2361, 2400], "be4ae9f1"),
    ] {
        let task = named(name, &dir).unwrap();
        println!("{}", Summary::new(&task, &[]));
        assert_no_leaks(&task);
        assert_eq!(sizes(&task), expected, "{name}");
        assert!(task.fingerprint().starts_with(fingerprint), "{name}: {}", task.fingerprint());
    }
}

#[test]
fn the_movie_task_fits_128_tokens_and_is_batched_with_little_padding() {
    let Some(sentences) = real_folder("PEFT_ZOO_SENTENCES", None) else {
        return;
    };
    let Some(model) = real_folder("PEFT_ZOO_MODEL", None) else {
        return;
    };
    let task = named("movie", &sentences).unwrap();
    let encoder = TextEncoder::from_dir(&model, 128).unwrap();
    let encoded = encoder.encode(&task.split.train).unwrap();
    let lengths = Summary::new(&task, &[&encoded]).lengths.unwrap();
    assert_eq!((lengths.median, lengths.p95, lengths.max), (26, 46, 79));
    assert_eq!((lengths.truncated_share, encoder.vocabulary_size()), (0.0, 30_522));

    let labels: Vec<usize> = task.split.train.iter().map(|row| row.label).collect();
    let batches = train_batches(&encoded, &labels, 32, 1, 0);
    let places: usize = batches.iter().map(|batch| batch.n * batch.seq).sum();
    let tokens: usize = batches.iter().map(|batch| batch.n_tokens).sum();
    let padding = (places - tokens) as f64 / places as f64;
    println!("padding share {:.2}%", 100.0 * padding);
    assert!(padding < 0.02);
}
