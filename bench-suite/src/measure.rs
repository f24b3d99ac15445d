//! Measures: how right a classifier is.

use burn::tensor::Tensor;

use crate::metrics::Confusion;

/// Predictions on a split, against its labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Share of rows classified right.
    pub accuracy: f64,
    /// Mean cross-entropy, nats.
    pub loss: f64,
    /// Unweighted mean of the classes' F1.
    pub macro_f1: f64,
    /// Whether each row was classified right, in the split's order.
    pub correct: Vec<bool>,
}

/// Collects scores row by row.
#[derive(Debug)]
pub struct Tally {
    /// What was taken for what.
    pub confusion: Confusion,
    correct: Vec<bool>,
    loss: f64,
}

impl Tally {
    /// An empty tally for a split of `n_rows`.
    pub fn new(n_classes: usize, n_rows: usize) -> Self {
        Self { confusion: Confusion::new(n_classes), correct: vec![false; n_rows], loss: 0.0 }
    }

    /// Adds a row of the split: its log-probabilities and its class.
    pub fn add(&mut self, row: usize, log_probabilities: &[f64], label: usize) {
        let answer = largest(log_probabilities);
        self.loss -= log_probabilities[label];
        self.confusion.add(label, answer);
        self.correct[row] = answer == label;
    }

    /// The figures over all rows added.
    pub fn evaluation(&self) -> Evaluation {
        Evaluation {
            accuracy: self.confusion.accuracy(),
            loss: self.loss / self.confusion.rows().max(1) as f64,
            macro_f1: self.confusion.macro_f1(),
            correct: self.correct.clone(),
        }
    }
}

/// Index of the largest number; the first of equals, 0 if none compares.
pub fn largest(numbers: &[f64]) -> usize {
    let mut best = 0;
    for (i, number) in numbers.iter().enumerate() {
        if *number > numbers[best] {
            best = i;
        }
    }
    best
}

/// Scores of each row's classes, on the host in float64.
pub fn scores(logits: Tensor<2>) -> Vec<Vec<f64>> {
    let [_, n_classes] = logits.dims();
    let scores: Vec<f64> = logits.into_data().iter::<f64>().collect();
    scores.chunks(n_classes).map(<[f64]>::to_vec).collect()
}

/// Log-probabilities of the classes of one row, from their scores.
pub fn log_probabilities(scores: &[f64]) -> Vec<f64> {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|score| (score - top).exp()).sum();
    scores.iter().map(|score| score - top - sum.ln()).collect()
}

/// Log-probabilities of each row, computed on the host in float64.
pub fn log_softmax(logits: Tensor<2>) -> Vec<Vec<f64>> {
    scores(logits).iter().map(|row| log_probabilities(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_loss_and_f1_are_those_of_the_textbook() {
        let mut tally = Tally::new(2, 4);
        let (sure, unsure) = (0.8_f64.ln(), 0.2_f64.ln());
        // Truth 0: two right, one wrong. Truth 1: one right.
        tally.add(3, &[sure, unsure], 0);
        tally.add(1, &[sure, unsure], 0);
        tally.add(2, &[unsure, sure], 0);
        tally.add(0, &[unsure, sure], 1);
        let evaluation = tally.evaluation();
        assert_eq!(evaluation.accuracy, 0.75);
        assert_eq!(evaluation.correct, [true, true, false, true]);
        assert!((evaluation.loss - (-3.0 * sure - unsure) / 4.0).abs() < 1e-12);
        // F1 of class 0: 2·2/(3+2) = 0.8; of class 1: 2·1/(1+2) = 2/3.
        assert!((evaluation.macro_f1 - (0.8 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn log_softmax_survives_large_scores() {
        let device = burn::tensor::Device::flex();
        let rows = log_softmax(Tensor::from_floats([[1000.0, 1000.0]], &device));
        assert!((rows[0][0] - 0.5_f64.ln()).abs() < 1e-9);
    }
}
