//! A picture as PNG, through plotters; text through the font itself.

use plotters::prelude::*;

use super::font;
use super::palette::PAPER;
use super::picture::{Ink, Picture, Point, Shape, Text};

/// Drawn this much larger and scaled down: smooth edges.
const OVERSAMPLING: usize = 2;

const CHANNELS: usize = 3;

/// The picture as the bytes of a PNG file.
pub(super) fn png(picture: &Picture) -> Result<Vec<u8>, String> {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let (wide, high) = (width * OVERSAMPLING, height * OVERSAMPLING);
    let mut pixels = vec![PAPER.red; wide * high * CHANNELS]; // white, so one number will do
    {
        let size = (wide as u32, high as u32);
        let area = BitMapBackend::with_buffer(&mut pixels, size).into_drawing_area();
        area.fill(&color(PAPER)).map_err(|error| error.to_string())?;
        for shape in &picture.shapes {
            draw(&area, shape).map_err(|error| error.to_string())?;
        }
        area.present().map_err(|error| error.to_string())?;
    }
    encode(&scale_down(&pixels, width, height), width, height).map_err(|error| error.to_string())
}

type Area<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;
type Drawn =
    Result<(), DrawingAreaErrorKind<<BitMapBackend<'static> as DrawingBackend>::ErrorType>>;

fn draw(area: &Area, shape: &Shape) -> Drawn {
    match shape {
        Shape::Line { points, ink, width } => draw_line(area, points, *ink, *width),
        Shape::Polygon { corners, ink } => {
            let corners: Vec<_> = corners.iter().copied().map(place).collect();
            area.draw(&Polygon::new(corners, color(*ink).filled()))
        }
        Shape::Circle { center, radius, ink } => {
            area.draw(&Circle::new(place(*center), dots(*radius), color(*ink).filled()))
        }
        Shape::Text(text) => draw_text(area, text),
        Shape::Of(_) => Ok(()),
    }
}

/// plotters' own thick polylines have ragged corners: single strokes with round joints instead.
fn draw_line(area: &Area, points: &[Point], ink: Ink, width: f64) -> Drawn {
    let width = dots(width).max(1);
    for stroke in points.windows(2) {
        let stroke: Vec<_> = stroke.iter().copied().map(place).collect();
        area.draw(&PathElement::new(stroke, color(ink).stroke_width(width as u32)))?;
    }
    for &joint in points.iter().skip(1).take(points.len().saturating_sub(2)) {
        area.draw(&Circle::new(place(joint), width / 2, color(ink).filled()))?;
    }
    Ok(())
}

fn draw_text(area: &Area, text: &Text) -> Drawn {
    let color = color(text.ink);
    let (x, y) = place(text.at);
    let lead = dots(text.lead());
    let (width, height) = area.dim_in_pixel();
    let mut drawn = Ok(());
    font::rasterize(&text.text, text.size * OVERSAMPLING as f64, text.bold, |dx, dy, coverage| {
        let along = dx - lead;
        let (x, y) = if text.upward { (x + dy, y - along) } else { (x + along, y + dy) };
        let is_inside = (0..width as i32).contains(&x) && (0..height as i32).contains(&y);
        if coverage > 0.0 && is_inside && drawn.is_ok() {
            drawn = area.draw_pixel((x, y), &color.mix(coverage));
        }
    });
    drawn
}

fn dots(pixels: f64) -> i32 {
    (pixels * OVERSAMPLING as f64).round() as i32
}

fn place((x, y): Point) -> (i32, i32) {
    (dots(x), dots(y))
}

/// Mixed with the paper here, so that the joints of a faint line are not darker than the line.
fn color(ink: Ink) -> RGBAColor {
    let mix = |ink_part: u8, paper_part: u8| {
        (f64::from(ink_part) * ink.alpha + f64::from(paper_part) * (1.0 - ink.alpha)).round() as u8
    };
    RGBAColor(mix(ink.red, PAPER.red), mix(ink.green, PAPER.green), mix(ink.blue, PAPER.blue), 1.0)
}

/// Each pixel becomes the mean of the square it was drawn as.
fn scale_down(pixels: &[u8], width: usize, height: usize) -> Vec<u8> {
    let (wide_row, row) = (width * OVERSAMPLING * CHANNELS, width * CHANNELS);
    let mut small = Vec::with_capacity(row * height);
    for rows in pixels.chunks_exact(wide_row * OVERSAMPLING) {
        let mut sums = vec![0_u16; row];
        for wide in rows.chunks_exact(wide_row) {
            for (sums, square) in
                sums.chunks_exact_mut(CHANNELS).zip(wide.chunks_exact(CHANNELS * OVERSAMPLING))
            {
                for (i, &value) in square.iter().enumerate() {
                    sums[i % CHANNELS] += u16::from(value);
                }
            }
        }
        small.extend(sums.into_iter().map(|sum| (sum / OVERSAMPLING.pow(2) as u16) as u8));
    }
    small
}

fn encode(pixels: &[u8], width: usize, height: usize) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // Flat colours compress best as they are.
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_down_takes_the_mean_of_each_square() {
        let black_and_white = [[0, 0, 0], [255, 255, 255], [255, 255, 255], [255, 255, 255]];
        assert_eq!(scale_down(&black_and_white.concat(), 1, 1), [191, 191, 191]);
    }

    #[test]
    fn a_drawn_square_is_where_it_was_put() {
        let mut picture = Picture::new(20.0, 10.0, String::new());
        let square = crate::chart::picture::Rect { left: 4.0, top: 2.0, right: 8.0, bottom: 6.0 };
        picture.rect(square, Ink::rgb(200, 0, 0));
        let bytes = png(&picture).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let at = |x: usize, y: usize| &pixels[(y * 20 + x) * 3..][..3];
        assert_eq!(at(6, 4), [200, 0, 0]);
        assert_eq!(at(2, 4), [255, 255, 255]);
        assert_eq!(at(10, 4), [255, 255, 255]);
    }
}
