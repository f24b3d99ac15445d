//! The statistics behind the tables: means over seeds, intervals, and when a difference counts.

/// Two-sided 95 % point of the normal distribution.
pub const Z_95: f64 = 1.959_964;

/// A mean over runs that differ in the seed only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation (divisor n − 1); 0 for one value.
    pub deviation: f64,
    /// How many values.
    pub n: usize,
}

impl Estimate {
    /// The estimate from `values`; `None` when there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        if n == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = if n > 1 { (squares / (n - 1) as f64).sqrt() } else { 0.0 };
        Some(Self { mean, deviation, n })
    }

    /// Half the width of the 95 % interval of the mean, `t · s / √n`. `None` for one value: one
    /// run says nothing about the spread.
    pub fn half_width(&self) -> Option<f64> {
        (self.n > 1).then(|| t_95(self.n - 1) * self.standard_error())
    }

    /// Standard error of the mean over seeds, `s / √n`.
    pub fn standard_error(&self) -> f64 {
        self.deviation / (self.n as f64).sqrt()
    }
}

/// Two-sided 95 % point of Student's t distribution.
pub fn t_95(degrees_of_freedom: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
        2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
        2.052, 2.048, 2.045, 2.042,
    ];
    match degrees_of_freedom {
        0 => f64::INFINITY,
        n if n <= TABLE.len() => TABLE[n - 1],
        // The expansion in 1/n, good to the third decimal from here on.
        n => {
            let (n, z) = (n as f64, Z_95);
            let first = (z.powi(3) + z) / 4.0;
            let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
            z + first / n + second / n.powi(2)
        }
    }
}

/// How many standard errors accuracy `a` lies above accuracy `b`, both on the same `n_test` rows.
///
/// The two-proportion z-test with pooled variance, plus the variance between seeds. It treats the
/// two accuracies as independent although the rows are the same, because records do not keep
/// single predictions; that makes it cautious.
pub fn z_of_difference(a: &Estimate, b: &Estimate, n_test: usize) -> f64 {
    let difference = a.mean - b.mean;
    if difference == 0.0 {
        return 0.0;
    }
    let pooled = (a.mean + b.mean) / 2.0;
    let sampling = 2.0 * pooled * (1.0 - pooled) / n_test.max(1) as f64;
    let seeds = a.standard_error().powi(2) + b.standard_error().powi(2);
    difference / (sampling + seeds).sqrt()
}

/// The smallest difference between two accuracies near `accuracy` that reaches the 95 % level of
/// [`z_of_difference`].
pub fn smallest_clear_difference(accuracy: &Estimate, n_test: usize) -> f64 {
    let sampling = accuracy.mean * (1.0 - accuracy.mean) / n_test.max(1) as f64;
    Z_95 * (2.0 * (sampling + accuracy.standard_error().powi(2))).sqrt()
}

/// McNemar's exact test for two classifiers on the same rows, of which `only_a` are classified
/// right by the first alone and `only_b` by the second alone: the two-sided p-value, how likely a
/// split at least as lopsided is if both are equally good. 1 where they never differ.
pub fn mcnemar(only_a: usize, only_b: usize) -> f64 {
    let n = only_a + only_b;
    let least = only_a.min(only_b);
    // ln of C(n, k) / 2ⁿ, from one k to the next: a product would underflow for many rows.
    let mut term = -(n as f64) * std::f64::consts::LN_2;
    let mut tail = 0.0;
    for k in 0..=least {
        tail += term.exp();
        term += ((n - k) as f64 / (k + 1) as f64).ln();
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(accuracy: f64) -> Estimate {
        Estimate::of(&[accuracy]).unwrap()
    }

    fn close(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() < tolerance, "{a} is not {b}");
    }

    #[test]
    fn three_seeds_give_the_interval_worked_out_by_hand() {
        // mean 0.82, deviations -0.02, 0, 0.02: s = 0.02; t(2) = 4.303; 4.303 · 0.02 / √3
        let estimate = Estimate::of(&[0.80, 0.82, 0.84]).unwrap();
        close(estimate.mean, 0.82, 1e-12);
        close(estimate.deviation, 0.02, 1e-12);
        close(estimate.half_width().unwrap(), 0.049_687, 1e-6);
    }

    #[test]
    fn one_run_has_a_mean_and_no_interval_and_no_run_has_neither() {
        assert_eq!(one(0.7).half_width(), None);
        assert_eq!(one(0.7).mean, 0.7);
        assert_eq!(Estimate::of(&[]), None);
    }

    #[test]
    fn the_t_points_continue_smoothly_beyond_the_table() {
        close(t_95(30), 2.042, 1e-9);
        close(t_95(31), 2.0395, 5e-4);
        close(t_95(120), 1.9799, 5e-4);
        close(t_95(1_000_000), Z_95, 1e-5);
    }

    #[test]
    fn two_proportions_give_the_z_worked_out_by_hand() {
        // pooled 0.775, √(0.775 · 0.225 · 2/1000) = 0.018674; 0.11 / 0.018674 = 5.8905
        close(z_of_difference(&one(0.83), &one(0.72), 1000), 5.8905, 1e-3);
        close(z_of_difference(&one(0.72), &one(0.83), 1000), -5.8905, 1e-3);
    }

    #[test]
    fn spread_between_seeds_makes_a_difference_less_clear() {
        let sure = z_of_difference(&one(0.75), &one(0.72), 2000);
        let spread = Estimate::of(&[0.70, 0.75, 0.80]).unwrap();
        let unsure = z_of_difference(&spread, &one(0.72), 2000);
        assert!(sure > Z_95 && unsure < Z_95, "{sure} {unsure}");
    }

    #[test]
    fn mcnemar_gives_the_p_values_worked_out_by_hand() {
        // 5 to 0: 2 / 2⁵. 8 to 2: 2 · (1 + 10 + 45) / 2¹⁰.
        close(mcnemar(5, 0), 0.0625, 1e-12);
        close(mcnemar(2, 8), 112.0 / 1024.0, 1e-12);
        assert_eq!(mcnemar(8, 2), mcnemar(2, 8));
        assert_eq!((mcnemar(0, 0), mcnemar(7, 7)), (1.0, 1.0));
        // Many rows: z = (|5200 − 4800| − 1) / √10000 = 3.99, p = 6.6e-5 by the normal.
        close(mcnemar(5200, 4800), 6.6e-5, 2e-6);
    }

    #[test]
    fn equal_accuracies_differ_by_nothing_even_at_the_ends() {
        assert_eq!(z_of_difference(&one(1.0), &one(1.0), 100), 0.0);
        assert_eq!(z_of_difference(&one(0.0), &one(0.0), 0), 0.0);
    }

    #[test]
    fn the_smallest_clear_difference_is_just_clear() {
        // 1.96 · √(2 · 0.8 · 0.2 / 1000) = 0.03506
        let difference = smallest_clear_difference(&one(0.8), 1000);
        close(difference, 0.035_06, 1e-4);
    }
}
