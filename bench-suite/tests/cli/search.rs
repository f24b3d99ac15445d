//! The search for a learning rate.

use std::{fs, rc::Rc};

use assets::{Store, StoreOptions};
use bench_suite::{
    arm::Arm,
    choice::{ModelChoice, TaskChoice},
    device::{Chosen, DeviceChoice, choose},
    loader::Loader,
    plan::RunPlan,
    run::execute,
    search::{SearchSettings, Trials, attempt},
    train::Unwatched,
    training::Training,
};
use datasets::FileTask;
use report::RunRecord;

use crate::desk::{Desk, Ran, TINY, files};

const SEARCH: &str = "--search rates=3 --search share=0.5 --training epochs=4";

fn searched(words: &str) -> Desk {
    let desk = Desk::new();
    desk.train(&format!("{SEARCH} {words} --results out")).ok();
    desk
}

#[test]
fn a_search_is_done_once_for_all_seeds_and_recorded_with_every_trial() {
    let desk = searched("--method lora --seeds 0,1");
    let records = desk.records("out");
    let search = records[0].search.clone().unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(records[1].search.as_ref(), Some(&search));
    assert_eq!(search.grid, [0.0013, 0.004, 0.012]);
    assert_eq!((search.setting.as_str(), search.seed), ("learning_rate", 1000));
    let trials = files(&desk.path("out/trials"));
    assert_eq!(trials.len(), 3);
    for (trial, rate) in search.trials.iter().zip(&search.grid) {
        assert_eq!(trial.learning_rate, *rate);
        assert_eq!(2 * trial.steps, records[0].cost.steps);
        assert_eq!(trial.curve.last().unwrap().step, trial.steps);
        assert!(trials.contains_key(format!("{}.json", trial.id).as_ref() as &std::path::Path));
    }
    let accuracy = |rate: f64| {
        let trial = search.trials.iter().find(|trial| trial.learning_rate == rate).unwrap();
        trial.best.unwrap().accuracy
    };
    assert!(search.grid.iter().all(|&rate| accuracy(rate) <= accuracy(search.chosen)));
    for record in &records {
        assert_eq!(record.training["learning_rate"], search.chosen);
    }
    let told = desk.run(&format!("show {} --results out", records[0].id)).ok().stdout;
    let line = told.lines().find(|line| line.ends_with(" chosen")).unwrap();
    assert!(line.trim_start().starts_with(&search.chosen.to_string()), "{told}");
}

#[test]
fn the_command_of_a_searched_run_names_the_rate_and_gives_the_same_run() {
    let desk = searched("--method lora");
    let record = desk.record("out");
    assert!(!record.command.contains("--search"), "{}", record.command);
    desk.rerun(&record, "again").ok();
    let again = desk.record("again");
    // The id of a searched run has the search's settings in it, that of the other the rate.
    let without =
        |record: &RunRecord| RunRecord { search: None, id: String::new(), ..record.outcome() };
    assert_eq!(again.search, None);
    assert_ne!(again.id, record.id);
    assert_eq!(without(&again), without(&record));
}

#[test]
fn a_search_gives_the_same_again_in_another_folder() {
    let desk = searched("--method p_tuning --seeds 3");
    desk.train(&format!("{SEARCH} --method p_tuning --seeds 3 --results again")).ok();
    assert_eq!(desk.outcomes("again"), desk.outcomes("out"));
}

#[test]
fn a_search_that_was_killed_goes_on_with_the_trials_that_are_missing() {
    let desk = searched("--method prefix_tuning");
    let record = desk.record("out");
    let path = |trial: &str| desk.path(&format!("out/trials/{trial}.json"));
    let trials = record.search.as_ref().unwrap().trials.clone();
    fs::remove_file(desk.record_path("out", "prefix_tuning")).unwrap();
    fs::remove_file(path(&trials[1].id)).unwrap();
    let kept = fs::read(path(&trials[0].id)).unwrap();
    desk.train(&format!("{SEARCH} --method prefix_tuning --results out")).ok();
    assert_eq!(desk.record("out").outcome(), record.outcome());
    // The time of a trial is never the same twice: this one was not run again.
    assert_eq!(fs::read(path(&trials[0].id)).unwrap(), kept);
    assert!(path(&trials[1].id).is_file());
}

#[test]
fn two_processes_in_one_folder_do_no_trial_twice() {
    let desk = Desk::new();
    desk.write_zoo("zoo.toml");
    let words =
        |results: &str| format!("run zoo.toml {TINY} {SEARCH} --seeds 0,1 --results {results}");
    let both = [desk.start(&words("shared")), desk.start(&words("shared"))];
    let both = both.map(|child| Ran::from(child.wait_with_output().unwrap()).ok());
    desk.run(&words("alone")).ok();
    assert_eq!(desk.outcomes("shared"), desk.outcomes("alone"));
    let trial = |line: &str| {
        let (arm, rate) = line.split_once("] ")?.1.split_once(" trial of rate ")?;
        Some((arm.to_owned(), rate.to_owned()))
    };
    let mut begun: Vec<_> =
        both.iter().flat_map(|ran| ran.stderr.lines().filter_map(trial)).collect();
    // Three rates of every arm but the majority class, which trains nothing.
    let n = 3 * (Arm::names().len() - 1);
    assert_eq!(begun.len(), n, "{begun:?}");
    begun.sort();
    begun.dedup();
    assert_eq!(begun.len(), n, "a trial was done twice");
}

