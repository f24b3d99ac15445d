//! The runs of a page, folded up: settings, figures, commands.

use serde_json::Value;

use super::escape;
use crate::chart::picture::Owner;
use crate::format;
use crate::record::{RunRecord, Status};
use crate::summary::{Comparison, Configuration, Series};

/// Configuration, figures and command of every run of a comparison.
pub(super) fn runs_html(comparison: &Comparison) -> String {
    comparison.configurations().map(|(series, c)| configuration_html(series, c)).collect()
}

fn configuration_html(series: &Series, configuration: &Configuration) -> String {
    let accuracy = configuration
        .test_accuracy()
        .map_or("no result".to_owned(), |accuracy| format!("{} %", format::accuracy(&accuracy)));
    let first = configuration.runs[0];
    let counts = configuration.counts();
    let runs: String = configuration.runs.iter().map(|run| run_html(run)).collect();
    format!(
        "<details {}>\n<summary>{} <span class=\"figure\">{accuracy}</span></summary>\n\
         <p>Trainable {}, stored {}, active at inference {}, head {}; {} on disk.</p>\n\
         <div class=\"columns\"><div><h4>Method</h4><pre>{}</pre></div>\
         <div><h4>Training</h4><pre>{}</pre></div></div>\n{runs}</details>\n",
        Owner::of(series, configuration).attributes(),
        escape(&configuration.label),
        format::count(counts.trainable),
        format::count(counts.stored),
        format::count(counts.active),
        format::count(counts.head),
        format::bytes(counts.bytes_on_disk as f64),
        json(&first.method.config),
        json(&first.training),
    )
}

fn run_html(run: &RunRecord) -> String {
    let scores = run.scores.as_ref().map_or(String::new(), |scores| {
        format!(
            " Test {} %, validation {} % at step {}.",
            format::percent(scores.test_accuracy),
            format::percent(scores.validation_accuracy),
            format::count(scores.best_step)
        )
    });
    let details: String = run
        .details
        .iter()
        .map(|(key, value)| format!("<h4>{}</h4><pre>{}</pre>\n", escape(key), json(value)))
        .collect();
    format!(
        "<div class=\"run\"><p><strong>Seed {}</strong>: {}.{scores} {} s of training. \
         Started {}. Run <code>{}</code>.</p>\n<pre class=\"command\">{}</pre>\n{details}</div>\n",
        run.seed,
        status(&run.status),
        format::seconds(run.cost.train_seconds),
        escape(&run.started),
        escape(&run.id),
        escape(&run.command),
    )
}

fn status(status: &Status) -> String {
    match status {
        Status::Finished => "finished".to_owned(),
        Status::StoppedEarly { step } => format!("stopped early at step {}", format::count(*step)),
        Status::Diverged { step } => format!("diverged at step {}", format::count(*step)),
        Status::Imported => "imported".to_owned(),
    }
}

fn json(value: &Value) -> String {
    escape(&format!("{value:#}"))
}
