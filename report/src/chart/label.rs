//! Finding room for a label among the data.

use super::picture::{Point, Rect, Text};

/// Moves `text` to the first of `places` where it covers none of `obstacles`, or else to where it
/// covers the least. `inside` is never left where a place inside exists.
pub(super) fn place(text: Text, places: &[Point], obstacles: &[Rect], inside: &Rect) -> Text {
    let at = cheapest(&text, places, obstacles, inside).map_or(text.at, |(_, at)| at);
    Text { at, ..text }
}

/// As [`place`]; `None` where the text would cover something or be cut off in every place.
pub(super) fn place_if_free(
    text: Text,
    places: &[Point],
    obstacles: &[Rect],
    inside: &Rect,
) -> Option<Text> {
    let (cost, at) = cheapest(&text, places, obstacles, inside)?;
    (cost < 1.0).then_some(Text { at, ..text })
}

/// The place of least cost, which is what is covered there, in pixels.
fn cheapest(
    text: &Text,
    places: &[Point],
    obstacles: &[Rect],
    inside: &Rect,
) -> Option<(f64, Point)> {
    let cost = |at: Point| {
        let bounds = Text { at, ..text.clone() }.bounds();
        let outside = bounds.width() * bounds.height() - bounds.overlap(inside);
        let covered: f64 = obstacles.iter().map(|obstacle| bounds.overlap(obstacle)).sum();
        // Cut off is worse than covered.
        outside.max(0.0) * 100.0 + covered
    };
    let mut best: Option<(f64, Point)> = None;
    for &at in places {
        let cost = cost(at);
        if best.is_none_or(|(least, _)| cost < least) {
            best = Some((cost, at));
        }
    }
    best
}

/// Boxes along a line, for a label to keep clear of it.
pub(super) fn boxes_along(points: &[Point]) -> Vec<Rect> {
    const STEP: f64 = 10.0;
    let mut boxes = Vec::new();
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let n = ((to.0 - from.0).hypot(to.1 - from.1) / STEP).ceil().max(1.0);
        for i in 0..=n as usize {
            let share = i as f64 / n;
            let x = from.0 + (to.0 - from.0) * share;
            let y = from.1 + (to.1 - from.1) * share;
            boxes.push(Rect::around((x, y), STEP / 2.0));
        }
    }
    boxes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::picture::Ink;

    const INSIDE: Rect = Rect { left: 0.0, top: 0.0, right: 400.0, bottom: 400.0 };

    #[test]
    fn a_label_goes_where_nothing_is() {
        let text = Text::new("label", (0.0, 0.0), 28.0, Ink::rgb(0, 0, 0));
        let obstacles = boxes_along(&[(0.0, 100.0), (400.0, 100.0)]);
        let places = [(20.0, 100.0), (20.0, 380.0), (390.0, 200.0), (20.0, 200.0)];
        let placed = place(text, &places, &obstacles, &INSIDE);
        assert_eq!(placed.at, (20.0, 380.0));
    }

    #[test]
    fn without_room_it_goes_where_it_hurts_least_and_stays_inside() {
        let text = Text::new("label", (0.0, 0.0), 28.0, Ink::rgb(0, 0, 0));
        let obstacles = [INSIDE, Rect { right: 200.0, ..INSIDE }];
        let places = [(20.0, 100.0), (390.0, 100.0), (250.0, 100.0)];
        assert_eq!(place_if_free(text.clone(), &places, &obstacles, &INSIDE), None);
        assert_eq!(place(text, &places, &obstacles, &INSIDE).at, (250.0, 100.0));
    }
}
