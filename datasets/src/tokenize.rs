//! From texts to token ids.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use messages::{plain, short};
use rayon::prelude::*;
use serde_json::Value;
use tokenizers::{
    PostProcessor, Tokenizer, TruncationDirection, TruncationParams, TruncationStrategy,
};

use crate::{DataError, Example};

/// Turns texts into token ids, cut to a length.
///
/// Padding and truncation that a tokenizer file carries are replaced: rows are not padded
/// here, and are cut on the right at `max_tokens`, special tokens kept, the longer text of a
/// pair first.
#[derive(Clone, Debug)]
pub struct TextEncoder {
    tokenizer: Tokenizer,
    max_tokens: usize,
}

/// One row as token ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Token ids, special tokens included.
    pub ids: Vec<u32>,
    /// Segment of each token: 0 for the first text, 1 for the second.
    pub type_ids: Vec<u32>,
    /// Whether a part of the text was cut off.
    pub truncated: bool,
}

impl TextEncoder {
    /// Reads `tokenizer.json` of a model's folder.
    ///
    /// # Errors
    /// [`DataError::Read`], [`DataError::Tokenizer`] or [`DataError::MaxTokens`].
    pub fn from_dir(model_dir: &Path, max_tokens: usize) -> Result<Self, DataError> {
        let path = model_dir.join("tokenizer.json");
        let bytes = std::fs::read(&path)
            .map_err(|source| DataError::Read { path: path.clone(), source })?;
        let tokenizer = check_json(&bytes)
            .and_then(|()| contained(|| Tokenizer::from_bytes(bytes)))
            .map_err(|error| DataError::Tokenizer { path, problem: plain(&error) })?;
        Self::new(tokenizer, max_tokens)
    }

    /// Takes a tokenizer that was made elsewhere, e.g. read from a GGUF file.
    ///
    /// # Errors
    /// [`DataError::MaxTokens`] if the special tokens of a pair leave no room for its texts.
    pub fn new(mut tokenizer: Tokenizer, max_tokens: usize) -> Result<Self, DataError> {
        let n_special = tokenizer.get_post_processor().map_or(0, |p| p.added_tokens(true));
        let least = n_special + 2;
        if max_tokens < least {
            return Err(DataError::MaxTokens { max_tokens, least });
        }
        tokenizer.with_padding(None);
        let truncation = TruncationParams {
            direction: TruncationDirection::Right,
            max_length: max_tokens,
            strategy: TruncationStrategy::LongestFirst,
            stride: 0,
        };
        match tokenizer.with_truncation(Some(truncation)) {
            Ok(_) => Ok(TextEncoder { tokenizer, max_tokens }),
            Err(_) => Err(DataError::MaxTokens { max_tokens, least }),
        }
    }

    /// Encodes rows, in parallel, in their order.
    ///
    /// # Errors
    /// [`DataError::Tokenize`] for a text without any token.
    pub fn encode(&self, examples: &[Example]) -> Result<Vec<Encoded>, DataError> {
        let rows = examples.par_iter();
        rows.map(|row| self.encode_text(&row.text, row.pair.as_deref())).collect()
    }

    /// Encodes one text or pair.
    ///
    /// # Errors
    /// [`DataError::Tokenize`] for a text without any token.
    pub fn encode_text(&self, text: &str, pair: Option<&str>) -> Result<Encoded, DataError> {
        let encoding = contained(|| match pair {
            Some(pair) => self.tokenizer.encode_fast((text, pair), true),
            None => self.tokenizer.encode_fast(text, true),
        });
        let encoding = encoding.map_err(|error| refuse(text, &plain(&error)))?;
        if encoding.is_empty() {
            return Err(refuse(text, "it has no tokens"));
        }
        Ok(Encoded {
            ids: encoding.get_ids().to_vec(),
            type_ids: encoding.get_type_ids().to_vec(),
            truncated: !encoding.get_overflowing().is_empty(),
        })
    }

    /// Ids of the words of a text, without special tokens.
    ///
    /// # Errors
    /// [`DataError::Tokenize`] if the tokenizer refuses the text.
    pub fn word_ids(&self, text: &str) -> Result<Vec<u32>, DataError> {
        let encoding = contained(|| self.tokenizer.encode_fast(text, false));
        let encoding = encoding.map_err(|error| refuse(text, &plain(&error)))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Whether another tokenizer gives every word the same id.
    pub fn has_vocabulary_of(&self, other: &Self) -> bool {
        self.tokenizer.get_vocab(true) == other.tokenizer.get_vocab(true)
    }

    /// One more than the largest token id: the least rows that an embedding needs.
    pub fn vocabulary_size(&self) -> usize {
        let ids = self.tokenizer.get_vocab(true).into_values();
        ids.max().map_or(0, |largest| largest as usize + 1)
    }

    /// Longest row, special tokens included.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }
}

/// The longest piece of a unigram vocabulary, in bytes. The library keeps the pieces in a tree of
/// one level a byte and leaves it level by level: a piece of some 10,000 bytes overflows the stack.
const LONGEST_PIECE: usize = 1000;

/// Refuses what the library would end the program over.
fn check_json(bytes: &[u8]) -> Result<(), tokenizers::Error> {
    // The library's own reader panics on some mistakes in JSON.
    let json: Value = serde_json::from_slice(bytes)?;
    let pieces = json["model"]["vocab"].as_array().map(Vec::as_slice).unwrap_or_default();
    let length = |piece: &Value| piece[0].as_str().map_or(0, str::len);
    match pieces.iter().map(length).max() {
        Some(longest) if longest > LONGEST_PIECE => {
            Err(format!("a piece of {longest} bytes; at most {LONGEST_PIECE} are read").into())
        }
        _ => Ok(()),
    }
}

/// What the tokenizer library does, with a panic as an error.
///
/// The library takes some files for tokenizers that it then panics on, such as a template with a
/// special token that is nowhere defined, and offers no check. Nothing of it is kept half done: a
/// tokenizer is only read here.
fn contained<T>(
    work: impl FnOnce() -> Result<T, tokenizers::Error>,
) -> Result<T, tokenizers::Error> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("the tokenizer library cannot work with it".into()))
}

