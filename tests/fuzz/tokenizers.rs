//! `tokenizer.json`: four kinds of tokenizer, as published models have them.

use std::path::Path;

use datasets::TextEncoder;
use serde_json::{Value, json};

use crate::{
    reader::{Reader, Seed},
    tiny_model::word_level,
};

const FILE: &str = "tokenizer.json";

const TEXTS: &[&str] =
    &["a", "12 7", "Été 中文 😀\u{0}\u{200b}", "", "(a) [SEP] b.c \n\t d", "aaaaaaaaaaaaa"];

/// Reads a tokenizer and lets it read texts and pairs.
fn read(folder: &Path) -> Result<(), String> {
    let encoder = TextEncoder::from_dir(folder, 12).map_err(|error| error.to_string())?;
    for text in TEXTS {
        for pair in [None, Some("b")] {
            // A text may be refused, in one line.
            match encoder.encode_text(text, pair) {
                Ok(encoded) => {
                    assert!(encoded.ids.len() <= 12, "{} tokens", encoded.ids.len());
                    assert_eq!(encoded.ids.len(), encoded.type_ids.len());
                }
                Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
            }
        }
        let _ = encoder.word_ids(text);
    }
    let _ = encoder.vocabulary_size();
    Ok(())
}

fn seed(parts: Value) -> Seed {
    let mut whole = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
    });
    whole.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    Seed::plain(whole.to_string())
}

fn special(id: usize, content: &str) -> Value {
    json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true})
}

/// As BERT's.
fn word_piece() -> Seed {
    seed(json!({
        "truncation": {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": [special(0, "[PAD]"), special(2, "[CLS]"), special(3, "[SEP]")],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
                {"Sequence": {"id": "B", "type_id": 1}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
            "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2,
            "[SEP]": 3, "a": 4, "##a": 5, "b": 6, "1": 7, "##2": 8}},
    }))
}

/// As GPT-2's and SmolLM's.
fn byte_pair() -> Seed {
    seed(json!({
        "added_tokens": [special(6, "<|end|>")],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"},
            {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": true},
            {"type": "Split", "pattern": {"Regex": "\\s+(?!\\S)|\\w+"}, "behavior": "Isolated",
                "invert": false},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                "use_regex": true}]},
        "post_processor": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false,
            "use_regex": true},
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true,
            "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": "a",
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
            "byte_fallback": false, "ignore_merges": false,
            "vocab": {"a": 0, "b": 1, "ab": 2, "aa": 3, "aaa": 4, "1": 5},
            "merges": [["a", "b"], ["a", "a"], ["aa", "a"]]},
    }))
}

/// As those of T5 and XLM-RoBERTa.
fn unigram() -> Seed {
    seed(json!({
        "added_tokens": [special(1, "</s>")],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Lowercase"},
            {"type": "Prepend", "prepend": "▁"}, {"type": "Strip", "strip_left": true,
                "strip_right": true}]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always",
            "split": true},
        "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0],
            "trim_offsets": true, "add_prefix_space": true},
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always",
            "split": true},
        "model": {"type": "Unigram", "unk_id": 2, "byte_fallback": false,
            "vocab": [["<s>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], ["▁a", -1.5], ["a", -2.0],
                ["b", -2.5], ["▁", -3.0]]},
    }))
}

#[test]
fn tokenizer() {
    let seeds = vec![Seed::plain(word_level(12)), word_piece(), byte_pair(), unigram()];
    Reader::new(FILE, seeds, read).fixed_bytes(16 << 20).holds("tokenizer");
}
