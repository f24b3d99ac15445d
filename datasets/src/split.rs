//! From rows to a task: what is removed, what is set aside, which number a label gets.
//!
//! Two notions of "the same" keep splits apart. Rows *repeat* when their texts are equal,
//! case and white space aside: a repeat is removed. Rows are *family* when their texts have
//! the same letters and digits, or when they are parts of one thing, such as sentences of one
//! review: a family stays in one split, which a hash of it decides once and for all.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sha2::{Digest, Sha256};

use crate::rows::Row;
use crate::{DataError, Example, LineProblem, Split, Task};

/// A tenth of all hashes.
const TENTH: u64 = u64::MAX / 10;
/// Test rows are families with a hash in the first tenth, validation rows in the second.
const TEST_START: u64 = 0;
const VALIDATION_START: u64 = TENTH;

/// A task before its rows are cleaned, split and numbered.
pub(crate) struct Draft {
    pub name: String,
    pub title: String,
    pub train: Vec<Row>,
    /// Not empty if it is there; the same goes for `test`.
    pub validation: Option<Vec<Row>>,
    pub test: Option<Vec<Row>>,
    pub notes: Vec<String>,
}

impl Draft {
    /// Cleans, splits and numbers the rows.
    pub fn finish(mut self) -> Result<Task, DataError> {
        let Some(first) = self.train.first() else {
            return Err(DataError::NothingLeft { task: self.name });
        };
        let path = first.file.to_path_buf();
        let all = [Some(&mut self.train), self.validation.as_mut(), self.test.as_mut()];
        for rows in all.into_iter().flatten() {
            self.notes.extend(clean(rows)?);
        }
        if let (Some(validation), Some(test)) = (&mut self.validation, &self.test) {
            self.notes.extend(remove_repeats(validation, "validation", test, "test")?);
        }
        for (rows, other) in [(&self.validation, "validation"), (&self.test, "test")] {
            if let Some(rows) = rows {
                self.notes.extend(remove_repeats(&mut self.train, "train", rows, other)?);
            }
        }
        let n_rows = self.train.len();
        let mut set_aside = |given: Option<Vec<Row>>, start, split| {
            given.map_or_else(
                || {
                    let rows = carve(&mut self.train, start);
                    let n = rows.len();
                    self.notes.push(format!("{split} is {n} of {n_rows} rows, chosen by a hash"));
                    let path = path.clone();
                    let none = DataError::TooFewRows { path, n_rows, split };
                    if n == 0 { Err(none) } else { Ok(rows) }
                },
                Ok,
            )
        };
        let test = set_aside(self.test, TEST_START, "test")?;
        let validation = set_aside(self.validation, VALIDATION_START, "validation")?;

        let classes = sorted_classes(&self.train);
        if let [label] = &classes[..] {
            let (label, n_rows) = (label.clone(), self.train.len());
            return Err(DataError::OneClass { path, label, n_rows });
        }
        let split = Split {
            train: number(self.train, &classes)?,
            validation: number(validation, &classes)?,
            test: number(test, &classes)?,
        };
        Ok(Task { name: self.name, title: self.title, classes, split, notes: self.notes })
    }
}

/// Removes all but the first of rows that repeat, and all of those that contradict each other.
pub(crate) fn remove_duplicates(rows: &mut Vec<Row>) -> Vec<String> {
    let mut labels: HashMap<String, BTreeSet<String>> = HashMap::new();
    for row in rows.iter() {
        labels.entry(text_key(row)).or_default().insert(row.label.clone());
    }
    let n_before = rows.len();
    rows.retain(|row| labels[&text_key(row)].len() == 1);
    let n_contradicting = n_before - rows.len();
    let mut seen = HashSet::new();
    rows.retain(|row| seen.insert(text_key(row)));
    let n_repeating = n_before - n_contradicting - rows.len();
    let mut notes = Vec::new();
    if n_contradicting > 0 {
        notes
            .push(format!("{n_contradicting} rows of equal text with unequal labels were removed"));
    }
    if n_repeating > 0 {
        notes.push(format!("{n_repeating} rows that repeat another were removed"));
    }
    notes
}

