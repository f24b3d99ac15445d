//! Watchers that keep time.

use std::time::Instant;

use burn::tensor::Device;

use super::rounds::Phases;
use crate::train::{Phase, Watcher};

/// Waits until the device has done what it was given.
pub fn wait(device: &Device) {
    // A failure on the device comes back with the next number that is read from it.
    let _ = device.sync();
}

/// Stops after each phase, and waits for the device there.
pub struct Stopwatch<'a> {
    device: &'a Device,
    since: Instant,
    /// Seconds up to now.
    pub phases: Phases,
}

impl<'a> Stopwatch<'a> {
    /// Runs from now on.
    pub fn new(device: &'a Device) -> Self {
        Self { device, since: Instant::now(), phases: Phases::default() }
    }
}

impl Watcher for Stopwatch<'_> {
    fn lap(&mut self, over: Phase) {
        wait(self.device);
        let now = Instant::now();
        let seconds = (now - self.since).as_secs_f64();
        self.since = now;
        match over {
            Phase::Between => {}
            Phase::Data => self.phases.data += seconds,
            Phase::Forward => self.phases.forward += seconds,
            Phase::Backward => self.phases.backward += seconds,
            Phase::Optimizer => self.phases.optimizer += seconds,
        }
    }
}

/// Does something when a given step is done on the device, and nothing before or after.
pub struct AtStep<'a, F> {
    device: &'a Device,
    left: usize,
    then: F,
}

impl<'a, F: FnMut()> AtStep<'a, F> {
    /// Steps are counted from 1.
    pub fn new(device: &'a Device, step: usize, then: F) -> Self {
        Self { device, left: step, then }
    }
}

impl<F: FnMut()> Watcher for AtStep<'_, F> {
    fn lap(&mut self, over: Phase) {
        if over != Phase::Optimizer || self.left == 0 {
            return;
        }
        self.left -= 1;
        if self.left == 0 {
            wait(self.device);
            (self.then)();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_between_steps_counts_for_no_phase() {
        let device = Device::flex();
        let mut watch = Stopwatch::new(&device);
        std::thread::sleep(std::time::Duration::from_millis(2));
        watch.lap(Phase::Between);
        assert_eq!(watch.phases, Phases::default());
        watch.lap(Phase::Forward);
        assert!(watch.phases.forward > 0.0 && watch.phases.sum() == watch.phases.forward);
    }

    #[test]
    fn a_step_is_told_once_when_its_last_phase_is_over() {
        let device = Device::flex();
        let mut told = 0;
        let mut watcher = AtStep::new(&device, 2, || told += 1);
        for _ in 0..3 {
            watcher.lap(Phase::Forward);
            watcher.lap(Phase::Optimizer);
        }
        assert_eq!(told, 1);
    }
}
