//! Paired comparisons: configurations that were tested on the same rows, with the same seeds.
//!
//! A paired bootstrap over rows and blocks. A block is what two configurations share beside the
//! rows, mostly the seed. Both rows and blocks are drawn anew, with replacement and independently,
//! and the same draws serve all comparisons of one call. p is twice the share of draws in which
//! the difference is not on its own side of zero, counting the observed one; the p-values of a
//! call are corrected by Holm's method. Holding rows and blocks together makes the chance of both
//! part of the interval; with very few blocks theirs is understated.

use std::collections::BTreeMap;

use crate::format;
use crate::record::{RowSet, RunRecord};
use crate::summary::Configuration;

/// Draws of the bootstrap.
pub(crate) const N_DRAWS: usize = 5000;
const SEED: u64 = 20_260_101;
const LEVEL: f64 = 0.05;

/// What is compared: which rows it had right, by block.
pub(crate) type Entrant<'a> = BTreeMap<String, &'a RowSet>;

/// The difference between two entrants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Duel {
    /// Accuracy of the first minus that of the second.
    pub gain: f64,
    /// 95 % interval, not corrected for the number of comparisons.
    pub low: f64,
    pub high: f64,
    /// Two-sided and corrected.
    pub p: f64,
}

impl Duel {
    /// Whether more than chance is shown, after the correction.
    pub fn is_shown(&self) -> bool {
        self.p <= LEVEL
    }

    /// `+1.2 points (+0.4 to +2.1)`, with what keeps it from being shown.
    pub fn words(&self) -> String {
        let [low, high] = [self.low, self.high].map(points);
        let verdict = match self.is_shown() {
            true => "",
            // The interval alone would say otherwise.
            false if self.low > 0.0 || self.high < 0.0 => ", not shown among so many comparisons",
            false => ", no difference shown",
        };
        format!("{} points ({low} to {high}){verdict}", points(self.gain))
    }
}

/// `+1.2`, `−0.4`, `0.0`.
pub(crate) fn points(share: f64) -> String {
    let shown = format!("{:.1}", (share * 100.0).abs());
    match shown.as_str() {
        "0.0" => shown,
        _ if share < 0.0 => format!("−{shown}"),
        _ => format!("+{shown}"),
    }
}

/// The rows that a configuration had right, by seed.
pub(crate) fn entrant<'a>(configuration: &Configuration<'a>) -> Entrant<'a> {
    configuration.runs.iter().copied().filter_map(|run| Some((block(run), correct(run)?))).collect()
}

/// The block of a run in comparisons over seeds.
pub(crate) fn block(run: &RunRecord) -> String {
    format!("seed {}", run.seed)
}

/// The test rows that a run had right, where its record keeps them.
pub(crate) fn correct(run: &RunRecord) -> Option<&RowSet> {
    run.scores.as_ref()?.test_correct.as_ref()
}

/// Compares pairs of `entrants` on `n_rows` rows; `None` for a pair without a common block.
pub(crate) fn duels(
    entrants: &[Entrant],
    n_rows: usize,
    pairs: &[(usize, usize)],
) -> Vec<Option<Duel>> {
    let mut columns: Vec<&RowSet> = Vec::new();
    let places: Vec<BTreeMap<&str, usize>> = entrants
        .iter()
        .map(|entrant| {
            entrant
                .iter()
                .map(|(block, rows)| {
                    columns.push(rows);
                    (block.as_str(), columns.len() - 1)
                })
                .collect()
        })
        .collect();
    let common: Vec<Vec<(usize, usize)>> = pairs
        .iter()
        .map(|&(a, b)| {
            places[a].iter().filter_map(|(block, &a)| Some((a, *places[b].get(block)?))).collect()
        })
        .collect();
    if n_rows == 0 || common.iter().all(Vec::is_empty) {
        return vec![None; pairs.len()];
    }
    let draws = draw(&columns, n_rows, &common);
    let observed: Vec<u32> = columns.iter().map(|rows| rows.len() as u32).collect();
    let mut duels: Vec<Option<Duel>> = common
        .iter()
        .zip(draws)
        .map(|(blocks, draws)| {
            let all: Vec<usize> = (0..blocks.len()).collect();
            (!blocks.is_empty()).then(|| summed_up(gain(&observed, blocks, &all, n_rows), draws))
        })
        .collect();
    correct_by_holm(&mut duels);
    duels
}

