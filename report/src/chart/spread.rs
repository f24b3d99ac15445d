//! Means with their intervals, one below the other, on one axis that need not start at zero.

use crate::format;
use crate::stats::Estimate;
use crate::table::{Column, Table, number, text};

use super::axis::Axis;
use super::font;
use super::frame::{self, Frame, LABEL_SIZE, SMALL_SIZE, Ticks, Width};
use super::palette::{Look, MUTED, PAPER, TEXT};
use super::picture::{Owner, Picture, Rect, Text};

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

    pub fn picture(&self, width: Width) -> Option<Picture> {
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
        let (margin, row_height) = (width.margin(), width.row_lift() + ROW_HEIGHT);
        let mut picture = Picture::new(width.pixels(), 0.0, self.describe());
        let top = frame::draw_header(&mut picture, &self.title, &self.subtitle, "");
        let area = Rect {
            left: margin + width.choose(label_width, 0.0) + 30.0,
            right: picture.width - margin - value_width - 24.0,
            top,
            bottom: top + self.groups.len() as f64 * GROUP_HEIGHT + n_rows * row_height + 10.0,
        };
        let ends = self.marks().flat_map(|mark| {
            let half = mark.accuracy.half_width().unwrap_or(0.0).min(0.05);
            [mark.accuracy.mean - half, mark.accuracy.mean + half]
        });
        let x = Axis::shares(ends.chain(self.level.iter().map(|(_, level)| *level)));
        let frame = Frame { area, x, y: Axis::Linear { low: 0.0, high: 1.0 } };
        let max_n = width.choose(N_TICKS, 4);
        let show = frame::percent_ticks(&x, max_n);
        frame.draw_x(&mut picture, &Ticks { max_n, show: &show, size: LABEL_SIZE });
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
        picture.height = frame.name_x(&mut picture, &name);
        let mut y = top;
        for (group, marks) in &self.groups {
            let at = (width.choose(margin, area.left + 10.0), y + GROUP_HEIGHT / 2.0);
            let title = font::shorten(group, SMALL_SIZE, true, label_width);
            let title = Text::new(title, at, SMALL_SIZE, TEXT).bold();
            picture.rect(title.bounds(), PAPER);
            picture.text(title);
            y += GROUP_HEIGHT;
            for mark in marks {
                let middle = y + row_height - ROW_HEIGHT / 2.0;
                picture.of(mark.owner.clone(), |picture| {
                    frame.name_row(picture, width, &label(mark), middle);
                    draw_mark(picture, &frame, mark, middle);
                });
                let at = (frame.place_x(mark.accuracy.mean), middle);
                let tip = format!("{}: {}", mark.label, value(mark));
                picture.tip(Rect::around(at, 18.0), tip, mark.owner.clone());
                y += row_height;
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
