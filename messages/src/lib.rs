//! Text from outside, such as a value of a damaged file or the words of a parser, made fit for a
//! message: one line, no control characters, no longer than a person reads.

use std::fmt::Display;

/// The longest quotation of a sentence, in characters.
const SENTENCE: usize = 300;

/// The longest quotation of a value, in characters.
const VALUE: usize = 60;

/// A sentence of somebody else, e.g. a parser's.
pub fn plain(text: impl Display) -> String {
    cut(&text.to_string(), SENTENCE)
}

/// A value or a name out of a file.
pub fn short(text: impl Display) -> String {
    cut(&text.to_string(), VALUE)
}

fn cut(text: &str, longest: usize) -> String {
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<&str> = text.split(is_gap).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(longest) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_line_without_control_characters() {
        assert_eq!(plain("two\r\nlines,\t\u{1b}[31mred \u{0}"), "two lines, [31mred");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let long = "é".repeat(400);
        assert_eq!(plain(&long).chars().count(), 301);
        assert_eq!(short(&long), format!("{}…", "é".repeat(60)));
        assert_eq!(short("é".repeat(60)), "é".repeat(60));
    }
}