/// For each pair its difference in each draw.
fn draw(columns: &[&RowSet], n_rows: usize, pairs: &[Vec<(usize, usize)>]) -> Vec<Vec<f64>> {
    let mut rng = fastrand::Rng::with_seed(SEED);
    let n = columns.len();
    // Eight columns a word, a byte each, so that one addition counts for eight.
    let n_words = n.div_ceil(8);
    let mut table = vec![0_u64; n_rows * n_words];
    for (i, column) in columns.iter().enumerate() {
        for row in (0..n_rows).filter(|&row| column.contains(row)) {
            table[row * n_words + i / 8] |= 1 << (8 * (i % 8));
        }
    }
    let mut draws = vec![Vec::with_capacity(N_DRAWS); pairs.len()];
    let n_blocks = pairs.iter().map(Vec::len).max().unwrap_or_default();
    for _ in 0..N_DRAWS {
        let mut counts = vec![0_u32; n];
        // A byte is full after 255 rows.
        for begin in (0..n_rows).step_by(255) {
            let mut bytes = vec![0_u64; n_words];
            for _ in begin..n_rows.min(begin + 255) {
                let row = rng.usize(..n_rows) * n_words;
                for (bytes, right) in bytes.iter_mut().zip(&table[row..row + n_words]) {
                    *bytes += right;
                }
            }
            for (i, count) in counts.iter_mut().enumerate() {
                *count += (bytes[i / 8] >> (8 * (i % 8)) & 0xff) as u32;
            }
        }
        let shares: Vec<f64> = (0..n_blocks).map(|_| rng.f64()).collect();
        for (blocks, draws) in pairs.iter().zip(&mut draws) {
            let drawn: Vec<usize> = shares[..blocks.len()]
                .iter()
                .map(|share| (share * blocks.len() as f64) as usize)
                .collect();
            draws.push(gain(&counts, blocks, &drawn, n_rows));
        }
    }
    draws
}

fn gain(counts: &[u32], blocks: &[(usize, usize)], drawn: &[usize], n_rows: usize) -> f64 {
    let sum: f64 = drawn
        .iter()
        .map(|&block| f64::from(counts[blocks[block].0]) - f64::from(counts[blocks[block].1]))
        .sum();
    sum / (drawn.len() * n_rows).max(1) as f64
}

fn summed_up(gain: f64, mut draws: Vec<f64>) -> Duel {
    draws.sort_by(f64::total_cmp);
    let n = draws.len();
    let not_above = draws.iter().filter(|draw| **draw <= 0.0).count();
    let not_below = draws.iter().filter(|draw| **draw >= 0.0).count();
    let p = 2.0 * (not_above.min(not_below) + 1) as f64 / (n + 1) as f64;
    let at = |share: f64| draws[((n as f64 * share) as usize).min(n - 1)];
    Duel { gain, low: at(0.025), high: at(0.975), p: p.min(1.0) }
}

/// Holm's step-down: the smallest p times all comparisons, the next times one less, and so on,
/// never falling.
fn correct_by_holm(duels: &mut [Option<Duel>]) {
    let mut order: Vec<usize> = (0..duels.len()).filter(|&i| duels[i].is_some()).collect();
    order.sort_by(|&a, &b| {
        let p = |i: usize| duels[i].map_or(1.0, |duel| duel.p);
        p(a).total_cmp(&p(b))
    });
    let n = order.len();
    let mut least = 0.0_f64;
    for (done, i) in order.into_iter().enumerate() {
        if let Some(duel) = &mut duels[i] {
            least = least.max((duel.p * (n - done) as f64).min(1.0));
            duel.p = least;
        }
    }
}

