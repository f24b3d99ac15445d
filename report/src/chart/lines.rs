//! Curves through means with their intervals, in one panel or several on the same axes.

use crate::format;
use crate::stats::Estimate;
use crate::table::{Column, Table, number, text};

use super::axis::Axis;
use super::font;
use super::frame::{self, Frame, HEADER_HEIGHT, LABEL_SIZE, MARGIN, SMALL_SIZE, Ticks, WIDTH};
use super::legend::{self, Entry};
use super::palette::{Look, MUTED, PAPER, TEXT};
use super::picture::{Anchor, Ink, Owner, Picture, Point, Rect, Text};

const TICK_SIZE: f64 = 22.0;
const RADIUS: f64 = 9.0;
const N_Y_TICKS: usize = 6;

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

    /// The picture; `None` without a point.
    pub fn picture(&self) -> Option<Picture> {
        self.spots().find_map(|spot| spot.y)?;
        let n = self.panels.len();
        let n_columns = match n {
            1 => 1,
            2 | 4 => 2,
            _ => 3,
        };
        let is_single = n == 1;
        let has_legend = self.legend.len() > 1;
        let legend_width = if has_legend { legend::width(&self.legend) + 40.0 } else { 0.0 };
        let panel_height = if is_single { 760.0 } else { 430.0 };
        let top = HEADER_HEIGHT + if self.key.is_empty() { 10.0 } else { 30.0 };
        let rows_bottom = top + n.div_ceil(n_columns) as f64 * panel_height + 60.0;
        let legend_bottom = top + legend::height(&self.legend) + MARGIN;
        let height = if has_legend { rows_bottom.max(legend_bottom) } else { rows_bottom };
        let mut picture = Picture::new(WIDTH, height, self.describe());
        frame::draw_header(&mut picture, &self.title, &self.subtitle);
        let key = font::shorten(&self.key, SMALL_SIZE, false, WIDTH - 2.0 * MARGIN);
        picture.text(Text::new(key, (MARGIN, 136.0), SMALL_SIZE, MUTED));
        let right = WIDTH - MARGIN - legend_width;
        if has_legend {
            legend::draw(&mut picture, &self.legend, right + 40.0, top);
        }
        let (left, width) = (MARGIN + 30.0, (right - MARGIN - 30.0) / n_columns as f64);
        let (x, y) = self.axes();
        for (i, panel) in self.panels.iter().enumerate() {
            let left = left + (i % n_columns) as f64 * width;
            let top = top + (i / n_columns) as f64 * panel_height;
            let area = Rect {
                left: left + 90.0,
                top: top + if is_single { 20.0 } else { 84.0 },
                right: left + width - 16.0,
                bottom: top + panel_height - 50.0,
            };
            let frame = Frame { area, x, y };
            self.draw_panel(&mut picture, &frame, panel, is_single);
        }
        let middle = (left + 90.0 + right) / 2.0;
        let at = (middle, rows_bottom - 40.0);
        picture.text(Text::new(&self.x.name, at, LABEL_SIZE, TEXT).anchor(Anchor::Middle));
        let name = match self.y {
            Up::Percent(name) | Up::Count(name) => name,
        };
        let at = (MARGIN, (top + rows_bottom - 100.0) / 2.0);
        picture.text(Text::new(name, at, LABEL_SIZE, TEXT).anchor(Anchor::Middle).upward());
        Some(picture)
    }

    fn axes(&self) -> (Axis, Axis) {
        let xs = || self.spots().map(|spot| spot.x);
        let x = match self.x.is_logarithmic {
            true => Axis::positive(xs()),
            false => Axis::from_zero(xs()),
        };
        let means = || self.spots().filter_map(|spot| spot.y);
        let low = means().map(|y| y.mean).fold(f64::INFINITY, f64::min);
        let high = means().map(|y| y.mean).fold(f64::NEG_INFINITY, f64::max);
        let reach = (high - low).max(0.05) / 2.0;
        // Two seeds may have an interval of any width: bars may stick out of the frame.
        let ends = means().flat_map(|y| {
            let half = y.half_width().unwrap_or(0.0).min(reach);
            [y.mean - half, y.mean + half]
        });
        let y = match self.y {
            Up::Percent(_) => Axis::shares(ends),
            Up::Count(_) => Axis::from_zero(means().map(|y| y.mean)),
        };
        (x, y)
    }

    fn draw_panel(&self, picture: &mut Picture, frame: &Frame, panel: &Panel, is_single: bool) {
        let size = if is_single { LABEL_SIZE } else { TICK_SIZE };
        self.draw_x(picture, frame, size);
        let percent = frame::percent_ticks(&frame.y, N_Y_TICKS);
        let show = |value: f64| match self.y {
            Up::Percent(_) => percent(value),
            Up::Count(_) => format::short_count(value),
        };
        frame.draw_y(picture, &Ticks { max_n: N_Y_TICKS, show: &show, size });
        frame.draw_axes(picture);
        if !is_single {
            draw_title(picture, frame, panel);
        }
        let n = panel.curves.len() as f64;
        // Points of one place stand side by side where they have intervals.
        let has_bars = self.spots().any(|spot| spot.y.is_some_and(|y| y.n > 1));
        let step = if has_bars && self.curves().any(|c| c.is_marked) { 5.0 } else { 0.0 };
        for (i, curve) in panel.curves.iter().enumerate() {
            let aside = (i as f64 - (n - 1.0) / 2.0) * step;
            picture.of(curve.owner.clone(), |picture| draw_curve(picture, frame, curve, aside));
            for spot in &curve.spots {
                let (x, y) = place(frame, spot, aside);
                let figure = spot.y.map_or("diverged".to_owned(), |y| match self.y {
                    Up::Percent(_) => format!("{} %", format::accuracy(&y)),
                    Up::Count(_) => self.show_y(y.mean),
                });
                let text = format!(
                    "{}, {} {}: {figure}{}",
                    curve.name,
                    self.x.name,
                    (self.x.show)(spot.x),
                    if spot.is_chosen { ", chosen" } else { "" },
                );
                picture.tip(Rect::around((x, y), 14.0), text, curve.owner.clone());
            }
        }
    }

    /// The values that occur, where they are few; labels that would touch are left out.
    fn draw_x(&self, picture: &mut Picture, frame: &Frame, size: f64) {
        let mut ticks: Vec<f64> = self.spots().map(|spot| spot.x).collect();
        ticks.sort_by(f64::total_cmp);
        ticks.dedup_by(|a, b| (*a - *b).abs() <= 1e-9 * b.abs());
        if ticks.len() > 9 || !self.x.is_logarithmic {
            ticks = frame.x.ticks(if size > TICK_SIZE { 7 } else { 4 });
        }
        let mut free_from = f64::NEG_INFINITY;
        for value in ticks {
            let x = frame.place_x(value);
            let Rect { top, bottom, .. } = frame.area;
            picture.line(vec![(x, top), (x, bottom)], super::palette::GRID, 1.5);
            let label =
                Text::new((self.x.show)(value), (x, bottom + 14.0 + size / 2.0), size, MUTED)
                    .anchor(Anchor::Middle);
            if label.bounds().left > free_from {
                free_from = label.bounds().right + 12.0;
                picture.text(label);
            }
        }
    }

    fn describe(&self) -> String {
        let curves = self.panels.iter().flat_map(|panel| {
            panel.curves.iter().filter_map(|curve| {
                let best = curve.spots.iter().filter(|spot| spot.y.is_some()).max_by(|a, b| {
                    let mean = |spot: &Spot| spot.y.map_or(0.0, |y| y.mean);
                    mean(a).total_cmp(&mean(b))
                })?;
                let panel = if self.panels.len() > 1 { panel.title.as_str() } else { "" };
                let name = if panel == curve.name { "" } else { &curve.name };
                let at = (self.x.show)(best.x);
                let highest = self.show_y(best.y?.mean);
                Some(format!("{} highest {highest} at {at}", format!("{panel} {name}").trim()))
            })
        });
        format!("{}: {}.", self.title, curves.collect::<Vec<_>>().join(", "))
    }
}

