//! Small panels that each show a measured curve beside the one that theory gives.

use crate::ReportError;
use crate::format;

use super::axis::Axis;
use super::font;
use super::frame::{self, Frame, SMALL_SIZE, Ticks, Width};
use super::palette::{Look, MUTED, TEXT};
use super::picture::{Picture, Rect, Text};
use super::svg;

const N_COLUMNS: usize = 3;
const PANEL_HEIGHT: f64 = 380.0;
const TICK_SIZE: f64 = 22.0;

/// A picture of panels, each with axes of its own that start at zero.
pub struct Panels {
    /// What all of them show.
    pub title: String,
    /// Under what conditions.
    pub subtitle: String,
    /// What dots and dashes mean.
    pub key: String,
    /// From left to right, three in a row.
    pub panels: Vec<Panel>,
    /// Writes a value of the vertical axes.
    pub show: fn(f64) -> String,
}

/// One curve.
pub struct Panel {
    /// What lies along the horizontal axis.
    pub title: String,
    /// Measured points, from left to right.
    pub measured: Vec<(f64, f64)>,
    /// What theory says.
    pub theory: Vec<(f64, f64)>,
}

impl Panels {
    /// The picture as an SVG document.
    ///
    /// # Errors
    /// The drawing failed.
    pub fn svg(&self) -> Result<String, ReportError> {
        svg::svg(&self.picture())
            .map_err(|problem| ReportError::Chart { chart: self.title.clone(), problem })
    }

    fn picture(&self) -> Picture {
        let (width, margin) = (Width::Wide.pixels(), Width::Wide.margin());
        let mut picture = Picture::new(width, 0.0, self.describe());
        let top = frame::draw_header(&mut picture, &self.title, &self.subtitle, &self.key);
        let n_rows = self.panels.len().div_ceil(N_COLUMNS);
        picture.height = top + n_rows as f64 * PANEL_HEIGHT + margin;
        let column_width = (width - 2.0 * margin) / N_COLUMNS as f64;
        for (i, panel) in self.panels.iter().enumerate() {
            let left = margin + (i % N_COLUMNS) as f64 * column_width;
            let top = top + (i / N_COLUMNS) as f64 * PANEL_HEIGHT;
            let area = Rect {
                left: left + 90.0,
                top: top + 64.0,
                right: left + column_width - 24.0,
                bottom: top + PANEL_HEIGHT - 60.0,
            };
            panel.draw(&mut picture, area, Look::method(i), self.show);
        }
        picture
    }

    fn describe(&self) -> String {
        let ends = self.panels.iter().filter_map(|panel| {
            let ((first, low), (last, high)) = (panel.measured.first()?, panel.measured.last()?);
            Some(format!(
                "{}: {} at {first}, {} at {last}",
                panel.title,
                (self.show)(*low),
                (self.show)(*high)
            ))
        });
        format!("{}. {}.", self.title, ends.collect::<Vec<_>>().join("; "))
    }
}

impl Panel {
    fn draw(&self, picture: &mut Picture, area: Rect, look: Look, show: fn(f64) -> String) {
        let points = || self.measured.iter().chain(&self.theory);
        let x = Axis::from_zero(points().map(|(x, _)| *x));
        let y = Axis::from_zero(points().map(|(_, y)| *y));
        let frame = Frame { area, x, y };
        frame.draw_x(picture, &Ticks { max_n: 5, show: &format::short_count, size: TICK_SIZE });
        frame.draw_y(picture, &Ticks { max_n: 5, show: &show, size: TICK_SIZE });
        frame.draw_axes(picture);
        let title = font::shorten(&self.title, SMALL_SIZE, true, area.width());
        let at = (area.left, area.top - 32.0);
        picture.text(Text::new(title, at, SMALL_SIZE, TEXT).bold());
        for pair in self.theory.windows(2) {
            let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
            picture.dashed(frame.place(x0, y0), frame.place(x1, y1), MUTED, 3.0, (9.0, 7.0));
        }
        let places = self.measured.iter().map(|&(x, y)| frame.place(x, y));
        picture.line(places.clone().collect(), look.ink, 4.0);
        places.for_each(|place| look.marker.fill(picture, place, 8.0, look.ink));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panels(n: usize) -> Panels {
        let measured = vec![(1.0, 20.0), (8.0, 80.0), (64.0, 700.0)];
        let theory = vec![(1.0, 10.0), (64.0, 700.0)];
        let panel = |i| Panel {
            title: format!("Number {i} of a very long list of things that grow"),
            measured: measured.clone(),
            theory: theory.clone(),
        };
        Panels {
            title: "Time".to_owned(),
            subtitle: "on a machine".to_owned(),
            key: "Dots: measured.".to_owned(),
            panels: (0..n).map(panel).collect(),
            show: |value| format!("{value} ms"),
        }
    }

    #[test]
    fn no_two_texts_overlap_and_none_leaves_the_picture() {
        for n in [1, 3, 6] {
            let picture = panels(n).picture();
            let bounds: Vec<Rect> = picture.texts().map(Text::bounds).collect();
            for (i, text) in bounds.iter().enumerate() {
                assert!(text.left >= 0.0 && text.right <= picture.width, "{n}");
                assert!(text.top >= 0.0 && text.bottom <= picture.height, "{n}");
                assert!(bounds[..i].iter().all(|other| other.overlap(text) == 0.0), "{n} {i}");
            }
        }
    }

    #[test]
    fn the_description_tells_both_ends_of_each_curve() {
        let svg = panels(2).svg().unwrap();
        assert!(svg.contains("20 ms at 1, 700 ms at 64"), "{}", &svg[..600]);
    }
}
