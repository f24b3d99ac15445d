//! Time: what a training costs, what fits into a budget, and when it is over.

use std::time::{Duration, Instant};

use crate::train::Watcher;

/// Trainings that are too short to tell candidates apart are not worth their time.
pub const FEWEST_STEPS: f64 = 20.0;

/// What a training costs: seconds = fixed + step · steps + row · rows evaluated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Seconds before the first step.
    pub fixed: f64,
    /// Seconds a step.
    pub step: f64,
    /// Seconds a row of an evaluation.
    pub row: f64,
}

impl Cost {
    /// Seconds of a training.
    pub fn seconds(&self, steps: f64, rows: f64) -> f64 {
        self.fixed + self.step * steps + self.row * rows
    }

    /// The mean of some costs.
    pub fn mean(costs: &[Cost]) -> Cost {
        let n = costs.len().max(1) as f64;
        let mean = |part: fn(&Cost) -> f64| costs.iter().map(part).sum::<f64>() / n;
        Cost { fixed: mean(|c| c.fixed), step: mean(|c| c.step), row: mean(|c| c.row) }
    }

    /// The largest of each part.
    pub fn highest(costs: &[Cost]) -> Cost {
        costs.iter().fold(Cost::default(), |a, b| Cost {
            fixed: a.fixed.max(b.fixed),
            step: a.step.max(b.step),
            row: a.row.max(b.row),
        })
    }
}

/// One round of the contest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rung {
    /// Candidates that take part.
    pub n: usize,
    /// Steps of their trainings, as a share of the last round's.
    pub share: f64,
    /// Folds that each is tried on.
    pub folds: usize,
}

/// Candidates of the last round, at most, each of another arm.
pub const FINALISTS: usize = 3;

/// Candidates that two rounds are enough for. More rounds would need longer trainings in the
/// last one, if those of the first are to tell anything.
const FEW: usize = 24;

/// The rounds for a number of candidates: three times the steps and a quarter of the candidates
/// from one to the next, or at once the finalists; the last one on every fold.
pub fn rungs(n: usize, k: usize) -> Vec<Rung> {
    let last = Rung { n: n.min(FINALISTS), share: 1.0, folds: k };
    match n {
        0..=FINALISTS => vec![last],
        n if n <= FEW => vec![Rung { n, share: 1.0 / 3.0, folds: 1 }, last],
        _ => vec![
            Rung { n, share: 1.0 / 9.0, folds: 1 },
            Rung { n: n.div_ceil(4), share: 1.0 / 3.0, folds: 1 },
            last,
        ],
    }
}

/// What the final training does beside its steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Final {
    /// Its steps, as a multiple of those of a training on all folds but one.
    pub factor: f64,
    /// Rows that it evaluates, over all its looks.
    pub rows: f64,
}

/// A part of the time is kept for what no measurement foresees.
const MARGIN: f64 = 0.85;

/// The steps of the last round such that all rounds and the final training fit into `seconds`.
/// `costs` are those of the candidates of the first of the rounds; `rows` is the size of a fold.
pub fn steps_that_fit(rungs: &[Rung], costs: &[Cost], rows: f64, last: Final, seconds: f64) -> f64 {
    let mean = Cost::mean(costs);
    let trainings = |rung: &Rung| (rung.n * rung.folds) as f64;
    let rest: f64 = rungs.iter().map(|rung| trainings(rung) * mean.seconds(0.0, rows)).sum();
    let slope: f64 = rungs.iter().map(|rung| trainings(rung) * rung.share * mean.step).sum();
    let highest = Cost::highest(costs);
    let rest = rest + highest.seconds(0.0, last.rows);
    let slope = slope + highest.step * last.factor;
    ((MARGIN * seconds - rest) / slope.max(1e-9)).max(0.0)
}

/// A moment at which something must be over.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// In so many seconds from now.
    pub fn after(seconds: f64) -> Self {
        Self::since(Instant::now(), seconds)
    }

    /// So many seconds after a moment.
    pub fn since(start: Instant, seconds: f64) -> Self {
        Self(start + Duration::from_secs_f64(seconds.clamp(0.0, 1e9)))
    }

    /// So many seconds before this one.
    pub fn earlier_by(self, seconds: f64) -> Self {
        let seconds = Duration::from_secs_f64(seconds.clamp(0.0, 1e9));
        Self(self.0.checked_sub(seconds).unwrap_or_else(Instant::now))
    }

    /// Seconds left; 0 once it is over.
    pub fn left(&self) -> f64 {
        self.0.saturating_duration_since(Instant::now()).as_secs_f64()
    }
}

