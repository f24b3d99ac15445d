//! What the adviser found: plain data for a JSON file.

use report::{record::RowSet, stats::mcnemar};
use serde::Serialize;
use serde_json::Value;

use crate::{
    advise::candidates::Candidate,
    arm::{Arm, Baseline},
    model::Model,
};

/// A p-value below this shows a difference.
pub const LEVEL: f64 = 0.05;

/// One candidate in one round.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Name for people.
    pub label: String,
    /// Name of the method or baseline.
    pub method: String,
    /// Its settings.
    pub config: Value,
    /// Numbers to keep beside the head, by formula.
    pub stored: usize,
    /// The rate of all but the head, or the head's where nothing else is trained.
    pub learning_rate: f64,
    /// Share of held-out rows classified right, fold by fold.
    pub accuracies: Vec<f64>,
    /// Mean cross-entropy on them, nats, fold by fold.
    pub losses: Vec<f64>,
    /// Held-out rows, fold by fold.
    pub rows: Vec<usize>,
    /// Trainings that diverged.
    pub diverged: usize,
    /// Seconds of its trainings.
    pub seconds: f64,
    /// The held-out rows that were classified right, fold by fold.
    pub correct: Vec<RowSet>,
}

impl Entry {
    /// A candidate before its first training.
    pub fn new(candidate: &Candidate, model: &Model) -> Self {
        let arm = &candidate.plan.arm;
        let whole = (*arm == Arm::Baseline(Baseline::Full)).then_some(model.info.n_parameters);
        let plan = arm.plan(model).ok().flatten();
        Self {
            label: candidate.label(),
            method: arm.name().to_owned(),
            config: serde_json::to_value(arm).unwrap_or_default(),
            stored: plan.map_or(whole.unwrap_or(0), |plan| plan.stored),
            learning_rate: candidate.learning_rate,
            accuracies: vec![],
            losses: vec![],
            rows: vec![],
            diverged: 0,
            seconds: 0.0,
            correct: vec![],
        }
    }

    /// Held-out rows of all folds.
    pub fn n_rows(&self) -> usize {
        self.rows.iter().sum()
    }

    /// Held-out rows of all folds that were classified right.
    pub fn n_right(&self) -> usize {
        self.correct.iter().map(RowSet::len).sum()
    }

    /// Share of all held-out rows classified right; `None` where there are none.
    pub fn accuracy(&self) -> Option<f64> {
        (self.n_rows() > 0).then(|| self.n_right() as f64 / self.n_rows() as f64)
    }

    /// What a ranking looks at: folds done, rows right, then the loss.
    fn key(&self) -> (usize, f64, f64) {
        let loss = self.losses.iter().sum::<f64>() / self.losses.len().max(1) as f64;
        (self.accuracies.len(), self.accuracy().unwrap_or(0.0), -loss)
    }
}

/// One round of the contest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Round {
    /// Steps of each training.
    pub steps: usize,
    /// The same as passes over the rows that are not held out.
    pub epochs: f64,
    /// Folds that each candidate was to be tried on.
    pub folds: usize,
    /// The candidates.
    pub results: Vec<Entry>,
}

impl Round {
    /// Places in `results` of those that were tried, best first. More folds go before fewer, so
    /// that a round that time cut short ranks what it could compare.
    pub fn ranking(&self) -> Vec<usize> {
        let tried = |&place: &usize| !self.results[place].accuracies.is_empty();
        let mut places: Vec<usize> = (0..self.results.len()).filter(tried).collect();
        let key = |place: usize| self.results[place].key();
        places.sort_by(|&a, &b| {
            let ((a_folds, a_right, a_loss), (b_folds, b_right, b_loss)) = (key(a), key(b));
            b_folds.cmp(&a_folds).then(b_right.total_cmp(&a_right)).then(b_loss.total_cmp(&a_loss))
        });
        places
    }
}

/// Two candidates on the same rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The other one.
    pub label: String,
    /// Numbers that the other one keeps beside the head, by formula.
    pub stored: usize,
    /// Share of the rows that both were tried on which the winner classified right.
    pub winner_accuracy: f64,
    /// The other one's.
    pub accuracy: f64,
    /// Rows that only the winner classified right.
    pub only_winner: usize,
    /// Rows that only the other one classified right.
    pub only_other: usize,
    /// McNemar's exact test: how likely so lopsided a split is, were both equally good.
    pub p: f64,
    /// Whether a difference is shown.
    pub is_shown: bool,
}