fn refuse(text: &str, problem: &str) -> DataError {
    DataError::Tokenize { text: short(text), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words a to f as ids 4 to 9; `[CLS] A `[SEP]`` and `[CLS] A `[SEP]` B `[SEP]``. Like many
    /// published files it also asks for padding and truncation to a fixed length.
    const TOKENIZER: &str = r#"{
        "version": "1.0",
        "truncation": {"max_length": 4, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": [],
        "normalizer": null,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "decoder": null,
        "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {"[PAD]": 0, "[UNK]": 1,
            "[CLS]": 2, "[SEP]": 3, "a": 4, "b": 5, "c": 6, "d": 7, "e": 8, "f": 20}}
    }"#;

    fn encoder(max_tokens: usize) -> Result<TextEncoder, DataError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("tokenizer.json"), TOKENIZER).unwrap();
        TextEncoder::from_dir(dir.path(), max_tokens)
    }

    #[test]
    fn padding_and_truncation_of_the_file_are_replaced() {
        let encoded = encoder(16).unwrap().encode_text("a b c d", None).unwrap();
        assert_eq!(encoded.ids, [2, 4, 5, 6, 7, 3]);
        assert_eq!(encoded.type_ids, [0; 6]);
        assert!(!encoded.truncated);
    }

    #[test]
    fn a_long_text_is_cut_on_the_right_and_keeps_its_special_tokens() {
        let encoder = encoder(5).unwrap();
        let exact = encoder.encode_text("a b c", None).unwrap();
        assert_eq!((exact.ids, exact.truncated), (vec![2, 4, 5, 6, 3], false));
        let cut = encoder.encode_text("a b c d", None).unwrap();
        assert_eq!((cut.ids, cut.truncated), (vec![2, 4, 5, 6, 3], true));
    }

    #[test]
    fn a_pair_is_cut_where_it_is_longer() {
        let encoder = encoder(7).unwrap();
        let cut = encoder.encode_text("a b c d", Some("e")).unwrap();
        assert_eq!(cut.ids, [2, 4, 5, 6, 3, 8, 3]);
        assert_eq!(cut.type_ids, [0, 0, 0, 0, 0, 1, 1]);
        assert!(cut.truncated);
        let cut = encoder.encode_text("a", Some("e d c b")).unwrap();
        assert_eq!((cut.ids, cut.truncated), (vec![2, 4, 3, 8, 7, 6, 3], true));
        assert!(!encoder.encode_text("a b", Some("c d")).unwrap().truncated);
    }

    #[test]
    fn many_rows_encode_like_each_alone_in_their_order() {
        let encoder = encoder(6).unwrap();
        let row = |i: usize| Example {
            text: "a b c d e"[..=2 * (i % 5)].to_owned(),
            pair: i.is_multiple_of(3).then(|| "c d".to_owned()),
            label: 0,
        };
        let rows: Vec<Example> = (0..100).map(row).collect();
        let one = |row: &Example| encoder.encode_text(&row.text, row.pair.as_deref()).unwrap();
        assert_eq!(encoder.encode(&rows).unwrap(), rows.iter().map(one).collect::<Vec<_>>());
    }

    #[test]
    fn a_limit_without_room_for_a_pair_is_refused() {
        let error = encoder(4).unwrap_err().to_string();
        assert_eq!(error, "max_tokens = 4 leaves no room for text; use 5 or more");
        assert_eq!(encoder(5).unwrap().max_tokens(), 5);
    }

    #[test]
    fn the_vocabulary_size_covers_the_largest_id_even_with_gaps() {
        assert_eq!(encoder(8).unwrap().vocabulary_size(), 21);
    }

    #[test]
    fn a_broken_tokenizer_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let message = |dir: &Path| TextEncoder::from_dir(dir, 8).unwrap_err().to_string();
        assert!(message(dir.path()).contains("tokenizer.json: cannot be read"));
        std::fs::write(dir.path().join("tokenizer.json"), &TOKENIZER[..200]).unwrap();
        let message = message(dir.path());
        assert!(message.contains("tokenizer.json: is not a tokenizer"), "{message}");
        assert!(!message.contains('\n'));
    }
}
