//! Counts of right and wrong classifications, and the scores that are made from them.

use serde::Serialize;

/// How often each class was taken for each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Confusion {
    /// `counts[truth][prediction]`
    counts: Vec<Vec<usize>>,
}

/// Scores of one class against all others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassScores {
    /// Share of right ones among the rows that were called so; 0 if none was.
    pub precision: f64,
    /// Share of right ones among the rows that are so; 0 if none is.
    pub recall: f64,
    /// Harmonic mean of the two; 0 if both are.
    pub f1: f64,
    /// Rows that are of the class.
    pub rows: usize,
}

impl Confusion {
    /// No row counted yet.
    pub fn new(n_classes: usize) -> Self {
        Self { counts: vec![vec![0; n_classes]; n_classes] }
    }

    /// Counts a row.
    pub fn add(&mut self, truth: usize, prediction: usize) {
        self.counts[truth][prediction] += 1;
    }

    /// Rows of the class `truth` that were taken for `prediction`.
    pub fn at(&self, truth: usize, prediction: usize) -> usize {
        self.counts[truth][prediction]
    }

    /// Rows counted.
    pub fn rows(&self) -> usize {
        self.counts.iter().flatten().sum()
    }

    fn classes(&self) -> std::ops::Range<usize> {
        0..self.counts.len()
    }

    fn hits(&self) -> usize {
        self.classes().map(|class| self.at(class, class)).sum()
    }

    /// Rows that are of a class.
    fn true_rows(&self, class: usize) -> usize {
        self.counts[class].iter().sum()
    }

    /// Rows that were taken for a class.
    fn predicted_rows(&self, class: usize) -> usize {
        self.counts.iter().map(|row| row[class]).sum()
    }

    /// Share of rows classified right.
    pub fn accuracy(&self) -> f64 {
        share(self.hits(), self.rows())
    }

    /// Precision, recall and F1 of a class.
    pub fn class(&self, class: usize) -> ClassScores {
        let (hits, rows, predicted) =
            (self.at(class, class), self.true_rows(class), self.predicted_rows(class));
        ClassScores {
            precision: share(hits, predicted),
            recall: share(hits, rows),
            f1: share(2 * hits, rows + predicted),
            rows,
        }
    }

    /// Unweighted mean of the classes' F1, those without rows included.
    pub fn macro_f1(&self) -> f64 {
        let sum: f64 = self.classes().map(|class| self.class(class).f1).sum();
        sum / self.counts.len().max(1) as f64
    }

    /// Matthews' correlation coefficient for any number of classes (Gorodkin, 2004): 1 if all
    /// rows are right, 0 if the predictions tell nothing or are all one class.
    ///
    /// ```text
    /// (c s − Σ p_k t_k) / √((s² − Σ p_k²) (s² − Σ t_k²))
    /// ```
    ///
    /// with s rows, c of them right, p_k predicted as class k and t_k truly of it.
    pub fn matthews(&self) -> f64 {
        let sum = |term: &dyn Fn(usize) -> f64| self.classes().map(term).sum::<f64>();
        let truth = |class| self.true_rows(class) as f64;
        let predicted = |class| self.predicted_rows(class) as f64;
        let (s, c) = (self.rows() as f64, self.hits() as f64);
        let covariance = c * s - sum(&|k| predicted(k) * truth(k));
        let spread = |rows: &dyn Fn(usize) -> f64| s * s - sum(&|k| rows(k) * rows(k));
        let product = spread(&predicted) * spread(&truth);
        if product == 0.0 { 0.0 } else { covariance / product.sqrt() }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confusion(counts: &[&[usize]]) -> Confusion {
        Confusion { counts: counts.iter().map(|row| row.to_vec()).collect() }
    }

    #[track_caller]
    fn close(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-12, "{value} is not {expected}");
    }

    #[test]
    fn two_classes_have_the_scores_of_the_textbook() {
        // Of four rows of class 0 three are found; of two rows of class 1 one is.
        let confusion = confusion(&[&[3, 1], &[1, 1]]);
        close(confusion.accuracy(), 4.0 / 6.0);
        let ClassScores { precision, recall, f1, rows } = confusion.class(0);
        assert_eq!((precision, recall, f1, rows), (0.75, 0.75, 0.75, 4));
        let ClassScores { precision, recall, f1, rows } = confusion.class(1);
        assert_eq!((precision, recall, f1, rows), (0.5, 0.5, 0.5, 2));
        close(confusion.macro_f1(), 0.625);
        // (TP·TN − FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN)) = (3·1 − 1·1) / √(4·4·2·2)
        close(confusion.matthews(), 0.25);
    }

    #[test]
    fn three_classes_have_the_scores_of_scikit_learn() {
        // With scikit-learn 1.7.2:
        // python -c "from sklearn import metrics as m
        // t = [0]*5 + [1]*4 + [2]*3; p = [0,0,0,1,2, 1,1,0,2, 2,2,0]
        // print(m.accuracy_score(t, p), m.f1_score(t, p, average='macro'),
        //       m.matthews_corrcoef(t, p), m.precision_recall_fscore_support(t, p))"
        let mut confusion = Confusion::new(3);
        let truth = [0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2];
        let predicted = [0, 0, 0, 1, 2, 1, 1, 0, 2, 2, 2, 0];
        truth.into_iter().zip(predicted).for_each(|(t, p)| confusion.add(t, p));
        close(confusion.accuracy(), 0.5833333333333334);
        close(confusion.macro_f1(), 0.5809523809523809);
        close(confusion.matthews(), 0.3723404255319149);
        let scores = [0, 1, 2].map(|class| confusion.class(class));
        for (class, precision, recall, f1, rows) in [
            (0, 0.6, 0.6, 0.6, 5),
            (1, 2.0 / 3.0, 0.5, 0.5714285714285714, 4),
            (2, 0.5, 2.0 / 3.0, 0.5714285714285714, 3),
        ] {
            close(scores[class].precision, precision);
            close(scores[class].recall, recall);
            close(scores[class].f1, f1);
            assert_eq!(scores[class].rows, rows);
        }
    }

    #[test]
    fn what_cannot_be_divided_is_zero() {
        let one_sided = confusion(&[&[3, 0, 0], &[2, 0, 0], &[0, 0, 0]]);
        assert_eq!(one_sided.matthews(), 0.0);
        assert_eq!(one_sided.class(1).precision, 0.0);
        assert_eq!(
            one_sided.class(2),
            ClassScores { precision: 0.0, recall: 0.0, f1: 0.0, rows: 0 }
        );
        let none = Confusion::new(2);
        assert_eq!((none.accuracy(), none.macro_f1(), none.matthews()), (0.0, 0.0, 0.0));
    }
}
