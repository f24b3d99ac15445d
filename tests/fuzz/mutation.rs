//! Ways in which a file goes wrong.

use std::ops::Range;

use proptest::{collection::vec, prelude::*, prop_oneof, sample::Index};

/// Numbers at the edge of their types, and what stands where a number should.
const VALUES: &[&str] = &[
    "0",
    "1",
    "-1",
    "0.5",
    "7",
    "1e308",
    "-1e308",
    "1e-320",
    "1e999",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "nan",
    "inf",
    "null",
    "true",
    "\"\"",
    "\"a\\nb\"",
    "\"\\u001b[31m\"",
    "\"\\ud800\"",
    "[]",
    "{}",
    "[[0]]",
    "[4611686018427387904, 4, 2]",
];

/// Pieces that mean something in one format or another.
const PIECES: &[&[u8]] = &[
    b"\0",
    b"\n",
    b"\r",
    b"\r\n",
    b"\t",
    b",",
    b"\"",
    b"'''",
    b"\\",
    b"[",
    b"]",
    b"{",
    b"}",
    b"=",
    b":",
    b"\xff",
    b"\xc3\x28",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\x1b[31m",
    b"[[run]]\n",
    b"\xe2\x80\xae",
    b"../",
    b"/",
    b"\n\n",
    b"#",
    b"(",
    b"*",
    b"|",
    b"\xf0\x9f\x98\x80",
];

/// Numbers as a binary file holds them.
const WORDS: &[&[u8]] = &[
    &f32::NAN.to_le_bytes(),
    &f32::INFINITY.to_le_bytes(),
    &f32::MAX.to_le_bytes(),
    &u32::MAX.to_le_bytes(),
    &0_u32.to_le_bytes(),
    &u64::MAX.to_le_bytes(),
    &i64::MAX.to_le_bytes(),
    &(1_u64 << 40).to_le_bytes(),
];

/// What is opened many times over: lists, objects, inline tables, groups.
const OPENINGS: &[&str] = &["[", "{\"a\":", "a={", "(", "\"", "a.", "[["];

/// A file does not grow beyond this.
const LONGEST: usize = 1 << 20;

/// One thing that goes wrong with a file.
#[derive(Clone, Debug)]
pub enum Mutation {
    /// The end is missing.
    Truncate(Index),
    /// One bit is another.
    Flip(Index, u8),
    /// Bytes are there that nobody wrote.
    Insert(Index, Vec<u8>),
    /// Something that means something stands where it should not.
    Piece(Index, &'static [u8]),
    /// A part is missing.
    Delete(Index, usize),
    /// A part is there many times.
    Repeat(Index, usize, usize),
    /// A binary number is another one.
    Word(Index, &'static [u8]),
    /// A written number is another one, or none.
    Number(Index, &'static str),
    /// A field has another value.
    Value(Index, &'static str),
    /// A field is there twice.
    Twice(Index, &'static str),
    /// Something is opened and never closed.
    Nest(Index, &'static str, usize),
}

/// Any one mutation.
pub fn any() -> impl Strategy<Value = Mutation> {
    let at = || any_index();
    let value = || proptest::sample::select(VALUES);
    prop_oneof![
        2 => at().prop_map(Mutation::Truncate),
        3 => (at(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        2 => (at(), vec(proptest::num::u8::ANY, 1..9)).prop_map(|(at, b)| Mutation::Insert(at, b)),
        3 => (at(), proptest::sample::select(PIECES)).prop_map(|(at, b)| Mutation::Piece(at, b)),
        2 => (at(), 1..200_usize).prop_map(|(at, n)| Mutation::Delete(at, n)),
        2 => (at(), 1..200_usize, 1..300_usize).prop_map(|(at, n, t)| Mutation::Repeat(at, n, t)),
        2 => (at(), proptest::sample::select(WORDS)).prop_map(|(at, b)| Mutation::Word(at, b)),
        5 => (at(), value()).prop_map(|(at, value)| Mutation::Number(at, value)),
        5 => (at(), value()).prop_map(|(at, value)| Mutation::Value(at, value)),
        3 => (at(), value()).prop_map(|(at, value)| Mutation::Twice(at, value)),
        1 => (at(), proptest::sample::select(OPENINGS), 1..20_000_usize)
            .prop_map(|(at, opening, depth)| Mutation::Nest(at, opening, depth)),
    ]
}

fn any_index() -> impl Strategy<Value = Index> {
    proptest::arbitrary::any::<Index>()
}

impl Mutation {
    /// The file after it.
    pub fn apply(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let length = bytes.len();
        let place = |index: &Index| index.index(length + 1);
        let part = |index: &Index, n: usize| {
            let at = place(index);
            at..length.min(at + n)
        };
        match self {
            Self::Truncate(at) => bytes.truncate(place(at)),
            Self::Flip(at, bit) => {
                let at = place(at);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            Self::Insert(at, piece) => insert(&mut bytes, place(at), piece),
            Self::Piece(at, piece) => insert(&mut bytes, place(at), piece),
            Self::Delete(at, n) => drop(bytes.drain(part(at, *n))),
            Self::Repeat(at, n, times) => {
                let part = part(at, *n);
                let copies = bytes[part.clone()].repeat(*times);
                insert(&mut bytes, part.end, &copies);
            }
            Self::Word(at, word) => {
                // Numbers lie at multiples of their size, counted from either end.
                let at = place(at) / 4 * 4 + length % 4;
                if let Some(there) = bytes.get_mut(at..at + word.len()) {
                    there.copy_from_slice(word);
                }
            }
            Self::Number(nth, value) => replace(&mut bytes, pick(numbers, nth), value),
            Self::Value(nth, value) => replace(&mut bytes, pick(values, nth), value),
            Self::Twice(nth, value) => {
                if let Some(key) = pick(keys, nth)(&bytes) {
                    let copy = [&bytes[key.clone()], value.as_bytes(), b","].concat();
                    insert(&mut bytes, key.start, &copy);
                }
            }
            Self::Nest(at, opening, depth) => {
                let piece = opening.repeat(*depth);
                insert(&mut bytes, place(at), piece.as_bytes());
            }
        }
        bytes
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    if bytes.len() + piece.len() <= LONGEST {
        drop(bytes.splice(at..at, piece.iter().copied()));
    }
}

fn replace(
    bytes: &mut Vec<u8>,
    find: impl FnOnce(&[u8]) -> Option<Range<usize>>,
    value: &'static str,
) {
    if let Some(range) = find(bytes) {
        drop(bytes.splice(range, value.bytes()));
    }
}

/// One of the ranges that `find` gives.
fn pick(
    find: fn(&[u8]) -> Vec<Range<usize>>,
    nth: &Index,
) -> impl FnOnce(&[u8]) -> Option<Range<usize>> {
    move |bytes| {
        let found = find(bytes);
        (!found.is_empty()).then(|| found[nth.index(found.len())].clone())
    }
}

/// Every written number.
fn numbers(bytes: &[u8]) -> Vec<Range<usize>> {
    let is_part = |at: usize| bytes[at].is_ascii_digit() || matches!(bytes[at], b'.' | b'-' | b'e');
    let starts =
        (0..bytes.len()).filter(|&at| bytes[at].is_ascii_digit() && (at == 0 || !is_part(at - 1)));
    starts
        .map(|at| at..(at..bytes.len()).find(|&end| !is_part(end)).unwrap_or(bytes.len()))
        .collect()
}

/// What stands after every colon and equals sign, up to the next comma, bracket or line.
fn values(bytes: &[u8]) -> Vec<Range<usize>> {
    let starts = (1..bytes.len()).filter(|&at| matches!(bytes[at - 1], b':' | b'='));
    let is_end = |at: &usize| matches!(bytes[*at], b',' | b'}' | b']' | b'\n');
    starts.map(|at| at..(at..bytes.len()).find(is_end).unwrap_or(bytes.len())).collect()
}

/// Every key of JSON, with its colon.
fn keys(bytes: &[u8]) -> Vec<Range<usize>> {
    let ends = (1..bytes.len()).filter(|&at| bytes[at] == b':' && bytes[at - 1] == b'"');
    let key = |end: usize| {
        let start = bytes[..end - 1].iter().rposition(|&byte| byte == b'"')?;
        Some(start..end + 1)
    };
    ends.filter_map(key).collect()
}

#[test]
fn a_field_is_found_by_its_number_its_value_and_its_key() {
    let json = br#"{"a":12,"bc":[3.5e1,"x"]}"#;
    let text = |ranges: Vec<Range<usize>>| {
        ranges.into_iter().map(|r| String::from_utf8(json[r].to_vec()).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(text(numbers(json)), ["12", "3.5e1"]);
    assert_eq!(text(values(json)), ["12", "[3.5e1"]);
    assert_eq!(text(keys(json)), ["\"a\":", "\"bc\":"]);
}
