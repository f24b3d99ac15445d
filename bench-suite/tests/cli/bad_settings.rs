//! Settings of methods and trainings that cannot be.

use crate::{
    desk::{Desk, TINY},
    tiny::{POSITIONS, WIDTH},
};

fn refuses(words: &str, parts: &[&str]) {
    Desk::new().refuses(&format!("run {TINY} {words}"), parts);
}

#[test]
fn a_rank_of_0_or_beyond_the_matrix_is_refused_with_the_range() {
    let range = format!("1 to {WIDTH}");
    let too_large = WIDTH + 1;
    refuses("--method lora --config rank=0", &["method 'lora': field 'rank' is 0", &range]);
    let parts = [&format!("field 'rank' is {too_large}"), range.as_str(), "0.query (16 × 16)"];
    refuses(&format!("--method lora --config rank={too_large}"), &parts);
    let desk = Desk::new();
    desk.refuses("explain lora --model model --config rank=0", &["field 'rank' is 0", &range]);
    refuses("--method adalora --config target_rank=0", &["field 'target_rank' is 0"]);
    refuses(
        &format!("--method adalora --config initial_rank={too_large}"),
        &["field 'initial_rank'"],
    );
}

#[test]
fn a_prompt_longer_than_the_positions_left_is_refused_with_the_room() {
    let one_too_many = POSITIONS - 128 + 1;
    for method in ["prompt_tuning", "p_tuning"] {
        let run = |tokens: usize| format!("--method {method} --config tokens={tokens}");
        let parts = [
            &format!("method '{method}': field 'tokens' is {one_too_many}"),
            "texts of up to 128 tokens",
            "160 positions leave room for 32",
            "--max-tokens",
        ];
        refuses(&run(one_too_many), &parts);
        refuses(&run(POSITIONS), &["field 'tokens' is 160", "160 positions"]);
        refuses(&run(0), &["field 'tokens' is 0"]);
        let desk = Desk::new();
        desk.train(&format!("{} --max-tokens 127 --results out", run(one_too_many))).ok();
    }
}

#[test]
fn texts_longer_than_the_positions_are_refused() {
    refuses(
        "--method head --max-tokens 161",
        &["max_tokens is 161", "160 positions", "--max-tokens"],
    );
    refuses("--method head --max-tokens 2", &["max_tokens = 2", "use 5 or more"]);
}

#[test]
fn a_role_or_layer_that_the_backbone_lacks_is_refused_with_those_it_has() {
    let parts = ["field 'roles' has 'gate'", "bert", "query, key, value, output, up, down"];
    refuses("--method lora --config roles=[\"gate\"]", &parts);
    refuses("--method lora --config roles=[\"quary\"]", &["quary", "`query`"]);
    refuses("--method lora --config layers=[2]", &["field 'layers' is 2", "0 to 1"]);
    let pattern = "--method lora --config rank_pattern={\"7.query\"=2}";
    refuses(pattern, &["field 'rank_pattern'", "7.query", "0.query"]);
}

#[test]
fn a_setting_that_cannot_be_read_is_named_with_its_flag() {
    refuses("--method lora --config rnk=4", &["--config rnk=4", "unknown field `rnk`", "`rank`"]);
    refuses("--method lora --config rank", &["--config rank", "KEY=VALUE"]);
    refuses("--method lora --config rank=2 --config rank=3", &["'rank' is given twice"]);
    let parts = ["--config rank=4 --config alpha=big", "alpha: ", "expected a number"];
    refuses("--method lora --config rank=4 --config alpha=big", &parts);
    refuses("--method lora --config rank=-1", &["rank: ", "`-1`", "expected a whole number"]);
    refuses("--method prompt_tuning --config init=random", &["`random`", "`vocabulary`"]);
}

#[test]
fn a_baseline_takes_no_settings() {
    refuses("--method head --config rank=4", &["'head' is a baseline and takes no --config"]);
    let desk = Desk::new();
    desk.refuses("explain full --config rank=4", &["'full' is a baseline and takes no --config"]);
}

#[test]
fn a_training_setting_out_of_range_is_refused_with_the_range() {
    for (setting, part) in [
        ("epochs=-1", "training.epochs is -1; it must be a number above 0"),
        ("epochs=nan", "training.epochs is NaN"),
        ("epochs=many", "expected a number"),
        ("epoch=1", "unknown field `epoch`"),
        ("batch_size=0", "training.batch_size is 0"),
        ("learning_rate=0", "training.learning_rate is 0"),
        ("warmup_share=2", "training.warmup_share is 2; it must be 0 to 1"),
        ("evaluations=0", "training.evaluations is 0"),
        ("patience=0", "training.patience is 0"),
        ("schedule=cos", "`cosine`"),
        ("train_rows=1", "2 classes"),
    ] {
        let flag = format!("--training {setting}");
        refuses(&format!("--method head {flag}"), &[part]);
    }
}

#[test]
fn a_pooler_that_the_model_lacks_is_refused_with_the_other_poolings() {
    refuses("--method head --pooling pooler", &["'pooling' is 'pooler'", "'mean' or 'cls'"]);
}

#[test]
fn a_mistake_in_the_last_run_of_a_suite_is_found_before_the_first_one_trains() {
    let desk = Desk::new();
    let run = "[[run]]\nmethod = \"lora\"\nconfig = { rank = 4 }\n";
    desk.write_suite("s.toml", &format!("{run}{}", run.replace('4', "400")));
    desk.refuses(&format!("run s.toml {TINY} --results out"), &["field 'rank' is 400"]);
    assert!(!desk.path("out").exists());
}
