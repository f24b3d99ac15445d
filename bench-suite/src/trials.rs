//! The trials of a search in a results folder: each is done once, whoever needs it.

use std::{collections::BTreeMap, thread::sleep};

use anyhow::Result;
use report::{
    Claim, ResultsDir,
    record::{Search, Trial},
};

use crate::{
    console::Line,
    data::Data,
    device::Chosen,
    model::Model,
    plan::RunPlan,
    search::{Trials, attempt},
    suite_run::{PATIENCE, label},
};

/// Trials that need not be done, by id.
pub struct Known(BTreeMap<String, Trial>);

/// Where trials are done, and for which run of how many.
pub struct Place<'a> {
    /// The folder that they are recorded in.
    pub results: &'a ResultsDir,
    /// Where to compute.
    pub chosen: &'a Chosen,
    /// The run, from 1.
    pub number: usize,
    /// All runs.
    pub total: usize,
}

impl Known {
    /// Every trial that the records of a folder tell of: a search that they hold needs no trial
    /// again, even if the trials' own files are gone.
    ///
    /// # Errors
    /// A record that cannot be read.
    pub fn of(results: &ResultsDir) -> Result<Self> {
        let searches = results.read_all()?.into_iter().filter_map(|record| record.search);
        let trials = searches.flat_map(|search| search.trials);
        Ok(Self(trials.map(|trial| (trial.id.clone(), trial)).collect()))
    }

    /// The plan with its learning rate, and how that was found. What is recorded is not tried
    /// again; what is tried is recorded at once. Processes that need the same trials divide them.
    ///
    /// # Errors
    /// A trial that cannot be run, read or written.
    pub fn find_rate(
        &mut self,
        plan: &RunPlan,
        model: &Model,
        data: &Data,
        place: &Place,
    ) -> Result<(RunPlan, Option<Search>)> {
        let Some(trials) = Trials::of(plan) else {
            return Ok((plan.clone(), None));
        };
        let ids: Vec<String> = trials.plans.iter().map(|trial| trial.id(model, data)).collect();
        let mut has_told = false;
        while ids.iter().any(|id| !self.0.contains_key(id)) {
            let mut holders = vec![];
            for ((trial, &rate), id) in trials.plans.iter().zip(trials.rates()).zip(&ids) {
                if self.0.contains_key(id) {
                    continue;
                }
                match place.trial(trial, rate, id, model, data)? {
                    Ok(trial) => drop(self.0.insert(id.clone(), trial)),
                    Err(holder) => holders.push(holder),
                }
            }
            if !holders.is_empty() {
                if !has_told {
                    eprintln!("waiting for trials of other processes: {}", holders.join(", "));
                    has_told = true;
                }
                sleep(PATIENCE);
            }
        }
        let search = trials.conclude(ids.iter().map(|id| self.0[id].clone()).collect());
        Ok((trials.final_plan(plan, &search), Some(search)))
    }
}

impl Place<'_> {
    /// The recorded trial, or a new one, or else the process that is doing it.
    fn trial(
        &self,
        plan: &RunPlan,
        rate: f64,
        id: &str,
        model: &Model,
        data: &Data,
    ) -> Result<Result<Trial, String>> {
        let _lock = match self.results.claim_trial(id)? {
            Claim::HeldBy(holder) => return Ok(Err(holder)),
            Claim::Recorded => return Ok(Ok(self.results.read_trial(id)?)),
            Claim::Mine(lock) => lock,
        };
        let name = format!("{} trial of rate {rate}", label(plan));
        let mut line = Line::new(&name, self.number, self.total);
        let trial = attempt(plan, rate, model, data, self.chosen, &mut line);
        line.clear();
        let trial = trial?;
        self.results.write_trial(&trial)?;
        Ok(Ok(trial))
    }
}
