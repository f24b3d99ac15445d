//! Test accuracy against the size of what is trained or stored.

use crate::format;
use crate::stats::Estimate;
use crate::summary::{Comparison, Configuration, Series};

use super::axis::Axis;
use super::frame::{self, Frame, HEADER_HEIGHT, LABEL_SIZE, MARGIN, SMALL_SIZE, Ticks, WIDTH};
use super::label;
use super::legend::{self, Entry, Key};
use super::palette::{FRONT, Look, MUTED, PAPER, TEXT};
use super::picture::{Picture, Point, Rect, Text};
use super::{looks, subtitle};

const MIN_HEIGHT: f64 = 1000.0;
const RADIUS: f64 = 11.0;
const N_Y_TICKS: usize = 8;
const N_X_TICKS: usize = 7;

/// What the horizontal axis shows.
pub(super) struct Size<'f> {
    pub title: &'f str,
    pub axis_name: String,
    pub of: fn(&Configuration) -> f64,
    pub show: fn(f64) -> String,
}

/// One configuration in the chart.
struct Dot {
    x: f64,
    accuracy: Estimate,
    look: Look,
    /// Another setting of its budget did better on the validation split.
    is_passed_over: bool,
}

/// A baseline that trains nothing but perhaps a head: a level, not a point.
struct Level<'a> {
    title: &'a str,
    accuracy: f64,
    dashes: (f64, f64),
}

/// The chart, or `None` when no configuration has both a size and an accuracy.
pub(super) fn chart(comparison: &Comparison, size: &Size) -> Option<Picture> {
    let dots = dots(comparison, size);
    if dots.is_empty() {
        return None;
    }
    let levels = levels(comparison);
    let entries = entries(comparison, size, &levels);
    let height = MIN_HEIGHT.max(HEADER_HEIGHT + legend::height(&entries) + MARGIN);
    let mut picture = Picture::new(WIDTH, height, describe(comparison, size));
    frame::draw_header(&mut picture, size.title, &subtitle(comparison));
    let legend_left = WIDTH - MARGIN - legend::width(&entries);
    legend::draw(&mut picture, &entries, legend_left, HEADER_HEIGHT);

    let area = Rect {
        left: 190.0,
        top: HEADER_HEIGHT + 10.0,
        right: legend_left - 40.0,
        bottom: height - 130.0,
    };
    let x = Axis::logarithmic(dots.iter().map(|dot| dot.x));
    let frame = Frame {
        area,
        x,
        y: accuracy_axis(&dots, &levels),
    };
    let show_y = frame::percent_ticks(&frame.y, N_Y_TICKS);
    frame.draw_x(
        &mut picture,
        &Ticks {
            max_n: N_X_TICKS,
            show: &size.show,
            size: LABEL_SIZE,
        },
    );
    frame.draw_y(
        &mut picture,
        &Ticks {
            max_n: N_Y_TICKS,
            show: &show_y,
            size: LABEL_SIZE,
        },
    );
    frame.draw_axes(&mut picture);
    frame.name_x(&mut picture, &size.axis_name);
    frame.name_y(&mut picture, "Test accuracy");

    draw_front(&mut picture, &frame, &dots);
    let curves = draw_curves(&mut picture, &frame, comparison, size);
    draw_bars(&mut picture, &frame, &dots);
    draw_dots(&mut picture, &frame, &dots);
    draw_levels(
        &mut picture,
        &frame,
        &levels,
        &obstacles(&frame, &dots, &curves),
    );
    Some(picture)
}

/// Baselines that move the backbone are points like any method; the others are levels.
fn is_level(series: &Series) -> bool {
    series.baseline
        && series
            .configurations
            .iter()
            .all(|c| c.counts().trainable == 0)
}

fn dots(comparison: &Comparison, size: &Size) -> Vec<Dot> {
    let mut dots = Vec::new();
    for (series, look) in looks(comparison).filter(|(series, _)| !is_level(series)) {
        let curve: Vec<&str> = series.curve().iter().map(|c| c.label.as_str()).collect();
        for configuration in &series.configurations {
            if let Some(accuracy) = configuration.test_accuracy() {
                let is_passed_over = !curve.contains(&configuration.label.as_str());
                dots.push(Dot {
                    x: (size.of)(configuration),
                    accuracy,
                    look,
                    is_passed_over,
                });
            }
        }
    }
    dots
}

fn levels<'c>(comparison: &'c Comparison) -> Vec<Level<'c>> {
    const DASHES: [(f64, f64); 3] = [(4.0, 8.0), (18.0, 10.0), (30.0, 6.0)];
    let baselines = comparison.series.iter().filter(|series| is_level(series));
    baselines
        .filter_map(|series| Some((series, series.best()?.test_accuracy()?)))
        .zip(DASHES.into_iter().cycle())
        .map(|((series, accuracy), dashes)| Level {
            title: &series.title,
            accuracy: accuracy.mean,
            dashes,
        })
        .collect()
}

