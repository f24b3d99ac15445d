//! Colours and markers that stay apart for colour-blind eyes, in grey, and at half size.

use super::picture::{Ink, Picture, Point};

/// Background.
pub(crate) const PAPER: Ink = Ink::rgb(0xFF, 0xFF, 0xFF);
/// Titles and labels.
pub(crate) const TEXT: Ink = Ink::rgb(0x1B, 0x1F, 0x24);
/// Secondary text and reference lines.
pub(crate) const MUTED: Ink = Ink::rgb(0x57, 0x60, 0x6A);
/// Grid lines.
pub(crate) const GRID: Ink = Ink::rgb(0xDD, 0xE2, 0xE7);
/// The Pareto front, under the data.
pub(crate) const FRONT: Ink = Ink::rgb(0xC4, 0xCA, 0xD1);

/// The palette of Okabe and Ito without its yellow, which is too pale for lines, and without its
/// black, which is for the references; then two darker ones from Tol's.
pub(crate) const SERIES: [Ink; 8] = [
    Ink::rgb(0x00, 0x72, 0xB2),
    Ink::rgb(0xD5, 0x5E, 0x00),
    Ink::rgb(0x00, 0x9E, 0x73),
    Ink::rgb(0xCC, 0x79, 0xA7),
    Ink::rgb(0x56, 0xB4, 0xE9),
    Ink::rgb(0xE6, 0x9F, 0x00),
    Ink::rgb(0x88, 0x22, 0x55),
    Ink::rgb(0x99, 0x99, 0x33),
];

/// Heat maps, from nothing to much: one blue of growing depth, told apart in grey as well.
pub(crate) const LEVELS: [Ink; 6] = [
    Ink::rgb(0xEE, 0xF3, 0xF8),
    Ink::rgb(0xD3, 0xE2, 0xF0),
    Ink::rgb(0xA9, 0xCB, 0xE3),
    Ink::rgb(0x6F, 0xAA, 0xD1),
    Ink::rgb(0x2C, 0x74, 0xA8),
    Ink::rgb(0x0B, 0x53, 0x86),
];

/// Below nothing: orange, which no kind of colour blindness takes for blue.
pub(crate) const BELOW: [Ink; 3] =
    [Ink::rgb(0xFB, 0xE3, 0xD0), Ink::rgb(0xF2, 0xB1, 0x83), Ink::rgb(0xB0, 0x4A, 0x10)];

/// Nine shapes and eight colours repeat together only after 72 series.
const MARKERS: [Marker; 9] = [
    Marker::Circle,
    Marker::Square,
    Marker::Up,
    Marker::Diamond,
    Marker::Down,
    Marker::Plus,
    Marker::Pentagon,
    Marker::Cross,
    Marker::Left,
];

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Look {
    pub ink: Ink,
    pub marker: Marker,
}

impl Look {
    /// The look of the `i`-th method.
    pub fn method(i: usize) -> Self {
        Self { ink: SERIES[i % SERIES.len()], marker: MARKERS[i % MARKERS.len()] }
    }

    /// The look of a baseline.
    pub fn baseline() -> Self {
        Self { ink: TEXT, marker: Marker::Star }
    }
}

/// The shape of a point; the star is for baselines alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    Circle,
    Square,
    Up,
    Diamond,
    Down,
    Left,
    Plus,
    Cross,
    Pentagon,
    Star,
}

impl Marker {
    /// Fills the marker. All markers of one `radius` look equally large.
    pub fn fill(self, picture: &mut Picture, center: Point, radius: f64, ink: Ink) {
        match self.corners(center, radius) {
            Some(corners) => picture.polygon(corners, ink),
            None => picture.circle(center, radius, ink),
        }
    }

    /// Draws the marker's outline, to be seen where another covers it.
    pub fn outline(self, picture: &mut Picture, center: Point, radius: f64, ink: Ink) {
        let mut corners = self.corners(center, radius).unwrap_or_else(|| ring(center, radius));
        corners.push(corners[0]);
        picture.line(corners, ink, 2.0);
    }

    /// The marker with a radius of one, for a script to draw.
    pub fn unit(self) -> Vec<Point> {
        self.corners((0.0, 0.0), 1.0).unwrap_or_else(|| ring((0.0, 0.0), 1.0))
    }

    fn corners(self, center: Point, radius: f64) -> Option<Vec<Point>> {
        let regular = |n, turn, scale| polygon(center, &[radius * scale], n, turn);
        Some(match self {
            Self::Circle => return None,
            Self::Square => regular(4, 0.125, 1.25),
            Self::Up => regular(3, 0.0, 1.35),
            Self::Diamond => regular(4, 0.0, 1.35),
            Self::Down => regular(3, 0.5, 1.35),
            Self::Left => regular(3, 0.75, 1.35),
            Self::Pentagon => regular(5, 0.0, 1.15),
            Self::Plus => plus(center, radius * 1.2, 0.0),
            Self::Cross => plus(center, radius * 1.25, 0.125),
            Self::Star => polygon(center, &[radius * 1.5, radius * 0.65], 10, 0.0),
        })
    }
}

/// `n` corners around `center`, the first at the top plus `turn` (1 is a full turn); their
/// distances go through `radii` in turn.
fn polygon(center: Point, radii: &[f64], n: usize, turn: f64) -> Vec<Point> {
    (0..n)
        .map(|i| {
            let angle = (i as f64 / n as f64 + turn) * std::f64::consts::TAU;
            let radius = radii[i % radii.len()];
            (center.0 + radius * angle.sin(), center.1 - radius * angle.cos())
        })
        .collect()
}

fn ring(center: Point, radius: f64) -> Vec<Point> {
    polygon(center, &[radius], 32, 0.0)
}

fn plus(center: Point, radius: f64, turn: f64) -> Vec<Point> {
    const HALF_ARM: f64 = 0.34;
    let (sin, cos) = (turn * std::f64::consts::TAU).sin_cos();
    let (long, short) = (radius, radius * HALF_ARM);
    let arm = [(-short, -long), (short, -long), (short, -short)];
    (0..4)
        .flat_map(|quarter| {
            arm.map(|(x, y)| match quarter {
                0 => (x, y),
                1 => (-y, x),
                2 => (-x, -y),
                _ => (y, -x),
            })
        })
        .map(|(x, y)| (center.0 + x * cos - y * sin, center.1 + x * sin + y * cos))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_72_series_all_look_different() {
        let looks: Vec<Look> = (0..72).map(Look::method).collect();
        for (i, look) in looks.iter().enumerate() {
            assert!(!looks[..i].contains(look), "{i}");
        }
    }

    #[test]
    fn markers_are_about_as_large_as_asked() {
        for marker in MARKERS.into_iter().chain([Marker::Star]) {
            let corners =
                marker.corners((50.0, 50.0), 10.0).unwrap_or_else(|| ring((50.0, 50.0), 10.0));
            let far = |(x, y): &Point| (x - 50.0_f64).hypot(y - 50.0);
            let radius = corners.iter().map(far).fold(0.0, f64::max);
            assert!((10.0..=15.01).contains(&radius), "{marker:?} {radius}");
        }
    }
}
