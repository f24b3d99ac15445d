//! Who beats whom: the best configuration of every method against every other, row by row.

use crate::chart::heat::{Cell, Grid, Heat, Row};
use crate::chart::picture::Owner;
use crate::chart::{self, Chart};
use crate::format;
use crate::paired::{self, Duel, duels, entrant};
use crate::summary::{Comparison, Configuration, Series};

/// A map of more would not be read.
const MAX_ENTRANTS: usize = 16;
/// Points of difference at which the colour is deepest.
const DEEPEST: f64 = 0.10;

/// The best configurations on the validation split with all comparisons between them.
pub(crate) struct Winners<'c, 'a> {
    /// From the highest test accuracy to the lowest.
    pub entrants: Vec<(&'c Series<'a>, &'c Configuration<'a>)>,
    /// `duels[i][j]`: i against j.
    duels: Vec<Vec<Option<Duel>>>,
}

/// `None` where fewer than two series keep which rows they had right.
pub(crate) fn winners<'c, 'a>(comparison: &'c Comparison<'a>) -> Option<Winners<'c, 'a>> {
    let mut entrants: Vec<_> = comparison
        .series
        .iter()
        .filter_map(|series| Some((series, series.best()?)))
        .filter(|(_, best)| best.runs.iter().any(|run| run.cost.steps > 0))
        .filter(|(_, best)| !entrant(best).is_empty())
        .collect();
    let accuracy = |c: &Configuration| c.test_accuracy().map_or(0.0, |accuracy| accuracy.mean);
    entrants.sort_by(|(_, a), (_, b)| accuracy(b).total_cmp(&accuracy(a)));
    entrants.truncate(MAX_ENTRANTS);
    if entrants.len() < 2 {
        return None;
    }
    let n = entrants.len();
    let pairs: Vec<(usize, usize)> = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b))).collect();
    let correct: Vec<_> = entrants.iter().map(|(_, c)| entrant(c)).collect();
    let mut all = vec![vec![None; n]; n];
    for (duel, (a, b)) in duels(&correct, comparison.task.n_test, &pairs).into_iter().zip(pairs) {
        all[a][b] = duel;
        all[b][a] =
            duel.map(|duel| Duel { gain: -duel.gain, low: -duel.high, high: -duel.low, p: duel.p });
    }
    Some(Winners { entrants, duels: all })
}

impl Winners<'_, '_> {
    /// A configuration against another; both by label.
    pub fn duel(&self, a: &str, b: &str) -> Option<Duel> {
        let place = |label: &str| self.entrants.iter().position(|(_, c)| c.label == label);
        self.duels[place(a)?][place(b)?]
    }

    /// What is shown about the one called `label`, in words.
    pub fn words(&self, label: &str) -> Option<String> {
        let (mut above, mut below, mut neither) = (Vec::new(), Vec::new(), Vec::new());
        for (_, other) in self.entrants.iter().filter(|(_, other)| other.label != label) {
            let duel = self.duel(label, &other.label)?;
            let side = match duel.is_shown() {
                true if duel.gain > 0.0 => &mut above,
                true => &mut below,
                false => &mut neither,
            };
            side.push(other.label.as_str());
        }
        let parts = [
            (above, "it is shown to be better than"),
            (below, "it is shown to be worse than"),
            (neither, "no difference is shown to"),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(others, _)| !others.is_empty())
            .map(|(others, what)| format!("{what} {}", format::list(&others)))
            .collect();
        Some(format!("Row by row, {label}: {}.", parts.join("; ")))
    }

    pub fn chart(&self, comparison: &Comparison) -> Option<Chart> {
        let rows = self.entrants.iter().enumerate().map(|(i, (series, configuration))| Row {
            label: configuration.label.clone(),
            owner: Some(Owner::of(series, configuration)),
            cells: (0..self.entrants.len()).map(|j| self.cell(i, j)).collect(),
        });
        let heat = Heat {
            title: "Who beats whom: row against column, in points of test accuracy".to_owned(),
            subtitle: chart::subtitle(
                comparison,
                Some((comparison.task.n_test, "test row")),
                "paired bootstrap over rows and seeds, Holm",
            ),
            key: "Blue: the row is shown to be better. Orange: worse. In brackets: no difference \
                  shown."
                .to_owned(),
            row_name: "Against",
            grids: vec![Grid {
                title: String::new(),
                columns: self.entrants.iter().map(|(_, c)| c.label.clone()).collect(),
                rows: rows.collect(),
            }],
        };
        chart::of_heat("who_beats_whom", "Who beats whom", &heat)
    }

    fn cell(&self, i: usize, j: usize) -> Cell {
        let Some(duel) = self.duels[i][j] else {
            return Cell::none();
        };
        let points = paired::points(duel.gain);
        let (a, b) = (&self.entrants[i].1.label, &self.entrants[j].1.label);
        let level = if duel.is_shown() { (duel.gain / DEEPEST).clamp(-1.0, 1.0) } else { 0.0 };
        Cell {
            text: if duel.is_shown() { points } else { format!("({points})") },
            level,
            tip: format!("{a} against {b}: {}", duel.words()),
        }
    }
}
