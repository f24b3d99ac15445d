//! Curves through means with their intervals, in one panel or several on the same axes.

mod draw;

use crate::format;
use crate::stats::Estimate;
use crate::table::{Column, Table, number, text};

use super::legend::Entry;
use super::palette::Look;
use super::picture::Owner;

/// The chart before it is drawn.
pub(crate) struct Lines {
    pub title: String,
    pub subtitle: String,
    /// How to read it, under the subtitle.
    pub key: String,
    pub x: Across,
    pub y: Up,
    pub panels: Vec<Panel>,
    pub legend: Vec<Entry>,
}

/// The horizontal axis.
pub(crate) struct Across {
    pub name: String,
    pub is_logarithmic: bool,
    pub show: fn(f64) -> String,
}

/// The vertical axis.
pub(crate) enum Up {
    /// A share, shown in percent, around the data.
    Percent(&'static str),
    /// A count, from zero.
    Count(&'static str),
}

pub(crate) struct Panel {
    pub title: String,
    pub detail: String,
    pub look: Option<Look>,
    pub curves: Vec<Curve>,
}

pub(crate) struct Curve {
    pub name: String,
    pub owner: Option<Owner>,
    pub look: Look,
    /// `None` for a curve of many points, which has no markers.
    pub is_marked: bool,
    pub is_faint: bool,
    pub dashes: Option<(f64, f64)>,
    pub spots: Vec<Spot>,
}

pub(crate) struct Spot {
    pub x: f64,
    /// `None` where it diverged.
    pub y: Option<Estimate>,
    pub is_chosen: bool,
}

impl Curve {
    pub fn new(name: &str, look: Look, spots: Vec<Spot>) -> Self {
        Self {
            name: name.to_owned(),
            owner: None,
            look,
            is_marked: true,
            is_faint: false,
            dashes: None,
            spots,
        }
    }
}

impl Spot {
    pub fn new(x: f64, y: Estimate) -> Self {
        Self { x, y: Some(y), is_chosen: false }
    }
}

impl Lines {
    fn curves(&self) -> impl Iterator<Item = &Curve> {
        self.panels.iter().flat_map(|panel| &panel.curves)
    }

    fn spots(&self) -> impl Iterator<Item = &Spot> {
        self.curves().flat_map(|curve| &curve.spots)
    }

    fn show_y(&self, value: f64) -> String {
        match self.y {
            Up::Percent(_) => format!("{} %", format::percent(value)),
            Up::Count(_) => format::count(value.round() as usize),
        }
    }

    /// The figures behind the chart.
    pub fn table(&self) -> Table {
        let y_name = match self.y {
            Up::Percent(name) => format!("{name} %"),
            Up::Count(name) => name.to_owned(),
        };
        let is_grouped = self.panels.len() > 1;
        let mut columns = vec![
            Column::text("Curve"),
            Column::number(&self.x.name),
            Column::number(&y_name),
            Column::number("Seeds"),
        ];
        if is_grouped {
            columns.insert(0, Column::text("Panel"));
        }
        let mut rows = Vec::new();
        for panel in &self.panels {
            for curve in &panel.curves {
                for spot in &curve.spots {
                    let figure = match (&spot.y, &self.y) {
                        (None, _) => text("diverged"),
                        (Some(y), Up::Percent(_)) => {
                            let mark = if spot.is_chosen { " (chosen)" } else { "" };
                            number(format::accuracy(y) + mark, y.mean)
                        }
                        (Some(y), Up::Count(_)) => number(self.show_y(y.mean), y.mean),
                    };
                    let n = spot.y.map_or(text("–"), |y| number(y.n.to_string(), y.n as f64));
                    let mut row =
                        vec![text(&curve.name), number((self.x.show)(spot.x), spot.x), figure, n];
                    if is_grouped {
                        row.insert(0, text(&panel.title));
                    }
                    rows.push(row);
                }
            }
        }
        Table { columns, rows }
    }

    fn describe(&self) -> String {
        let curves = self.panels.iter().flat_map(|panel| {
            panel.curves.iter().filter_map(|curve| {
                let best = curve.spots.iter().filter(|spot| spot.y.is_some()).max_by(|a, b| {
                    let mean = |spot: &Spot| spot.y.map_or(0.0, |y| y.mean);
                    mean(a).total_cmp(&mean(b))
                })?;
                // Many curves are called by their panel and what sets them apart in it.
                let is_named = self.panels.len() < 2 || curve.name.starts_with(&panel.title);
                let panel = if is_named { "" } else { panel.title.as_str() };
                let name = &curve.name;
                let at = (self.x.show)(best.x);
                let highest = self.show_y(best.y?.mean);
                Some(format!("{} highest {highest} at {at}", format!("{panel} {name}").trim()))
            })
        });
        format!("{}: {}.", self.title, curves.collect::<Vec<_>>().join(", "))
    }
}
