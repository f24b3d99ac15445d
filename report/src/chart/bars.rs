//! One bar per configuration: time, memory.

use crate::stats::Estimate;
use crate::summary::{Comparison, Configuration};

use super::axis::Axis;
use super::font;
use super::frame::{self, Frame, LABEL_SIZE, SMALL_SIZE, Ticks, Width};
use super::palette::{MUTED, TEXT};
use super::picture::{Ink, Owner, Picture, Rect, Text};
use super::{MEAN_AND_INTERVAL, looks, subtitle};

const ROW_HEIGHT: f64 = 42.0;
const BAR_HEIGHT: f64 = 26.0;
const MAX_LABEL_WIDTH: f64 = 620.0;

/// What the bars show.
pub(super) struct Figure<'f> {
    pub title: &'f str,
    pub axis_name: &'f str,
    pub of: fn(&Configuration) -> Option<Estimate>,
    pub show: fn(f64) -> String,
    /// The same under the axis, where the axis names the unit.
    pub tick: fn(f64) -> String,
}

struct Row {
    label: String,
    owner: Owner,
    ink: Ink,
    value: Estimate,
}

/// The chart, or `None` when nothing is known.
pub(super) fn chart(comparison: &Comparison, figure: &Figure, width: Width) -> Option<Picture> {
    let rows = rows(comparison, figure);
    if rows.is_empty() {
        return None;
    }
    let widest = |text: &dyn Fn(&Row) -> String| {
        rows.iter().map(|row| font::width(&text(row), SMALL_SIZE, false)).fold(0.0, f64::max)
    };
    let label_width = widest(&|row| row.label.clone());
    let value_width = widest(&|row| (figure.show)(row.value.mean));
    let (margin, row_height) = (width.margin(), width.row_lift() + ROW_HEIGHT);
    let mut picture = Picture::new(width.pixels(), 0.0, describe(comparison, figure, &rows));
    let told = subtitle(comparison, None, MEAN_AND_INTERVAL);
    let top = frame::draw_header(&mut picture, figure.title, &told, "");
    let area = Rect {
        left: margin + width.choose(label_width + 24.0, 30.0),
        right: picture.width - margin - value_width - 20.0,
        top,
        bottom: top + rows.len() as f64 * row_height + 10.0,
    };
    let ends = rows.iter().map(|row| row.value.mean + row.value.half_width().unwrap_or(0.0));
    // An interval from two seeds may be of any width; the bars matter more.
    let longest = rows.iter().map(|row| row.value.mean).fold(0.0, f64::max);
    let x = Axis::from_zero(ends.map(|end| end.min(1.3 * longest)));
    let frame = Frame { area, x, y: Axis::Linear { low: 0.0, high: 1.0 } };
    let ticks = Ticks { max_n: width.choose(6, 4), show: &figure.tick, size: LABEL_SIZE };
    frame.draw_x(&mut picture, &ticks);
    picture.height = frame.name_x(&mut picture, figure.axis_name);
    for (i, row) in rows.iter().enumerate() {
        let y = top + 5.0 + (i + 1) as f64 * row_height - 0.5 * ROW_HEIGHT;
        let value = (figure.show)(row.value.mean);
        picture.of(Some(row.owner.clone()), |picture| {
            frame.name_row(picture, width, &row.label, y);
            draw_row(picture, &frame, row, y, &value);
        });
    }
    frame.draw_axes(&mut picture);
    Some(picture)
}

fn rows(comparison: &Comparison, figure: &Figure) -> Vec<Row> {
    looks(comparison)
        .flat_map(|(series, look)| {
            // Grey, since an interval is drawn in the colour of text.
            let ink = if series.baseline { MUTED } else { look.ink };
            series.configurations.iter().map(move |configuration| (series, configuration, ink))
        })
        .filter_map(|(series, configuration, ink)| {
            let value = (figure.of)(configuration)?;
            let label = font::shorten(&configuration.label, SMALL_SIZE, false, MAX_LABEL_WIDTH);
            Some(Row { label, owner: Owner::of(series, configuration), ink, value })
        })
        .collect()
}

fn draw_row(picture: &mut Picture, frame: &Frame, row: &Row, y: f64, value: &str) {
    let left = frame.area.left;
    let end = frame.place_x(row.value.mean);
    let (top, bottom) = (y - BAR_HEIGHT / 2.0, y + BAR_HEIGHT / 2.0);
    picture.rect(Rect { left, top, right: end, bottom }, row.ink);
    let mut text_left = end;
    let half_width = row.value.half_width().filter(|half_width| *half_width > 0.0);
    if let Some(half_width) = half_width {
        let reach = |value: f64| frame.place_x(value).clamp(left, frame.area.right);
        let (low, high) = (reach(row.value.mean - half_width), reach(row.value.mean + half_width));
        picture.line(vec![(low, y), (high, y)], TEXT, 2.5);
        for x in [low, high] {
            picture.line(vec![(x, y - 7.0), (x, y + 7.0)], TEXT, 2.5);
        }
        text_left = high;
    }
    picture.text(Text::new(value, (text_left + 10.0, y), SMALL_SIZE, TEXT));
}

fn describe(comparison: &Comparison, figure: &Figure, rows: &[Row]) -> String {
    let rows: Vec<String> =
        rows.iter().map(|row| format!("{} {}", row.label, (figure.show)(row.value.mean))).collect();
    format!("{}, {}: {}.", figure.title, comparison.task.name, rows.join(", "))
}
