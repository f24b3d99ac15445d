//! Heat maps: cells with a number in each, so that the colours are a help and not the message.

use crate::table::{Column, Table, text};

use super::font;
use super::frame::{self, HEADER_HEIGHT, MARGIN, SMALL_SIZE, WIDTH};
use super::palette::{BELOW, LEVELS, MUTED, PAPER, TEXT};
use super::picture::{Anchor, Ink, Owner, Picture, Rect, Text};

const CELL_HEIGHT: f64 = 58.0;
const MAX_CELL_WIDTH: f64 = 190.0;
const CELL_SIZE: f64 = 22.0;
const MIN_CELL_WIDTH: f64 = 100.0;
/// Room for labels where there are many cells, and where there are few.
const LABEL_ROOM: (f64, f64) = (420.0, 560.0);
const PANEL_GAP: f64 = 60.0;

/// The chart before it is drawn.
pub(crate) struct Heat {
    pub title: String,
    pub subtitle: String,
    pub key: String,
    /// What the rows are.
    pub row_name: &'static str,
    pub grids: Vec<Grid>,
}

/// One map.
pub(crate) struct Grid {
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
}

pub(crate) struct Row {
    pub label: String,
    pub owner: Option<Owner>,
    pub cells: Vec<Cell>,
}

#[derive(Clone)]
pub(crate) struct Cell {
    pub text: String,
    /// −1 to 1: how far from nothing, below or above.
    pub level: f64,
    pub tip: String,
}

impl Cell {
    pub fn none() -> Self {
        Self { text: String::new(), level: 0.0, tip: String::new() }
    }

    /// The colour of the cell and that of its text, which stays readable in the dark as well.
    fn inks(&self) -> (Option<Ink>, Ink) {
        let deepness = self.level.abs().min(1.0);
        if self.text.is_empty() {
            return (None, TEXT);
        }
        if self.level < 0.0 {
            let i = ((deepness * BELOW.len() as f64) as usize).min(BELOW.len() - 1);
            return (Some(BELOW[i]), if i + 1 < BELOW.len() { TEXT } else { PAPER });
        }
        let i = (deepness * (LEVELS.len() - 1) as f64).round() as usize;
        (Some(LEVELS[i]), if i + 2 < LEVELS.len() { TEXT } else { PAPER })
    }
}

impl Heat {
    /// The figures behind the chart.
    pub fn table(&self) -> Table {
        let is_grouped = self.grids.len() > 1;
        let mut columns = vec![Column::text(self.row_name)];
        if is_grouped {
            columns.insert(0, Column::text("Map"));
        }
        columns.extend(self.grids[0].columns.iter().map(|title| Column::text(title)));
        let mut rows = Vec::new();
        for grid in &self.grids {
            for row in &grid.rows {
                let mut cells = vec![text(&row.label)];
                if is_grouped {
                    cells.insert(0, text(&grid.title));
                }
                cells.extend(row.cells.iter().map(|cell| {
                    let told = cell.tip.split_once(": ").map_or(cell.text.as_str(), |(_, t)| t);
                    text(if told.is_empty() { "–" } else { told })
                }));
                rows.push(cells);
            }
        }
        Table { columns, rows }
    }

