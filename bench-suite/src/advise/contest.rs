//! Successive halving: many short trainings, fewer longer ones, the last ones cross-validated.

use std::time::Instant;

use anyhow::Result;
use report::record::{RowSet, Status};

use crate::{
    advise::{
        advice::{Entry, Round},
        candidates::Candidate,
        schedule::{
            Cost, Deadline, FEWEST_STEPS, FINALISTS, Final, Probe, Rung, rungs, steps_that_fit,
        },
    },
    data::Data,
    device::Chosen,
    model::Model,
    plan::RunPlan,
    run::train,
    train::{Trained, Watcher},
};

/// What trainings of the contest are done with.
pub struct Arena<'a> {
    /// The frozen model.
    pub model: &'a Model,
    /// The folds of the training rows.
    pub folds: &'a [Data],
    /// One of them with few held-out rows, to measure costs on.
    pub sample: &'a Data,
    /// Where to compute.
    pub chosen: &'a Chosen,
    /// When the final training has ended.
    pub end: Deadline,
    /// What the final training does.
    pub last: Final,
    /// Most passes over the rows.
    pub most_epochs: f64,
}

impl Arena<'_> {
    /// Steps of one pass over the training rows of a fold.
    pub fn steps_per_epoch(&self, plan: &RunPlan) -> f64 {
        self.folds[0].train.labels.len() as f64 / plan.training.batch_size as f64
    }

    fn held_out(&self) -> f64 {
        self.folds[0].validation.labels.len() as f64
    }

    fn train(
        &self,
        plan: &RunPlan,
        steps: f64,
        fold: &Data,
        watcher: &mut dyn Watcher,
    ) -> Result<Trained> {
        let mut plan = plan.clone();
        plan.training.epochs = steps.max(1.0) / self.steps_per_epoch(&plan);
        // One look, at the end: a choice among several would make it look better than it is.
        plan.training.evaluations = 1;
        Ok(train(&plan, self.model, fold, &self.chosen.device, watcher)?.trained)
    }

    /// Measures what a training of an arm costs.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn probe(&self, plan: &RunPlan) -> Result<Cost> {
        let mut probe = Probe::start();
        let trained = self.train(plan, 1e6, self.sample, &mut probe)?;
        let rows = self.sample.validation.labels.len();
        Ok(probe.cost(trained.train_seconds, trained.evaluation_seconds, rows))
    }

    /// Steps of the last round, such that what is still to do fits into the time that is left.
    pub fn steps(&self, rungs: &[Rung], field: &[&Candidate], costs: &[Cost]) -> f64 {
        let costs: Vec<Cost> = field.iter().map(|candidate| costs[candidate.arm]).collect();
        let steps = steps_that_fit(rungs, &costs, self.held_out(), self.last, self.end.left());
        let per_epoch = field.first().map_or(1.0, |c| self.steps_per_epoch(&c.plan));
        // However few the rows, the shortest trainings of the contest must tell something.
        steps.min((self.most_epochs * per_epoch).max(9.0 * FEWEST_STEPS)).max(1.0)
    }

    /// Holds the contest. Whatever does not end in time is left out; what is decided by then
    /// counts.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn hold(
        &self,
        candidates: &[Candidate],
        costs: &[Cost],
        mut tell: impl FnMut(&str),
    ) -> Result<Vec<Round>> {
        let rungs = rungs(candidates.len(), self.folds.len());
        let mut field: Vec<&Candidate> = candidates.iter().collect();
        let mut rounds: Vec<Round> = vec![];
        for (i, rung) in rungs.iter().enumerate() {
            field.truncate(rung.n);
            let steps = self.steps(&rungs[i..], &field, costs);
            let highest = Cost::highest(&field.iter().map(|c| costs[c.arm]).collect::<Vec<_>>());
            let reserve = 1.2 * highest.seconds(steps * self.last.factor, self.last.rows);
            // A cost that was measured too high must not keep everybody from taking part.
            let cutoff = self.end.earlier_by(reserve.min(0.5 * self.end.left()));
            let steps = (steps * rung.share).round().max(1.0);
            let (round, is_over) =
                self.round(&field, steps, rung.folds, cutoff, costs, &mut tell)?;
            if round.ranking().is_empty() {
                break;
            }
            let ranking = round.ranking();
            let ranked = ranking.iter().map(|&place| field[place]).collect();
            rounds.push(round);
            field = ranked;
            if is_over {
                break;
            }
            // Of the last ones no two are of one arm: a comparison of arms is what is asked for.
            if rungs.get(i + 1).is_some_and(|next| next.share == 1.0) {
                let mut seen = vec![];
                field.retain(|candidate| {
                    let is_new = !seen.contains(&candidate.arm);
                    seen.push(candidate.arm);
                    is_new
                });
                field.truncate(FINALISTS);
            }
        }
        Ok(rounds)
    }

    /// One round. The second value says that time ran out.
    fn round(
        &self,
        field: &[&Candidate],
        steps: f64,
        n_folds: usize,
        cutoff: Deadline,
        costs: &[Cost],
        tell: &mut impl FnMut(&str),
    ) -> Result<(Round, bool)> {
        let epochs = field.first().map_or(0.0, |c| steps / self.steps_per_epoch(&c.plan));
        let mut round = Round { steps: steps as usize, epochs, folds: n_folds, results: vec![] };
        round.results = field.iter().map(|candidate| Entry::new(candidate, self.model)).collect();
        for (fold_number, fold) in self.folds[..n_folds].iter().enumerate() {
            for (place, candidate) in field.iter().enumerate() {
                let expected = costs[candidate.arm].seconds(steps, self.held_out());
                let mut watcher = cutoff;
                let is_first = fold_number == 0 && place == 0;
                // The first one is tried even where it seems too long, unless time is up.
                let is_up = cutoff.left() == 0.0;
                if is_up || expected > cutoff.left() && !is_first {
                    return Ok((round, true));
                }
                let started = Instant::now();
                let trained = self.train(&candidate.plan, steps, fold, &mut watcher)?;
                if watcher.is_over() && matches!(trained.status, Status::StoppedEarly { .. }) {
                    return Ok((round, true));
                }
                let entry = &mut round.results[place];
                entry.seconds += started.elapsed().as_secs_f64();
                entry.add(&trained);
                tell(&format!(
                    "{} rate {}: {} of {} held-out rows right after {} steps",
                    entry.label,
                    entry.learning_rate,
                    entry.n_right(),
                    entry.n_rows(),
                    steps
                ));
            }
        }
        Ok((round, false))
    }
}

impl Entry {
    /// Adds what a training gave on its held-out fold.
    fn add(&mut self, trained: &Trained) {
        match &trained.best {
            None => self.diverged += 1,
            Some(best) => {
                let figures = &best.validation;
                self.accuracies.push(figures.accuracy);
                self.losses.push(figures.loss);
                self.correct.push(RowSet::of(&figures.correct));
                self.rows.push(figures.correct.len());
            }
        }
    }
}