fn draw_title(picture: &mut Picture, frame: &Frame, panel: &Panel) {
    let (x, y) = (frame.area.left, frame.area.top - 56.0);
    let room = frame.area.width() - 30.0;
    let mut indent = 0.0;
    if let Some(look) = panel.look {
        look.marker.fill(picture, (x + 10.0, y), 9.0, look.ink);
        indent = 30.0;
    }
    let title = font::shorten(&panel.title, SMALL_SIZE, true, room);
    picture.text(Text::new(title, (x + indent, y), SMALL_SIZE, TEXT).bold());
    let detail = font::shorten(&panel.detail, TICK_SIZE, false, room);
    picture.text(Text::new(detail, (x + indent, y + 28.0), TICK_SIZE, MUTED));
}

fn place(frame: &Frame, spot: &Spot, aside: f64) -> Point {
    let x = (frame.place_x(spot.x) + aside).clamp(frame.area.left, frame.area.right);
    (x, spot.y.map_or(frame.area.bottom - 16.0, |y| frame.place_y(y.mean)))
}

fn draw_curve(picture: &mut Picture, frame: &Frame, curve: &Curve, aside: f64) {
    let ink = if curve.is_faint { curve.look.ink.faint(0.45) } else { curve.look.ink };
    let is_known = |spot: &&Spot| spot.y.is_some();
    let points: Vec<Point> =
        curve.spots.iter().filter(is_known).map(|spot| place(frame, spot, aside)).collect();
    match curve.dashes {
        Some(dashes) => points
            .windows(2)
            .filter(|pair| pair[0] != pair[1])
            .for_each(|pair| picture.dashed(pair[0], pair[1], ink, 4.0, dashes)),
        None => picture.line(points, ink, 4.0),
    }
    for spot in curve.spots.iter().filter(is_known) {
        draw_bar(picture, frame, spot, aside, ink);
    }
    for spot in &curve.spots {
        draw_spot(picture, frame, curve, spot, aside);
    }
}

