//! The legend, beside or under the data and never on it.

use super::font;
use super::frame::SMALL_SIZE;
use super::palette::{FRONT, Look, MUTED, TEXT};
use super::picture::{Picture, Point, Text};

const DETAIL_SIZE: f64 = 22.0;
const KEY_WIDTH: f64 = 64.0;
const MAX_WIDTH: f64 = 450.0;
const COLUMN_GAP: f64 = 30.0;
const ENTRY_HEIGHT: f64 = 70.0;

/// The lines that are not methods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Key {
    /// A curve with markers.
    Curve(Look),
    /// A curve of many points, without markers.
    Line(Look),
    /// A single point.
    Point(Look),
    /// A horizontal reference line with these dashes.
    Reference((f64, f64)),
    /// The Pareto front.
    Front,
}

/// One line of the legend.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub key: Key,
    pub title: String,
    /// A second, smaller line, e.g. the range of budgets.
    pub detail: String,
}

/// Width that the legend takes beside the data, as far as it may.
pub(super) fn width(entries: &[Entry]) -> f64 {
    column_width(entries).min(MAX_WIDTH)
}

fn column_width(entries: &[Entry]) -> f64 {
    let widest = entries
        .iter()
        .map(|entry| {
            let title = font::width(&entry.title, SMALL_SIZE, false);
            title.max(font::width(&entry.detail, DETAIL_SIZE, false))
        })
        .fold(0.0, f64::max);
    KEY_WIDTH + widest
}

/// Height that the legend takes in as many columns as have `room`.
pub(super) fn height(entries: &[Entry], room: f64) -> f64 {
    n_rows(entries, room) as f64 * ENTRY_HEIGHT
}

fn n_rows(entries: &[Entry], room: f64) -> usize {
    let n_columns = (room + COLUMN_GAP) / (column_width(entries) + COLUMN_GAP);
    entries.len().div_ceil((n_columns as usize).max(1))
}

/// Draws the legend with its upper left corner at (`left`, `top`), in as many columns as have
/// `room`.
pub(super) fn draw(picture: &mut Picture, entries: &[Entry], (left, top): Point, room: f64) {
    let n_rows = n_rows(entries, room);
    let step = column_width(entries).min(room) + COLUMN_GAP;
    let room = step - COLUMN_GAP - KEY_WIDTH;
    for (i, entry) in entries.iter().enumerate() {
        let left = left + (i / n_rows) as f64 * step;
        let y = top + ((i % n_rows) as f64 + 0.5) * ENTRY_HEIGHT;
        draw_key(picture, entry.key, left, y);
        let x = left + KEY_WIDTH;
        let title = font::shorten(&entry.title, SMALL_SIZE, false, room);
        let detail = font::shorten(&entry.detail, DETAIL_SIZE, false, room);
        let raised = if detail.is_empty() { 0.0 } else { 13.0 };
        picture.text(Text::new(title, (x, y - raised), SMALL_SIZE, TEXT));
        picture.text(Text::new(detail, (x, y + 16.0), DETAIL_SIZE, MUTED));
    }
}

fn draw_key(picture: &mut Picture, key: Key, left: f64, y: f64) {
    const RADIUS: f64 = 10.0;
    let (begin, end) = ((left, y), (left + KEY_WIDTH - 16.0, y));
    let middle = ((begin.0 + end.0) / 2.0, y);
    match key {
        Key::Curve(look) => {
            picture.line(vec![begin, end], look.ink, 4.0);
            look.marker.fill(picture, middle, RADIUS, look.ink);
        }
        Key::Line(look) => picture.line(vec![begin, end], look.ink, 4.0),
        Key::Point(look) => look.marker.fill(picture, middle, RADIUS, look.ink),
        Key::Reference(dashes) => picture.dashed(begin, end, MUTED, 3.0, dashes),
        Key::Front => picture.line(vec![begin, end], FRONT, 10.0),
    }
}
