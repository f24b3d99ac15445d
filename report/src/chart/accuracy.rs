//! Test accuracy against the size of what is trained or stored.

use crate::format;
use crate::summary::Comparison;

use super::axis::Axis;
use super::captions::{describe, entries, front_entry};
use super::frame::{self, Frame, LABEL_SIZE, SMALL_SIZE, Ticks, Width};
use super::legend::Entry;
use super::palette::{FRONT, MUTED, PAPER, TEXT};
use super::picture::{Owner, Picture, Point, Rect, Text};
use super::points::{self, Dot, Level, Size, is_level};
use super::{MEAN_AND_INTERVAL, label, legend, looks, subtitle};

const MIN_HEIGHT: f64 = 1000.0;
/// Of the area inside the axes.
const NARROW_HEIGHT: f64 = 640.0;
const RADIUS: f64 = 11.0;
const N_Y_TICKS: usize = 10;

/// The chart, or `None` when no configuration has both a size and an accuracy.
pub(super) fn chart(comparison: &Comparison, size: &Size, width: Width) -> Option<Picture> {
    let dots = points::dots(comparison, size);
    if dots.is_empty() {
        return None;
    }
    let levels = points::levels(comparison);
    let has_front = dots.len() > 1;
    let mut entries = entries(comparison, size, &levels);
    entries.extend(has_front.then(front_entry));
    let mut picture = Picture::new(width.pixels(), 0.0, describe(comparison, size));
    let rows = (comparison.task.n_test, "test row");
    let told = subtitle(comparison, Some(rows), MEAN_AND_INTERVAL);
    let top = frame::draw_header(&mut picture, size.title, &told, "");
    let area = area(&mut picture, &entries, top, width);
    let x = Axis::logarithmic(dots.iter().map(|dot| dot.x));
    let frame = Frame { area, x, y: points::accuracy_axis(&dots, &levels) };
    draw_frame(&mut picture, &frame, size, width);
    if width.is_narrow() {
        let (left, room) = (width.margin(), picture.width - 2.0 * width.margin());
        let at = (left, picture.height);
        legend::draw(&mut picture, &entries, at, room);
        picture.height += legend::height(&entries, room) + width.margin();
    }
    let mut curves = Vec::new();
    if has_front {
        curves.push(draw_front(&mut picture, &frame, &dots));
    }
    curves.extend(draw_curves(&mut picture, &frame, comparison, size));
    draw_bars(&mut picture, &frame, &dots);
    draw_dots(&mut picture, &frame, &dots);
    let mut taken = obstacles(&frame, &dots, &curves);
    draw_levels(&mut picture, &frame, &levels, &mut taken);
    draw_baseline_labels(&mut picture, &frame, &dots, &mut taken);
    Some(picture)
}

/// The area inside the axes, after the legend beside it if there is room for one.
fn area(picture: &mut Picture, entries: &[Entry], top: f64, width: Width) -> Rect {
    let margin = width.margin();
    if width.is_narrow() {
        let right = picture.width - margin;
        return Rect { left: 150.0, right, top: top + 10.0, bottom: top + NARROW_HEIGHT };
    }
    let room = legend::width(entries);
    let height = MIN_HEIGHT.max(top + legend::height(entries, room) + margin);
    let left = picture.width - margin - room;
    legend::draw(picture, entries, (left, top), room);
    Rect { left: 190.0, right: left - 40.0, top: top + 10.0, bottom: height - 130.0 }
}

/// Makes the picture as high as the axes with their names.
fn draw_frame(picture: &mut Picture, frame: &Frame, size: &Size, width: Width) {
    let show_y = frame::percent_ticks(&frame.y, N_Y_TICKS);
    let max_n = width.choose(7, 4);
    frame.draw_x(picture, &Ticks { max_n, show: &size.show, size: LABEL_SIZE });
    frame.draw_y(picture, &Ticks { max_n: N_Y_TICKS, show: &show_y, size: LABEL_SIZE });
    frame.draw_axes(picture);
    picture.height = frame.name_x(picture, &size.axis_name);
    frame.name_y(picture, "Test accuracy");
}

/// From each size on, the best accuracy so far.
fn draw_front(picture: &mut Picture, frame: &Frame, dots: &[Dot]) -> Vec<Point> {
    let mut steps: Vec<Point> = Vec::new();
    for (x, accuracy) in points::front(dots.iter().map(|dot| (dot.x, dot.accuracy.mean))) {
        let at = frame.place(x, accuracy);
        if let Some(&(_, before)) = steps.last() {
            steps.push((at.0, before));
        }
        steps.push(at);
    }
    if let Some(&(_, last)) = steps.last() {
        steps.push((frame.area.right, last));
    }
    picture.line(steps.clone(), FRONT, 10.0);
    steps
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
        let owner = Some(Owner::all_of(series));
        picture.of(owner, |picture| picture.line(points.clone(), look.ink, 4.0));
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
        let (x, middle) = frame.place(dot.x, dot.accuracy.mean);
        picture.of(Some(dot.owner.clone()), |picture| {
            for end in [dot.accuracy.mean - half_width, dot.accuracy.mean + half_width] {
                let y = frame.place_y(end).clamp(frame.area.top, frame.area.bottom);
                picture.line(vec![(x, middle), (x, y)], dot.look.ink, 3.0);
                // A bar cut off by the frame has no end to draw.
                if frame.has_y(end) {
                    picture.line(vec![(x - CAP, y), (x + CAP, y)], dot.look.ink, 3.0);
                }
            }
        });
    }
}

