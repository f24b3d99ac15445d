//! Configurations of any method, found from its default alone: no method is named here.
//!
//! A configuration is JSON, and its default shows its fields. What else a field takes is tried:
//! numbers, words, the names that the method's own error lists. What can be read and planned is a
//! configuration.

use std::collections::BTreeSet;

use backbones::BackboneSpec;
use methods::{Card, MethodConfig};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value, json};

use crate::subject::read;

type Settings = Map<String, Value>;

/// The default settings of a method, field by field.
pub fn defaults(card: &Card) -> Settings {
    let config = MethodConfig::named(card.name).expect("every card's name is known");
    match serde_json::to_value(config) {
        Ok(Value::Object(settings)) => settings,
        other => panic!("{}: settings are an object, not {other:?}", card.name),
    }
}

/// The valid configurations of one method.
pub struct Configurations<'a> {
    card: &'a Card,
    spec: &'a BackboneSpec,
    default: Settings,
    /// For each field, values that it takes alone or together with others.
    values: Vec<(String, Vec<Value>)>,
}

impl<'a> Configurations<'a> {
    pub fn of(card: &'a Card, spec: &'a BackboneSpec) -> Self {
        let default = defaults(card);
        let values = |(field, value): (&String, &Value)| {
            let readable = |value: &Value| read_with(card, field, value).is_ok();
            let mut values = candidates(card, field, value);
            values.retain(readable);
            (field.clone(), values)
        };
        let values = default.iter().map(values).collect();
        Self { card, spec, default, values }
    }

    /// A configuration with some fields drawn anew.
    pub fn random(&self, rng: &mut StdRng) -> MethodConfig {
        loop {
            let mut settings = self.default.clone();
            for (field, values) in &self.values {
                if let Some(value) = values.choose(rng)
                    && rng.random_bool(0.5)
                {
                    settings.insert(field.clone(), value.clone());
                }
            }
            if let Some(config) = self.valid(settings) {
                return config;
            }
        }
    }

    /// The default, and few others that together have every value of every field: each the one
    /// with most that is new among many.
    pub fn covering(&self) -> Vec<MethodConfig> {
        const TRIES: usize = 200;
        let rng = &mut StdRng::seed_from_u64(1);
        let mut chosen = vec![read(self.card.name, self.default.clone().into())];
        let mut seen = self.traits(&chosen[0]);
        loop {
            let tries: Vec<_> = (0..TRIES).map(|_| self.random(rng)).collect();
            let n_new = |config: &&MethodConfig| self.traits(config).difference(&seen).count();
            let best = tries.iter().max_by_key(n_new).expect("there are tries");
            if n_new(&best) == 0 {
                return chosen;
            }
            seen.extend(self.traits(best));
            chosen.push(best.clone());
        }
    }

    /// What tells a configuration from others: each choice by its name, each list and map by what
    /// is in it, each number only by whether it is the default.
    fn traits(&self, config: &MethodConfig) -> BTreeSet<String> {
        let Ok(Value::Object(settings)) = serde_json::to_value(config) else {
            panic!("settings are an object");
        };
        let of = |(field, value): (String, Value)| {
            let is_default = value == self.default[&field];
            match value {
                Value::Array(items) => items.iter().map(|x| format!("{field}: {x}")).collect(),
                Value::Object(items) => items.keys().map(|x| format!("{field}: {x}")).collect(),
                Value::Number(_) => vec![format!("{field}: default {is_default}")],
                value => vec![format!("{field}: {value}")],
            }
        };
        settings.into_iter().flat_map(of).collect()
    }

    fn valid(&self, settings: Settings) -> Option<MethodConfig> {
        let config = MethodConfig::read(self.card.name, Value::Object(settings))?.ok()?;
        let rng = &mut StdRng::seed_from_u64(0);
        let device = self.spec.embeddings.device();
        config.plan(self.spec).ok()?;
        config.init(self.spec, rng, &device).ok().map(|_| config)
    }
}

/// The default with one field changed.
fn read_with(card: &Card, field: &str, value: &Value) -> Result<MethodConfig, String> {
    let mut settings = defaults(card);
    settings.insert(field.to_owned(), value.clone());
    let read = MethodConfig::read(card.name, Value::Object(settings)).expect("the card's name");
    read.map_err(|error| error.to_string())
}

/// Values worth a try for a field, from the one that it has.
fn candidates(card: &Card, field: &str, default: &Value) -> Vec<Value> {
    let numbers = [3, 4].map(Value::from);
    match default {
        Value::Bool(_) => [true, false].map(Value::from).to_vec(),
        Value::Number(n) if n.is_u64() => numbers.to_vec(),
        Value::Number(n) => {
            let n = n.as_f64().unwrap_or(1.0);
            [0.0, 0.1, 0.4, 1.5 * n, 3.0].map(Value::from).to_vec()
        }
        Value::String(_) => names(card, field, |name| name),
        Value::Array(_) => {
            // Pairs of neighbours. Those of roles have the same widths, so what a method keeps is
            // known beforehand, whichever of its parts survive.
            let lists = names(card, field, |name| json!([name]));
            let items: Vec<Value> = lists.iter().map(|list| list[0].clone()).collect();
            let pairs = items.chunks(2).map(|pair| Value::Array(pair.to_vec()));
            lists.into_iter().chain(pairs).collect()
        }
        Value::Object(_) => {
            vec![json!({}), json!({"0.query": 2}), json!({"value": 3, "0.output": 5})]
        }
        // Nothing says what it takes: whatever can be read. A word is one of the tiny tokenizer.
        Value::Null => {
            let others = [json!("7 9"), json!([1]), json!({}), json!(true), Value::Null];
            numbers.into_iter().chain(others).collect()
        }
    }
}

/// The names that a field takes, in `form`, as the error for a wrong one lists them.
fn names(card: &Card, field: &str, form: fn(Value) -> Value) -> Vec<Value> {
    match read_with(card, field, &form("no such name".into())) {
        // Any text will do.
        Ok(_) => vec![form("7 9".into())],
        Err(error) => {
            let list = error.split_once("expected ").map_or("", |(_, list)| list);
            list.split('`').skip(1).step_by(2).map(|name| form(name.into())).collect()
        }
    }
}

#[test]
fn every_field_of_every_method_is_varied() {
    let spec = crate::subject::spec(&burn::tensor::Device::flex());
    for card in methods::CARDS {
        let configurations = Configurations::of(card, &spec);
        let chosen = configurations.covering();
        assert!(chosen.len() >= 2, "{}: {chosen:?}", card.name);
        for (field, default) in &configurations.default {
            let is_varied =
                |config: &MethodConfig| serde_json::to_value(config).unwrap()[field] != *default;
            assert!(chosen.iter().any(is_varied), "{}: '{field}' is always {default}", card.name);
        }
    }
}
