//! Settings of any kind, right and wrong, for every method: no method and no field is named here.

use std::path::Path;

use backbones::Untouched;
use bench_suite::{suite::Suite, suite_file::parse};
use burn::{module::Module, tensor::Device};
use methods::{CARDS, MethodConfig};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Map, Value, json};

use crate::{
    configurations::{Configurations, defaults},
    numbers::{assert_close, distance, numbers},
    subject::{ROWS, Subject, at_true_tokens, batch, spec},
};

/// Values at the edges of what a field could take, and far beyond.
const ODD: &[&str] = &[
    "true",
    "0",
    "1",
    "-1",
    "2",
    "1000000",
    "9223372036854775807",
    "-9223372036854775808",
    "0.0",
    "0.5",
    "1.0",
    "-0.5",
    "1e-300",
    "1e300",
    "inf",
    "nan",
    "''",
    "'gate'",
    "'no such name'",
    "\"two\\nlines\"",
    "[]",
    "[0]",
    "[-1]",
    "[1, 1]",
    "[1000000]",
    "['query', 'query']",
    "['gate']",
    "['']",
    "[[]]",
    "{}",
    "{ query = 1 }",
    "{ '(' = 1 }",
    "{ query = 0 }",
    "{ query = -1.5 }",
    "{ '' = 1 }",
    "{ 'query|(a{1000}){1000}' = 1 }",
];

/// A suite of one run with these settings.
fn suite(method: &str, settings: &str) -> Result<Suite, String> {
    let text = format!("title = 'T'\n[[run]]\nmethod = '{method}'\n[run.config]\n{settings}\n");
    parse("odd", Path::new("odd.toml"), &text).map_err(|error| format!("{error:#}"))
}

#[test]
fn an_odd_value_of_any_field_is_refused_by_name_or_does_its_work() {
    let device = Device::flex();
    let (mut n_refused, mut n_worked) = (0, 0);
    for card in CARDS {
        for field in defaults(card).keys() {
            for value in ODD {
                let settings = format!("{field} = {value}");
                let what = format!("{}: {settings}", card.name);
                let refused = match suite(card.name, &settings) {
                    Err(error) => {
                        assert!(error.starts_with("odd.toml, line 5: "), "{what}: {error}");
                        Some(error)
                    }
                    Ok(suite) => works(&suite, &device, &what).err(),
                };
                match refused {
                    Some(error) => {
                        assert!(names_a_field(&error, field), "{what}: names no field: {error}");
                        assert!(!error.chars().any(char::is_control), "{what}: {error:?}");
                        n_refused += 1;
                    }
                    None => n_worked += 1,
                }
            }
        }
    }
    assert!(n_refused > 50 && n_worked > 50, "{n_refused} refused, {n_worked} worked");
}

/// Plan and start of a method agree, and what starts computes numbers.
fn works(suite: &Suite, device: &Device, what: &str) -> Result<(), String> {
    let bench_suite::arm::Arm::Peft(config) = &suite.runs[0].arm else {
        panic!("{what}: not a method");
    };
    let subject = Subject::new(config.clone(), device);
    let plan = config.plan(&subject.spec).map_err(|error| error.to_string())?;
    assert!(plan.trainable() < 100_000_000, "{what}: planned {} numbers", plan.trainable());
    let rng = &mut StdRng::seed_from_u64(0);
    // A start may refuse what a plan cannot see, such as words that no tokenizer knows.
    let method =
        config.init(&subject.spec, rng, &device.clone().autodiff()).map_err(|e| e.to_string())?;
    assert_eq!(method.num_params(), plan.trainable(), "{what}");
    let hidden = subject.hidden(&method.valid(), &batch(&ROWS, 8, 0, device));
    assert!(hidden.iter().all(|x| x.is_finite()), "{what}: the output is not finite");
    Ok(())
}

/// Whether a message says which field is wrong: the one that was changed, or one that does not go
/// with it.
fn names_a_field(message: &str, field: &str) -> bool {
    message.contains(field) || message.contains("field '")
}

#[test]
fn whatever_can_be_configured_keeps_the_laws_of_outputs() {
    let device = Device::flex();
    let spec = spec(&device);
    for card in CARDS {
        let configurations = Configurations::of(card, &spec);
        let rng = &mut StdRng::seed_from_u64(5);
        for _ in 0..24 {
            let subject = Subject::new(configurations.random(rng), &device);
            let plan = subject.config.plan(&subject.spec).unwrap();
            assert_eq!(subject.fresh().num_params(), plan.trainable(), "{subject}");
            let (wide, narrow) = (batch(&ROWS, 9, 51, &device), batch(&ROWS, 6, 0, &device));
            let method = subject.random();
            let at_true = |hidden: &[f32], width| at_true_tokens(hidden, &ROWS, width);
            let outputs = at_true(&subject.hidden(&method, &narrow), 6);
            let padded = at_true(&subject.hidden(&method, &wide), 9);
            assert_close(&outputs, &padded, 1e-5, &subject);
            let start = at_true(&subject.hidden(&subject.fresh(), &narrow), 6);
            let untouched = at_true(&subject.hidden(&Untouched, &narrow), 6);
            let changed = distance(&start, &untouched);
            assert_eq!(changed <= 1e-6, card.identity_at_start, "{subject}: {changed:e} apart");
            if card.foldable {
                let backbone = subject.backbone.clone().folded(|site| method.weight_delta(site));
                let folded = numbers(backbone.encode(&narrow, &Untouched));
                assert_close(&at_true(&folded, 6), &outputs, 1e-5, &subject);
            }
        }
    }
}

#[test]
fn settings_in_toml_and_in_json_are_the_same() {
    for subject in Subject::all(&Device::flex()) {
        let name = subject.config.card().name;
        let Value::Object(mut settings) = serde_json::to_value(&subject.config).unwrap() else {
            panic!("{subject}: settings are an object");
        };
        // TOML has no null: what is left out is the default.
        settings.retain(|_, value| !value.is_null());
        let lines = settings.iter().map(|(field, value)| format!("{field} = {}\n", toml(value)));
        let suite = suite(name, &lines.collect::<String>()).unwrap();
        assert_eq!(suite.runs[0].arm.name(), name);
        let arm = serde_json::to_value(&suite.runs[0].arm).unwrap();
        assert_eq!(arm, serde_json::to_value(&subject.config).unwrap(), "{subject}");
    }
}

/// A value of JSON as TOML writes it.
fn toml(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let pairs = fields.iter().map(|(key, value)| format!("{key:?} = {}", toml(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[test]
fn a_misspelt_field_is_named_with_its_line() {
    for card in CARDS {
        let error = suite(card.name, "rnak = 4").unwrap_err();
        assert!(error.starts_with("odd.toml, line 5: unknown field `rnak`"), "{error}");
        let settings: Map<String, Value> = [("rnak".to_owned(), json!(4))].into_iter().collect();
        let error = MethodConfig::read(card.name, Value::Object(settings)).unwrap().unwrap_err();
        assert!(error.to_string().contains("rnak"), "{}: {error}", card.name);
    }
}
