//! `advise`: which method, size and learning rate suit the user's rows.

use std::{path::PathBuf, process::ExitCode, time::Instant};

use anyhow::{Context, Result, bail};
use report::{ResultsDir, RunRecord, make_folder, render, write_atomic};

use super::{print_json, store};
use crate::{
    advise::{
        advice::{Advice, Comparison},
        candidates::{Candidate, arms},
        contest::Arena,
        field::{fit, measure},
        finale::{EVALUATIONS, Finale, last, note},
        folds::{fold, folds},
        schedule::{Deadline, FINALISTS},
        words::{markdown, recommendation},
    },
    arm::Arm,
    choice::ModelChoice,
    cli::{AdviseArgs, Common},
    data::SUBSET_SEED,
    device::choose,
    loader::Loader,
    names::unknown,
    plan::RunPlan,
    suite::default_task,
    training::Training,
};

/// Most passes over the training rows.
const MOST_EPOCHS: f64 = 20.0;
/// Rows that are evaluated to measure what an evaluation costs: enough for batches of several
/// lengths, as a whole split has.
const SAMPLE: usize = 256;
/// Rows of a fold that are evaluated, at most.
const HELD_OUT: usize = 1000;

pub fn advise(args: AdviseArgs, common: &Common) -> Result<ExitCode> {
    let started = Instant::now();
    let budget = args.budget.as_secs_f64();
    let end = Deadline::since(started, budget);
    for name in &args.methods {
        if !Arm::names().contains(&name.as_str()) {
            bail!("{}", unknown("method", name, &Arm::names(), "list methods"));
        }
    }
    let (methods, n_folds, train_rows) = (args.methods.clone(), args.folds, args.train_rows);
    let (base, folder) = question(args)?;
    ResultsDir::check(&folder)?;
    let (store, chosen) = (store(common)?, choose(common.device)?);
    eprintln!("device {} ({}): {}", chosen.name, chosen.hardware, chosen.reason);
    let mut loader = Loader::new(&store, &chosen);
    let data = loader.data(&base.task, &base.model, &base.training)?;
    let model = loader.model(&base.model)?;
    eprintln!("{}", data.summary);
    let mut task = base.task.read(&store)?;
    if let Some(n) = train_rows {
        task = task.limit_train(n, SUBSET_SEED);
    }
    let folds = folds(&task, n_folds, &base.training, &model.encoder)?;
    let few = Training { validation_rows: Some(SAMPLE), ..base.training.clone() };
    let arena = Arena {
        model: &model,
        folds: &folds,
        sample: &fold(&task, n_folds, 0, &few, &model.encoder)?,
        chosen: &chosen,
        end,
        last: last(&data, &folds[0]),
        most_epochs: MOST_EPOCHS,
    };
    let results = ResultsDir::open(&folder)?;

    let mut notes = vec![];
    let arms = arms(&methods, &base, &model, &data);
    let (arms, costs) = measure(arms, &base, &arena, budget, &mut notes)?;
    let field = fit(&arms, &base, &arena, &costs, &mut notes);
    let rounds = arena.hold(&field, &costs, |line| eprintln!("{line}"))?;
    let Some(deciding) = rounds.last() else {
        bail!(
            "a budget of {budget:.1} s is too small: no training ended within it; give more time \
             with --budget, or fewer candidates with --methods"
        );
    };
    let ranking = deciding.ranking();
    let winner = deciding.results[ranking[0]].clone();
    let against = |&place: &usize| Comparison::of(&winner, &deciding.results[place]);
    let comparisons = ranking[1..].iter().map(against).collect();

    let is_winner = |candidate: &&Candidate| {
        candidate.label() == winner.label && candidate.learning_rate == winner.learning_rate
    };
    let candidate = field.iter().find(is_winner).context("the winner is none of the candidates")?;
    eprintln!("training {} on all {} rows …", winner.label, data.info.n_train);
    let cost = costs[candidate.arm];
    let finale = Finale { winner: candidate, epochs: deciding.epochs, cost, end };
    let record = finale.hold(&model, &data, &chosen, &results)?;
    notes.extend(note(&record));

    let mut advice = Advice {
        task: data.info.name.clone(),
        n_train: data.info.n_train,
        n_test: data.info.n_test,
        folds: n_folds,
        budget_seconds: budget,
        spent_seconds: started.elapsed().as_secs_f64(),
        rule: rule(arms.len(), field.len(), n_folds, rounds.len()),
        notes,
        winner,
        comparisons,
        run: record.id.clone(),
        command: record.command.clone(),
        test_accuracy: record.scores.as_ref().map(|scores| scores.test_accuracy),
        bytes_on_disk: record.counts.bytes_on_disk,
        rounds,
        words: vec![],
    };
    advice.words = recommendation(&advice);
    let page = keep(&advice, &record, &results)?;
    render(&results, &format!("Advice for {}", advice.task))?;
    if common.json {
        print_json(&advice)?;
    } else {
        println!("{}\n\n{}", advice.words.join("\n"), page.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// What all candidates have in common, and the folder of the results.
fn question(args: AdviseArgs) -> Result<(RunPlan, PathBuf)> {
    let task = args.task.choice().unwrap_or_else(default_task);
    let folder = format!("results/advice-{}", task.name());
    let base = RunPlan {
        task,
        model: args.model.over(ModelChoice::default()),
        arm: Arm::named("head").map_err(anyhow::Error::msg)?,
        training: Training {
            batch_size: 16,
            evaluations: EVALUATIONS,
            train_rows: args.train_rows,
            validation_rows: Some(HELD_OUT),
            ..Training::default()
        },
        from: None,
        seed: 0,
        search: None,
        transfer: vec![],
    };
    Ok((base, args.results.unwrap_or_else(|| folder.into())))
}

/// Writes the advice beside the record of its run; gives the page for people.
fn keep(advice: &Advice, record: &RunRecord, results: &ResultsDir) -> Result<PathBuf> {
    let folder = results.path().join("advice");
    make_folder(&folder)?;
    let json = serde_json::to_string_pretty(advice)? + "\n";
    write_atomic(&folder.join("advice.json"), json.as_bytes())?;
    let page = folder.join("advice.md");
    let text = markdown(advice, record, &results.path().display().to_string());
    write_atomic(&page, text.as_bytes())?;
    Ok(page)
}

fn rule(n_arms: usize, n_candidates: usize, n_folds: usize, n_rounds: usize) -> String {
    let rates = match n_candidates > n_arms {
        true => "at learning rates a factor 3 apart",
        false => "each at its default learning rate",
    };
    format!(
        "{n_candidates} candidates ({n_arms} methods and sizes, {rates}) were trained on {} of \
         {n_folds} parts of the training rows and judged on the part held out; rounds: {n_rounds}, \
         each with fewer candidates, which train three times as long; the last {FINALISTS}, no two \
         of one method and size, are tried with every part held out in turn.",
        n_folds - 1,
    )
}
