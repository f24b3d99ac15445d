//! Means with their intervals, one below the other, on one axis that need not start at zero.

use crate::format;
use crate::stats::Estimate;
use crate::table::{Column, Table, number, text};

use super::axis::Axis;
use super::font;
use super::frame::{self, Frame, HEADER_HEIGHT, LABEL_SIZE, MARGIN, SMALL_SIZE, Ticks, WIDTH};
use super::palette::{Look, MUTED, TEXT};
use super::picture::{Anchor, Owner, Picture, Rect, Text};

const ROW_HEIGHT: f64 = 58.0;
const GROUP_HEIGHT: f64 = 54.0;
const RADIUS: f64 = 11.0;
const MAX_LABEL_WIDTH: f64 = 560.0;
const N_TICKS: usize = 8;

/// The chart before it is drawn.
pub(crate) struct Spread {
    pub title: String,
    pub subtitle: String,
    pub axis_name: String,
    pub groups: Vec<(String, Vec<Mark>)>,
    /// A level to compare with, and what it is.
    pub level: Option<(String, f64)>,
}

pub(crate) struct Mark {
    pub label: String,
    pub owner: Option<Owner>,
    pub look: Look,
    pub accuracy: Estimate,
}

impl Spread {
    fn marks(&self) -> impl Iterator<Item = &Mark> {
        self.groups.iter().flat_map(|(_, marks)| marks)
    }

    /// The figures behind the chart.
    pub fn table(&self) -> Table {
        let columns = vec![
            Column::text("Group"),
            Column::text("Configuration"),
            Column::number("Test accuracy %"),
            Column::number("Seeds"),
        ];
        let rows = self.groups.iter().flat_map(|(group, marks)| {
            marks.iter().map(move |mark| {
                vec![
                    text(group),
                    text(&mark.label),
                    number(format::accuracy(&mark.accuracy), mark.accuracy.mean),
                    number(mark.accuracy.n.to_string(), mark.accuracy.n as f64),
                ]
            })
        });
        Table { columns, rows: rows.collect() }
    }

    pub fn picture(&self) -> Option<Picture> {
        self.marks().next()?;
        let label = |mark: &Mark| font::shorten(&mark.label, SMALL_SIZE, false, MAX_LABEL_WIDTH);
        let widest = |texts: &dyn Fn(&Mark) -> String| {
            let widths = self.marks().map(|mark| font::width(&texts(mark), SMALL_SIZE, false));
            widths.fold(0.0, f64::max)
        };
        let groups = self.groups.iter().map(|(title, _)| font::width(title, SMALL_SIZE, true));
        let label_width = groups.fold(widest(&label), f64::max).min(MAX_LABEL_WIDTH);
        let value_width = widest(&value);
        let n_rows = self.marks().count() as f64;
        let bottom =
            HEADER_HEIGHT + self.groups.len() as f64 * GROUP_HEIGHT + n_rows * ROW_HEIGHT + 10.0;
        let mut picture = Picture::new(WIDTH, bottom + 130.0, self.describe());
        frame::draw_header(&mut picture, &self.title, &self.subtitle);
        let area = Rect {
            left: MARGIN + label_width + 30.0,
            right: WIDTH - MARGIN - value_width - 24.0,
            top: HEADER_HEIGHT,
            bottom,
        };
        let ends = self.marks().flat_map(|mark| {
            let half = mark.accuracy.half_width().unwrap_or(0.0).min(0.05);
            [mark.accuracy.mean - half, mark.accuracy.mean + half]
        });
        let x = Axis::shares(ends.chain(self.level.iter().map(|(_, level)| *level)));
        let frame = Frame { area, x, y: Axis::Linear { low: 0.0, high: 1.0 } };
        let show = frame::percent_ticks(&x, N_TICKS);
        frame.draw_x(&mut picture, &Ticks { max_n: N_TICKS, show: &show, size: LABEL_SIZE });
        if let Some((_, level)) = &self.level {
            let x = frame.place_x(*level);
            picture.dashed((x, area.top), (x, area.bottom), MUTED, 3.0, (9.0, 7.0));
        }
        let name = match &self.level {
            Some((title, level)) => {
                format!("{} (dashed: {title} {} %)", self.axis_name, format::percent(*level))
            }
            None => self.axis_name.clone(),
        };
        frame.name_x(&mut picture, &name);
        let mut y = HEADER_HEIGHT;
        for (group, marks) in &self.groups {
            let at = (MARGIN, y + GROUP_HEIGHT / 2.0);
            let title = font::shorten(group, SMALL_SIZE, true, label_width);
            picture.text(Text::new(title, at, SMALL_SIZE, TEXT).bold());
            y += GROUP_HEIGHT;
            for mark in marks {
                let middle = y + ROW_HEIGHT / 2.0;
                picture.of(mark.owner.clone(), |picture| {
                    let end = (area.left - 16.0, middle);
                    let label = Text::new(label(mark), end, SMALL_SIZE, TEXT);
                    picture.text(label.anchor(Anchor::End));
                    draw_mark(picture, &frame, mark, middle);
                });
                let at = (frame.place_x(mark.accuracy.mean), middle);
                let tip = format!("{}: {}", mark.label, value(mark));
                picture.tip(Rect::around(at, 18.0), tip, mark.owner.clone());
                y += ROW_HEIGHT;
            }
        }
        frame.draw_axes(&mut picture);
        Some(picture)
    }

    fn describe(&self) -> String {
        let marks = self.marks().map(|mark| format!("{} {}", mark.label, value(mark)));
        format!("{}: {}.", self.title, marks.collect::<Vec<_>>().join(", "))
    }
}

fn value(mark: &Mark) -> String {
    format!("{} %", format::accuracy(&mark.accuracy))
}

fn draw_mark(picture: &mut Picture, frame: &Frame, mark: &Mark, y: f64) {
    let Rect { left, right, .. } = frame.area;
    let x = frame.place_x(mark.accuracy.mean);
    if let Some(half) = mark.accuracy.half_width() {
        for end in [mark.accuracy.mean - half, mark.accuracy.mean + half] {
            let at = frame.place_x(end);
            let reached = at.clamp(left, right);
            picture.line(vec![(x, y), (reached, y)], mark.look.ink, 4.0);
            // An interval cut off by the frame has no end to draw.
            if reached == at {
                picture.line(vec![(at, y - 10.0), (at, y + 10.0)], mark.look.ink, 4.0);
            }
        }
    }
    mark.look.marker.fill(picture, (x, y), RADIUS, mark.look.ink);
    picture.text(Text::new(value(mark), (right + 16.0, y), SMALL_SIZE, TEXT));
}