fn draw_bar(picture: &mut Picture, frame: &Frame, spot: &Spot, aside: f64, ink: Ink) {
    const CAP: f64 = 7.0;
    let Some((y, half)) = spot.y.and_then(|y| Some((y.mean, y.half_width()?))) else {
        return;
    };
    let (x, middle) = place(frame, spot, aside);
    for end in [y - half, y + half] {
        let at = frame.place_y(end).clamp(frame.area.top, frame.area.bottom);
        picture.line(vec![(x, middle), (x, at)], ink, 2.5);
        // A bar cut off by the frame has no end to draw.
        if frame.has_y(end) {
            picture.line(vec![(x - CAP, at), (x + CAP, at)], ink, 2.5);
        }
    }
}

fn draw_spot(picture: &mut Picture, frame: &Frame, curve: &Curve, spot: &Spot, aside: f64) {
    let at = place(frame, spot, aside);
    let ink = curve.look.ink;
    match spot.y {
        None => super::palette::Marker::Cross.fill(picture, at, RADIUS, ink),
        Some(_) if spot.is_chosen => {
            picture.circle(at, RADIUS + 8.0, TEXT);
            picture.circle(at, RADIUS + 5.0, PAPER);
            curve.look.marker.fill(picture, at, RADIUS, ink);
        }
        Some(_) if curve.is_marked => {
            let ink = if curve.is_faint { ink.faint(0.6) } else { ink };
            curve.look.marker.fill(picture, at, RADIUS, ink);
        }
        Some(_) => {}
    }
}