/// All outlines come after all fillings, so that no marker is wholly hidden by another.
fn draw_dots(picture: &mut Picture, frame: &Frame, dots: &[Dot]) {
    for dot in dots {
        let (at, look) = (frame.place(dot.x, dot.accuracy.mean), dot.look);
        picture.of(Some(dot.owner.clone()), |picture| {
            if dot.is_passed_over {
                look.marker.fill(picture, at, RADIUS * 0.7, look.ink.faint(0.5));
            } else {
                look.marker.fill(picture, at, RADIUS + 3.0, PAPER);
                look.marker.fill(picture, at, RADIUS, look.ink);
            }
        });
        let tip = format!("{}: {} %", dot.label, format::accuracy(&dot.accuracy));
        picture.tip(Rect::around(at, RADIUS + 5.0), tip, Some(dot.owner.clone()));
    }
    for dot in dots.iter().filter(|dot| !dot.is_passed_over) {
        let at = frame.place(dot.x, dot.accuracy.mean);
        picture.of(Some(dot.owner.clone()), |picture| {
            dot.look.marker.outline(picture, at, RADIUS, dot.look.ink);
        });
    }
}

fn draw_levels(picture: &mut Picture, frame: &Frame, levels: &[Level], taken: &mut Vec<Rect>) {
    const GAP: f64 = 22.0;
    let Rect { left, right, bottom, .. } = frame.area;
    let columns: Vec<f64> =
        (0..).map(|i| left + 16.0 + 30.0 * f64::from(i)).take_while(|x| *x < right).collect();
    for level in levels {
        let text = format!("{} {} %", level.title, format::percent(level.accuracy));
        let y = frame.place_y(level.accuracy);
        if !frame.has_y(level.accuracy) {
            let text = small_text(frame, &format!("↓ {text}, below this range"));
            // One above the other where they are too wide to stand side by side.
            let heights = [1.0, 2.6, 4.2].map(|n| bottom - n * GAP);
            let places = heights.iter().flat_map(|&y| columns.iter().map(move |&x| (x, y)));
            let places: Vec<Point> = places.collect();
            write(picture, label::place(text, &places, taken, &frame.area), taken);
            continue;
        }
        picture.dashed((left, y), (right, y), MUTED, 3.0, level.dashes);
        taken.extend(label::boxes_along(&[(left, y), (right, y)]));
        let heights = [y - GAP, y + GAP];
        let places: Vec<Point> =
            heights.iter().flat_map(|&y| columns.iter().map(move |&x| (x, y))).collect();
        // The legend says it too: better no label than one across a bar.
        if let Some(text) =
            label::place_if_free(small_text(frame, &text), &places, taken, &frame.area)
        {
            write(picture, text, taken);
        }
    }
}

/// Names the baselines that are dots beside them.
fn draw_baseline_labels(picture: &mut Picture, frame: &Frame, dots: &[Dot], taken: &mut Vec<Rect>) {
    for dot in dots.iter().filter(|dot| dot.series.baseline && !dot.is_passed_over) {
        let text = format!("{} {} %", dot.series.title, format::percent(dot.accuracy.mean));
        let (x, y) = frame.place(dot.x, dot.accuracy.mean);
        let width = Text::new(&text, (0.0, 0.0), SMALL_SIZE, TEXT).bounds().width();
        let mut places = Vec::new();
        for gap in [38.0, 60.0, 90.0] {
            for lead in [width / 2.0, width - 20.0, 20.0, width, width + 30.0] {
                places.extend([(x - lead, y - gap), (x - lead, y + gap)]);
            }
        }
        write(picture, label::place(small_text(frame, &text), &places, taken, &frame.area), taken);
    }
}

fn small_text(frame: &Frame, text: &str) -> Text {
    Text::new(text, (frame.area.left, frame.area.top), SMALL_SIZE, TEXT)
}

fn write(picture: &mut Picture, text: Text, taken: &mut Vec<Rect>) {
    // Grid lines end at a label.
    picture.rect(text.bounds(), PAPER);
    taken.push(text.bounds());
    picture.text(text);
}

/// What a label should not cover: markers, their bars, and curves.
fn obstacles(frame: &Frame, dots: &[Dot], curves: &[Vec<Point>]) -> Vec<Rect> {
    // Between the end of a bar and a label.
    const CLEAR: f64 = 8.0;
    let markers = dots.iter().map(|dot| {
        let around = Rect::around(frame.place(dot.x, dot.accuracy.mean), RADIUS * 1.6);
        let half_width = dot.accuracy.half_width().unwrap_or(0.0);
        let top = (frame.place_y(dot.accuracy.mean + half_width) - CLEAR).min(around.top);
        let bottom = (frame.place_y(dot.accuracy.mean - half_width) + CLEAR).max(around.bottom);
        Rect { top, bottom, ..around }
    });
    markers.chain(curves.iter().flat_map(|curve| label::boxes_along(curve))).collect()
}