/// What is to be said of the test wherever it is used.
pub(crate) fn note() -> String {
    format!(
        "“Shown” means a paired bootstrap over test rows and seeds ({} draws, fixed seed): both \
         are drawn anew with replacement, p ≤ 0.05 after Holm's correction for the number of \
         comparisons made together. Intervals in brackets are its 95 % intervals, not corrected. \
         “No difference shown” does not mean that there is none; with two or three seeds the \
         chance between seeds is understated.",
        format::count(N_DRAWS)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `n` rows of which every row is right but for those that `wrong` picks.
    fn rows(n: usize, wrong: impl Fn(usize) -> bool) -> RowSet {
        RowSet::of(&(0..n).map(|row| !wrong(row)).collect::<Vec<_>>())
    }

    fn of<'a>(blocks: &'a [RowSet]) -> Entrant<'a> {
        blocks.iter().enumerate().map(|(i, rows)| (i.to_string(), rows)).collect()
    }

    #[test]
    fn the_same_answers_show_no_difference_and_a_clear_one_is_shown() {
        let good = [rows(400, |r| r % 10 == 0), rows(400, |r| r % 10 == 1)];
        let bad = [rows(400, |r| r % 10 < 2), rows(400, |r| r % 10 < 2)];
        let entrants = [of(&good), of(&good), of(&bad)];
        let duels = duels(&entrants, 400, &[(0, 1), (0, 2), (2, 0)]);
        let [same, better, worse] = [0, 1, 2].map(|i| duels[i].unwrap());
        assert_eq!((same.gain, same.p, same.is_shown()), (0.0, 1.0, false));
        assert!((better.gain - 0.1).abs() < 1e-12 && better.is_shown(), "{better:?}");
        assert!(0.05 < better.low && better.high < 0.16, "{better:?}");
        assert!((worse.gain + better.gain).abs() < 1e-12 && worse.is_shown());
    }

    #[test]
    fn a_bootstrap_of_rows_has_the_spread_of_the_binomial() {
        // 100 of 400 rows differ, all in favour of the first: standard error √(¼ · ¾ / 400).
        let (a, b) = ([rows(400, |_| false)], [rows(400, |r| r % 4 == 0)]);
        let duel = duels(&[of(&a), of(&b)], 400, &[(0, 1)])[0].unwrap();
        let half = 1.96 * (0.25_f64 * 0.75 / 400.0).sqrt();
        assert!((duel.high - duel.gain - half).abs() < 0.005, "{duel:?}");
        assert!((duel.gain - duel.low - half).abs() < 0.005, "{duel:?}");
    }

    #[test]
    fn seeds_that_contradict_each_other_show_nothing_where_each_alone_would() {
        let (right, wrong) = (rows(200, |_| false), rows(200, |r| r % 4 == 0));
        let a = [right.clone(), wrong.clone()];
        let b = [wrong, right];
        let duel = duels(&[of(&a), of(&b)], 200, &[(0, 1)])[0].unwrap();
        assert!(!duel.is_shown() && duel.low < -0.2 && duel.high > 0.2, "{duel:?}");
    }

    #[test]
    fn what_has_no_block_in_common_is_not_compared() {
        let rows = [rows(8, |_| false)];
        let other = BTreeMap::from([("another".to_owned(), &rows[0])]);
        assert_eq!(duels(&[of(&rows), other], 8, &[(0, 1)]), [None]);
    }

    #[test]
    fn holm_gives_the_values_worked_out_by_hand() {
        let duel = |p| Some(Duel { gain: 0.0, low: 0.0, high: 0.0, p });
        let mut duels = [duel(0.04), duel(0.01), None, duel(0.03)];
        correct_by_holm(&mut duels);
        let corrected: Vec<f64> = duels.iter().flatten().map(|duel| duel.p).collect();
        for (p, by_hand) in corrected.iter().zip([0.06, 0.03, 0.06]) {
            assert!((p - by_hand).abs() < 1e-12, "{corrected:?}");
        }
    }

    #[test]
    fn points_have_a_sign_unless_they_are_nothing() {
        assert_eq!([0.0123, -0.004, 0.0004, -0.0004].map(points), ["+1.2", "−0.4", "0.0", "0.0"]);
    }
}
