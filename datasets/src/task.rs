//! A task: rows with labels, in three splits.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use sha2::{Digest, Sha256};

/// One row: a text, or two, and its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The text to classify.
    pub text: String,
    /// The second text of a task on pairs.
    pub pair: Option<String>,
    /// Index into [`Task::classes`].
    pub label: usize,
}

/// The rows of a task. No text occurs in two splits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// What methods learn from.
    pub train: Vec<Example>,
    /// What checkpoints and learning rates are chosen on.
    pub validation: Vec<Example>,
    /// What the final figure is read from, once.
    pub test: Vec<Example>,
}

/// A text classification task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Short name, e.g. `movie`.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// Names of the classes, in label order.
    pub classes: Vec<String>,
    /// The rows.
    pub split: Split,
    /// What was done to the rows: removed, left out, set aside. One sentence each.
    pub notes: Vec<String>,
}

impl Task {
    /// SHA-256 over the classes and all rows in order: equal only for equal data.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        // Lengths go before contents, so that no two different tasks give the same bytes.
        let mut add = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        add(&(self.classes.len() as u64).to_le_bytes());
        self.classes.iter().for_each(|class| add(class.as_bytes()));
        for rows in [&self.split.train, &self.split.validation, &self.split.test] {
            add(&(rows.len() as u64).to_le_bytes());
            for row in rows {
                add(row.text.as_bytes());
                add(&[u8::from(row.pair.is_some())]);
                add(row.pair.as_deref().unwrap_or_default().as_bytes());
                add(&(row.label as u64).to_le_bytes());
            }
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Training rows of each class, in label order.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        self.split.train.iter().for_each(|row| counts[row.label] += 1);
        counts
    }

    /// The commonest class of the training split; the first of equals.
    pub fn majority_class(&self) -> usize {
        let counts = self.class_counts();
        (0..counts.len()).rev().max_by_key(|&class| counts[class]).unwrap_or(0)
    }

    /// Keeps `n` training rows, each class in its share and, where `n` allows, with a row or more.
    ///
    /// For one seed a smaller subset is part of every larger one, so curves over `n` compare.
    pub fn limit_train(mut self, n: usize, seed: u64) -> Self {
        let n_before = self.split.train.len();
        if n >= n_before {
            return self;
        }
        let counts = self.class_counts();
        let mut seen = vec![0; counts.len()];
        let mut order: Vec<usize> = (0..n_before).collect();
        order.shuffle(&mut StdRng::seed_from_u64(seed));
        // A row's place within its class, as a share of the class: taking the lowest n of all
        // rows takes equal shares of all classes. The first row of each class goes before all.
        let mut places: Vec<(bool, f64, usize)> = order
            .into_iter()
            .map(|row| {
                let label = self.split.train[row].label;
                let rank = seen[label];
                seen[label] += 1;
                (rank > 0, (rank as f64 + 0.5) / counts[label] as f64, row)
            })
            .collect();
        places.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut kept: Vec<usize> = places[..n].iter().map(|place| place.2).collect();
        kept.sort_unstable();
        self.split.train = kept.into_iter().map(|row| self.split.train[row].clone()).collect();
        self.notes.push(format!("{n} of {n_before} training rows are used, by class share"));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(labels: &[usize]) -> Task {
        let row = |(i, &label)| Example { text: format!("text {i}"), pair: None, label };
        let train = labels.iter().enumerate().map(row).collect();
        let split = Split { train, validation: vec![], test: vec![] };
        let classes = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
        Task { name: "t".into(), title: "t".into(), classes, split, notes: vec![] }
    }

    fn mixed() -> Task {
        task(
            &(0..100)
                .map(|i| if i < 60 { 0 } else { 1 + usize::from(i >= 98) })
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn the_majority_class_is_counted_on_the_training_rows() {
        assert_eq!(task(&[2, 1, 1, 0]).majority_class(), 1);
        assert_eq!(task(&[1, 0]).majority_class(), 0);
    }

    #[test]
    fn the_fingerprint_changes_with_any_part_of_any_row() {
        let base = task(&[0, 1]);
        assert_eq!(base.fingerprint(), base.clone().fingerprint());
        let change = |edit: fn(&mut Task)| {
            let mut changed = base.clone();
            edit(&mut changed);
            changed.fingerprint()
        };
        let all = [
            base.fingerprint(),
            change(|t| t.split.train[0].text.push('!')),
            change(|t| t.split.train[0].pair = Some(String::new())),
            change(|t| t.split.train[1].label = 0),
            change(|t| t.split.train.swap(0, 1)),
            change(|t| t.split.test = t.split.train.split_off(1)),
            change(|t| t.split.validation = t.split.train.split_off(1)),
            change(|t| t.classes[0].push('!')),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn a_limited_training_split_keeps_the_shares_of_the_classes() {
        assert_eq!(mixed().limit_train(50, 1).class_counts(), [30, 19, 1]);
        assert_eq!(mixed().limit_train(3, 1).class_counts(), [1, 1, 1]);
        assert_eq!(mixed().limit_train(100, 1), mixed());
    }

    #[test]
    fn a_smaller_subset_is_part_of_a_larger_one_and_another_seed_gives_another() {
        let rows = |n, seed| mixed().limit_train(n, seed).split.train;
        let large = rows(40, 7);
        assert!(rows(20, 7).iter().all(|row| large.contains(row)));
        assert_ne!(rows(20, 7), rows(20, 8));
    }
}
