//! `run`: a suite, or one method.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Result, bail};
use report::format::plural;

use super::{arm, find::find_anywhere, print_json, store};
use crate::{
    arm::{Arm, Baseline},
    choice::{ModelChoice, TaskChoice},
    cli::{Common, RunArgs},
    device::choose,
    finished,
    loader::Loader,
    plan::{Parent, RunPlan},
    settings::overlay_flags,
    shard::Shard,
    suite::{DEFAULT_SUITE, Suite, default_task},
    suite_file::once,
    suite_run::{SuiteRun, run_suite},
    training::Training,
};

/// The exit code of a run that diverged.
const DIVERGED: u8 = 3;

pub fn run(args: RunArgs, common: &Common) -> Result<ExitCode> {
    let shard = args.shard.unwrap_or(Shard::WHOLE);
    let retrain = args.retrain;
    let (suite, folder) = planned(args)?;
    let store = store(common)?;
    let chosen = choose(common.device)?;
    eprintln!("device {} ({}): {}", chosen.name, chosen.hardware, chosen.reason);
    let mut loader = Loader::new(&store, &chosen);
    let show = |line: &str| {
        if !common.json {
            println!("{line}")
        }
    };
    let done = run_suite(&suite, &folder, shard, retrain, &mut loader, &show)?;
    if common.json {
        print_json(&done.records)?;
    } else {
        print_end(&done, &suite, shard);
    }
    Ok(if done.any_diverged() { ExitCode::from(DIVERGED) } else { ExitCode::SUCCESS })
}

/// What was done, and where the report is.
fn print_end(done: &SuiteRun, suite: &Suite, shard: Shard) {
    let runs = plural(done.records.len(), "run");
    let part = match shard == Shard::WHOLE {
        true => String::new(),
        false => format!(" of the suite's {} in part {shard}", suite.runs.len()),
    };
    let elsewhere = match done.n_elsewhere {
        0 => String::new(),
        n => format!(", {n} done by other processes meanwhile"),
    };
    print!("\n{runs}{part}, {} recorded before{elsewhere}.", done.n_known());
    let Some(rendered) = &done.rendered else {
        println!(" There is nothing to report yet.");
        return;
    };
    println!(" The report:");
    println!("  {}", rendered.html.display());
    println!("  {}", rendered.markdown.display());
    for chart in &rendered.charts {
        println!("  {}", chart.display());
    }
}

/// The runs that the flags ask for, and the folder of their results.
fn planned(args: RunArgs) -> Result<(Suite, PathBuf)> {
    let data = args.task.data.clone();
    let is_named = args.task.task.is_some();
    let task = args.task.choice();
    let mut suite = match (&args.method, &args.from) {
        (Some(method), _) => single(ModelChoice::default(), arm(method, &args.config)?, None),
        (None, Some(parent)) => continued(parent, args.results.as_deref())?,
        (None, None) => Suite::find(args.suite.as_deref().unwrap_or(DEFAULT_SUITE))?,
    };
    for run in &mut suite.runs {
        run.model = args.model.over(run.model.clone());
        run.training = overlay_flags(&run.training, "--training", &args.training)?;
        run.training.check().map_err(anyhow::Error::msg)?;
        if !args.search.is_empty() {
            let base = run.search.clone().unwrap_or_default();
            let search = overlay_flags(&base, "--search", &args.search)?;
            search.check().map_err(anyhow::Error::msg)?;
            run.search = Some(search);
        }
        if !args.transfer.is_empty() {
            run.transfer = args.transfer.iter().cloned().map(TaskChoice::Named).collect();
        }
    }
    if !args.seeds.is_empty() {
        suite.runs = with_seeds(&suite.runs, &args.seeds);
    }
    if let Some(run) = suite
        .runs
        .iter()
        .find(|run| run.search.as_ref().is_some_and(|search| search.seed == run.seed))
    {
        bail!("search.seed is {}, which is a run's seed too; give the search another", run.seed);
    }
    let mut name = if suite.name.is_empty() { "runs".to_owned() } else { suite.name.clone() };
    if let Some(task) = task {
        let called = task.name();
        name = format!("{name}-{called}");
        suite.title = format!("PEFT methods on {called}");
        suite.runs.iter_mut().for_each(|run| run.task = task.clone());
    }
    if let Some(folder) = data {
        for run in &mut suite.runs {
            run.task.within(&folder);
            run.transfer.iter_mut().for_each(|task| task.within(&folder));
        }
    } else if !is_named {
        leave_out_local_sets(&mut suite.runs);
    }
    suite.runs = once(suite.runs.into_iter().map(RunPlan::with_defaults));
    Ok((suite, args.results.unwrap_or_else(|| PathBuf::from("results").join(name))))
}

fn single(model: ModelChoice, arm: Arm, from: Option<Parent>) -> Suite {
    let (task, training) = (default_task(), Training::default());
    let run = RunPlan { task, model, arm, from, training, seed: 0, search: None, transfer: vec![] };
    Suite { name: String::new(), title: "Single runs".to_owned(), runs: vec![run] }
}

/// A run that goes on from a recorded one.
fn continued(id: &str, results: Option<&Path>) -> Result<Suite> {
    let (results, record) = find_anywhere(id, results)?;
    let (model, arm) = (finished::model_choice(&record)?, finished::arm(&record)?);
    if arm == Arm::Baseline(Baseline::Majority) {
        bail!("run {} trained nothing; --from takes a run that did", record.id);
    }
    let tensors = finished::tensors_of(&results, &record)?;
    Ok(single(model, arm, Some(Parent { record, tensors })))
}

/// Leaves out the runs on sets that are not fetched, unless nothing would be left.
fn leave_out_local_sets(runs: &mut Vec<RunPlan>) {
    if runs.iter().all(|run| run.task.lacks_folder()) {
        return;
    }
    let left_out: Vec<RunPlan> = runs.extract_if(.., |run| run.task.lacks_folder()).collect();
    let names: BTreeSet<String> = left_out.iter().map(|run| run.task.name()).collect();
    for name in names {
        let n = left_out.iter().filter(|run| run.task.name() == name).count();
        eprintln!(
            "{name} is read from local files: its {n} runs are left out; say where it is with \
             --data FOLDER"
        );
    }
}

/// Every distinct run of a suite, once for each seed.
fn with_seeds(runs: &[RunPlan], seeds: &[u64]) -> Vec<RunPlan> {
    let seeded =
        runs.iter().flat_map(|run| seeds.iter().map(move |&seed| RunPlan { seed, ..run.clone() }));
    once(seeded)
}
