//! The laws of configurations: what can be read, what is refused and how, what it costs.

use std::collections::BTreeMap;

use backbones::{BackboneSpec, Role, tiny::tiny_bert};
use bench_suite::{arm::Arm, suite::Suite};
use burn::tensor::{Device, Tensor};
use methods::{CARDS, ConfigError, MethodConfig};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::subject::{Subject, read};

/// The errors of planning a method and of making it.
fn refusals(name: &str, settings: Value) -> [ConfigError; 2] {
    let subject = Subject::new(read(name, settings), &Device::flex());
    let rng = &mut StdRng::seed_from_u64(0);
    let planned = subject.config.plan(&subject.spec);
    let made = subject.config.init(&subject.spec, rng, &subject.device);
    match (planned, made) {
        (Err(planned), Err(made)) => [planned, made],
        (planned, made) => {
            panic!("{subject}: not refused: plan {}, init {}", planned.is_err(), made.is_err())
        }
    }
}

/// Asserts that planning and making a method are both refused with a text.
#[track_caller]
fn assert_refused(name: &str, settings: Value, text: &str) {
    for error in refusals(name, settings.clone()) {
        let error = error.to_string();
        assert!(error.contains(text), "{name} {settings}: '{error}' lacks '{text}'");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn names_are_unique_and_lead_to_their_own_card() {
    for card in CARDS {
        assert_eq!(CARDS.iter().filter(|other| other.name == card.name).count(), 1);
        assert_eq!(MethodConfig::named(card.name).unwrap().card(), *card);
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(card.file);
        assert!(file.is_file(), "{}: there is no {}", card.name, card.file);
    }
    assert!(MethodConfig::named("no_such_method").is_none());
    assert!(MethodConfig::read("no_such_method", json!({})).is_none());
}

#[test]
fn settings_survive_being_written_and_read() {
    for subject in Subject::all(&Device::flex()) {
        let written = serde_json::to_value(&subject.config).unwrap();
        assert_eq!(read(subject.config.card().name, written), subject.config);
    }
}

#[test]
fn settings_that_are_left_out_are_the_defaults() {
    for card in CARDS {
        assert_eq!(read(card.name, json!({})), MethodConfig::named(card.name).unwrap());
    }
}

#[test]
fn an_unknown_field_is_named() {
    for card in CARDS {
        let error = MethodConfig::read(card.name, json!({"rnak": 4})).unwrap().unwrap_err();
        assert!(error.to_string().contains("rnak"), "{}: {error}", card.name);
    }
}

#[test]
fn the_budget_is_a_field_and_bounded_on_both_sides() {
    for card in CARDS {
        let budget = MethodConfig::named(card.name).unwrap().budget();
        for bad in [0, 1_000_000] {
            let text = format!("'{}' is {bad}", budget.name);
            assert_refused(card.name, json!({budget.name: bad}), &text);
        }
        let settings = json!({budget.name: budget.value - 1});
        assert_eq!(read(card.name, settings).budget().value, budget.value - 1, "{}", card.name);
    }
}

#[test]
fn a_rank_beyond_the_matrix_is_refused_with_the_largest_that_fits() {
    assert_refused("lora", json!({"rank": 17}), "'rank' is 17; it must be 1 to 16 at 0.query");
    assert_refused("lora", json!({"rank_pattern": {"1.value": 0}}), "'rank' is 0");
    assert_refused("adalora", json!({"initial_rank": 17}), "'initial_rank' is 17");
    assert_refused("adalora", json!({"target_rank": 13}), "1 to initial_rank, which is 12");
}

#[test]
fn a_role_that_bert_lacks_is_refused_with_those_it_has() {
    for name in ["lora", "adalora"] {
        for error in refusals(name, json!({"roles": ["query", "gate"]})) {
            let known = "query, key, value, output, up, down".to_owned();
            let role = Role::Gate.to_string();
            assert_eq!(error, ConfigError::NoSuchRole { role, family: "bert", known });
        }
        assert_refused(name, json!({"roles": []}), "'roles' is []");
        assert_refused(name, json!({"layers": [0, 2]}), "'layers' is 2; it must be 0 to 1");
    }
}

#[test]
fn a_prompt_that_leaves_no_positions_is_refused_with_the_longest_that_fits() {
    for name in ["prompt_tuning", "p_tuning"] {
        assert_refused(name, json!({"tokens": 38}), "'tokens' is 38; it must be 1 to 37");
        let longest = Subject::new(read(name, json!({"tokens": 37})), &Device::flex());
        assert!(longest.config.plan(&longest.spec).is_ok());
    }
    let shifted = json!({"tokens": 38, "shift_positions": true});
    assert_refused("prefix_tuning", shifted, "'tokens' is 38; it must be 1 to 37");
    // A prefix takes no positions unless it is told to.
    let long = Subject::new(read("prefix_tuning", json!({"tokens": 100})), &Device::flex());
    assert!(long.config.plan(&long.spec).is_ok());
}

#[test]
fn numbers_without_sense_are_refused() {
    assert_refused("lora", json!({"alpha": 0}), "'alpha' is 0");
    assert_refused("lora", json!({"alpha": -1}), "'alpha' is -1");
    assert_refused("lora", json!({"dropout": 1}), "'dropout' is 1");
    assert_refused("lora", json!({"rank_pattern": {"9.query": 2}}), "matches none");
    assert_refused("lora", json!({"alpha_pattern": {"(": 2}}), "not a regular expression");
    assert_refused("adalora", json!({"interval": 0}), "'interval' is 0");
    assert_refused("adalora", json!({"orthogonality": -1}), "'orthogonality' is -1");
    let shares = json!({"warmup_share": 0.5, "final_share": 0.5});
    assert_refused("adalora", shares, "'final_share' is 0.5");
    assert_refused("p_tuning", json!({"hidden": 0}), "'hidden' is 0");
    assert_refused("prefix_tuning", json!({"init_std": -1}), "'init_std' is -1");
}

#[test]
fn a_text_for_a_prompt_must_go_with_its_start_and_have_known_words() {
    let refused = |settings, text| assert_refused_by_init("prompt_tuning", settings, text);
    refused(json!({"init": "text"}), "'text' is missing");
    refused(json!({"init": "text", "text": " "}), "'text' is empty");
    refused(json!({"text": "7"}), "init is not \"text\"");
    refused(json!({"init": "text", "text": "words"}), "no word that the tokenizer knows");
}

#[track_caller]
fn assert_refused_by_init(name: &str, settings: Value, text: &str) {
    let subject = Subject::new(read(name, settings), &Device::flex());
    let rng = &mut StdRng::seed_from_u64(0);
    let made = subject.config.init(&subject.spec, rng, &subject.device);
    let error = made.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains(text), "{subject}: '{error}' lacks '{text}'");
}

#[test]
fn what_another_configuration_stored_is_refused() {
    for subject in Subject::all(&Device::flex()) {
        let restore = |stored: &BTreeMap<String, Tensor<2>>| {
            subject.config.restore(&subject.spec, stored, &subject.device)
        };
        let error = restore(&BTreeMap::new()).unwrap_err().to_string();
        assert!(error.contains("is missing"), "{subject}: {error}");
        let mut stored: BTreeMap<_, _> = subject.fresh().stored().into_iter().collect();
        let first = stored.values_mut().next().unwrap();
        *first = Tensor::zeros([99, 98], &subject.device);
        let error = restore(&stored).unwrap_err().to_string();
        assert!(error.contains("has shape"), "{subject}: {error}");
        assert!(error.contains("belongs to another method or configuration"));
    }
}

#[test]
fn counts_on_minilm_are_the_published_ones() {
    let counts = |name, settings| {
        let plan = read(name, settings).plan(&minilm()).unwrap();
        (plan.trainable(), plan.stored)
    };
    // 6 layers · 2 maps · r · (384 + 384)
    assert_eq!(counts("lora", json!({"rank": 8})), (73_728, 73_728));
    assert_eq!(counts("prompt_tuning", json!({"tokens": 20})), (7_680, 7_680));
    // 20 · 2 · 6 · 384
    assert_eq!(counts("prefix_tuning", json!({"tokens": 20})), (92_160, 92_160));
    // 6 · 2 · r · (384 + 384 + 1), 12 in training, 8 kept
    assert_eq!(counts("adalora", json!({})), (110_736, 73_824));
    // 20 · 384 + 3 · (384² + 384), the prompt kept
    assert_eq!(counts("p_tuning", json!({"tokens": 20})), (451_200, 7_680));
}

#[test]
fn the_suite_where_compares_equal_numbers_of_parameters() {
    for run in Suite::find("where").unwrap().runs {
        let Arm::Peft(config) = &run.arm else {
            assert_eq!(run.arm.name(), "head");
            continue;
        };
        assert_eq!(config.plan(&minilm()).unwrap().trainable(), 207_360, "{config:?}");
    }
}

#[test]
fn the_suite_budget_ends_with_equal_ranks_for_both_methods() {
    let stored = |name: &str| {
        let runs = Suite::find("budget").unwrap().runs.into_iter();
        let of_method = runs.filter(|run| run.arm.name() == name && run.seed == 0);
        let rank = of_method.map(|run| run.arm.budget().unwrap().value);
        rank.collect::<Vec<_>>()
    };
    assert_eq!(stored("lora"), stored("adalora"));
    assert_eq!(stored("lora"), [1, 2, 4, 8]);
}

#[test]
fn the_suite_rank_has_each_pair_of_rank_and_alpha_once() {
    // Three times seven pairs, of which α = r and α = 2r each meet α = 16 once; three numbers of
    // rows; three seeds.
    assert_eq!(Suite::find("rank").unwrap().runs.len(), (21 - 2) * 3 * 3);
}

/// The shape of all-MiniLM-L6-v2.
fn minilm() -> BackboneSpec {
    BackboneSpec {
        family: "bert",
        n_layers: 6,
        d_model: 384,
        d_ff: 1536,
        n_heads: 12,
        n_kv_heads: 12,
        d_head: 32,
        n_positions: 512,
        roles: &[Role::Query, Role::Key, Role::Value, Role::Output, Role::Up, Role::Down],
        modules: tiny_bert(0, &Device::flex()).spec().modules,
        embeddings: Tensor::zeros([1, 384], &Device::flex()),
        tokenize: None,
    }
}
