//! How many kernels a step launches on a GPU.
//!
//! cubecl tells of every launch on the thread that asks for it, so launches can be counted by
//! phase without waiting for the device. It does not tell of copies between host and device.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Result, bail};
use cubecl_runtime::logging::{LaunchObservation, LaunchObserver};
use report::{format, record::Environment};
use serde::{Deserialize, Serialize};

use super::{job::Job, speed::machine, table::table, worker::Worker};
use crate::{
    device::Chosen,
    loader::Loader,
    train::{Phase, Watcher},
};

/// Launches of every method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Launches {
    /// Where they were counted.
    pub environment: Environment,
    /// Name of the model.
    pub model: String,
    /// One entry a method.
    pub counted: Vec<Counted>,
}

/// Kernels launched in one step of a method.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// Name of the method for people.
    pub title: String,
    /// Between the steps, e.g. adding up the loss.
    pub between: usize,
    /// Giving the batch to the device.
    pub data: usize,
    /// From the tokens to the loss.
    pub forward: usize,
    /// From the loss to the gradients.
    pub backward: usize,
    /// Clipping, the update, and what the method does beside it.
    pub optimizer: usize,
}

/// Counts the launches of the last step of a job.
///
/// # Errors
/// As [`Worker`], or a device that launches no kernels.
pub fn count(job: &Job, loader: &mut Loader, chosen: &Chosen) -> Result<Counted> {
    let worker = Worker::load(job, loader, chosen)?;
    let counter = Arc::new(Counter::default());
    let watching = LaunchObservation::new(counter.clone());
    let mut last = LastStep { counter, before: 0, counted: Counted::default() };
    worker.train(&mut last)?;
    drop(watching);
    let counted = Counted { title: job.arm.title().to_owned(), ..last.counted };
    if last.before == 0 {
        bail!(
            "--launches: device '{}' launches no kernels; give one of a GPU, e.g. --device wgpu",
            chosen.name
        );
    }
    Ok(counted)
}

#[derive(Default)]
struct Counter(AtomicUsize);

impl LaunchObserver for Counter {
    fn launched(&self, _kernel: &'static str) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Keeps the counts of the newest step.
struct LastStep {
    counter: Arc<Counter>,
    before: usize,
    counted: Counted,
}

impl Watcher for LastStep {
    fn lap(&mut self, over: Phase) {
        let now = self.counter.0.load(Ordering::Relaxed);
        let launched = now - self.before;
        self.before = now;
        match over {
            Phase::Between => self.counted.between = launched,
            Phase::Data => self.counted.data = launched,
            Phase::Forward => self.counted.forward = launched,
            Phase::Backward => self.counted.backward = launched,
            Phase::Optimizer => self.counted.optimizer = launched,
        }
    }
}

impl Counted {
    /// All of a step, and what is between it and the one before.
    pub fn sum(&self) -> usize {
        self.between + self.data + self.forward + self.backward + self.optimizer
    }
}

impl Launches {
    /// The counts as a table, and where they were taken.
    pub fn table(&self) -> String {
        let head = ["method", "between", "data", "forward", "backward", "optimizer", "a step"];
        let row = |c: &Counted| {
            let counts = [c.between, c.data, c.forward, c.backward, c.optimizer, c.sum()];
            std::iter::once(c.title.clone()).chain(counts.map(format::count)).collect()
        };
        let table = table(&head, &self.counted.iter().map(row).collect::<Vec<_>>());
        format!("{}; {}.\n\n{table}", machine(&self.environment), self.model)
    }
}