#[test]
fn a_part_of_a_suite_has_all_runs_that_share_a_search() {
    let desk = Desk::new();
    let methods = ["lora", "head", "majority"].map(|name| format!("[[run]]\nmethod = '{name}'\n"));
    desk.write_suite("three.toml", &methods.concat());
    let part = |part: &str| {
        let words = format!("run three.toml {TINY} {SEARCH} --seeds 0,1 --shard {part}");
        desk.run(&format!("{words} --results {}", &part[..1])).ok();
        let records = desk.records(&part[..1]);
        let told = records.into_iter().map(|record| (record.method.name, record.seed));
        told.collect::<Vec<_>>()
    };
    let of = |name: &str, seed| (name.to_owned(), seed);
    // What is not searched is divided run by run.
    let mut first = part("0/2");
    first.sort();
    assert_eq!(first, [of("lora", 0), of("lora", 1), of("majority", 0)]);
    let mut second = part("1/2");
    second.sort();
    assert_eq!(second, [of("head", 0), of("head", 1), of("majority", 1)]);
}

#[test]
fn what_the_records_hold_needs_no_trial_again() {
    let desk = searched("--method lora --seeds 0");
    fs::remove_dir_all(desk.path("out/trials")).unwrap();
    let known = desk.record("out").search;
    desk.train(&format!("{SEARCH} --method lora --seeds 0,1 --results out")).ok();
    assert!(!desk.path("out/trials").exists());
    assert!(desk.records("out").iter().all(|record| record.search == known));
}

#[test]
fn a_rate_that_is_given_is_not_searched_and_one_seed_is_the_searchs_own() {
    let desk = searched("--method lora --training learning_rate=0.02");
    assert_eq!(desk.record("out").search, None);
    let words = format!("{SEARCH} --method lora --seeds 1000 --results out");
    desk.train(&words).refused(&["search.seed is 1000"]);
    desk.train("--method lora --search rates=1").refused(&["search.rates is 1"]);
    desk.train("--method lora --search rate=3").refused(&["--search rate=3", "`rate`"]);
}

fn store_and_device() -> (Store, Chosen) {
    let store = Store::open(StoreOptions { offline: true, ..Default::default() });
    (store.unwrap(), choose(DeviceChoice::Flex).unwrap())
}

/// A searched LoRA on the desk's model and table.
fn plan(desk: &Desk) -> RunPlan {
    RunPlan {
        task: TaskChoice::Files(FileTask { train: desk.path("mine.csv"), ..Default::default() }),
        model: ModelChoice { name: desk.path("model").display().to_string(), ..Default::default() },
        arm: Arm::named("lora").unwrap(),
        from: None,
        training: Training::default(),
        seed: 0,
        search: Some(SearchSettings { rates: 2, ..Default::default() }),
        transfer: vec![],
    }
}

#[test]
fn trials_never_look_at_the_test_rows_and_runs_look_once() {
    let desk = Desk::new();
    let (store, chosen) = store_and_device();
    let mut loader = Loader::new(&store, &chosen);
    let plan = plan(&desk);
    for name in Arm::names() {
        let plan = RunPlan { arm: Arm::named(name).unwrap(), ..plan.clone() };
        let model = loader.model(&plan.model).unwrap();
        let data = loader.data(&plan.task, &plan.model, &plan.training).unwrap();
        let before = data.n_test_looks();
        let trials = Trials::of(&plan);
        for (trial, &rate) in
            trials.iter().flat_map(|trials| trials.plans.iter().zip(trials.rates()))
        {
            attempt(trial, rate, &model, &data, &chosen, &mut Unwatched).unwrap();
        }
        assert_eq!(data.n_test_looks(), before, "{name}");
        execute(&plan.with_defaults(), &model, &data, &chosen, &mut Unwatched).unwrap();
        assert_eq!(data.n_test_looks(), before + 1, "{name}");
    }
}

#[test]
fn vectors_of_a_frozen_model_are_computed_once_and_change_no_outcome() {
    let desk = Desk::new();
    let (store, chosen) = store_and_device();
    let plan = RunPlan { arm: Arm::named("head").unwrap(), ..plan(&desk) }.with_defaults();
    let run = |loader: &mut Loader, seed| {
        let plan = RunPlan { seed, ..plan.clone() };
        let model = loader.model(&plan.model).unwrap();
        let data = loader.data(&plan.task, &plan.model, &plan.training).unwrap();
        let outcome = execute(&plan, &model, &data, &chosen, &mut Unwatched).unwrap();
        let features = data.features(|| panic!("they were not kept"));
        (outcome.record, features)
    };
    let loader = &mut Loader::new(&store, &chosen);
    let (_, features) = run(loader, 0);
    let (second, same) = run(loader, 1);
    assert!(Rc::ptr_eq(&features, &same) && features.seconds > 0.0);
    // Every run tells what they took, whoever computed them.
    assert!(second.cost.train_seconds > features.seconds);
    let (alone, others) = run(&mut Loader::new(&store, &chosen), 1);
    assert!(!Rc::ptr_eq(&features, &others));
    assert_eq!(alone.outcome(), second.outcome());
}

#[test]
fn other_test_rows_change_nothing_in_a_search() {
    let desk = Desk::new();
    desk.write("one.csv", "text,label\nfilm fine,pos\nfilm awful,neg\n");
    desk.write("other.csv", "text,label\nfilm fine,neg\nfilm awful,pos\nfilm dull,pos\n");
    let curves = |test: &str| {
        desk.train(&format!("{SEARCH} --method lora --test {test}.csv --results {test}")).ok();
        let search = desk.record(test).search.unwrap();
        let figures = search.trials.into_iter().map(|trial| (trial.best, trial.curve));
        (search.chosen, figures.collect::<Vec<_>>())
    };
    assert_eq!(curves("one"), curves("other"));
}
