//! What the accuracy charts are made of: dots, levels and the Pareto front.

use crate::stats::Estimate;
use crate::summary::{Comparison, Configuration, Series};

use super::axis::Axis;
use super::looks;
use super::palette::Look;
use super::picture::Owner;

/// What the horizontal axis shows.
pub(super) struct Size<'f> {
    pub title: &'f str,
    pub axis_name: String,
    pub of: fn(&Configuration) -> f64,
    pub show: fn(f64) -> String,
}

/// One configuration in the chart.
pub(super) struct Dot<'c> {
    pub x: f64,
    pub accuracy: Estimate,
    pub look: Look,
    pub series: &'c Series<'c>,
    pub label: &'c str,
    pub owner: Owner,
    /// Another setting of its budget did better on the validation split.
    pub is_passed_over: bool,
}

/// A baseline that moves nothing but perhaps a head: a level, not a point.
pub(super) struct Level<'c> {
    pub title: &'c str,
    pub accuracy: f64,
    pub dashes: (f64, f64),
}

pub(super) fn is_level(series: &Series) -> bool {
    let trains_nothing = |c: &Configuration| c.counts().trainable == 0;
    series.baseline && series.configurations.iter().all(trains_nothing)
}

/// All configurations with an accuracy, baselines last.
pub(super) fn dots<'c>(comparison: &'c Comparison, size: &Size) -> Vec<Dot<'c>> {
    let mut dots = Vec::new();
    for (series, look) in looks(comparison).filter(|(series, _)| !is_level(series)) {
        let curve: Vec<&str> = series.curve().iter().map(|c| c.label.as_str()).collect();
        for configuration in &series.configurations {
            let Some(accuracy) = configuration.test_accuracy() else {
                continue;
            };
            let x = (size.of)(configuration);
            let is_passed_over = !curve.contains(&configuration.label.as_str());
            let (label, owner) = (&configuration.label, Owner::of(series, configuration));
            dots.push(Dot { x, accuracy, look, series, label, owner, is_passed_over });
        }
    }
    dots.sort_by_key(|dot| dot.series.baseline);
    dots
}

pub(super) fn levels<'c>(comparison: &'c Comparison) -> Vec<Level<'c>> {
    const DASHES: [(f64, f64); 3] = [(4.0, 8.0), (18.0, 10.0), (30.0, 6.0)];
    let baselines = comparison.series.iter().filter(|series| is_level(series));
    baselines
        .filter_map(|series| Some((series, series.best()?.test_accuracy()?.mean)))
        .zip(DASHES.into_iter().cycle())
        .map(|((series, accuracy), dashes)| Level { title: &series.title, accuracy, dashes })
        .collect()
}

/// Around the dots; a level far below them is told in words instead of squeezing them together.
pub(super) fn accuracy_axis(dots: &[Dot], levels: &[Level]) -> Axis {
    let low = dots.iter().map(|dot| dot.accuracy.mean).fold(f64::INFINITY, f64::min);
    let high = dots.iter().map(|dot| dot.accuracy.mean).fold(f64::NEG_INFINITY, f64::max);
    let reach = (high - low).max(0.05);
    // Two seeds may have an interval of any width: bars may stick out of the frame.
    let bars = dots.iter().flat_map(|dot| {
        let half_width = dot.accuracy.half_width().unwrap_or(0.0).min(reach / 2.0);
        [dot.accuracy.mean - half_width, dot.accuracy.mean + half_width]
    });
    let near = levels.iter().map(|level| level.accuracy).filter(|a| *a > low - 0.6 * reach);
    Axis::shares(bars.chain(near))
}

/// The points than which none is both smaller and as good, from small to large.
pub(super) fn front(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut points: Vec<_> = points.collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut best = f64::NEG_INFINITY;
    points.retain(|&(_, accuracy)| {
        let is_better = accuracy > best;
        best = best.max(accuracy);
        is_better
    });
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::stored_bytes;
    use crate::example;
    use crate::summary::compare;

    #[test]
    fn the_front_holds_what_nothing_smaller_equals() {
        let points = [(5.0, 0.8), (1.0, 0.7), (3.0, 0.7), (2.0, 0.75), (1.0, 0.6), (9.0, 0.8)];
        assert_eq!(front(points.into_iter()), [(1.0, 0.7), (2.0, 0.75), (5.0, 0.8)]);
        assert_eq!(front([].into_iter()), []);
    }

    #[test]
    fn a_level_far_below_does_not_squeeze_the_dots_and_a_near_one_is_in_the_picture() {
        let records = example::suite(&[1]);
        let comparisons = compare(&records);
        let dots = dots(&comparisons[0], &stored_bytes());
        let levels = levels(&comparisons[0]);
        let accuracies: Vec<f64> = levels.iter().map(|level| level.accuracy).collect();
        assert_eq!(accuracies, [0.502, 0.72]);
        let axis = accuracy_axis(&dots, &levels);
        assert!(axis.place(0.502) < 0.0);
        assert!((0.0..0.2).contains(&axis.place(0.72)));
        assert!((0.8..1.0).contains(&axis.place(0.832)));
    }

    #[test]
    fn settings_that_lost_on_validation_are_marked() {
        let records = example::searched();
        let comparisons = compare(&records);
        let dots = dots(&comparisons[0], &stored_bytes());
        assert_eq!(dots.iter().filter(|dot| dot.is_passed_over).count(), 2);
    }

    #[test]
    fn a_baseline_that_moves_the_backbone_is_a_dot_and_the_others_are_not() {
        let records = example::suite(&[1]);
        let comparisons = compare(&records);
        let dots = dots(&comparisons[0], &stored_bytes());
        let baselines: Vec<_> = dots.iter().filter(|dot| dot.series.baseline).collect();
        assert_eq!(baselines.len(), 1);
        assert_eq!(baselines[0].series.name, "full");
    }
}