    /// The picture; `None` without a cell.
    pub fn picture(&self) -> Option<Picture> {
        self.grids.iter().flat_map(|grid| &grid.rows).flat_map(|row| &row.cells).next()?;
        let n_across = if self.grids.len() == 1 { 1 } else { 2 };
        let n_cells = self.grids.iter().map(|grid| grid.columns.len()).max()? as f64;
        let room = (WIDTH - 2.0 * MARGIN - PANEL_GAP * (n_across - 1) as f64) / n_across as f64;
        let label_room = (room - 20.0 - n_cells * MIN_CELL_WIDTH).clamp(LABEL_ROOM.0, LABEL_ROOM.1);
        let rows = |grid: &'_ Grid| grid.rows.iter().map(|row| row.label.clone()).collect();
        let label_width = self.widest(rows).min(label_room);
        let cell_width = ((room - label_width - 20.0) / n_cells).min(MAX_CELL_WIDTH);
        let column_width = self.widest(|grid| grid.columns.clone()).min(label_room);
        let is_upward = column_width + 12.0 > cell_width;
        let head = if is_upward { column_width + 24.0 } else { 44.0 };
        let title_height = if n_across > 1 { 56.0 } else { 0.0 };
        let n_rows = self.grids.iter().map(|grid| grid.rows.len()).max()? as f64;
        let grid_height = title_height + head + n_rows * CELL_HEIGHT + 40.0;
        let top = HEADER_HEIGHT + if self.key.is_empty() { 0.0 } else { 36.0 };
        let n_down = self.grids.len().div_ceil(n_across) as f64;
        let mut picture = Picture::new(WIDTH, top + n_down * grid_height + 10.0, self.describe());
        frame::draw_header(&mut picture, &self.title, &self.subtitle);
        let key = font::shorten(&self.key, SMALL_SIZE, false, WIDTH - 2.0 * MARGIN);
        picture.text(Text::new(key, (MARGIN, 136.0), SMALL_SIZE, MUTED));
        for (i, grid) in self.grids.iter().enumerate() {
            let left = MARGIN + (i % n_across) as f64 * (room + PANEL_GAP);
            let top = top + (i / n_across) as f64 * grid_height;
            if n_across > 1 {
                let title = font::shorten(&grid.title, SMALL_SIZE, true, room);
                picture.text(Text::new(title, (left, top + 18.0), SMALL_SIZE, TEXT).bold());
            }
            let corner = (left + label_width + 20.0, top + title_height + head);
            draw_head(&mut picture, grid, corner, cell_width, is_upward.then_some(label_room));
            for (j, row) in grid.rows.iter().enumerate() {
                let corner = (corner.0, corner.1 + j as f64 * CELL_HEIGHT);
                picture.of(row.owner.clone(), |picture| {
                    let end = (corner.0 - 14.0, corner.1 + CELL_HEIGHT / 2.0);
                    let label = font::shorten(&row.label, SMALL_SIZE, false, label_room);
                    picture.text(Text::new(label, end, SMALL_SIZE, TEXT).anchor(Anchor::End));
                    draw_cells(picture, row, corner, cell_width);
                });
                for (k, cell) in row.cells.iter().enumerate().filter(|(_, c)| !c.tip.is_empty()) {
                    let place = cell_place(corner, k, cell_width);
                    picture.tip(place, cell.tip.as_str(), row.owner.clone());
                }
            }
        }
        Some(picture)
    }

    fn widest(&self, labels: impl Fn(&Grid) -> Vec<String>) -> f64 {
        let labels = self.grids.iter().flat_map(labels);
        labels.map(|label| font::width(&label, SMALL_SIZE, false)).fold(0.0, f64::max)
    }

    fn describe(&self) -> String {
        let grids = self.grids.iter().map(|grid| {
            let rows = grid.rows.iter().map(|row| {
                let cells: Vec<&str> = row.cells.iter().map(|cell| cell.text.as_str()).collect();
                format!("{} {}", row.label, cells.join(" "))
            });
            format!("{} {}", grid.title, rows.collect::<Vec<_>>().join(", "))
        });
        format!("{}: {}.", self.title, grids.collect::<Vec<_>>().join("; ").trim())
    }
}

fn cell_place((left, top): (f64, f64), i: usize, width: f64) -> Rect {
    let left = left + i as f64 * width;
    Rect { left, top, right: left + width, bottom: top + CELL_HEIGHT }
}

/// Names the columns: across, or upward where their names need this room.
fn draw_head(
    picture: &mut Picture,
    grid: &Grid,
    (left, bottom): (f64, f64),
    cell_width: f64,
    upward: Option<f64>,
) {
    for (i, column) in grid.columns.iter().enumerate() {
        let middle = left + (i as f64 + 0.5) * cell_width;
        let text = match upward {
            Some(room) => {
                let label = font::shorten(column, SMALL_SIZE, false, room);
                Text::new(label, (middle, bottom - 12.0), SMALL_SIZE, TEXT).upward()
            }
            None => {
                let text = Text::new(column, (middle, bottom - 22.0), SMALL_SIZE, TEXT);
                text.anchor(Anchor::Middle)
            }
        };
        picture.text(text);
    }
}

fn draw_cells(picture: &mut Picture, row: &Row, (left, top): (f64, f64), cell_width: f64) {
    const GAP: f64 = 2.0;
    for (i, cell) in row.cells.iter().enumerate() {
        let place = cell_place((left, top), i, cell_width);
        let (paint, ink) = cell.inks();
        let Some(paint) = paint else { continue };
        let Rect { left, top, right, bottom } = place;
        let inner =
            Rect { left: left + GAP, top: top + GAP, right: right - GAP, bottom: bottom - GAP };
        picture.rect(inner, paint);
        let text = font::shorten(&cell.text, CELL_SIZE, false, cell_width - 8.0);
        let at = ((left + right) / 2.0, (top + bottom) / 2.0);
        picture.text(Text::new(text, at, CELL_SIZE, ink).anchor(Anchor::Middle));
    }
}