/// Around the points; a level far below them is told in words instead of squeezing them together.
fn accuracy_axis(dots: &[Dot], levels: &[Level]) -> Axis {
    let means: Vec<f64> = dots.iter().map(|dot| dot.accuracy.mean).collect();
    let low = means.iter().copied().fold(f64::INFINITY, f64::min);
    let high = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let reach = (high - low).max(0.05);
    // Two seeds may have an interval of any width: bars may stick out of the frame.
    let bars = dots.iter().flat_map(|dot| {
        let half_width = dot.accuracy.half_width().unwrap_or(0.0).min(reach / 2.0);
        [
            dot.accuracy.mean - half_width,
            dot.accuracy.mean + half_width,
        ]
    });
    let near = levels
        .iter()
        .map(|level| level.accuracy)
        .filter(|a| *a > low - 0.6 * reach);
    Axis::shares(bars.chain(near))
}

/// From each size on, the best accuracy so far.
fn draw_front(picture: &mut Picture, frame: &Frame, dots: &[Dot]) {
    let mut by_size: Vec<&Dot> = dots.iter().collect();
    by_size.sort_by(|a, b| {
        a.x.total_cmp(&b.x)
            .then(b.accuracy.mean.total_cmp(&a.accuracy.mean))
    });
    let mut steps: Vec<Point> = Vec::new();
    let mut best = f64::NEG_INFINITY;
    for dot in by_size.into_iter().filter(|dot| {
        let is_better = dot.accuracy.mean > best;
        best = best.max(dot.accuracy.mean);
        is_better
    }) {
        let at = frame.place(dot.x, dot.accuracy.mean);
        if let Some(&(_, before)) = steps.last() {
            steps.push((at.0, before));
        }
        steps.push(at);
    }
    if let Some(&(_, last)) = steps.last() {
        steps.push((frame.area.right, last));
    }
    picture.line(steps, FRONT, 10.0);
}

fn draw_curves(
    picture: &mut Picture,
    frame: &Frame,
    comparison: &Comparison,
    size: &Size,
) -> Vec<Vec<Point>> {
    let mut curves = Vec::new();
    for (series, look) in looks(comparison).filter(|(series, _)| !is_level(series)) {
        let points: Vec<Point> = series
            .curve()
            .into_iter()
            .filter_map(|c| Some(frame.place((size.of)(c), c.test_accuracy()?.mean)))
            .collect();
        picture.line(points.clone(), look.ink, 4.0);
        curves.push(points);
    }
    curves
}

fn draw_bars(picture: &mut Picture, frame: &Frame, dots: &[Dot]) {
    const CAP: f64 = 9.0;
    for dot in dots.iter().filter(|dot| !dot.is_passed_over) {
        let Some(half_width) = dot.accuracy.half_width() else {
            continue;
        };
        let x = frame.place_x(dot.x);
        for end in [
            dot.accuracy.mean - half_width,
            dot.accuracy.mean + half_width,
        ] {
            let y = frame.place_y(end).clamp(frame.area.top, frame.area.bottom);
            let middle = frame.place_y(dot.accuracy.mean);
            picture.line(vec![(x, middle), (x, y)], dot.look.ink, 3.0);
            if frame.has_y(end) {
                picture.line(vec![(x - CAP, y), (x + CAP, y)], dot.look.ink, 3.0);
            }
        }
    }
}

/// All outlines come after all fillings, so that no marker is wholly hidden by another.
fn draw_dots(picture: &mut Picture, frame: &Frame, dots: &[Dot]) {
    for dot in dots {
        let at = frame.place(dot.x, dot.accuracy.mean);
        let (radius, ink) = if dot.is_passed_over {
            (RADIUS * 0.6, dot.look.ink.faint(0.55))
        } else {
            dot.look.marker.fill(picture, at, RADIUS + 3.0, PAPER);
            (RADIUS, dot.look.ink)
        };
        dot.look.marker.fill(picture, at, radius, ink);
    }
    for dot in dots.iter().filter(|dot| !dot.is_passed_over) {
        let at = frame.place(dot.x, dot.accuracy.mean);
        dot.look.marker.outline(picture, at, RADIUS, dot.look.ink);
    }
}

