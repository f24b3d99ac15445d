//! A picture as SVG, through plotters.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::font::FAMILY;
use super::palette::PAPER;
use super::picture::{Anchor, Ink, Picture, Point, Shape, Text};

/// plotters counts in whole units: quarters of a pixel keep lines smooth on a large screen.
const UNITS_PER_PIXEL: f64 = 4.0;

/// plotters divides font sizes by this when it writes SVG.
const SIZE_PER_EM: f64 = 1.24;

/// The picture as an SVG document, readable on any background.
pub(super) fn svg(picture: &Picture) -> Result<String, String> {
    let size = (units(picture.width) as u32, units(picture.height) as u32);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        area.fill(&color(PAPER)).map_err(|error| error.to_string())?;
        for shape in &picture.shapes {
            draw(&area, shape).map_err(|error| error.to_string())?;
        }
        area.present().map_err(|error| error.to_string())?;
    }
    Ok(with_root(&text, picture, size))
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

fn draw(area: &Area, shape: &Shape) -> Drawn {
    match shape {
        Shape::Line { points, ink, width } => {
            let style = color(*ink).stroke_width(units(*width).max(1) as u32);
            area.draw(&PathElement::new(all(points), style))
        }
        Shape::Polygon { corners, ink } => {
            area.draw(&Polygon::new(all(corners), color(*ink).filled()))
        }
        Shape::Circle { center, radius, ink } => {
            area.draw(&Circle::new(place(*center), units(*radius), color(*ink).filled()))
        }
        Shape::Text(text) => draw_text(area, text),
    }
}

fn draw_text(area: &Area, text: &Text) -> Drawn {
    let style = if text.bold { FontStyle::Bold } else { FontStyle::Normal };
    let transform = if text.upward { FontTransform::Rotate270 } else { FontTransform::None };
    let size = text.size * UNITS_PER_PIXEL * SIZE_PER_EM;
    let horizontal = match text.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let style = FontDesc::new(FontFamily::Name(FAMILY), size, style)
        .transform(transform)
        .color(&color(text.ink))
        .pos(Pos::new(horizontal, VPos::Center));
    area.draw(&plotters::element::Text::new(text.text.as_str(), place(text.at), style))
}

fn units(pixels: f64) -> i32 {
    (pixels * UNITS_PER_PIXEL).round() as i32
}

fn place((x, y): Point) -> (i32, i32) {
    (units(x), units(y))
}

fn all(points: &[Point]) -> Vec<(i32, i32)> {
    points.iter().copied().map(place).collect()
}

fn color(ink: Ink) -> RGBAColor {
    RGBAColor(ink.red, ink.green, ink.blue, ink.alpha)
}

/// Replaces plotters' opening tag by one with the size in pixels and a name for screen readers.
fn with_root(text: &str, picture: &Picture, (width, height): (u32, u32)) -> String {
    let shapes = text.split_once('>').map_or("", |(_, shapes)| shapes);
    format!(
        "<svg width=\"{}\" height=\"{}\" viewBox=\"0 0 {width} {height}\" \
         xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{}\" \
         stroke-linejoin=\"round\">{shapes}",
        picture.width,
        picture.height,
        crate::html::escape(&picture.description),
    )
}
