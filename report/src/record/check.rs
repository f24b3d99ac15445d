//! Figures that no run can have.

use super::RunRecord;

impl RunRecord {
    /// Refuses shares outside 0 to 1 and times and speeds below 0, which a page would print as if
    /// they were measured.
    ///
    /// # Errors
    /// The field, and its value with what it could be.
    pub(crate) fn check(&self) -> Result<(), (String, String)> {
        for (field, share) in self.shares() {
            if !(0.0..=1.0).contains(&share) {
                return Err((field, format!("is {share}; a share is 0 to 1")));
            }
        }
        for (field, value) in self.times() {
            if value < 0.0 {
                return Err((field.to_owned(), format!("is {value}; it cannot be below 0")));
            }
        }
        Ok(())
    }

    fn shares(&self) -> Vec<(String, f64)> {
        let mut shares = vec![("task.truncated_share".to_owned(), self.task.truncated_share)];
        if let Some(scores) = &self.scores {
            shares.extend([
                ("scores.test_accuracy".to_owned(), scores.test_accuracy),
                ("scores.test_macro_f1".to_owned(), scores.test_macro_f1),
                ("scores.validation_accuracy".to_owned(), scores.validation_accuracy),
            ]);
        }
        for (i, point) in self.curve.iter().enumerate() {
            shares.push((format!("curve[{i}].validation_accuracy"), point.validation_accuracy));
        }
        for (i, transfer) in self.transfer.iter().enumerate() {
            shares.push((format!("transfer[{i}].accuracy"), transfer.accuracy));
            shares.push((format!("transfer[{i}].macro_f1"), transfer.macro_f1));
        }
        shares
    }

    fn times(&self) -> [(&'static str, f64); 3] {
        [
            ("cost.train_seconds", self.cost.train_seconds),
            ("cost.evaluation_seconds", self.cost.evaluation_seconds),
            ("cost.tokens_per_second", self.cost.tokens_per_second),
        ]
    }
}

#[cfg(test)]
mod tests {
    use crate::example;

    #[test]
    fn every_example_makes_sense() {
        for record in example::suite(&[1, 2]) {
            record.check().unwrap();
        }
    }

    #[test]
    fn a_figure_that_no_run_can_have_is_named_with_its_value() {
        let good = example::suite(&[1]).remove(4);
        let mut wrong = good.clone();
        wrong.curve[1].validation_accuracy = 1.5;
        let (field, problem) = wrong.check().unwrap_err();
        assert_eq!(field, "curve[1].validation_accuracy");
        assert_eq!(problem, "is 1.5; a share is 0 to 1");
        let mut wrong = good.clone();
        wrong.scores.as_mut().unwrap().test_macro_f1 = -0.1;
        assert_eq!(wrong.check().unwrap_err().0, "scores.test_macro_f1");
        let mut wrong = good;
        wrong.cost.train_seconds = -1.0;
        assert_eq!(wrong.check().unwrap_err().0, "cost.train_seconds");
    }
}
