//! A picture as SVG, through plotters.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::font::FAMILY;
use super::palette::PAPER;
use super::picture::{Anchor, Ink, Picture, Point, Rect, Shape, Text, Tip};
use crate::html::escape;

/// plotters counts in whole units: quarters of a pixel keep lines smooth on a large screen.
const UNITS_PER_PIXEL: f64 = 4.0;

/// plotters divides font sizes by this when it writes SVG.
const SIZE_PER_EM: f64 = 1.24;

/// The picture as an SVG document, readable on any background.
pub(super) fn svg(picture: &Picture) -> Result<String, String> {
    let size = (units(picture.width) as u32, units(picture.height) as u32);
    let paper = Shape::Polygon {
        corners: vec![
            (0.0, 0.0),
            (picture.width, 0.0),
            (picture.width, picture.height),
            (0.0, picture.height),
        ],
        ink: PAPER,
    };
    let mut content = elements(&[paper], size)?;
    for group in picture.shapes.chunk_by(|_, next| !matches!(next, Shape::Of(_))) {
        let elements = elements(group, size)?;
        content += &match &group[0] {
            Shape::Of(Some(owner)) => format!("<g {}>\n{elements}</g>\n", owner.attributes()),
            _ => elements,
        };
    }
    content.extend(picture.tips.iter().map(tip));
    let Picture { width, height, description, .. } = picture;
    Ok(format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" \
         xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{}\" \
         stroke-linejoin=\"round\">\n{content}</svg>\n",
        size.0,
        size.1,
        escape(description),
    ))
}

/// The shapes without the root that plotters puts around them.
fn elements(shapes: &[Shape], size: (u32, u32)) -> Result<String, String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        for shape in shapes {
            draw(&area, shape).map_err(|error| error.to_string())?;
        }
        area.present().map_err(|error| error.to_string())?;
    }
    let content = text.split_once(">\n").map_or("", |(_, content)| content);
    Ok(content.trim_end().trim_end_matches("</svg>").to_owned())
}

/// An invisible place that tells its text where the pointer rests.
fn tip(tip: &Tip) -> String {
    let Rect { left, top, .. } = tip.place;
    let owner = tip.owner.as_ref().map_or(String::new(), |owner| owner.attributes() + " ");
    format!(
        "<rect {owner}x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" \
         pointer-events=\"all\"><title>{}</title></rect>\n",
        units(left),
        units(top),
        units(tip.place.width()),
        units(tip.place.height()),
        escape(&tip.text),
    )
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
        Shape::Of(_) => Ok(()),
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
