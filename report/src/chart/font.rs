//! The font of the charts, shipped with the program so that they look the same everywhere.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont, point};

/// What a browser is asked for; DejaVu Sans is what PNG is drawn and all text measured with.
pub(super) const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// Half the height of a small letter, in em: how far the baseline is below the middle of a line.
const HALF_X_HEIGHT: f64 = 0.2735;

static REGULAR: LazyLock<FontRef> = LazyLock::new(|| parse(dejavu::sans::regular()));
static BOLD: LazyLock<FontRef> = LazyLock::new(|| parse(dejavu::sans::bold()));

fn parse(bytes: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(bytes).expect("the font shipped with the program is a font")
}

fn font(bold: bool) -> &'static FontRef<'static> {
    if bold { &BOLD } else { &REGULAR }
}

/// ab_glyph scales by the height of a line, everybody else by the em.
fn scale(font: &FontRef, em: f64) -> PxScale {
    let per_em = font.units_per_em().unwrap_or(1.0);
    PxScale::from(em as f32 * font.height_unscaled() / per_em)
}

/// Width of `text` in pixels at `em` pixels per em.
pub(super) fn width(text: &str, em: f64, bold: bool) -> f64 {
    glyphs(text, em, bold).last().map_or(0.0, |(_, _, end)| f64::from(end))
}

/// Calls `draw` with each pixel of `text` and how much of it is covered. The origin is the left
/// end of the text at half the height of its small letters.
pub(super) fn rasterize(text: &str, em: f64, bold: bool, mut draw: impl FnMut(i32, i32, f64)) {
    let font = font(bold);
    let baseline = (em * HALF_X_HEIGHT) as f32;
    for (id, left, _) in glyphs(text, em, bold) {
        let glyph = id.with_scale_and_position(scale(font, em), point(left, baseline));
        if let Some(outline) = font.outline_glyph(glyph) {
            let corner = outline.px_bounds().min;
            outline.draw(|x, y, coverage| {
                let (x, y) = (corner.x as i32 + x as i32, corner.y as i32 + y as i32);
                draw(x, y, f64::from(coverage.clamp(0.0, 1.0)));
            });
        }
    }
}

/// Each glyph with where it begins and where the next one may begin.
fn glyphs(text: &str, em: f64, bold: bool) -> impl Iterator<Item = (GlyphId, f32, f32)> {
    let font = font(bold);
    let font = font.as_scaled(scale(font, em));
    let mut end = 0.0;
    let mut previous = None;
    text.chars().map(move |c| {
        let id = font.glyph_id(c);
        let left = end + previous.map_or(0.0, |previous| font.kern(previous, id));
        end = left + font.h_advance(id);
        previous = Some(id);
        (id, left, end)
    })
}

/// `text`, cut with an ellipsis where it would be wider than `max_width`.
pub(super) fn shorten(text: &str, em: f64, bold: bool, max_width: f64) -> String {
    if width(text, em, bold) <= max_width {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let short = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        if width(&short, em, bold) <= max_width {
            return short;
        }
    }
    String::new()
}

/// `text` in lines no wider than `max_width`, broken between words.
pub(super) fn wrap(text: &str, em: f64, bold: bool, max_width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut() {
            let longer = format!("{line} {word}");
            if width(&longer, em, bold) <= max_width {
                *line = longer;
                continue;
            }
        }
        lines.push(shorten(word, em, bold, max_width));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_grow_with_the_text_and_the_size() {
        // DejaVu Sans: "0" is 1303/2048 em wide.
        assert!((width("00", 100.0, false) - 127.2).abs() < 0.1);
        assert!((width("00", 200.0, false) - 254.5).abs() < 0.1);
        assert!(width("LoRA", 28.0, true) > width("LoRA", 28.0, false));
        assert_eq!(width("", 28.0, false), 0.0);
    }

    #[test]
    fn long_text_is_cut_to_the_width_given() {
        let text = "A method with a very long title";
        let short = shorten(text, 28.0, false, 200.0);
        assert!(short.starts_with("A method") && short.ends_with('…'), "{short}");
        assert!(width(&short, 28.0, false) <= 200.0);
        assert_eq!(shorten("LoRA", 28.0, false, 200.0), "LoRA");
        assert_eq!(shorten("LoRA", 28.0, false, 1.0), "");
    }

    #[test]
    fn wrapped_text_keeps_all_its_words_and_the_width_given() {
        let text = "A method with a very long title";
        let lines = wrap(text, 28.0, false, 200.0);
        assert!(lines.len() > 1 && lines.join(" ") == text, "{lines:?}");
        assert!(lines.iter().all(|line| width(line, 28.0, false) <= 200.0), "{lines:?}");
        assert_eq!(wrap("LoRA", 28.0, false, 200.0), ["LoRA"]);
        assert!(wrap("", 28.0, false, 200.0).is_empty());
    }

    #[test]
    fn a_glyph_has_ink_inside_its_box_and_none_outside() {
        let mut covered = Vec::new();
        rasterize("o", 100.0, false, |x, y, c| covered.extend((c > 0.5).then_some((x, y))));
        assert!(!covered.is_empty());
        assert!(covered.iter().all(|&(x, y)| (0..62).contains(&x) && (-30..32).contains(&y)));
    }
}
