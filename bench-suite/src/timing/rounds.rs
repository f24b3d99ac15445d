//! What workers are asked for and what they answer.

use serde::{Deserialize, Serialize};

/// What a worker can be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A training from scratch over the job's rows, its clock untouched by phases.
    Train,
    /// The same, with a clock stopped after each phase.
    Phases,
    /// A pass over the test split without gradients.
    Evaluate,
}

impl Request {
    /// Every request.
    pub const ALL: [Self; 3] = [Self::Train, Self::Phases, Self::Evaluate];

    /// The line that is sent.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Phases => "phases",
            Self::Evaluate => "evaluate",
        }
    }
}

/// What a round took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Seconds of the whole round.
    pub seconds: f64,
    /// Batches.
    pub steps: usize,
    /// True tokens, padding not counted.
    pub tokens: usize,
    /// Most resident memory of the process up to now, bytes, where the system tells.
    pub peak_bytes: Option<u64>,
    /// Where the seconds went, if that was asked for.
    pub phases: Option<Phases>,
}

/// Seconds in each part of the steps of a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Phases {
    /// Making the batches and giving them to the device.
    pub data: f64,
    /// From the tokens to the loss.
    pub forward: f64,
    /// From the loss to the gradients.
    pub backward: f64,
    /// Clipping, the update, and what the method does beside it.
    pub optimizer: f64,
}

impl Phases {
    /// Their sum.
    pub fn sum(&self) -> f64 {
        self.data + self.forward + self.backward + self.optimizer
    }
}

/// The middle of some numbers, and how far they reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

impl Spread {
    /// `None` for no numbers.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        let (&low, &high) = (numbers.first()?, numbers.last()?);
        let half = numbers.len() / 2;
        let median = match numbers.len().is_multiple_of(2) {
            true => (numbers[half - 1] + numbers[half]) / 2.0,
            false => numbers[half],
        };
        Some(Self { median, low, high })
    }

    /// How many times `base` goes into `of`: the ratio of the medians, and the smallest and the
    /// largest ratio of a pair.
    pub fn of_ratio(of: &[f64], base: &[f64]) -> Option<Self> {
        let pairs = Self::of(of.iter().zip(base).map(|(of, base)| of / base))?;
        let median = Self::of(of.iter().copied())?.median / Self::of(base.iter().copied())?.median;
        Some(Self { median, ..pairs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middle_ones() {
        let spread = Spread::of([5.0, 1.0, 3.0]).unwrap();
        assert_eq!((spread.median, spread.low, spread.high), (3.0, 1.0, 5.0));
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 9.0]).unwrap().median, 3.0);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn a_ratio_is_that_of_the_medians_with_the_reach_of_the_pairs() {
        let ratio = Spread::of_ratio(&[2.0, 6.0, 4.0], &[1.0, 2.0, 4.0]).unwrap();
        assert_eq!((ratio.median, ratio.low, ratio.high), (2.0, 1.0, 3.0));
    }
}
