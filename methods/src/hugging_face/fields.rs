//! Which fields of `adapter_config.json` may have which values.

use messages::short;
use serde_json::{Map, Value};

use super::AdapterError;

/// The values that a field may have, beside those that switch it off (null, false, empty).
#[derive(Clone, Copy, Debug)]
pub enum Accepts {
    /// It is read, or it has no part in what a trained method computes.
    Any,
    /// These words, or a list of these words.
    Only(&'static [&'static str]),
}

use Accepts::{Any, Only};

/// Fields of every method.
const COMMON: &[(&str, Accepts)] = &[
    ("peft_type", Any),
    ("task_type", Only(&["SEQ_CLS"])),
    ("modules_to_save", Only(&["classifier", "score"])),
    ("base_model_name_or_path", Any),
    ("revision", Any),
    ("inference_mode", Any),
    ("auto_mapping", Any),
    ("peft_version", Any),
];

/// Refuses every field that asks for something that is not done here: those of the tables with a
/// value beside the accepted ones, and all others unless they are switched off.
///
/// # Errors
/// [`AdapterError::Fields`] with all of them.
pub fn check(
    config: &Map<String, Value>,
    known: &[(&'static str, Accepts)],
) -> Result<(), AdapterError> {
    let problem = |(field, value): (&String, &Value)| {
        let accepts = COMMON.iter().chain(known).find(|(name, _)| name == field);
        let expected = match accepts {
            _ if is_off(value) => return None,
            Some((_, Any)) => return None,
            Some((_, Only(words))) if are_of(value, words) => return None,
            Some((_, Only(words))) => format!("only {} is supported", words.join(" or ")),
            None => "it is not supported".to_owned(),
        };
        Some(format!("field '{}' is {}: {expected}", short(field), short(value)))
    };
    let problems: Vec<String> = config.iter().filter_map(problem).collect();
    match problems.is_empty() {
        true => Ok(()),
        false => Err(AdapterError::Fields(problems.join("; "))),
    }
}

fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn are_of(value: &Value, words: &[&str]) -> bool {
    match value {
        Value::String(word) => words.contains(&word.as_str()),
        Value::Array(items) => items.iter().all(|item| are_of(item, words)),
        other => words.contains(&other.to_string().as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(config: Value) -> Result<(), String> {
        let known = [("rank", Any), ("bias", Only(&["none"])), ("init", Only(&["true", "gauss"]))];
        check(config.as_object().unwrap(), &known).map_err(|error| error.to_string())
    }

    #[test]
    fn known_fields_and_those_that_are_switched_off_are_accepted() {
        let config = json!({
            "peft_type": "X", "task_type": "SEQ_CLS", "modules_to_save": ["classifier", "score"],
            "rank": 7, "bias": "none", "init": true, "of_the_future": null, "dora": false,
            "replication": [], "loftq": {},
        });
        checked(config).unwrap();
    }

    #[test]
    fn every_field_that_is_not_supported_is_named_with_its_value() {
        let config = json!({
            "bias": "all", "dora": true, "rank": 7, "init": "pissa", "task_type": "CAUSAL_LM",
            "modules_to_save": ["classifier", "pooler"], "replication": [[0, 4]], "r": 0,
        });
        let error = checked(config).unwrap_err();
        for part in [
            "'bias' is \"all\": only none is supported",
            "'dora' is true: it is not supported",
            "'init' is \"pissa\": only true or gauss",
            "'task_type' is \"CAUSAL_LM\": only SEQ_CLS",
            "'modules_to_save' is [\"classifier\",\"pooler\"]",
            "'replication' is [[0,4]]",
            "'r' is 0",
        ] {
            assert!(error.contains(part), "no {part:?} in {error}");
        }
        assert!(!error.contains("'rank'"), "{error}");
    }
}
