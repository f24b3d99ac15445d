//! Learning curves, one small panel per method, all on the same axes.

use crate::format;
use crate::record::RunRecord;
use crate::summary::{Comparison, Configuration, HEAD_ONLY, Series};

use super::axis::Axis;
use super::font;
use super::frame::{self, Frame, SMALL_SIZE, Ticks, Width};
use super::palette::{Look, MUTED, TEXT};
use super::picture::{Ink, Owner, Picture, Point, Rect, Text};
use super::{looks, subtitle};

const MAX_COLUMNS: usize = 3;
const PANEL_HEIGHT: f64 = 360.0;
const TICK_SIZE: f64 = 22.0;

/// The chart, or `None` when no run has a curve of more than a point.
pub(super) fn chart(comparison: &Comparison, width: Width) -> Option<Picture> {
    let panels: Vec<(&Series, Look)> = looks(comparison)
        .filter(|(series, _)| series.name != HEAD_ONLY && runs(series).next().is_some())
        .collect();
    if panels.is_empty() {
        return None;
    }
    let mut picture = Picture::new(width.pixels(), 0.0, describe(comparison, &panels));
    let title = "Learning curves: validation accuracy against optimizer steps";
    let rows = (comparison.task.n_validation, "validation row");
    let told = subtitle(comparison, Some(rows), "one line per seed");
    // A level to compare with: its own curve may run over many more steps than the others.
    let head_only = comparison.baseline(HEAD_ONLY);
    let head_only = head_only.and_then(|head_only| Some(head_only.validation_accuracy()?.mean));
    let mut key = "Strong: the budget that is best on the validation split. Faint: other budgets \
                   and settings."
        .to_owned();
    if head_only.is_some() {
        key += " Dashed: head only, its best.";
    }
    let top = frame::draw_header(&mut picture, title, &told, &key);
    let widest = panels.iter().flat_map(|(series, _)| [series.title.as_str(), setting(series)]);
    let widest = widest.map(|text| font::width(text, SMALL_SIZE, true)).fold(0.0, f64::max);
    let n_columns = width.n_columns(MAX_COLUMNS, widest);
    let margin = width.margin();
    picture.height = top + panels.len().div_ceil(n_columns) as f64 * PANEL_HEIGHT + margin;

    let points = || panels.iter().flat_map(|(series, _)| runs(series)).flat_map(|run| &run.curve);
    let x = Axis::from_zero(points().map(|point| point.step as f64));
    let y = Axis::shares(points().map(|point| point.validation_accuracy).chain(head_only));
    let column_width = (picture.width - 2.0 * margin) / n_columns as f64;
    for (i, (series, look)) in panels.into_iter().enumerate() {
        let left = margin + (i % n_columns) as f64 * column_width;
        let top = top + (i / n_columns) as f64 * PANEL_HEIGHT;
        let area = Rect {
            left: left + 90.0,
            top: top + 76.0,
            right: left + column_width - 16.0,
            bottom: top + PANEL_HEIGHT - 50.0,
        };
        let panel = Panel { frame: Frame { area, x, y }, series, look };
        panel.draw(&mut picture, head_only);
    }
    Some(picture)
}

fn setting<'s>(series: &'s Series) -> &'s str {
    series.best().map_or("no result", |best| best.setting.as_str())
}

/// The runs that have a line to draw: one look is none.
fn runs<'a>(series: &Series<'a>) -> impl Iterator<Item = &'a RunRecord> {
    let runs: Vec<_> = series.configurations.iter().flat_map(|c| c.runs.iter().copied()).collect();
    runs.into_iter().filter(|run| run.curve.len() > 1)
}

struct Panel<'p, 'a> {
    frame: Frame,
    series: &'p Series<'a>,
    look: Look,
}

impl Panel<'_, '_> {
    fn draw(&self, picture: &mut Picture, head_only: Option<f64>) {
        let show_x = |step: f64| format::short_count(step);
        let show_y = frame::percent_ticks(&self.frame.y, 5);
        self.frame.draw_x(picture, &Ticks { max_n: 5, show: &show_x, size: TICK_SIZE });
        self.frame.draw_y(picture, &Ticks { max_n: 5, show: &show_y, size: TICK_SIZE });
        self.frame.draw_axes(picture);
        self.draw_title(picture);
        let best = self.series.best().or(self.series.configurations.last());
        if let Some(accuracy) = head_only {
            self.draw_level(picture, accuracy);
        }
        let is_best = |c: &&Configuration| best.is_some_and(|best| best.label == c.label);
        for other in self.series.configurations.iter().filter(|c| !is_best(c)) {
            self.draw_runs(picture, other, self.look.ink.faint(0.38), 3.0);
        }
        if let Some(best) = best {
            self.draw_runs(picture, best, self.look.ink, 5.0);
        }
    }

    fn draw_title(&self, picture: &mut Picture) {
        let (x, y) = (self.frame.area.left, self.frame.area.top - 52.0);
        let room = self.frame.area.width() - 30.0;
        self.look.marker.fill(picture, (x + 10.0, y), 9.0, self.look.ink);
        let title = font::shorten(&self.series.title, SMALL_SIZE, true, room);
        picture.text(Text::new(title, (x + 30.0, y), SMALL_SIZE, TEXT).bold());
        let setting = font::shorten(setting(self.series), TICK_SIZE, false, room);
        picture.text(Text::new(setting, (x + 30.0, y + 28.0), TICK_SIZE, MUTED));
    }

    fn draw_runs(
        &self,
        picture: &mut Picture,
        configuration: &Configuration,
        ink: Ink,
        width: f64,
    ) {
        picture.of(Some(Owner::of(self.series, configuration)), |picture| {
            for run in &configuration.runs {
                picture.line(self.points(run), ink, width);
            }
        });
    }

    fn draw_level(&self, picture: &mut Picture, accuracy: f64) {
        let Rect { left, right, .. } = self.frame.area;
        let (_, y) = self.frame.place(0.0, accuracy);
        picture.dashed((left, y), (right, y), MUTED, 3.0, (9.0, 7.0));
    }

    fn points(&self, run: &RunRecord) -> Vec<Point> {
        let place = |step: usize, accuracy: f64| self.frame.place(step as f64, accuracy);
        run.curve.iter().map(|point| place(point.step, point.validation_accuracy)).collect()
    }
}

fn describe(comparison: &Comparison, panels: &[(&Series, Look)]) -> String {
    let ends: Vec<String> = panels
        .iter()
        .filter_map(|(series, _)| {
            let best = series.best()?;
            let accuracy = best.validation_accuracy()?;
            Some(format!("{} up to {} %", best.label, format::percent(accuracy.mean)))
        })
        .collect();
    let task = &comparison.task.name;
    format!("Validation accuracy against optimizer steps, {task}: {}.", ends.join(", "))
}