impl Comparison {
    /// Compares the winner with another candidate on the folds that both were tried on.
    pub fn of(winner: &Entry, other: &Entry) -> Self {
        let pairs = || winner.correct.iter().zip(&other.correct);
        let n: usize = winner.rows.iter().zip(&other.rows).map(|(rows, _)| rows).sum();
        let share = |right: usize| right as f64 / n.max(1) as f64;
        let only_winner = pairs().map(|(winner, other)| winner.n_beyond(other)).sum();
        let only_other = pairs().map(|(winner, other)| other.n_beyond(winner)).sum();
        let p = mcnemar(only_winner, only_other);
        Self {
            label: format!("{} at rate {}", other.label, other.learning_rate),
            stored: other.stored,
            winner_accuracy: share(pairs().map(|(winner, _)| winner.len()).sum()),
            accuracy: share(pairs().map(|(_, other)| other.len()).sum()),
            only_winner,
            only_other,
            p,
            is_shown: p < LEVEL,
        }
    }
}

/// The recommendation and all of its evidence.
#[derive(Clone, Debug, Serialize)]
pub struct Advice {
    /// The task's name.
    pub task: String,
    /// Training rows.
    pub n_train: usize,
    /// Test rows.
    pub n_test: usize,
    /// Folds that the training rows were cut into.
    pub folds: usize,
    /// Seconds that were allowed.
    pub budget_seconds: f64,
    /// Seconds that were taken.
    pub spent_seconds: f64,
    /// How it was found.
    pub rule: String,
    /// What was left out, and why.
    pub notes: Vec<String>,
    /// The rounds, the last one deciding.
    pub rounds: Vec<Round>,
    /// The winner in the deciding round.
    pub winner: Entry,
    /// The winner against each of the others in the deciding round, best first.
    pub comparisons: Vec<Comparison>,
    /// Id of the record of the final training.
    pub run: String,
    /// The command that repeats the final training.
    pub command: String,
    /// Share of test rows that the final training classified right.
    pub test_accuracy: Option<f64>,
    /// Bytes of the trained file.
    pub bytes_on_disk: u64,
    /// The recommendation in plain words.
    pub words: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(label: &str, folds: &[&[bool]]) -> Entry {
        Entry {
            label: label.to_owned(),
            method: "lora".to_owned(),
            config: Value::Null,
            stored: 10,
            learning_rate: 0.1,
            accuracies: vec![0.5; folds.len()],
            losses: vec![1.0; folds.len()],
            rows: folds.iter().map(|fold| fold.len()).collect(),
            diverged: 0,
            seconds: 1.0,
            correct: folds.iter().map(|fold| RowSet::of(fold)).collect(),
        }
    }

    #[test]
    fn a_ranking_goes_by_folds_then_rows_then_loss() {
        let one = result("one fold", &[&[true, true]]);
        let some = result("half right", &[&[true, false], &[true, false]]);
        let most = result("most right", &[&[true, true], &[true, false]]);
        let sure = Entry { losses: vec![0.1, 0.1], ..some.clone() };
        let untried = result("untried", &[]);
        let round = Round {
            steps: 1,
            epochs: 1.0,
            folds: 2,
            results: vec![one, some, most, untried, sure],
        };
        assert_eq!(round.ranking(), [2, 4, 1, 0]);
    }

    #[test]
    fn two_are_compared_row_by_row_on_the_folds_of_both() {
        let winner = result("w", &[&[true; 12], &[false; 12]]);
        let other = result(
            "o",
            &[&[false, false, false, true, true, true, true, true, true, true, false, false]],
        );
        let compared = Comparison::of(&winner, &other);
        assert_eq!((compared.only_winner, compared.only_other), (5, 0));
        assert_eq!((compared.winner_accuracy, compared.accuracy), (1.0, 7.0 / 12.0));
        assert!((compared.p - 0.0625).abs() < 1e-12 && !compared.is_shown);
    }
}
