//! What a trained method is worth on tasks that it was not trained on.

use crate::chart::heat::{Cell, Grid, Heat, Row};
use crate::chart::picture::Owner;
use crate::chart::{self, Chart};
use crate::format;
use crate::paired::{self, Duel, Entrant, block, duels};
use crate::record::{RunRecord, Transfer};
use crate::stats::Estimate;
use crate::summary::{Comparison, Configuration, HEAD_ONLY, Series};

/// Points of difference at which the colour is deepest.
const DEEPEST: f64 = 0.15;

fn on<'a>(run: &'a RunRecord, task: &str) -> Option<&'a Transfer> {
    run.transfer.iter().find(|transfer| transfer.task == task)
}

fn accuracy(configuration: &Configuration, task: &str) -> Option<Estimate> {
    configuration.estimate(|run| Some(on(run, task)?.accuracy))
}

/// The other tasks, in the order of the records.
fn tasks<'a>(comparison: &Comparison<'a>) -> Vec<&'a Transfer> {
    let mut tasks: Vec<&Transfer> = Vec::new();
    for transfer in comparison.runs().flat_map(|run| &run.transfer) {
        if tasks.iter().all(|known| known.task != transfer.task) {
            tasks.push(transfer);
        }
    }
    tasks
}

/// The best configuration of each series on its own validation split.
fn entrants<'c, 'a>(
    comparison: &'c Comparison<'a>,
) -> Vec<(&'c Series<'a>, &'c Configuration<'a>)> {
    let tested = |c: &Configuration| c.runs.iter().any(|run| !run.transfer.is_empty());
    let best = comparison.series.iter().filter_map(|series| Some((series, series.best()?)));
    best.filter(|(_, best)| tested(best)).collect()
}

fn correct<'a>(configuration: &Configuration<'a>, task: &str) -> Entrant<'a> {
    let runs = configuration.runs.iter().copied();
    runs.filter_map(|run| Some((block(run), &on(run, task)?.test_correct))).collect()
}

/// Each entrant against the head alone on one task; `None` for the head itself.
fn against_head(comparison: &Comparison, task: &Transfer) -> Vec<Option<Duel>> {
    let entrants = entrants(comparison);
    let head = entrants.iter().position(|(series, _)| series.baseline && series.name == HEAD_ONLY);
    let Some(head) = head else {
        return vec![None; entrants.len()];
    };
    let correct: Vec<_> = entrants.iter().map(|(_, c)| correct(c, &task.task)).collect();
    let untrained = |c: &Configuration| c.runs.iter().all(|run| run.cost.steps == 0);
    let asked: Vec<usize> =
        (0..entrants.len()).filter(|&i| i != head && !untrained(entrants[i].1)).collect();
    let pairs: Vec<_> = asked.iter().map(|&i| (i, head)).collect();
    let mut all = vec![None; entrants.len()];
    for (i, duel) in asked.into_iter().zip(duels(&correct, task.n_test, &pairs)) {
        all[i] = duel;
    }
    all
}

pub(crate) fn chart(comparison: &Comparison) -> Option<Chart> {
    let tasks = tasks(comparison);
    let entrants = entrants(comparison);
    if tasks.is_empty() || entrants.is_empty() {
        return None;
    }
    let names: Vec<String> = tasks.iter().map(|task| task.task.clone()).collect();
    let duels: Vec<Vec<Option<Duel>>> =
        tasks.iter().map(|task| against_head(comparison, task)).collect();
    let row = |i: usize, cells: Vec<Cell>| {
        let (series, configuration) = entrants[i];
        let owner = Some(Owner::of(series, configuration));
        Row { label: series.title.clone(), owner, cells }
    };
    let accuracies = entrants.iter().enumerate().map(|(i, (series, configuration))| {
        let own = configuration.test_accuracy().map_or(Cell::none(), |own| {
            let told = format::accuracy(&own);
            let tip = format!("{} on its own task: {told} %", series.title);
            Cell { text: format::percent(own.mean), level: 0.0, tip }
        });
        let others = names.iter().zip(&duels).map(|(task, duels)| {
            let Some(accuracy) = accuracy(configuration, task) else { return Cell::none() };
            let told = format!("{} on {task}: {} %", series.title, format::accuracy(&accuracy));
            let (level, against) = match duels[i] {
                Some(duel) => {
                    let level = if duel.is_shown() { duel.gain / DEEPEST } else { 0.0 };
                    (level, format!(", against the head alone {}", duel.words()))
                }
                None => (0.0, String::new()),
            };
            Cell { text: format::percent(accuracy.mean), level, tip: told + &against }
        });
        row(i, std::iter::once(own).chain(others).collect())
    });
    let losses = entrants.iter().enumerate().map(|(i, (series, configuration))| {
        let own = configuration.test_accuracy();
        let cells = names.iter().map(|task| {
            let Some((own, other)) = own.zip(accuracy(configuration, task)) else {
                return Cell::none();
            };
            let change = other.mean - own.mean;
            let text = paired::points(change);
            let tip = format!("{} on {task} against its own task: {text} points", series.title);
            Cell { text, level: (change / (2.0 * DEEPEST)).clamp(-1.0, 1.0), tip }
        });
        row(i, cells.collect())
    });
    let mut own_and_others = vec![format!("own: {}", comparison.task.name)];
    own_and_others.extend(names.iter().cloned());
    let heat = Heat {
        title: format!("Trained on {}, tested elsewhere without training", comparison.task.name),
        subtitle: chart::subtitle(comparison, None, "means"),
        key: "First map: blue is shown to be above the head alone, orange below it. Second: what \
              is lost on the way."
            .to_owned(),
        row_name: "Method",
        grids: vec![
            Grid {
                title: "Test accuracy, %".to_owned(),
                columns: own_and_others,
                rows: accuracies.collect(),
            },
            Grid {
                title: "Points against its own task".to_owned(),
                columns: names.clone(),
                rows: losses.collect(),
            },
        ],
    };
    chart::of_heat("transfer", "Accuracy on tasks that it was not trained on", &heat)
}

pub(crate) fn words(comparison: &Comparison) -> Vec<String> {
    let entrants = entrants(comparison);
    tasks(comparison)
        .into_iter()
        .filter_map(|task| {
            let means = entrants.iter().filter_map(|(series, c)| {
                Some((accuracy(c, &task.task)?.mean, series.title.as_str()))
            });
            let (best, title) = means.max_by(|a, b| a.0.total_cmp(&b.0))?;
            let duels = against_head(comparison, task);
            let (mut above, mut below) = (Vec::new(), Vec::new());
            for ((series, _), duel) in entrants.iter().zip(&duels) {
                match duel {
                    Some(duel) if duel.is_shown() && duel.gain > 0.0 => above.push(&series.title),
                    Some(duel) if duel.is_shown() => below.push(&series.title),
                    _ => {}
                }
            }
            let mut said = format!(
                "On {} ({}) the highest is {title} with {} %.",
                task.task,
                format::plural(task.n_test, "row"),
                format::percent(best)
            );
            if duels.iter().any(Option::is_some) {
                said += &match above.is_empty() {
                    true => " Nothing is shown to be better than the head alone.".to_owned(),
                    false => {
                        format!(
                            " Shown to be better than the head alone: {}.",
                            format::list(&above)
                        )
                    }
                };
            }
            if !below.is_empty() {
                said += &format!(" Shown to be worse than it: {}.", format::list(&below));
            }
            Some(said)
        })
        .collect()
}
