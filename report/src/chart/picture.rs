//! A chart as a list of shapes, before it becomes SVG or PNG. One drawing, two files, and a list
//! that a test can search for labels that overlap.

use super::font;
use crate::html::escape;

/// A place in pixels from the upper left corner.
pub(crate) type Point = (f64, f64);

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ink {
    pub red: u8,
    pub green: u8,
    pub blue: u8,
    /// 0 is not there, 1 covers.
    pub alpha: f64,
}

impl Ink {
    pub const fn rgb(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue, alpha: 1.0 }
    }

    pub fn faint(self, alpha: f64) -> Self {
        Self { alpha, ..self }
    }

    /// As SVG writes it, `#0072B2`.
    pub fn hex(self) -> String {
        format!("#{:02X}{:02X}{:02X}", self.red, self.green, self.blue)
    }
}

/// One thing to draw.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    Line {
        points: Vec<Point>,
        ink: Ink,
        width: f64,
    },
    Polygon {
        corners: Vec<Point>,
        ink: Ink,
    },
    Circle {
        center: Point,
        radius: f64,
        ink: Ink,
    },
    Text(Text),
    /// Whose the shapes after it are, up to the next one; a page can hide them by it.
    Of(Option<Owner>),
}

/// The results that a shape shows, as the tables of the page name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Title of the series.
    pub series: String,
    /// E.g. `rank=8`; empty for what goes through all budgets.
    pub budget: String,
}

impl Owner {
    /// What the page's filter goes by.
    pub fn attributes(&self) -> String {
        let [series, budget] = [&self.series, &self.budget].map(|text| escape(text));
        format!("data-series=\"{series}\" data-budget=\"{budget}\"")
    }
}

/// What a pointer that rests on a place is told. PNG has none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tip {
    pub place: Rect,
    pub text: String,
    pub owner: Option<Owner>,
}

/// A line of text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    pub text: String,
    /// The anchor; vertically the middle of the line.
    pub at: Point,
    /// Pixels per em.
    pub size: f64,
    pub ink: Ink,
    pub bold: bool,
    pub anchor: Anchor,
    /// Reads from bottom to top.
    pub upward: bool,
}

/// Which part of a text its place means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Text {
    pub fn new(text: impl Into<String>, at: Point, size: f64, ink: Ink) -> Self {
        let text = text.into();
        Self { text, at, size, ink, bold: false, anchor: Anchor::Start, upward: false }
    }

    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub fn anchor(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub fn upward(self) -> Self {
        Self { upward: true, ..self }
    }

    /// Distance from the anchor back to the beginning of the text.
    pub fn lead(&self) -> f64 {
        let width = font::width(&self.text, self.size, self.bold);
        match self.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => width / 2.0,
            Anchor::End => width,
        }
    }

    /// The box around the text, from the top of its capitals to the end of its tails.
    pub fn bounds(&self) -> Rect {
        let width = font::width(&self.text, self.size, self.bold);
        let (begin, end) = (-self.lead(), width - self.lead());
        let (above, below) = (0.5 * self.size, 0.52 * self.size);
        let (x, y) = self.at;
        if self.upward {
            return Rect { left: x - above, right: x + below, top: y - end, bottom: y - begin };
        }
        Rect { left: x + begin, right: x + end, top: y - above, bottom: y + below }
    }
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Rect {
    pub fn around(center: Point, radius: f64) -> Self {
        let (x, y) = center;
        Self { left: x - radius, top: y - radius, right: x + radius, bottom: y + radius }
    }

    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Area shared with `other`.
    pub fn overlap(&self, other: &Rect) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }
}

/// A chart, drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Picture {
    pub width: f64,
    pub height: f64,
    pub shapes: Vec<Shape>,
    pub tips: Vec<Tip>,
    /// What it shows, for those who cannot see it.
    pub description: String,
}

impl Picture {
    pub fn new(width: f64, height: f64, description: String) -> Self {
        Self { width, height, shapes: Vec::new(), tips: Vec::new(), description }
    }

    /// Draws what belongs to `owner`; shapes after it belong to nobody.
    pub fn of(&mut self, owner: Option<Owner>, draw: impl FnOnce(&mut Self)) {
        self.shapes.push(Shape::Of(owner));
        draw(self);
        self.shapes.push(Shape::Of(None));
    }

    pub fn tip(&mut self, place: Rect, text: impl Into<String>, owner: Option<Owner>) {
        self.tips.push(Tip { place, text: text.into(), owner });
    }

    pub fn line(&mut self, points: Vec<Point>, ink: Ink, width: f64) {
        if points.len() > 1 {
            self.shapes.push(Shape::Line { points, ink, width });
        }
    }

    /// A straight line of strokes of length `on` with gaps of length `off`.
    pub fn dashed(&mut self, from: Point, to: Point, ink: Ink, width: f64, (on, off): (f64, f64)) {
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let at = |distance: f64| {
            let share = distance.min(length) / length;
            (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share)
        };
        let mut begin = 0.0;
        while begin < length {
            self.line(vec![at(begin), at(begin + on)], ink, width);
            begin += on + off;
        }
    }

    pub fn polygon(&mut self, corners: Vec<Point>, ink: Ink) {
        self.shapes.push(Shape::Polygon { corners, ink });
    }

    pub fn rect(&mut self, rect: Rect, ink: Ink) {
        let Rect { left, top, right, bottom } = rect;
        self.polygon(vec![(left, top), (right, top), (right, bottom), (left, bottom)], ink);
    }

    pub fn circle(&mut self, center: Point, radius: f64, ink: Ink) {
        self.shapes.push(Shape::Circle { center, radius, ink });
    }

    pub fn text(&mut self, text: Text) {
        if !text.text.is_empty() {
            self.shapes.push(Shape::Text(text));
        }
    }

    /// All texts.
    #[cfg(test)]
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.shapes.iter().filter_map(|shape| match shape {
            Shape::Text(text) => Some(text),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_end_where_the_line_ends() {
        let mut picture = Picture::new(100.0, 100.0, String::new());
        picture.dashed((0.0, 5.0), (25.0, 5.0), Ink::rgb(0, 0, 0), 1.0, (10.0, 5.0));
        let ends: Vec<_> = picture
            .shapes
            .iter()
            .map(|shape| match shape {
                Shape::Line { points, .. } => (points[0].0, points[1].0),
                _ => panic!("not a line"),
            })
            .collect();
        assert_eq!(ends, [(0.0, 10.0), (15.0, 25.0)]);
    }

    #[test]
    fn the_box_of_a_text_follows_its_anchor_and_direction() {
        let text = Text::new("00", (100.0, 50.0), 100.0, Ink::rgb(0, 0, 0));
        assert_eq!(text.bounds().left, 100.0);
        let end = text.clone().anchor(Anchor::End).bounds();
        assert!((end.right - 100.0).abs() < 1e-9 && end.left < 0.0);
        let upward = text.upward().bounds();
        assert!(upward.height() > upward.width() && upward.bottom == 50.0);
    }
}
