//! Runs a suite into a results folder; what is recorded is not run again, and several processes
//! may share the folder and the work.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result};
use report::{Claim, Rendered, ResultsDir, RunRecord, SuiteInfo, record::Status, render};

use crate::{
    console::{Line, table_head, table_row},
    loader::Loader,
    plan::RunPlan,
    run::{check, execute},
    shard::Shard,
    suite::Suite,
    transfer,
    trials::{Known, Place},
};

/// What came of a suite.
pub struct SuiteRun {
    /// The paths of the report; `None` when the folder holds no record at all.
    pub rendered: Option<Rendered>,
    /// The records of the runs, in the suite's order.
    pub records: Vec<RunRecord>,
    /// How many of them this process made.
    pub n_done: usize,
    /// How many of them other processes made meanwhile.
    pub n_elsewhere: usize,
}

impl SuiteRun {
    /// Whether a run diverged.
    pub fn any_diverged(&self) -> bool {
        self.records.iter().any(|record| matches!(record.status, Status::Diverged { .. }))
    }

    /// How many of the runs were recorded before.
    pub fn n_known(&self) -> usize {
        self.records.len() - self.n_done - self.n_elsewhere
    }
}

/// How long to wait before looking again at runs that other processes do.
pub const PATIENCE: Duration = Duration::from_millis(300);

/// Does every run of a shard that is not recorded yet, then draws the report of the whole folder.
///
/// All runs of the suite are checked before the folder is made and the first run begins. A run
/// that another process is doing is left to it, and done here if that process ends without a
/// record; so the last one to end sees all. With `retrain` a recorded run whose tensors are not
/// there any more is done again. `show` gets the lines of a table as it grows.
///
/// # Errors
/// Whatever stops the whole: bad settings, files that cannot be read, a folder that cannot be
/// written. What is recorded stays.
pub fn run_suite(
    suite: &Suite,
    folder: &Path,
    shard: Shard,
    retrain: bool,
    loader: &mut Loader,
    show: &dyn Fn(&str),
) -> Result<SuiteRun> {
    ResultsDir::check(folder)?;
    let ids = checked_ids(&suite.runs, loader)?;
    let results = ResultsDir::open(folder)?;
    let title = title(suite, &ids, &results)?;
    let groups = groups(&suite.runs);
    let all = suite.runs.iter().zip(&ids).zip(&groups).filter(|(_, group)| shard.has(**group));
    let jobs: Vec<Job> = all
        .enumerate()
        .map(|(place, ((plan, id), _))| Job { plan, id, place, known: results.has(id, retrain) })
        .collect();
    let mut trials = Known::of(&results)?;
    show(&table_head());
    let mut done = BTreeSet::new();
    let mut n_elsewhere = 0;
    let mut records = BTreeMap::new();
    let mut left: Vec<&Job> = jobs.iter().collect();
    let mut has_told = false;
    while !left.is_empty() {
        let mut held = vec![];
        for &job in &left {
            let record = match results.claim_with(job.id, retrain)? {
                Claim::HeldBy(holder) => {
                    held.push((job, holder));
                    continue;
                }
                Claim::Recorded => {
                    n_elsewhere += usize::from(!job.known && !done.contains(job.id));
                    results.read(job.id)?
                }
                Claim::Mine(lock) => {
                    if !lock.excludes() && done.is_empty() {
                        eprintln!("{}", no_locks(folder));
                    }
                    let record = job.run(jobs.len(), &results, loader, &mut trials)?;
                    done.insert(job.id);
                    record
                }
            };
            show(&table_row(&record));
            records.insert(job.place, record);
        }
        if held.len() == left.len() {
            if !has_told {
                eprintln!("waiting for runs of other processes: {}", told(&held));
                has_told = true;
            }
            sleep(PATIENCE);
        }
        left = held.into_iter().map(|(job, _)| job).collect();
    }
    let rendered = match results.is_empty()? {
        true => None,
        false => Some(render(&results, &title)?),
    };
    let records = records.into_values().collect();
    Ok(SuiteRun { rendered, records, n_done: done.len(), n_elsewhere })
}

