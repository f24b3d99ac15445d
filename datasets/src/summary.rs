//! What was read, in a short block for people.

use std::fmt;

use crate::{Encoded, Task};

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Short name of the task.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// Names of the classes with their training rows, in label order.
    pub classes: Vec<(String, usize)>,
    /// Training rows.
    pub n_train: usize,
    /// Validation rows.
    pub n_validation: usize,
    /// Test rows.
    pub n_test: usize,
    /// Lengths of the rows that were given as encoded; `None` if there were none.
    pub lengths: Option<Lengths>,
    /// What was done to the rows.
    pub notes: Vec<String>,
}

/// Distribution of row lengths: tokens, with special tokens, after truncation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lengths {
    /// The shortest.
    pub min: usize,
    /// Half of the rows are this long or shorter.
    pub median: usize,
    /// 95 in 100 rows are this long or shorter.
    pub p95: usize,
    /// The longest.
    pub max: usize,
    /// Share of rows that were cut, 0 to 1.
    pub truncated_share: f64,
}

impl Summary {
    /// Summarises a task; `encoded` are its splits as tokens, as many of them as should count.
    pub fn new(task: &Task, encoded: &[&[Encoded]]) -> Self {
        let counts = task.class_counts();
        Summary {
            name: task.name.clone(),
            title: task.title.clone(),
            classes: task.classes.iter().cloned().zip(counts).collect(),
            n_train: task.split.train.len(),
            n_validation: task.split.validation.len(),
            n_test: task.split.test.len(),
            lengths: Lengths::of(encoded),
            notes: task.notes.clone(),
        }
    }
}

impl Lengths {
    fn of(encoded: &[&[Encoded]]) -> Option<Self> {
        let rows = || encoded.iter().copied().flatten();
        let mut lengths: Vec<usize> = rows().map(|row| row.ids.len()).collect();
        lengths.sort_unstable();
        let n = lengths.len();
        let n_truncated = rows().filter(|row| row.truncated).count();
        // Nearest rank: the smallest length that the share of rows does not exceed.
        let percentile = |percent: usize| lengths[(n * percent).div_ceil(100).max(1) - 1];
        (n > 0).then(|| Lengths {
            min: lengths[0],
            median: percentile(50),
            p95: percentile(95),
            max: lengths[n - 1],
            truncated_share: n_truncated as f64 / n as f64,
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 6;
        match self.title == self.name {
            true => writeln!(f, "{}", self.name)?,
            false => writeln!(f, "{}: {}", self.name, self.title)?,
        }
        let (train, validation, test) = (self.n_train, self.n_validation, self.n_test);
        writeln!(f, "  rows     {train} train, {validation} validation, {test} test")?;
        let percent = |n: usize| 100.0 * n as f64 / train.max(1) as f64;
        let shown = self.classes.iter().take(SHOWN);
        let mut classes: Vec<String> =
            shown.map(|(class, n)| format!("{class} {n} ({:.1}%)", percent(*n))).collect();
        if self.classes.len() > SHOWN {
            classes.push(format!("and {} more", self.classes.len() - SHOWN));
        }
        write!(f, "  classes  {}: {}", self.classes.len(), classes.join(", "))?;
        if let Some(Lengths { min, median, p95, max, truncated_share }) = self.lengths {
            write!(f, "\n  tokens   {min} to {max}, median {median}, 95% up to {p95}")?;
            write!(f, "; {:.1}% of rows cut", 100.0 * truncated_share)?;
        }
        self.notes.iter().try_for_each(|note| write!(f, "\n  note     {note}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Example, Split};

    fn rows(lengths: &[usize]) -> Vec<Encoded> {
        let row = |&n: &usize| Encoded { ids: vec![1; n], type_ids: vec![0; n], truncated: n == 9 };
        lengths.iter().map(row).collect()
    }

    #[test]
    fn percentiles_are_lengths_that_occur() {
        let encoded = rows(&[5, 1, 4, 2, 9]);
        let lengths = Lengths::of(&[&encoded[..3], &encoded[3..]]).unwrap();
        let expected = Lengths { min: 1, median: 4, p95: 9, max: 9, truncated_share: 0.2 };
        assert_eq!(lengths, expected);
        assert_eq!(Lengths::of(&[]), None);
    }

    #[test]
    fn the_block_tells_rows_classes_lengths_and_notes() {
        let row = |label| Example { text: "x".into(), pair: None, label };
        let split =
            Split { train: vec![row(0), row(1), row(1)], validation: vec![], test: vec![row(0)] };
        let task = Task {
            name: "toy".into(),
            title: "A toy".into(),
            classes: vec!["no".into(), "yes".into()],
            split,
            notes: vec!["2 rows were removed".into()],
        };
        let block = Summary::new(&task, &[&rows(&[3, 9])]).to_string();
        let expected = "toy: A toy\n  \
            rows     3 train, 0 validation, 1 test\n  \
            classes  2: no 1 (33.3%), yes 2 (66.7%)\n  \
            tokens   3 to 9, median 3, 95% up to 9; 50.0% of rows cut\n  \
            note     2 rows were removed";
        assert_eq!(block, expected);
    }
}
