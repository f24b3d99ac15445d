//! What a folder or a repository must hold to be a model in Hugging Face layout.

use crate::error::Missing;

/// The files of a model.
pub(crate) const FILES: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

/// What is missing, given a way to ask for a file by name.
pub(crate) fn check(has: impl Fn(&str) -> bool) -> Result<(), Missing> {
    let names: Vec<_> = FILES.into_iter().filter(|name| !has(name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let hint = if !names.contains(&"model.safetensors") {
        ""
    } else if has("model.safetensors.index.json") {
        " (its weights are sharded; only a single model.safetensors is supported)"
    } else if has("pytorch_model.bin") {
        " (it has pytorch_model.bin; convert that to safetensors first)"
    } else {
        ""
    };
    Err(Missing { names, hint })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(present: &[&str]) -> String {
        check(|name| present.contains(&name)).unwrap_err().to_string()
    }

    #[test]
    fn all_missing_files_are_named_at_once() {
        assert_eq!(missing(&["config.json"]), "it lacks tokenizer.json, model.safetensors");
    }

    #[test]
    fn weights_in_another_format_are_pointed_out() {
        let rest = ["config.json", "tokenizer.json"];
        assert!(missing(&[&rest[..], &["pytorch_model.bin"]].concat()).contains("convert"));
        let sharded = missing(&[&rest[..], &["model.safetensors.index.json"]].concat());
        assert!(sharded.contains("sharded"), "{sharded}");
    }
}
