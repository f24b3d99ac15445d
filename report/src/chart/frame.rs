//! The plotting area: grid, axes with their labels, and where a value lies in it.

use super::axis::Axis;
use super::font;
use super::palette::{GRID, MUTED, PAPER, TEXT};
use super::picture::{Anchor, Picture, Point, Rect, Text};

/// How wide a picture is laid out. All sizes are meant to be halved on a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// For files, projectors and desktops.
    Wide,
    /// For a phone held upright: what stands side by side in the wide one is stacked.
    Narrow,
}

impl Width {
    pub(super) fn pixels(self) -> f64 {
        match self {
            Self::Wide => 1600.0,
            Self::Narrow => 680.0,
        }
    }

    pub(super) fn is_narrow(self) -> bool {
        self == Self::Narrow
    }

    /// Left edge of titles and the widest margin around everything.
    pub(super) fn margin(self) -> f64 {
        margin(self.pixels())
    }

    /// `wide` or `narrow`.
    pub(super) fn choose<T>(self, wide: T, narrow: T) -> T {
        if self.is_narrow() { narrow } else { wide }
    }

    /// Height of a row's label, where it stands above the row and not beside it.
    pub(super) fn row_lift(self) -> f64 {
        self.choose(0.0, ROW_LIFT)
    }

    /// How many panels stand side by side, each with a title of at most `widest` in bold.
    pub(super) fn n_columns(self, most: usize, widest: f64) -> usize {
        let room = (self.pixels() - 2.0 * self.margin()) / 2.0 - PANEL_FRAME;
        let fits = widest <= room;
        most.min(self.choose(most, if fits { 2 } else { 1 }))
    }
}

fn margin(width: f64) -> f64 {
    width / 40.0
}

/// Beside a panel's title: the labels of its axis, the marker, and the gap to the next panel.
const PANEL_FRAME: f64 = 140.0;
const ROW_LIFT: f64 = 36.0;
pub(super) const TITLE_SIZE: f64 = 38.0;
pub(super) const LABEL_SIZE: f64 = 28.0;
pub(super) const SMALL_SIZE: f64 = 24.0;

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
        self.draw_x_at(picture, self.x.ticks(ticks.max_n), ticks.show, ticks.size);
    }

    /// As [`Self::draw_x`] at these values; labels that would touch or be cut off are left out.
    pub fn draw_x_at(
        &self,
        picture: &mut Picture,
        values: Vec<f64>,
        show: &dyn Fn(f64) -> String,
        size: f64,
    ) {
        let mut free_from = 0.0;
        for value in values {
            let x = self.place_x(value);
            picture.line(vec![(x, self.area.top), (x, self.area.bottom)], GRID, GRID_WIDTH);
            let at = (x, self.area.bottom + TICK_GAP + size * 0.5);
            let label = Text::new(show(value), at, size, MUTED);
            let label = label.anchor(Anchor::Middle);
            let bounds = label.bounds();
            if bounds.left > free_from && bounds.right < picture.width {
                free_from = bounds.right + 12.0;
                picture.text(label);
            }
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

    /// Writes what the horizontal axis means under it; returns where the picture may end.
    pub fn name_x(&self, picture: &mut Picture, name: &str) -> f64 {
        let middle = (self.area.left + self.area.right) / 2.0;
        name_across(picture, name, (middle, self.area.bottom + 80.0)) + 15.0
    }

    /// Writes what the vertical axis means beside it.
    pub fn name_y(&self, picture: &mut Picture, name: &str) {
        let at = (margin(picture.width), (self.area.top + self.area.bottom) / 2.0);
        picture.text(Text::new(name, at, LABEL_SIZE, TEXT).anchor(Anchor::Middle).upward());
    }

    /// Writes whose a row with this middle is: beside the axis, or above the row.
    pub fn name_row(&self, picture: &mut Picture, width: Width, name: &str, middle: f64) {
        let left = self.area.left;
        if !width.is_narrow() {
            let text = Text::new(name, (left - 16.0, middle), SMALL_SIZE, TEXT);
            return picture.text(text.anchor(Anchor::End));
        }
        let at = (left + 10.0, middle - ROW_LIFT);
        let name = font::shorten(name, SMALL_SIZE, false, picture.width - at.0);
        let text = Text::new(name, at, SMALL_SIZE, TEXT);
        // Grid lines end at a label.
        picture.rect(text.bounds(), PAPER);
        picture.text(text);
    }
}

/// Writes the title of a picture, what was compared, and how to read it, if that must be said;
/// returns where the rest may begin.
pub(super) fn draw_header(picture: &mut Picture, title: &str, subtitle: &str, key: &str) -> f64 {
    let left = margin(picture.width);
    let room = picture.width - 2.0 * left;
    let title = Text::new(title, (left, 48.0), TITLE_SIZE, TEXT).bold();
    let y = write_lines(picture, &title, room) + 2.5;
    let y = write_lines(picture, &Text::new(subtitle, (left, y), SMALL_SIZE, MUTED), room);
    if key.is_empty() {
        return y + 12.0;
    }
    write_lines(picture, &Text::new(key, (left, y + 8.0), SMALL_SIZE, MUTED), room) + 4.0
}

/// Writes what horizontal axes mean around a place; returns the place of the line after it.
pub(super) fn name_across(picture: &mut Picture, name: &str, at: Point) -> f64 {
    let margin = margin(picture.width);
    let room = 2.0 * (at.0 - margin).min(picture.width - margin - at.0);
    write_lines(picture, &Text::new(name, at, LABEL_SIZE, TEXT).anchor(Anchor::Middle), room)
}

/// Writes a text in as many lines as it needs, the first one at its place; returns the place of
/// the line that would come next.
fn write_lines(picture: &mut Picture, text: &Text, room: f64) -> f64 {
    let (x, mut y) = text.at;
    for line in font::wrap(&text.text, text.size, text.bold, room) {
        picture.text(Text { text: line, at: (x, y), ..text.clone() });
        y += 1.25 * text.size;
    }
    y
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
