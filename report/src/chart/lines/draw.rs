//! The drawing of [`Lines`].

use super::{Curve, Lines, Panel, Spot, Up};
use crate::chart::axis::Axis;
use crate::chart::font;
use crate::chart::frame::{self, Frame, LABEL_SIZE, SMALL_SIZE, Ticks, Width};
use crate::chart::legend;
use crate::chart::palette::{MUTED, Marker, PAPER, TEXT};
use crate::chart::picture::{Anchor, Ink, Picture, Point, Rect, Text};
use crate::format;

const TICK_SIZE: f64 = 22.0;
const RADIUS: f64 = 9.0;
const N_Y_TICKS: usize = 6;

/// Where things are.
struct Layout {
    n_columns: usize,
    is_single: bool,
    panel_height: f64,
    margin: f64,
    top: f64,
    /// Under the name of the horizontal axis.
    bottom: f64,
    /// Of the panels.
    right: f64,
}

impl Layout {
    /// The area of the `i`-th panel inside its axes.
    fn area(&self, i: usize) -> Rect {
        // Room for the name of the vertical axis.
        let left = self.margin + 30.0;
        let width = (self.right - left) / self.n_columns as f64;
        let left = left + (i % self.n_columns) as f64 * width;
        let top = self.top + (i / self.n_columns) as f64 * self.panel_height;
        Rect {
            left: left + 90.0,
            top: top + if self.is_single { 20.0 } else { 84.0 },
            right: left + width - 16.0,
            bottom: top + self.panel_height - 50.0,
        }
    }
}

impl Lines {
    /// The picture; `None` without a point.
    pub fn picture(&self, width: Width) -> Option<Picture> {
        self.spots().find_map(|spot| spot.y)?;
        let mut picture = Picture::new(width.pixels(), 0.0, self.describe());
        let top = frame::draw_header(&mut picture, &self.title, &self.subtitle, &self.key);
        let layout = self.layout(width, top);
        let (x, y) = self.axes();
        for (i, panel) in self.panels.iter().enumerate() {
            let frame = Frame { area: layout.area(i), x, y };
            self.draw_panel(&mut picture, &frame, panel, layout.is_single);
        }
        let middle = (layout.area(0).left + layout.right) / 2.0;
        let at = (middle, layout.bottom - 40.0);
        picture.height = frame::name_across(&mut picture, &self.x.name, at) + 5.0;
        if self.legend.len() > 1 {
            let (beside, under) =
                ((layout.right + 40.0, top), (layout.margin, picture.height + 5.0));
            let at = width.choose(beside, under);
            let room = picture.width - layout.margin - at.0;
            legend::draw(&mut picture, &self.legend, at, room);
            let bottom = at.1 + legend::height(&self.legend, room) + layout.margin;
            picture.height = picture.height.max(bottom);
        }
        let name = match self.y {
            Up::Percent(name) | Up::Count(name) => name,
        };
        let at = (layout.margin, (layout.top + layout.bottom - 100.0) / 2.0);
        picture.text(Text::new(name, at, LABEL_SIZE, TEXT).anchor(Anchor::Middle).upward());
        Some(picture)
    }

    fn layout(&self, width: Width, top: f64) -> Layout {
        let n = self.panels.len();
        let most = match n {
            1 => 1,
            2 | 4 => 2,
            _ => 3,
        };
        let titles = self.panels.iter().flat_map(|panel| [&panel.title, &panel.detail]);
        let titles = titles.map(|title| font::width(title, SMALL_SIZE, true));
        let n_columns = width.n_columns(most, titles.fold(0.0, f64::max));
        let panel_height = match n {
            1 => width.choose(760.0, 600.0),
            2..=4 => width.choose(540.0, 430.0),
            _ => 430.0,
        };
        let bottom = top + n.div_ceil(n_columns) as f64 * panel_height + 60.0;
        let margin = width.margin();
        let mut right = width.pixels() - margin;
        if self.legend.len() > 1 && !width.is_narrow() {
            right -= legend::width(&self.legend) + 40.0;
        }
        Layout { n_columns, is_single: n == 1, panel_height, margin, top, bottom, right }
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
        frame.draw_x_at(picture, ticks, &self.x.show, size);
    }
}

fn draw_title(picture: &mut Picture, frame: &Frame, panel: &Panel) {
    let lift = if panel.detail.is_empty() { 30.0 } else { 56.0 };
    let (x, y) = (frame.area.left, frame.area.top - lift);
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
        // Fainter than the curve: intervals of two seeds are long.
        draw_bar(picture, frame, spot, aside, ink.faint(0.55 * ink.alpha));
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
        None => Marker::Cross.fill(picture, at, RADIUS, ink),
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