/// Trims texts and labels and drops rows without text; a row without label is an error.
fn clean(rows: &mut Vec<Row>) -> Result<Option<String>, DataError> {
    for row in rows.iter_mut() {
        row.text = row.text.trim().to_owned();
        row.pair = row.pair.take().map(|pair| pair.trim().to_owned());
        row.label = row.label.trim().to_owned();
        if row.label.is_empty() {
            return Err(LineProblem::EmptyLabel.at(&row.file, row.line));
        }
    }
    let empty = |row: &Row| row.text.is_empty() || row.pair.as_ref().is_some_and(String::is_empty);
    let Some(first) = rows.iter().find(|row| empty(row)).cloned() else {
        return Ok(None);
    };
    let n_before = rows.len();
    rows.retain(|row| !empty(row));
    if rows.is_empty() {
        return Err(DataError::Empty { path: first.file.to_path_buf() });
    }
    let (n, file, line) = (n_before - rows.len(), first.file.display(), first.line);
    Ok(Some(format!("{n} rows without text were left out (the first: {file} line {line})")))
}

/// Removes from `rows` what occurs in `others`.
fn remove_repeats(
    rows: &mut Vec<Row>,
    split: &'static str,
    others: &[Row],
    other: &'static str,
) -> Result<Option<String>, DataError> {
    let keys: HashSet<String> = others.iter().map(text_key).collect();
    let (n_rows, file) = (rows.len(), rows[0].file.clone());
    rows.retain(|row| !keys.contains(&text_key(row)));
    match n_rows - rows.len() {
        0 => Ok(None),
        n if n == n_rows => Err(DataError::AllRepeated { path: file.to_path_buf(), n_rows, other }),
        n => Ok(Some(format!("{n} {split} rows that also occur in {other} were removed"))),
    }
}

/// Takes the families whose hash lies in the tenth from `start`, or at least the next one,
/// but never the last rows of a class.
fn carve(rows: &mut Vec<Row>, start: u64) -> Vec<Row> {
    let mut families: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    let mut left: HashMap<&str, usize> = HashMap::new();
    for (i, row) in rows.iter().enumerate() {
        families.entry(family_hash(row).wrapping_sub(start)).or_default().push(i);
        *left.entry(&row.label).or_default() += 1;
    }
    let mut taken = HashSet::new();
    for (distance, family) in families {
        if distance >= TENTH && !taken.is_empty() {
            break;
        }
        let mut wanted: HashMap<&str, usize> = HashMap::new();
        family.iter().for_each(|&i| *wanted.entry(&rows[i].label).or_default() += 1);
        if wanted.iter().all(|(label, n)| left[label] > *n) {
            wanted.iter().for_each(|(label, n)| *left.entry(label).or_default() -= n);
            taken.extend(family);
        }
    }
    let mut index = 0..;
    rows.extract_if(.., |_| index.next().is_some_and(|i| taken.contains(&i))).collect()
}

/// Equal for rows that repeat each other.
fn text_key(row: &Row) -> String {
    let words = |text: &str| {
        let lower = text.to_lowercase();
        lower.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    match &row.pair {
        Some(pair) => format!("{}\t{}", words(&row.text), words(pair)),
        None => words(&row.text),
    }
}

/// Equal for rows of one family.
fn family_hash(row: &Row) -> u64 {
    let letters = |text: &str| {
        let kept = text.chars().filter(|c| c.is_alphanumeric());
        kept.flat_map(char::to_lowercase).collect::<String>()
    };
    let key = match (&row.group, &row.pair) {
        (Some(group), _) => group.clone(),
        (None, Some(pair)) => format!("{}\t{}", letters(&row.text), letters(pair)),
        (None, None) => letters(&row.text),
    };
    // Texts of signs alone, such as `:)` and `:(`, have nothing in common.
    let key = if key.trim().is_empty() { text_key(row) } else { key };
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().take(8).fold(0, |hash, &byte| (hash << 8) | u64::from(byte))
}

/// The labels in the order of their numbers: by value if all are numbers, else by name.
fn sorted_classes(rows: &[Row]) -> Vec<String> {
    let labels: BTreeSet<&str> = rows.iter().map(|row| row.label.as_str()).collect();
    let mut classes: Vec<String> = labels.into_iter().map(str::to_owned).collect();
    let value = |class: &String| class.parse::<f64>().ok().filter(|value| value.is_finite());
    if classes.iter().all(|class| value(class).is_some()) {
        classes.sort_by(|a, b| value(a).partial_cmp(&value(b)).unwrap_or(a.cmp(b)));
    }
    classes
}

fn number(rows: Vec<Row>, classes: &[String]) -> Result<Vec<Example>, DataError> {
    let labels: HashMap<&str, usize> =
        classes.iter().enumerate().map(|(label, class)| (class.as_str(), label)).collect();
    let example = |row: Row| match labels.get(row.label.as_str()) {
        Some(&label) => Ok(Example { text: row.text, pair: row.pair, label }),
        None => {
            let problem = LineProblem::UnseenLabel { label: row.label, known: classes.to_vec() };
            Err(problem.at(&row.file, row.line))
        }
    };
    rows.into_iter().map(example).collect()
}