fn draw_levels(picture: &mut Picture, frame: &Frame, levels: &[Level], obstacles: &[Rect]) {
    const GAP: f64 = 22.0;
    let Rect {
        left,
        right,
        bottom,
        ..
    } = frame.area;
    let mut taken = obstacles.to_vec();
    for level in levels {
        let text = format!("{} {} %", level.title, format::percent(level.accuracy));
        let y = frame.place_y(level.accuracy);
        let is_inside = frame.has_y(level.accuracy);
        let heights = if is_inside {
            vec![y - GAP, y + GAP]
        } else {
            vec![bottom - GAP]
        };
        let text = if is_inside {
            text
        } else {
            format!("↓ {text}, below this range")
        };
        if is_inside {
            picture.dashed((left, y), (right, y), MUTED, 3.0, level.dashes);
            taken.extend(label::boxes_along(&[(left, y), (right, y)]));
        }
        let places: Vec<Point> = heights
            .iter()
            .flat_map(|&y| {
                (0..)
                    .map(|i| left + 16.0 + 30.0 * f64::from(i))
                    .take_while(|x| *x < right)
                    .map(move |x| (x, y))
            })
            .collect();
        let text = Text::new(text, (left, y), SMALL_SIZE, TEXT);
        let text = label::place(text, &places, &taken, &frame.area);
        taken.push(text.bounds());
        picture.text(text);
    }
}

fn obstacles(frame: &Frame, dots: &[Dot], curves: &[Vec<Point>]) -> Vec<Rect> {
    let markers = dots.iter().map(|dot| {
        let (x, y) = frame.place(dot.x, dot.accuracy.mean);
        let reach = dot.accuracy.half_width().unwrap_or(0.0) * frame.area.height();
        let around = Rect::around((x, y), RADIUS * 1.6);
        let top = frame.place_y(dot.accuracy.mean + dot.accuracy.half_width().unwrap_or(0.0));
        let bottom = y + (y - top);
        if reach > 0.0 {
            Rect {
                top,
                bottom,
                ..around
            }
        } else {
            around
        }
    });
    markers
        .chain(curves.iter().flat_map(|curve| label::boxes_along(curve)))
        .collect()
}

fn entries(comparison: &Comparison, size: &Size, levels: &[Level]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (series, look) in looks(comparison).filter(|(series, _)| !is_level(series)) {
        if series.best().is_none() {
            continue;
        }
        let key = if series.curve().len() > 1 {
            Key::Curve(look)
        } else {
            Key::Point(look)
        };
        entries.push(Entry {
            key,
            title: series.title.clone(),
            detail: budgets(series, size),
        });
    }
    // The references come first in tables, but a legend is read from the data.
    let n_baselines = comparison
        .series
        .iter()
        .filter(|s| s.baseline && !is_level(s))
        .count();
    let n_baselines = n_baselines.min(entries.len());
    entries.rotate_left(n_baselines);
    entries.extend(levels.iter().map(|level| Entry {
        key: Key::Reference(level.dashes),
        title: level.title.to_owned(),
        detail: format!("{} %", format::percent(level.accuracy)),
    }));
    let front = "no smaller one is as good".to_owned();
    entries.push(Entry {
        key: Key::Front,
        title: "Pareto front".to_owned(),
        detail: front,
    });
    entries
}

/// `rank 1–32`, or the size where there is no knob.
fn budgets(series: &Series, size: &Size) -> String {
    let budgets: Vec<_> = series
        .curve()
        .iter()
        .filter_map(|c| c.runs[0].method.budget.as_ref())
        .collect();
    match (budgets.first(), budgets.last(), series.best()) {
        (Some(first), Some(last), _) if first.value != last.value => {
            format!("{} {}–{}", first.name, first.value, last.value)
        }
        (Some(only), ..) => format!("{} {}", only.name, only.value),
        (None, _, Some(best)) => {
            let accuracy = best
                .test_accuracy()
                .map(|a| format!("{} %", format::percent(a.mean)));
            format!(
                "{}, {}",
                (size.show)((size.of)(best)),
                accuracy.unwrap_or_default()
            )
        }
        _ => String::new(),
    }
}

fn describe(comparison: &Comparison, size: &Size) -> String {
    let series: Vec<String> = comparison
        .series
        .iter()
        .filter_map(|series| {
            let accuracies = series.curve().into_iter().filter_map(|c| c.test_accuracy());
            let means: Vec<f64> = accuracies.map(|accuracy| accuracy.mean).collect();
            let low = means.iter().copied().reduce(f64::min)?;
            let high = means.iter().copied().reduce(f64::max)?;
            let range = if low == high {
                format::percent(low)
            } else {
                format!("{} to {}", format::percent(low), format::percent(high))
            };
            Some(format!("{} {range} %", series.title))
        })
        .collect();
    format!(
        "{}, {}: {}.",
        size.title,
        comparison.task.name,
        series.join(", ")
    )
}
