//! A process that has loaded one job and does a round of it whenever a line asks for one.
//!
//! Lines out: `first step` when the first step is done, `ready` at the end of that round, which
//! warms it up, then one JSON object for each request. Lines in: the names of requests. The process
//! ends with its input.

use std::{io::Write, rc::Rc, time::Instant};

use anyhow::{Context, Result, bail};
use burn::module::Module;
use rand::{SeedableRng, rngs::StdRng};

use super::{
    job::Job,
    rounds::{Request, Round},
    stopwatch::{AtStep, Stopwatch, wait},
};
use crate::{
    data::Data,
    device::Chosen,
    loader::Loader,
    memory::peak_bytes,
    model::Model,
    plan::RunPlan,
    train::{Trained, Trainer, Watcher},
    trainable::Trainable,
};

/// One job, loaded.
pub struct Worker<'a> {
    plan: RunPlan,
    model: Rc<Model>,
    data: Data,
    chosen: &'a Chosen,
}

impl<'a> Worker<'a> {
    /// Loads what a run of the job would load.
    ///
    /// # Errors
    /// As [`Loader`] and [`Job::check`].
    pub fn load(job: &Job, loader: &mut Loader, chosen: &'a Chosen) -> Result<Self> {
        let plan = job.plan();
        let task = loader.data(&plan.task, &plan.model, &plan.training)?;
        let model = loader.model(&plan.model)?;
        job.check(&model, &task).with_context(|| format!("method '{}'", plan.arm.name()))?;
        Ok(Self { plan, model, data: job.data(&task), chosen })
    }

    /// The model of the job.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Steps of a round.
    pub fn n_steps(&self) -> usize {
        self.plan.training.n_steps(self.data.train.labels.len())
    }

    /// A training from scratch.
    ///
    /// # Errors
    /// As the method's own check, or a loss that is no number.
    pub fn train(&self, watcher: &mut dyn Watcher) -> Result<Trained> {
        let trainable = self.trainable()?;
        // A round does all of a training's work, whatever the rounds before have done.
        self.data.forget_features();
        let trained = self.trainer().train(trainable, watcher);
        if trained.steps != self.n_steps() {
            bail!("method '{}' diverged at step {}", self.plan.arm.name(), trained.steps);
        }
        Ok(trained)
    }

    /// Answers one request.
    ///
    /// # Errors
    /// As [`Self::train`].
    pub fn round(&self, request: Request) -> Result<Round> {
        let device = &self.chosen.device;
        let mut phases = None;
        let (seconds, rows) = match request {
            Request::Train => {
                let mut to_the_end = AtStep::new(device, self.n_steps(), || ());
                (self.train(&mut to_the_end)?.train_seconds, &self.data.train)
            }
            Request::Phases => {
                let mut stopwatch = Stopwatch::new(device);
                let trained = self.train(&mut stopwatch)?;
                phases = Some(stopwatch.phases);
                (trained.train_seconds, &self.data.train)
            }
            Request::Evaluate => {
                let (frozen, test) = (self.trainable()?.valid(), self.data.test());
                wait(device);
                let clock = Instant::now();
                self.trainer().evaluate(&frozen, test, &None);
                (clock.elapsed().as_secs_f64(), test)
            }
        };
        let steps = if request == Request::Evaluate { 0 } else { self.n_steps() };
        Ok(Round { seconds, steps, tokens: rows.n_tokens(), peak_bytes: peak_bytes(), phases })
    }

    /// Answers requests until there are no more.
    ///
    /// # Errors
    /// As [`Self::round`], or a line that is no request.
    pub fn serve(&self) -> Result<()> {
        self.train(&mut AtStep::new(&self.chosen.device, 1, || say("first step")))?;
        say("ready");
        for line in std::io::stdin().lines() {
            let line = line?;
            let request = Request::ALL.into_iter().find(|request| request.name() == line);
            let request = request.with_context(|| format!("'{line}' is no request"))?;
            say(&serde_json::to_string(&self.round(request)?)?);
        }
        Ok(())
    }

    fn trainable(&self) -> Result<Trainable> {
        let RunPlan { arm, seed, .. } = &self.plan;
        self.chosen.device.seed(*seed);
        let rng = &mut StdRng::seed_from_u64(*seed);
        let device = self.chosen.device.clone().autodiff();
        Trainable::init(arm, &self.model, self.data.info.classes.len(), rng, &device)
    }

    fn trainer(&self) -> Trainer<'_> {
        let RunPlan { training, seed, .. } = &self.plan;
        Trainer {
            model: &self.model,
            data: &self.data,
            training,
            peak_rate: training.learning_rate.unwrap_or_default(),
            seed: *seed,
            device: &self.chosen.device,
        }
    }
}

/// A line for who listens, at once.
fn say(line: &str) {
    println!("{line}");
    // Nobody listens any more: the input ends next, and with it this process.
    let _ = std::io::stdout().flush();
}
