//! `KEY=VALUE` settings of the command line, as TOML.

use anyhow::{Context, Result, bail};
use messages::{plain, short};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads `KEY=VALUE` pairs into a table. A value that is no TOML is a text.
///
/// # Errors
/// A pair without `=`, or a key given twice.
pub fn table(flag: &str, pairs: &[String]) -> Result<toml::Table> {
    let mut table = toml::Table::new();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=') else {
            bail!("{flag} {pair}: expected KEY=VALUE, e.g. {flag} rank=8");
        };
        let (key, value) = (key.trim(), value.trim());
        let parsed = toml::from_str::<toml::Table>(&format!("value = {value}"))
            .ok()
            .and_then(|mut table| table.remove("value"))
            .unwrap_or_else(|| toml::Value::String(value.to_owned()));
        if table.insert(key.to_owned(), parsed).is_some() {
            bail!("{flag} {pair}: '{key}' is given twice");
        }
    }
    Ok(table)
}

/// `base` with the fields of `changes`.
///
/// # Errors
/// A field that does not exist or does not take the value.
pub fn overlay<T>(base: &T, changes: toml::Table) -> Result<T, toml::de::Error>
where
    T: serde::Serialize + DeserializeOwned,
{
    let mut table = toml::Table::try_from(base).unwrap_or_default();
    table.extend(changes);
    table.try_into()
}

/// As [`overlay`], for the command line.
///
/// # Errors
/// As [`overlay`], naming the flag.
pub fn overlay_flags<T>(base: &T, flag: &str, pairs: &[String]) -> Result<T>
where
    T: serde::Serialize + DeserializeOwned,
{
    overlay(base, table(flag, pairs)?)
        .map_err(|error| anyhow::anyhow!("{}", one_line(&error)))
        .with_context(|| format!("{flag} {}", pairs.join(&format!(" {flag} "))))
}

/// The message of a TOML error in plain words, without the excerpt.
pub fn one_line(error: &toml::de::Error) -> String {
    let message = plain(error.message())
        .replace("expected usize", "expected a whole number")
        .replace("expected u64", "expected a whole number")
        .replace("expected f64", "expected a number");
    match field(error) {
        Some(field) if !message.contains(&format!("`{field}`")) => format!("{field}: {message}"),
        _ => message,
    }
}

/// The field that a TOML error is about, as far as its text tells it.
pub fn field(error: &toml::de::Error) -> Option<String> {
    let text = error.to_string();
    let unknown = text.strip_prefix("unknown field `");
    let (field, _) =
        unknown.or(text.split_once("\nin `").map(|(_, path)| path))?.split_once('`')?;
    Some(short(field))
}

/// `key=value` that [`table`] reads as the given value; `None` for null, which is the default.
pub fn assignment(key: &str, value: &Value) -> Option<String> {
    let value = toml::Value::try_from(value).ok()?;
    Some(match value {
        // A text that would not be taken for something else needs no quotes.
        toml::Value::String(text) if text.chars().all(|c| c.is_ascii_alphabetic() || c == '_') => {
            format!("{key}={text}")
        }
        other => format!("{key}={other}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::{Schedule, Training};

    fn read(pairs: &[&str]) -> Result<Training> {
        let pairs: Vec<String> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
        overlay_flags(&Training::default(), "--training", &pairs)
    }

    #[test]
    fn pairs_set_fields_of_every_kind() {
        let training = read(&["epochs=2", "schedule=cosine", "learning_rate=1e-3"]).unwrap();
        assert_eq!(training.epochs, 2.0);
        assert_eq!(training.schedule, Schedule::Cosine);
        assert_eq!(training.learning_rate, Some(1e-3));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_flag() {
        let error = |pair: &str| format!("{:#}", read(&[pair]).unwrap_err());
        assert!(error("epochs").contains("expected KEY=VALUE"));
        assert!(error("epoch=2").contains("unknown field `epoch`"), "{}", error("epoch=2"));
        assert!(error("batch_size=many").contains("--training batch_size=many"));
    }

    #[test]
    fn an_assignment_is_read_back_as_it_was() {
        for value in [
            serde_json::json!(3),
            serde_json::json!(0.5),
            serde_json::json!("lstm"),
            serde_json::json!("a b"),
            serde_json::json!(["query", "value"]),
            serde_json::json!({"0.query": 2}),
        ] {
            let pair = assignment("key", &value).unwrap();
            let read = table("--config", &[pair]).unwrap().remove("key").unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), value);
        }
    }
}