impl Watcher for Deadline {
    fn is_over(&mut self) -> bool {
        self.left() == 0.0
    }
}

/// Watches the first steps of a training for what they cost.
pub struct Probe {
    started: Instant,
    seen: Vec<f64>,
    until: Deadline,
}

impl Probe {
    const STEPS: usize = 12;
    const SECONDS: f64 = 2.0;

    /// A probe of a dozen steps or two seconds, and three steps at least.
    pub fn start() -> Self {
        Self { started: Instant::now(), seen: vec![], until: Deadline::after(Self::SECONDS) }
    }

    /// The cost, from the seconds of the whole training and of its one evaluation of `rows`.
    pub fn cost(&self, train_seconds: f64, evaluation_seconds: f64, rows: usize) -> Cost {
        let n = self.seen.len().max(1) as f64;
        let (first, last) = match (self.seen.first(), self.seen.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => (train_seconds, train_seconds),
        };
        let gap = if n > 1.0 { (last - first) / (n - 1.0) } else { 0.0 };
        let fixed = (first - gap).clamp(0.0, train_seconds);
        // A device that computes by itself is waited for at the end, which is in the total.
        let step = (train_seconds - fixed) / n;
        Cost { fixed, step, row: evaluation_seconds / rows.max(1) as f64 }
    }
}

impl Watcher for Probe {
    fn is_over(&mut self) -> bool {
        self.seen.push(self.started.elapsed().as_secs_f64());
        let n = self.seen.len();
        n >= Self::STEPS || (n >= 3 && self.until.left() == 0.0)
    }
}

/// Reads a duration: a number with `s`, `m` or `h`, or several in a row.
///
/// # Errors
/// What is expected instead.
pub fn duration(text: &str) -> Result<Duration, String> {
    let refuse = || format!("'{text}' is no duration; expected e.g. 90s, 20m or 1h30m");
    let mut seconds = 0.0;
    let mut rest = text.trim();
    while let Some(at) = rest.find(['s', 'm', 'h']) {
        let number: f64 = rest[..at].trim().parse().map_err(|_| refuse())?;
        let unit = match &rest[at..=at] {
            "s" => 1.0,
            "m" => 60.0,
            _ => 3600.0,
        };
        seconds += number * unit;
        rest = rest[at + 1..].trim();
    }
    let is_right = rest.is_empty() && seconds > 0.0 && seconds < 1e8;
    if is_right { Ok(Duration::from_secs_f64(seconds)) } else { Err(refuse()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_anything_else_is_refused() {
        for (text, seconds) in [("90s", 90), ("20m", 1200), ("1h30m", 5400), (" 0.5 h", 1800)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "20", "m", "-1m", "0s", "1d", "20m5", "nans", "infh"] {
            assert!(duration(text).unwrap_err().contains("expected e.g. 90s"), "{text}");
        }
    }

    #[test]
    fn the_planned_steps_fill_the_time_and_no_more() {
        let cost = Cost { fixed: 1.0, step: 0.1, row: 0.001 };
        let rungs = rungs(48, 3);
        let last = Final { factor: 1.5, rows: 2000.0 };
        let steps = steps_that_fit(&rungs, &[cost; 48], 500.0, last, 1200.0);
        let contest: f64 = rungs
            .iter()
            .map(|r| (r.n * r.folds) as f64 * cost.seconds(r.share * steps, 500.0))
            .sum();
        let all = contest + cost.seconds(last.factor * steps, last.rows);
        assert!((all - MARGIN * 1200.0).abs() < 1e-6, "{all}");
        assert_eq!(steps_that_fit(&rungs, &[cost; 48], 500.0, last, 10.0), 0.0);
    }

    #[test]
    fn rounds_shrink_to_the_finalists() {
        let sizes = |n| rungs(n, 3).iter().map(|rung| rung.n).collect::<Vec<_>>();
        assert_eq!(sizes(48), [48, 12, 3]);
        assert_eq!((sizes(4), sizes(24)), (vec![4, 3], vec![24, 3]));
        assert_eq!(sizes(1), [1]);
        assert!(
            rungs(48, 3).iter().all(|rung| rung.folds == if rung.share == 1.0 { 3 } else { 1 })
        );
    }

    #[test]
    fn a_probe_tells_what_comes_before_the_steps_from_the_steps() {
        // 5 s of preparation, then four steps of 1 s, the last two of which are waited for.
        let probe =
            Probe { started: Instant::now(), seen: vec![6.0, 7.0], until: Deadline::after(0.0) };
        let cost = probe.cost(9.0, 2.0, 100);
        assert_eq!(cost, Cost { fixed: 5.0, step: 2.0, row: 0.02 });
    }
}
