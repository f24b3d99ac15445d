//! Heat maps: cells with a number in each, so that the colours are a help and not the message.

mod layout;

use crate::table::{Column, Table, text};

use super::font;
use super::frame::{self, SMALL_SIZE, Width};
use super::palette::{BELOW, LEVELS, PAPER, TEXT};
use super::picture::{Ink, Owner, Picture, Text};

use layout::{CELL_HEIGHT, Layout, PANEL_GAP};

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
#[derive(Clone)]
pub(crate) struct Grid {
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
}

#[derive(Clone)]
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
    pub fn picture(&self, width: Width) -> Option<Picture> {
        self.cells().next()?;
        let layout = Layout::of(self, width);
        let grids: Vec<Grid> =
            self.grids.iter().flat_map(|grid| grid.banded(layout.n_cells)).collect();
        let has_titles = grids.len() > 1;
        let title_height = if has_titles { 56.0 } else { 0.0 };
        let row_height = CELL_HEIGHT + layout.lift;
        let n_rows = grids.iter().map(|grid| grid.rows.len()).max()? as f64;
        let grid_height = title_height + layout.head + n_rows * row_height + 40.0;
        let mut picture = Picture::new(width.pixels(), 0.0, self.describe());
        let top = frame::draw_header(&mut picture, &self.title, &self.subtitle, &self.key);
        let n_down = grids.len().div_ceil(layout.n_across) as f64;
        picture.height = top + n_down * grid_height + 10.0;
        for (i, grid) in grids.iter().enumerate() {
            let across = (i % layout.n_across) as f64;
            let left = width.margin() + across * (layout.room + PANEL_GAP);
            let top = top + (i / layout.n_across) as f64 * grid_height;
            if has_titles {
                let title = font::shorten(&grid.title, SMALL_SIZE, true, layout.room);
                picture.text(Text::new(title, (left, top + 18.0), SMALL_SIZE, TEXT).bold());
            }
            let corner = (left + layout.label_width, top + title_height + layout.head);
            layout.draw_head(&mut picture, grid, corner);
            for (j, row) in grid.rows.iter().enumerate() {
                let corner = (corner.0, corner.1 + j as f64 * row_height + layout.lift);
                layout.draw_row(&mut picture, row, corner);
            }
        }
        Some(picture)
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.grids.iter().flat_map(|grid| &grid.rows).flat_map(|row| &row.cells)
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

impl Grid {
    /// The grid in pieces of at most `n` columns, about equally wide.
    fn banded(&self, n: usize) -> Vec<Self> {
        let n_columns = self.columns.len();
        let n_bands = n_columns.div_ceil(n);
        if n_bands < 2 {
            return vec![self.clone()];
        }
        let size = n_columns.div_ceil(n_bands);
        let band = |begin: usize| {
            let end = (begin + size).min(n_columns);
            let cells = |row: &Row| Row { cells: row.cells[begin..end].to_vec(), ..row.clone() };
            let part = format!("columns {} to {end} of {n_columns}", begin + 1);
            Self {
                title: format!("{} {part}", self.title).trim().to_owned(),
                columns: self.columns[begin..end].to_vec(),
                rows: self.rows.iter().map(cells).collect(),
            }
        };
        (0..n_columns).step_by(size).map(band).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::picture::{Anchor, Text};

    fn map(n: usize) -> Heat {
        let names: Vec<String> = (0..n).map(|i| format!("A method called {i}")).collect();
        let cell = |i: usize, j: usize| Cell {
            text: format!("(+{i}.{j})"),
            level: 0.5,
            tip: format!("{i} against {j}: so"),
        };
        let row = |(i, label): (usize, &String)| Row {
            label: label.clone(),
            owner: None,
            cells: (0..n).map(|j| cell(i, j)).collect(),
        };
        let rows = names.iter().enumerate().map(row).collect();
        Heat {
            title: "Title".to_owned(),
            subtitle: "subtitle".to_owned(),
            key: String::new(),
            row_name: "Row",
            grids: vec![Grid { title: String::new(), columns: names, rows }],
        }
    }

    #[test]
    fn a_map_too_wide_for_a_phone_becomes_bands_that_hold_every_cell() {
        let heat = map(16);
        for width in [Width::Wide, Width::Narrow] {
            let picture = heat.picture(width).unwrap();
            let texts: Vec<&Text> = picture.texts().collect();
            let n_cells = texts.iter().filter(|text| text.text.starts_with("(+")).count();
            assert_eq!((n_cells, picture.tips.len()), (256, 256), "{width:?}");
            assert!(texts.iter().all(|text| text.bounds().right <= picture.width), "{width:?}");
            let n_bands = texts.iter().filter(|text| text.text.ends_with("of 16")).count();
            assert_eq!(n_bands > 1, width.is_narrow(), "{width:?}");
        }
    }

    #[test]
    fn rows_are_named_beside_their_cells_where_these_stay_wide_enough() {
        let first_label = |n: usize| {
            let picture = map(n).picture(Width::Narrow).unwrap();
            let mut labels = picture.texts().filter(|text| text.text == "A method called 0");
            labels.find(|text| !text.upward).unwrap().anchor
        };
        assert_eq!(first_label(2), Anchor::End);
        assert_eq!(first_label(8), Anchor::Start);
    }
}
