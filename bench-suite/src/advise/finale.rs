//! The winner, trained on all training rows and tested.

use anyhow::{Result, bail};
use report::{Claim, ResultsDir, RunRecord, record::Status};

use crate::{
    advise::{
        candidates::Candidate,
        schedule::{Cost, Deadline, Final},
    },
    data::Data,
    device::Chosen,
    model::Model,
    plan::RunPlan,
    run::{Outcome, execute},
};

/// Looks of the final training at the validation rows.
pub const EVALUATIONS: usize = 4;

/// The final training, before it is run.
pub struct Finale<'a> {
    /// What won.
    pub winner: &'a Candidate,
    /// Passes over the rows that won.
    pub epochs: f64,
    /// What the winner costs.
    pub cost: Cost,
    /// When it must be over.
    pub end: Deadline,
}

impl Finale<'_> {
    /// Trains on all training rows, reads the test rows once, and records the run with its
    /// tensors. A run that is recorded already is not done again.
    ///
    /// # Errors
    /// What cannot be trained, read or written.
    pub fn hold(
        &self,
        model: &Model,
        data: &Data,
        chosen: &Chosen,
        results: &ResultsDir,
    ) -> Result<RunRecord> {
        let plan = self.plan(data);
        let id = plan.id(model, data);
        match results.claim(&id)? {
            Claim::Recorded => Ok(results.read(&id)?),
            Claim::HeldBy(holder) => bail!("run {id} is being done by {holder}; try again later"),
            Claim::Mine(_lock) => {
                // Time for the test rows.
                let reserve = 1.2 * self.cost.row * data.info.n_test as f64;
                let mut cutoff = self.end.earlier_by(reserve + 0.01 * self.end.left());
                let outcome = execute(&plan, model, data, chosen, &mut cutoff)?;
                let Outcome { mut record, trained } = outcome;
                if let Some(trained) = &trained {
                    record.counts.bytes_on_disk = trained.save(&results.trained_path(&id))?;
                }
                results.write(&record)?;
                Ok(record)
            }
        }
    }

    /// The winner's training on all rows: as many passes as decided, or as many as fit.
    fn plan(&self, data: &Data) -> RunPlan {
        let mut plan = self.winner.plan.clone();
        let per_epoch = data.train.labels.len() as f64 / plan.training.batch_size as f64;
        let rows = EVALUATIONS * data.validation.labels.len() + data.info.n_test;
        let left = 0.85 * self.end.left() - self.cost.seconds(0.0, rows as f64);
        let fit = (left / (self.cost.step * per_epoch).max(1e-9)).max(1.0 / per_epoch);
        // To two decimals, so that the command in the record is easy to read.
        plan.training.epochs = (100.0 * self.epochs.min(fit)).ceil() / 100.0;
        plan.training.evaluations = EVALUATIONS;
        plan.seed = 0;
        plan
    }
}

/// A note where the clock ended a final training, which its command would not do.
pub fn note(record: &RunRecord) -> Option<String> {
    matches!(record.status, Status::StoppedEarly { .. }).then(|| {
        "The final training was ended by the clock; the command below trains longer.".to_owned()
    })
}

/// What the final training does beside its steps on the rows of a fold.
pub fn last(data: &Data, fold: &Data) -> Final {
    let factor = data.train.labels.len() as f64 / fold.train.labels.len().max(1) as f64;
    let rows = EVALUATIONS * data.validation.labels.len() + data.info.n_test;
    Final { factor, rows: rows as f64 }
}
