//! The rows of a run, as tokens.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use anyhow::{Result, bail};
use backbones::Tokens;
use burn::tensor::{Device, Tensor, TensorData};
use datasets::{Batch, Encoded, Example, Summary, Task, TextEncoder};
use report::record::TaskInfo;

use crate::{features::Features, training::Training};

/// Rows of one split: tokens and labels.
pub struct Rows {
    /// Token ids of each row.
    pub encoded: Vec<Encoded>,
    /// Class of each row.
    pub labels: Vec<usize>,
}

impl Rows {
    fn new(examples: &[Example], encoder: &TextEncoder) -> Result<Self> {
        let labels = examples.iter().map(|example| example.label).collect();
        Ok(Self { encoded: encoder.encode(examples)?, labels })
    }

    /// Some of the rows, in the given order.
    pub fn select(&self, rows: &[usize]) -> Self {
        let encoded = rows.iter().map(|&row| self.encoded[row].clone()).collect();
        Self { encoded, labels: rows.iter().map(|&row| self.labels[row]).collect() }
    }

    /// Tokens of all rows.
    pub fn n_tokens(&self) -> usize {
        self.encoded.iter().map(|row| row.ids.len()).sum()
    }

    fn truncated(&self) -> usize {
        self.encoded.iter().filter(|row| row.truncated).count()
    }
}

/// A task, cut to the rows that the training asks for and tokenized.
pub struct Data {
    /// Training rows.
    pub train: Rows,
    /// Rows that choose the checkpoint.
    pub validation: Rows,
    /// Rows that are looked at once; see [`Data::test`].
    test: Rows,
    n_test_looks: Cell<usize>,
    /// See [`Data::features`].
    features: RefCell<Option<Rc<Features>>>,
    /// The commonest class of the training rows.
    pub majority: usize,
    /// What the records say of the task.
    pub info: TaskInfo,
    /// What was read, for people.
    pub summary: Summary,
}

/// Fixed for all seeds, so that seeds differ in training alone and never in data.
pub const SUBSET_SEED: u64 = 0;

impl Data {
    /// Tokenizes a task.
    ///
    /// # Errors
    /// A text that the tokenizer refuses, or a subset too small to hold every class.
    pub fn new(mut task: Task, training: &Training, encoder: &TextEncoder) -> Result<Self> {
        if let Some(n) = training.train_rows {
            if n < task.classes.len() {
                bail!(
                    "training.train_rows is {n}, but {} has {} classes; give at least one row each",
                    task.name,
                    task.classes.len()
                );
            }
            task = task.limit_train(n, SUBSET_SEED);
        }
        if let Some(n) = training.validation_rows {
            // Rows lie in the order of the files; every k-th one is a fair sample of them.
            let all = std::mem::take(&mut task.split.validation);
            let n = n.min(all.len());
            task.split.validation = (0..n).map(|i| all[i * all.len() / n].clone()).collect();
        }
        let train = Rows::new(&task.split.train, encoder)?;
        let validation = Rows::new(&task.split.validation, encoder)?;
        let test = Rows::new(&task.split.test, encoder)?;
        let splits = [&train, &validation, &test];
        let n_rows: usize = splits.iter().map(|rows| rows.labels.len()).sum();
        let n_truncated: usize = splits.iter().map(|rows| rows.truncated()).sum();
        let info = TaskInfo {
            name: task.name.clone(),
            title: task.title.clone(),
            classes: task.classes.clone(),
            n_train: train.labels.len(),
            n_validation: validation.labels.len(),
            n_test: test.labels.len(),
            max_tokens: encoder.max_tokens(),
            truncated_share: n_truncated as f64 / n_rows.max(1) as f64,
            fingerprint: task.fingerprint(),
        };
        let summary = Summary::new(&task, &splits.map(|rows| rows.encoded.as_slice()));
        Ok(Self {
            train,
            validation,
            test,
            n_test_looks: Cell::new(0),
            features: RefCell::default(),
            majority: task.majority_class(),
            info,
            summary,
        })
    }

    /// The same task with other rows to train and to validate on; the test rows stay.
    pub fn with_rows(&self, train: Rows, validation: Rows) -> Self {
        let every_row: Vec<usize> = (0..self.test.labels.len()).collect();
        Self {
            train,
            validation,
            test: self.test.select(&every_row),
            n_test_looks: Cell::new(0),
            features: RefCell::default(),
            majority: self.majority,
            info: self.info.clone(),
            summary: self.summary.clone(),
        }
    }

    /// The sentence vectors that the model for which these rows are tokenized gives without a
    /// method: computed at the first call, the same ones at every other.
    pub fn features(&self, compute: impl FnOnce() -> Features) -> Rc<Features> {
        self.features.borrow_mut().get_or_insert_with(|| Rc::new(compute())).clone()
    }

    /// Lets the next call of [`Data::features`] compute them again, for who measures time.
    pub fn forget_features(&self) {
        self.features.take();
    }

    /// Rows for the final figure of a run, and for nothing else: every look is counted.
    pub fn test(&self) -> &Rows {
        self.n_test_looks.set(self.n_test_looks.get() + 1);
        &self.test
    }

    /// How often somebody looked at the test rows.
    pub fn n_test_looks(&self) -> usize {
        self.n_test_looks.get()
    }
}

/// A batch's tokens on a device.
pub fn tokens(batch: &Batch, device: &Device) -> Tokens {
    let shape = [batch.n, batch.seq];
    let mask: Vec<f32> = batch.mask.iter().map(|&real| f32::from(real)).collect();
    Tokens {
        ids: Tensor::from_data(TensorData::new(batch.ids.clone(), shape), device),
        type_ids: Tensor::from_data(TensorData::new(batch.type_ids.clone(), shape), device),
        mask: Tensor::from_data(TensorData::new(mask, shape), device),
    }
}