/// Keeps what is asked for in the folder; gives the title of its report. Single runs join what is
/// there.
fn title(suite: &Suite, ids: &[String], results: &ResultsDir) -> Result<String> {
    let is_single = suite.name.is_empty();
    if let Some(there) = results.suite()?.filter(|_| is_single) {
        return Ok(there.title);
    }
    let runs = if is_single { vec![] } else { ids.to_vec() };
    results.write_suite(&SuiteInfo { title: suite.title.clone(), runs })?;
    Ok(suite.title.clone())
}

/// Checks every plan; gives their ids.
fn checked_ids(plans: &[RunPlan], loader: &mut Loader) -> Result<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut ids = vec![];
    for plan in plans {
        let data = loader.data(&plan.task, &plan.model, &plan.training)?;
        let model = loader.model(&plan.model)?;
        check(plan, &model, &data).with_context(|| format!("method '{}'", plan.arm.name()))?;
        if seen.insert(data.info.fingerprint.clone()) {
            eprintln!("{}", data.summary);
        }
        for other in loader.others(plan)? {
            transfer::check(&data, &other)?;
        }
        ids.push(plan.id(&model, &data));
    }
    Ok(ids)
}

/// A number for each plan, by which a suite is divided: runs that share a search have one number,
/// so that a search is done in one part alone.
fn groups(plans: &[RunPlan]) -> Vec<usize> {
    let mut seen: Vec<&RunPlan> = vec![];
    let mut group = |plan| {
        let shares = |other: &&RunPlan| other.shares_search(plan);
        seen.iter().position(shares).unwrap_or_else(|| {
            seen.push(plan);
            seen.len() - 1
        })
    };
    plans.iter().map(&mut group).collect()
}

/// A run of the shard.
struct Job<'a> {
    plan: &'a RunPlan,
    id: &'a str,
    /// Its place among the shard's runs, from 0.
    place: usize,
    /// Whether it was recorded before.
    known: bool,
}

impl Job<'_> {
    /// Trains, keeps the tensors, then the record: where a record is, its tensors are.
    fn run(
        &self,
        n: usize,
        results: &ResultsDir,
        loader: &mut Loader,
        trials: &mut Known,
    ) -> Result<RunRecord> {
        let Self { plan, id, place, .. } = self;
        let model = loader.model(&plan.model)?;
        let data = loader.data(&plan.task, &plan.model, &plan.training)?;
        let place = Place { results, chosen: loader.chosen, number: place + 1, total: n };
        let (plan, search) = trials.find_rate(plan, &model, &data, &place)?;
        let mut line = Line::new(&label(&plan), place.number, n);
        let outcome = execute(&plan, &model, &data, loader.chosen, &mut line);
        line.clear();
        let mut outcome = outcome?;
        if let Some(trained) = &outcome.trained {
            outcome.record.counts.bytes_on_disk = trained.save(&results.trained_path(id))?;
            for other in loader.others(&plan)? {
                let device = &loader.chosen.device;
                outcome.record.transfer.push(transfer::transfer(trained, &model, &other, device));
            }
        }
        (*id).clone_into(&mut outcome.record.id);
        outcome.record.search = search;
        results.write(&outcome.record)?;
        Ok(outcome.record)
    }
}

fn no_locks(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "{folder}: this file system has no locks; another process in this folder would do the \
         same runs, unless they are divided with --shard"
    )
}

/// Which runs are done by whom.
fn told(held: &[(&Job, String)]) -> String {
    let runs = held.iter().map(|(job, holder)| format!("{} ({holder})", label(job.plan)));
    runs.collect::<Vec<_>>().join(", ")
}

/// A run's name in messages.
pub fn label(plan: &RunPlan) -> String {
    let budget = plan.arm.budget().map(|b| format!("{}={}", b.name, b.value));
    let words = [
        plan.arm.title().to_owned(),
        plan.arm.variant(),
        budget.unwrap_or_default(),
        format!("seed={}", plan.seed),
    ];
    let said = words.into_iter().filter(|word| !word.is_empty());
    said.collect::<Vec<_>>().join(" ")
}
