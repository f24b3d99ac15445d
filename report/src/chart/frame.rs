//! The plotting area: grid, axes with their labels, and where a value lies in it.

use super::axis::Axis;
use super::palette::{GRID, MUTED, TEXT};
use super::picture::{Anchor, Picture, Point, Rect, Text};

/// Sizes in pixels of a picture meant to be 1600 wide; halved they can still be read.
pub(super) const WIDTH: f64 = 1600.0;
pub(super) const TITLE_SIZE: f64 = 38.0;
pub(super) const LABEL_SIZE: f64 = 28.0;
pub(super) const SMALL_SIZE: f64 = 24.0;
/// Left edge of titles and the widest margin around everything.
pub(super) const MARGIN: f64 = 40.0;
/// Height taken by the title and the line under it.
pub(super) const HEADER_HEIGHT: f64 = 140.0;

const GRID_WIDTH: f64 = 1.5;
const TICK_GAP: f64 = 14.0;

/// A plotting area with its two axes.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub area: Rect,
    pub x: Axis,
    pub y: Axis,
}

/// Which values to write beside an axis, and how.
pub(super) struct Ticks<'f> {
    pub max_n: usize,
    pub show: &'f dyn Fn(f64) -> String,
    pub size: f64,
}

impl Frame {
    /// Where a pair of values lies.
    pub fn place(&self, x: f64, y: f64) -> Point {
        (self.place_x(x), self.place_y(y))
    }

    pub fn place_x(&self, x: f64) -> f64 {
        self.area.left + self.x.place(x) * self.area.width()
    }

    pub fn place_y(&self, y: f64) -> f64 {
        self.area.bottom - self.y.place(y) * self.area.height()
    }

    /// Whether a height lies inside.
    pub fn has_y(&self, y: f64) -> bool {
        (0.0..=1.0).contains(&self.y.place(y))
    }

    /// Draws vertical grid lines with the values under them.
    pub fn draw_x(&self, picture: &mut Picture, ticks: &Ticks) {
        for value in self.x.ticks(ticks.max_n) {
            let x = self.place_x(value);
            picture.line(vec![(x, self.area.top), (x, self.area.bottom)], GRID, GRID_WIDTH);
            let at = (x, self.area.bottom + TICK_GAP + ticks.size * 0.5);
            let label = Text::new((ticks.show)(value), at, ticks.size, MUTED);
            picture.text(label.anchor(Anchor::Middle));
        }
    }

    /// Draws horizontal grid lines with the values left of them.
    pub fn draw_y(&self, picture: &mut Picture, ticks: &Ticks) {
        for value in self.y.ticks(ticks.max_n) {
            let y = self.place_y(value);
            picture.line(vec![(self.area.left, y), (self.area.right, y)], GRID, GRID_WIDTH);
            let at = (self.area.left - TICK_GAP, y);
            picture.text(Text::new((ticks.show)(value), at, ticks.size, MUTED).anchor(Anchor::End));
        }
    }

    /// Draws the two lines of the axes over the grid.
    pub fn draw_axes(&self, picture: &mut Picture) {
        let Rect { left, top, right, bottom } = self.area;
        picture.line(vec![(left, top), (left, bottom), (right, bottom)], MUTED, 2.0);
    }

    /// Writes what the horizontal axis means under it.
    pub fn name_x(&self, picture: &mut Picture, name: &str) {
        let at = ((self.area.left + self.area.right) / 2.0, self.area.bottom + 80.0);
        picture.text(Text::new(name, at, LABEL_SIZE, TEXT).anchor(Anchor::Middle));
    }

    /// Writes what the vertical axis means beside it.
    pub fn name_y(&self, picture: &mut Picture, name: &str) {
        let at = (MARGIN, (self.area.top + self.area.bottom) / 2.0);
        picture.text(Text::new(name, at, LABEL_SIZE, TEXT).anchor(Anchor::Middle).upward());
    }
}

/// Writes the title of a picture and the line under it, cut where they do not fit.
pub(super) fn draw_header(picture: &mut Picture, title: &str, subtitle: &str) {
    let room = picture.width - 2.0 * MARGIN;
    let title = super::font::shorten(title, TITLE_SIZE, true, room);
    picture.text(Text::new(title, (MARGIN, 48.0), TITLE_SIZE, TEXT).bold());
    let subtitle = super::font::shorten(subtitle, SMALL_SIZE, false, room);
    picture.text(Text::new(subtitle, (MARGIN, 98.0), SMALL_SIZE, MUTED));
}

/// Percent without decimals where the ticks are whole points apart, with as many as they need
/// otherwise.
pub(super) fn percent_ticks(axis: &Axis, max_n: usize) -> impl Fn(f64) -> String {
    let ticks = axis.ticks(max_n);
    let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).fold(1.0, f64::min);
    let digits = (0..4).find(|&digits| {
        let points = step * 100.0 * 10_f64.powi(digits);
        (points - points.round()).abs() < 1e-6
    });
    let digits = digits.unwrap_or(1) as usize;
    move |share| format!("{:.digits$} %", share * 100.0)
}
