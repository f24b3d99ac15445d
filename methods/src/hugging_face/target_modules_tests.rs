use super::*;
use backbones::tiny::tiny_bert;
use burn::tensor::Device;
use serde_json::json;

fn read(config: Value) -> Result<(String, Option<Vec<usize>>), String> {
    let spec = tiny_bert(0, &Device::flex()).spec();
    let adapter = Adapter { config: config.as_object().unwrap().clone(), ..Default::default() };
    let targets = Targets::read(&adapter, &spec).map_err(|error| error.to_string())?;
    let roles: Vec<&str> = targets.roles.iter().map(|role| role.name()).collect();
    assert_eq!(targets.sites.len(), roles.len() * targets.layers.as_ref().map_or(2, Vec::len));
    Ok((roles.join(" "), targets.layers))
}

#[test]
fn names_match_whole_or_at_their_end_after_a_dot() {
    let all = |roles: &str| Ok((roles.to_owned(), None));
    assert_eq!(read(json!({"target_modules": ["query", "value"]})), all("query value"));
    assert_eq!(read(json!({"target_modules": ["attention.output.dense"]})), all("output"));
    // The end of two names, as in the library.
    assert_eq!(read(json!({"target_modules": ["output.dense"]})), all("output down"));
    assert_eq!(
        read(json!({"target_modules": "all-linear"})),
        all("query key value output up down")
    );
    assert_eq!(read(json!({"target_modules": r".*\.(key|query)"})), all("query key"));
    let without = json!({"target_modules": ["dense"], "exclude_modules": ["intermediate.dense"]});
    assert_eq!(read(without), all("output down"));
}

#[test]
fn layers_are_chosen_by_number_or_by_whole_names() {
    let second = Ok(("key".to_owned(), Some(vec![1])));
    assert_eq!(read(json!({"target_modules": ["key"], "layers_to_transform": [1]})), second);
    assert_eq!(read(json!({"target_modules": ["key"], "layers_to_transform": 1})), second);
    let name = "bert.encoder.layer.1.attention.self.key";
    assert_eq!(read(json!({"target_modules": [name]})), second);
    assert_eq!(read(json!({"target_modules": [name], "layers_to_transform": [0]})), second);
}

#[test]
fn sites_that_settings_of_ours_cannot_say_are_refused() {
    let refused = |config: Value, part: &str| {
        let error = read(config).unwrap_err();
        assert!(error.contains(part), "no {part:?} in {error}");
    };
    refused(json!({"target_modules": ["c_attn"]}), "matches no linear map");
    refused(json!({"target_modules": null}), "field 'target_modules' is null");
    refused(json!({"target_modules": "("}), "'(', which cannot be read");
    refused(
        json!({"target_modules": ["key"], "layers_to_transform": [7]}),
        "matches no linear map",
    );
    let uneven = json!({"target_modules": ["0.attention.self.key", "1.attention.self.query"]});
    refused(uneven, "leaves out bert.encoder.layer.0.attention.self.query");
}

#[test]
fn the_first_pattern_that_matches_gives_the_value() {
    let patterns = json!({"0.attention.self.query": 1, "query": 2, r"layer\.\d+\.output.dense": 3});
    let found = |name: &str| {
        let value = by_pattern("rank_pattern", patterns.as_object().unwrap(), name).unwrap();
        value.and_then(Value::as_u64)
    };
    assert_eq!(found("bert.encoder.layer.0.attention.self.query"), Some(1));
    assert_eq!(found("bert.encoder.layer.10.attention.self.query"), Some(2));
    assert_eq!(found("bert.encoder.layer.1.output.dense"), Some(3));
    assert_eq!(found("bert.encoder.layer.1.attention.output.dense"), None);
    let broken = json!({"(": 1});
    let error = by_pattern("rank_pattern", broken.as_object().unwrap(), "x").unwrap_err();
    assert!(error.to_string().contains("'rank_pattern' has the pattern '('"), "{error}");
}
