//! What a person sees while runs go on: a progress line, and a table that grows row by row.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use report::{
    RunRecord, format,
    record::{CurvePoint, Status},
};

use crate::train::Watcher;

/// The progress line of one run, on stderr; silent where stderr is no terminal.
pub struct Line {
    bar: ProgressBar,
    validation: String,
}

impl Line {
    /// A line for the run `number` of `total`.
    pub fn new(label: &str, number: usize, total: usize) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let template = "{prefix} {bar:20} {pos}/{len} steps  {msg}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(format!("[{number}/{total}] {label}"));
        if !std::io::stderr().is_terminal() {
            eprintln!("[{number}/{total}] {label} …");
        }
        bar.enable_steady_tick(Duration::from_secs(1));
        Self { bar, validation: String::new() }
    }

    /// Removes the line.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watcher for Line {
    fn step(&mut self, step: usize, total: usize, loss: f64) {
        self.bar.set_length(total as u64);
        self.bar.set_position(step as u64);
        self.bar.set_message(format!("loss {loss:.3}{}", self.validation));
    }

    fn evaluated(&mut self, point: &CurvePoint) {
        self.validation = format!("  validation {:.1}%", 100.0 * point.validation_accuracy);
    }
}

/// The head of the table.
pub fn table_head() -> String {
    format!(
        "{:<34} {:>11} {:>9} {:>7} {:>7} {:>8} {:>9}",
        "method", "trainable", "stored", "test %", "val. %", "train s", "tokens/s"
    )
}

/// One run's row.
pub fn table_row(record: &RunRecord) -> String {
    let share = |pick: fn(&report::record::Scores) -> f64| match &record.scores {
        Some(scores) => format!("{:.1}", 100.0 * pick(scores)),
        None => "–".to_owned(),
    };
    let ending = match record.status {
        Status::Finished => String::new(),
        Status::StoppedEarly { step } => format!("  stopped early at step {step}"),
        Status::Diverged { step } => format!("  diverged at step {step}"),
        Status::Imported => "  imported".to_owned(),
    };
    format!(
        "{:<34} {:>11} {:>9} {:>7} {:>7} {:>8.1} {:>9.0}{ending}",
        format!("{} seed={}", record.label(), record.seed),
        format::count(record.counts.trainable),
        format::count(record.counts.stored),
        share(|scores| scores.test_accuracy),
        share(|scores| scores.validation_accuracy),
        record.cost.train_seconds,
        record.cost.tokens_per_second,
    )
}
