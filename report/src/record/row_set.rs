//! A set of rows as a short text.

use serde::{Deserialize, Serialize};

/// Some of the rows of a split, in the split's order: row i is bit i mod 8 of byte i div 8, the
/// lowest bit first. In a record the bytes stand as hexadecimal digits, two a byte.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RowSet {
    bytes: Vec<u8>,
}

impl RowSet {
    /// The rows at which `is_in` is true.
    pub fn of(is_in: &[bool]) -> Self {
        let byte = |rows: &[bool]| {
            rows.iter().enumerate().fold(0, |byte, (bit, &is_in)| byte | u8::from(is_in) << bit)
        };
        Self { bytes: is_in.chunks(8).map(byte).collect() }
    }

    /// Whether the row is in the set.
    pub fn contains(&self, row: usize) -> bool {
        self.bytes.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
    }

    /// How many rows are in the set.
    pub fn len(&self) -> usize {
        self.bytes.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    /// Whether no row is in the set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows in this set and not in `other`.
    pub fn n_beyond(&self, other: &Self) -> usize {
        let rows = 0..8 * self.bytes.len();
        rows.filter(|&row| self.contains(row) && !other.contains(row)).count()
    }
}

impl From<RowSet> for String {
    fn from(rows: RowSet) -> Self {
        rows.bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl TryFrom<String> for RowSet {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_hex = text.bytes().all(|c| c.is_ascii_hexdigit());
        if !is_hex || !text.len().is_multiple_of(2) {
            return Err(format!("'{text}' is no set of rows: expected two hex digits a byte"));
        }
        let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).map_err(|e| e.to_string());
        let bytes = (0..text.len()).step_by(2).map(byte).collect::<Result<_, _>>()?;
        Ok(Self { bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_bits_from_the_lowest_and_come_back_from_text() {
        let mut is_in = [false; 11];
        for row in [0, 1, 7, 10] {
            is_in[row] = true;
        }
        let rows = RowSet::of(&is_in);
        assert_eq!(String::from(rows.clone()), "8304");
        assert_eq!(RowSet::try_from("8304".to_owned()).unwrap(), rows);
        let held: Vec<usize> = (0..99).filter(|&row| rows.contains(row)).collect();
        assert_eq!(held, [0, 1, 7, 10]);
        assert_eq!(rows.len(), 4);
    }

    #[test]
    fn rows_of_one_set_alone_are_counted_whatever_the_lengths() {
        let (a, b) = (RowSet::of(&[true, true, false, true]), RowSet::of(&[true, false, true]));
        assert_eq!((a.n_beyond(&b), b.n_beyond(&a)), (2, 1));
        assert_eq!(a.n_beyond(&RowSet::default()), 3);
    }

    #[test]
    fn a_text_that_is_no_set_is_refused() {
        for text in ["8", "zz", "é1"] {
            assert!(RowSet::try_from(text.to_owned()).unwrap_err().contains(text));
        }
    }
}
