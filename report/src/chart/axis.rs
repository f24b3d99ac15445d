//! Axes: from values to places, and which values to write beside them.

/// How values lie along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Axis {
    Linear {
        low: f64,
        high: f64,
    },
    /// Both ends above zero.
    Logarithmic {
        low: f64,
        high: f64,
    },
}

impl Axis {
    /// A logarithmic axis around `values`, with room at both ends. Values below 1 count as 1.
    pub fn logarithmic(values: impl Iterator<Item = f64>) -> Self {
        const ROOM: f64 = 1.6;
        let (low, high) = range(values.map(|value| value.max(1.0))).unwrap_or((1.0, 1.0));
        Self::Logarithmic { low: low / ROOM, high: high * ROOM }
    }

    /// A logarithmic axis around values above zero, such as rates, with room at both ends.
    pub fn positive(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = range(values.filter(|value| *value > 0.0)).unwrap_or((1.0, 1.0));
        // As much room for a narrow range as for a wide one, in shares of the axis.
        let room = (high / low).powf(0.06).max(1.15);
        Self::Logarithmic { low: low / room, high: high * room }
    }

    /// A linear axis around shares between 0 and 1, with room at both ends but never outside.
    pub fn shares(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = range(values).unwrap_or((0.0, 1.0));
        let room = ((high - low) * 0.08).max(0.01);
        Self::Linear { low: (low - room).max(0.0), high: (high + room).min(1.0) }
    }

    /// A linear axis from zero to a little above the largest of `values`.
    pub fn from_zero(values: impl Iterator<Item = f64>) -> Self {
        let high = range(values).map_or(0.0, |(_, high)| high);
        Self::Linear { low: 0.0, high: if high > 0.0 { high * 1.02 } else { 1.0 } }
    }

    /// Where `value` lies: 0 at the low end, 1 at the high end.
    pub fn place(&self, value: f64) -> f64 {
        match *self {
            Self::Linear { low, high } => (value - low) / (high - low),
            Self::Logarithmic { low, high } => (value.max(low) / low).ln() / (high / low).ln(),
        }
    }

    /// At most `max_n` round values inside the axis, evenly spread.
    pub fn ticks(&self, max_n: usize) -> Vec<f64> {
        match *self {
            Self::Linear { low, high } => linear_ticks(low, high, max_n),
            Self::Logarithmic { low, high } => logarithmic_ticks(low, high, max_n),
        }
    }
}

fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |range, value| match range {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

fn linear_ticks(low: f64, high: f64, max_n: usize) -> Vec<f64> {
    let exponent = ((high - low) / max_n as f64).log10().floor() as i32;
    let steps = [1, 2, 5, 10, 20, 50].into_iter();
    for step in steps.map(|digit| f64::from(digit) * 10_f64.powi(exponent)) {
        // A billionth of a step takes up rounding at the ends.
        let first = (low / step - 1e-9).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        if last - first < max_n as i64 {
            return (first..=last).map(|i| i as f64 * step).collect();
        }
    }
    Vec::new()
}

fn logarithmic_ticks(low: f64, high: f64, max_n: usize) -> Vec<f64> {
    let inside = |digits: &[f64]| -> Vec<f64> {
        let decades = low.log10().floor() as i32..=high.log10().floor() as i32;
        decades
            .flat_map(|decade| digits.iter().map(move |digit| digit * 10_f64.powi(decade)))
            .filter(|tick| (low..=high).contains(tick))
            .collect()
    };
    let choices: [&[f64]; 3] = [&[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];
    let ticks = choices.map(inside).into_iter().find(|ticks| ticks.len() <= max_n);
    ticks.unwrap_or_else(|| {
        let decades = inside(&[1.0]);
        let every = decades.len().div_ceil(max_n);
        decades.into_iter().step_by(every).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(ticks: &[f64], expected: &[f64]) {
        assert_eq!(ticks.len(), expected.len(), "{ticks:?}");
        for (a, b) in ticks.iter().zip(expected) {
            assert!((a - b).abs() < 1e-9 * b.abs().max(1.0), "{ticks:?}");
        }
    }

    #[test]
    fn linear_ticks_are_round_and_inside() {
        close(&linear_ticks(0.70, 0.84, 6), &[0.70, 0.75, 0.80]);
        close(&linear_ticks(0.70, 0.84, 8), &[0.70, 0.72, 0.74, 0.76, 0.78, 0.80, 0.82, 0.84]);
        close(&linear_ticks(0.0, 330.0, 4), &[0.0, 100.0, 200.0, 300.0]);
        close(&linear_ticks(0.8279, 0.8281, 3), &[0.8279, 0.828, 0.8281]);
    }

    #[test]
    fn logarithmic_ticks_thin_out_as_the_axis_grows() {
        close(&logarithmic_ticks(900.0, 6_000.0, 6), &[1e3, 2e3, 5e3]);
        close(&logarithmic_ticks(900.0, 60_000.0, 5), &[1e3, 3e3, 1e4, 3e4]);
        close(&logarithmic_ticks(900.0, 3e7, 6), &[1e3, 1e4, 1e5, 1e6, 1e7]);
        close(&logarithmic_ticks(1.0, 1e12, 5), &[1.0, 1e3, 1e6, 1e9, 1e12]);
    }

    #[test]
    fn places_run_from_the_low_end_to_the_high_end() {
        let axis = Axis::Logarithmic { low: 10.0, high: 1000.0 };
        assert!((axis.place(100.0) - 0.5).abs() < 1e-12);
        assert_eq!(axis.place(0.0), 0.0); // nothing trained still has a place
        let axis = Axis::Linear { low: 0.5, high: 1.0 };
        assert_eq!((axis.place(0.5), axis.place(0.75), axis.place(1.0)), (0.0, 0.5, 1.0));
    }

    #[test]
    fn one_value_makes_an_axis_with_room_around_it() {
        for axis in [Axis::logarithmic([5.0].into_iter()), Axis::shares([0.8].into_iter())] {
            let value = if matches!(axis, Axis::Linear { .. }) { 0.8 } else { 5.0 };
            assert!((axis.place(value) - 0.5).abs() < 1e-6);
            assert!(!axis.ticks(5).is_empty());
        }
    }

    #[test]
    fn an_axis_of_shares_ends_at_one() {
        assert_eq!(Axis::shares([0.9, 1.0].into_iter()), Axis::Linear { low: 0.89, high: 1.0 });
    }
}
