use super::*;
use crate::search::Trials;

fn suite(text: &str) -> Suite {
    parse("s", Path::new("s.toml"), &format!("title = 'T'\n{text}")).unwrap()
}

fn error(text: &str) -> String {
    let text = format!("title = \"T\"\n{text}");
    format!("{:#}", parse("s", Path::new("s.toml"), &text).unwrap_err())
}

/// Rank and alpha of every run, which must be LoRA.
fn ranks(suite: &Suite) -> Vec<(u64, f64)> {
    let read = |run: &RunPlan| {
        let config = serde_json::to_value(&run.arm).unwrap();
        (config["rank"].as_u64().unwrap(), config["alpha"].as_f64().unwrap())
    };
    suite.runs.iter().map(read).collect()
}

#[test]
fn a_run_overrides_the_suite_and_the_suite_the_defaults() {
    let suite = suite(
        "training = { epochs = 2 }\nseeds = [1, 2]\n\
         [[run]]\nmethod = 'lora'\nconfig = { rank = 4 }\ntraining = { batch_size = 8 }\n",
    );
    assert_eq!(suite.runs.iter().map(|run| run.seed).collect::<Vec<_>>(), [1, 2]);
    let run = &suite.runs[0];
    assert_eq!((run.training.epochs, run.training.batch_size), (2.0, 8));
    assert_eq!(run.arm.budget().unwrap().value, 4);
}

#[test]
fn a_grid_gives_every_combination_and_a_list_only_its_own() {
    let grid = suite("[[run]]\nmethod = 'lora'\ngrid = { rank = [1, 2], alpha = [4, 8] }\n");
    assert_eq!(ranks(&grid), [(1, 4.0), (2, 4.0), (1, 8.0), (2, 8.0)]);
    let list = suite(
        "[[run]]\nmethod = 'lora'\nconfig = { alpha = 3 }\n\
         configs = [{ rank = 1 }, { rank = 2, alpha = 4 }]\n",
    );
    assert_eq!(ranks(&list), [(1, 3.0), (2, 4.0)]);
}

#[test]
fn a_run_that_is_asked_for_twice_is_there_once() {
    // α = r and α fixed at 16 meet at r = 16; the default rate is the same as none.
    let suite = suite(
        "[[run]]\nmethod = 'lora'\ngrid = { rank = [8, 16] }\n\
         [[run]]\nmethod = 'lora'\nconfig = { rank = 16, alpha = 16 }\n\
         training = { learning_rate = 0.004 }\n",
    );
    assert_eq!(ranks(&suite), [(8, 16.0), (16, 16.0)]);
}

#[test]
fn tasks_and_trainings_multiply_the_runs() {
    let suite = suite(
        "tasks = ['movie', 'domain']\ntrainings = [{ train_rows = 64, epochs = 8 }, {}]\n\
         transfer = ['amazon']\n[search]\nrates = 3\n\
         [[run]]\nmethod = 'lora'\n[[run]]\nmethod = 'majority'\n",
    );
    let told: Vec<_> = suite
        .runs
        .iter()
        .map(|run| {
            (run.task.name(), run.training.train_rows, run.arm.name(), Trials::of(run).is_some())
        })
        .collect();
    assert_eq!(told.len(), 8);
    assert_eq!(told[0], ("movie".to_owned(), Some(64), "lora", true));
    assert_eq!(told[3], ("movie".to_owned(), None, "majority", false));
    assert_eq!(told[4].0, "domain");
    assert_eq!(suite.runs[0].transfer, [TaskChoice::Named("amazon".to_owned())]);
}

#[test]
fn lists_are_multiplied_and_counted_before_anything_is_planned() {
    let ranks = vec!["1"; 100].join(",");
    let run =
        format!("[[run]]\nmethod = 'lora'\ngrid = {{ rank = [{ranks}], alpha = [{ranks}] }}\n");
    assert!(error(&run.repeat(2)).contains("asks for 20000 runs; a suite has at most 10000"));
    let both = format!("tasks = ['movie', 'domain']\n{run}");
    assert!(error(&both).contains("asks for 20000 runs"));
}

#[test]
fn mistakes_are_told_with_file_and_line() {
    for (text, told) in [
        ("[[run]]\nmethod = 'lorra'", "s.toml, line 3: unknown method 'lorra'"),
        (
            "[[run]]\nmethod = 'lora'\n[run.config]\nalpha = 4\nrnk = 3",
            "s.toml, line 6: unknown field `rnk`",
        ),
        (
            "[[run]]\nmethod = 'lora'\nconfig = { alpha = 4 }\ngrid = { rnk = [3] }",
            "s.toml, line 5: unknown field `rnk`",
        ),
        ("colour = 3\n[[run]]\nmethod = 'lora'", "s.toml, line 2: unknown field `colour`"),
        ("[[run]]\nmethod = 'head'\nconfig = { rank = 3 }", "s.toml, line 4: 'head' is a baseline"),
        ("[[run]\nmethod = 'lora'", "s.toml, line 2"),
        ("training = { epochs = -1 }\n[[run]]\nmethod = 'lora'", "training.epochs is -1"),
        ("[search]\nrates = 1\n[[run]]\nmethod = 'lora'", "line 2: search.rates is 1"),
        ("[search]\nrate = 3\n[[run]]\nmethod = 'lora'", "unknown field `rate`"),
        ("task = 'a'\ntasks = ['b']\n[[run]]\nmethod = 'lora'", "'task' and 'tasks' are both"),
    ] {
        let error = error(text);
        assert!(error.starts_with("s.toml, line") && error.contains(told), "{error}");
    }
}
