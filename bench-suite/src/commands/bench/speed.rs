//! Time and memory of methods, alone and against Hugging Face PEFT.

use anyhow::{Result, bail};
use backbones::Precision;

use super::Bench;
use crate::{
    choice::ModelChoice,
    commands::print_json,
    loader::Loader,
    run::environment,
    timing::{
        job::{Job, Work},
        peft::{self, Order},
        side::Side,
        speed::{Measured, OURS, Speed, Turn, measure, our_worker},
        targets,
    },
};

impl Bench<'_> {
    pub(super) fn speed(&self, loader: &mut Loader) -> Result<()> {
        let packages = self.args.against.as_deref().map(peft::packages).transpose()?;
        let mut speed = Speed {
            environment: environment(self.chosen),
            task: String::new(),
            model: String::new(),
            precision: self.args.model.over(ModelChoice::default()).precision,
            batch: self.args.batch,
            packages,
            measured: vec![],
        };
        for job in &self.jobs {
            speed.task = self.checked(job, loader)?.info.name;
            speed.model = loader.model(&job.plan().model)?.info.name.clone();
        }
        for (i, job) in self.jobs.iter().enumerate() {
            eprintln!("[{}/{}] {} on {} …", i + 1, self.jobs.len(), job.arm.title(), job.work);
            let measured = self.measured(job, loader)?;
            speed.measured.extend(measured);
            if self.args.against.is_some() {
                self.store_parts(&speed)?;
            }
        }
        if self.args.against.is_none() {
            return self.keep("speed", &speed, &speed.table());
        }
        if self.common.json {
            print_json(&speed)?;
        }
        match &self.args.to {
            Some(folder) => self.tell(&targets::read(folder)?),
            None => self.tell(&[speed]),
        }
    }

    /// Keeps numbers against the other side, whose other methods may be in their files already.
    fn store_parts(&self, speed: &Speed) -> Result<()> {
        let Some(folder) = &self.args.to else { return Ok(()) };
        for (name, part) in targets::parts(speed) {
            let path = folder.join(format!("{name}.json"));
            let part = match path.exists() {
                true => part.and(targets::read_file(&path)?),
                false => part,
            };
            self.store(&name, &part)?;
        }
        Ok(())
    }

    /// Tells all that the folder keeps.
    pub(super) fn targets(&self) -> Result<()> {
        let Some(folder) = &self.args.to else { bail!("--targets goes with --to DIR") };
        let all = targets::read(folder)?;
        if self.common.json {
            print_json(&all)?;
        }
        self.tell(&all)
    }

    fn tell(&self, all: &[Speed]) -> Result<()> {
        self.fill("targets", &targets::targets(all))?;
        self.fill("ratios", &targets::ratios(all))
    }

    fn measured(&self, job: &Job, loader: &mut Loader) -> Result<Vec<Measured>> {
        let evaluates = job.work == Work::Rows;
        let side = Side::start(OURS, our_worker(job, self.common)?, None)?;
        let mut turns = vec![Turn { name: OURS.to_owned(), side, evaluates }];
        if let Some(python) = &self.args.against {
            let data = self.checked(job, loader)?;
            let plan = job.plan();
            let folder = loader.folder(&plan.model)?;
            for (name, precision, order) in their_sides(job.work, job.model.precision) {
                let line = peft::worker_line(&plan, &data, &folder, precision, order)?;
                let side = Side::start(name, peft::command(python), Some(&line))?;
                // The order of the training rows changes nothing there.
                let evaluates = evaluates && order == Order::ByLength;
                turns.push(Turn { name: name.to_owned(), side, evaluates });
            }
        }
        measure(job, turns, self.args.rounds)
    }
}

/// The settings of PEFT to measure against: the same precision, and once the Trainer's default
/// order of the rows.
fn their_sides(work: Work, precision: Precision) -> Vec<(&'static str, Precision, Order)> {
    let mut sides = vec![(peft::side(precision), precision, Order::ByLength)];
    if work == Work::Rows && precision == Precision::F32 {
        sides.push(("PEFT float32, rows at random", precision, Order::Random));
    }
    sides
}
