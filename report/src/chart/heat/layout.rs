//! Where the parts of a heat map are, and the drawing of one.

use super::{Grid, Heat, Row};
use crate::chart::font;
use crate::chart::frame::{SMALL_SIZE, Width};
use crate::chart::palette::TEXT;
use crate::chart::picture::{Anchor, Picture, Point, Rect, Text};

pub(super) const CELL_HEIGHT: f64 = 58.0;
pub(super) const PANEL_GAP: f64 = 60.0;
const MAX_CELL_WIDTH: f64 = 190.0;
const CELL_SIZE: f64 = 22.0;
/// Text no smaller than this can be read on a phone.
const MIN_CELL_SIZE: f64 = 19.5;
const CELL_PADDING: f64 = 3.0;
const MIN_CELL_WIDTH: f64 = 100.0;
/// Where labels would leave cells no wider than this, they stand above their rows.
const CRAMPED: f64 = 80.0;
const LABEL_GAP: f64 = 20.0;
/// Room for labels where there are many cells, and where there are few.
const LABEL_ROOM: (f64, f64) = (420.0, 560.0);

/// The sizes of a map.
pub(super) struct Layout {
    pub n_across: usize,
    /// Width of a grid with its labels.
    pub room: f64,
    /// How many columns a grid may have.
    pub n_cells: usize,
    /// Taken left of the cells; nothing where labels stand above their rows.
    pub label_width: f64,
    /// Taken above the cells of a row.
    pub lift: f64,
    /// Taken by the names of the columns.
    pub head: f64,
    label_room: f64,
    cell_width: f64,
    cell_size: f64,
    is_upward: bool,
}

impl Layout {
    pub fn of(heat: &Heat, width: Width) -> Self {
        let n_across = if heat.grids.len() == 1 { 1 } else { width.choose(2, 1) };
        let gaps = PANEL_GAP * (n_across - 1) as f64;
        let room = (width.pixels() - 2.0 * width.margin() - gaps) / n_across as f64;
        let texts = heat.cells().map(|cell| font::width(&cell.text, 1.0, false));
        let widest_text = texts.fold(0.0, f64::max);
        let least = widest_text * MIN_CELL_SIZE + 2.0 * CELL_PADDING;
        let n_columns = heat.grids.iter().map(|grid| grid.columns.len()).max().unwrap_or(1).max(1);
        let most = width.choose(n_columns, ((room / least) as usize).max(1));
        // Bands of about the same width.
        let n_cells = n_columns.div_ceil(n_columns.div_ceil(most));
        let n = n_cells as f64;
        let label_room = match width {
            Width::Wide => {
                (room - LABEL_GAP - n * MIN_CELL_WIDTH).clamp(LABEL_ROOM.0, LABEL_ROOM.1)
            }
            Width::Narrow => LABEL_ROOM.1,
        };
        let labels = |grid: &Grid| grid.rows.iter().map(|row| row.label.clone()).collect();
        let beside = heat.widest(labels).min(label_room) + LABEL_GAP;
        let is_above = width.is_narrow() && beside + n * least.max(CRAMPED) > room;
        let label_width = if is_above { 0.0 } else { beside };
        let cell_width = ((room - label_width) / n).min(MAX_CELL_WIDTH);
        let column_width = heat.widest(|grid| grid.columns.clone()).min(label_room);
        let is_upward = column_width + 12.0 > cell_width;
        let fitting = (cell_width - 2.0 * CELL_PADDING) / widest_text.max(0.1);
        Self {
            n_across,
            room,
            n_cells,
            label_width,
            lift: if is_above { 40.0 } else { 0.0 },
            head: if is_upward { column_width + 24.0 } else { 44.0 },
            label_room,
            cell_width,
            cell_size: fitting.min(CELL_SIZE),
            is_upward,
        }
    }

    /// Names the columns: across, or upward where their names need this room.
    pub fn draw_head(&self, picture: &mut Picture, grid: &Grid, (left, bottom): Point) {
        for (i, column) in grid.columns.iter().enumerate() {
            let middle = left + (i as f64 + 0.5) * self.cell_width;
            let text = if self.is_upward {
                let label = font::shorten(column, SMALL_SIZE, false, self.label_room);
                Text::new(label, (middle, bottom - 12.0), SMALL_SIZE, TEXT).upward()
            } else {
                let text = Text::new(column, (middle, bottom - 22.0), SMALL_SIZE, TEXT);
                text.anchor(Anchor::Middle)
            };
            picture.text(text);
        }
    }

    /// Draws a row with the upper left corner of its cells.
    pub fn draw_row(&self, picture: &mut Picture, row: &Row, corner: Point) {
        picture.of(row.owner.clone(), |picture| {
            let label = if self.lift > 0.0 {
                let label = font::shorten(&row.label, SMALL_SIZE, false, self.room);
                Text::new(label, (corner.0, corner.1 - 16.0), SMALL_SIZE, TEXT)
            } else {
                let label = font::shorten(&row.label, SMALL_SIZE, false, self.label_room);
                let end = (corner.0 - 14.0, corner.1 + CELL_HEIGHT / 2.0);
                Text::new(label, end, SMALL_SIZE, TEXT).anchor(Anchor::End)
            };
            picture.text(label);
            self.draw_cells(picture, row, corner);
        });
        for (i, cell) in row.cells.iter().enumerate().filter(|(_, cell)| !cell.tip.is_empty()) {
            picture.tip(self.cell_place(corner, i), cell.tip.as_str(), row.owner.clone());
        }
    }

    fn cell_place(&self, (left, top): Point, i: usize) -> Rect {
        let left = left + i as f64 * self.cell_width;
        Rect { left, top, right: left + self.cell_width, bottom: top + CELL_HEIGHT }
    }

    fn draw_cells(&self, picture: &mut Picture, row: &Row, corner: Point) {
        const GAP: f64 = 2.0;
        for (i, cell) in row.cells.iter().enumerate() {
            let Rect { left, top, right, bottom } = self.cell_place(corner, i);
            let (paint, ink) = cell.inks();
            let Some(paint) = paint else { continue };
            let inner =
                Rect { left: left + GAP, top: top + GAP, right: right - GAP, bottom: bottom - GAP };
            picture.rect(inner, paint);
            let at = ((left + right) / 2.0, (top + bottom) / 2.0);
            let text = Text::new(cell.text.as_str(), at, self.cell_size, ink);
            picture.text(text.anchor(Anchor::Middle));
        }
    }
}
