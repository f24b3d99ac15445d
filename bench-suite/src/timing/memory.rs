//! What the peak memory of a training is made of.

use anyhow::{Context, Result};
use burn::module::Module;
use report::{format, record::Environment};
use serde::{Deserialize, Serialize};

use super::{
    job::Job,
    rounds::Request,
    side::Side,
    speed::{OURS, machine, our_worker},
    stopwatch::AtStep,
    table::table,
    theory::{self, F32},
    worker::Worker,
};
use crate::cli::Common;

/// The parts of every method's peak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Where it was computed.
    pub environment: Environment,
    /// Name of the model.
    pub model: String,
    /// Rows a step.
    pub batch: usize,
    /// Tokens a row.
    pub length: usize,
    /// One entry a method.
    pub parts: Vec<Parts>,
}

/// The parts of one peak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// Name of the method for people.
    pub title: String,
    /// The frozen weights.
    pub frozen_bytes: usize,
    /// Their copies laid out for the processor's vectors, one for each pass.
    pub packed_bytes: usize,
    /// What is trained, the head included.
    pub trained_bytes: usize,
    /// Its gradients.
    pub gradient_bytes: usize,
    /// AdamW's two moments of it.
    pub optimizer_bytes: usize,
    /// What the method keeps from step to step beside, e.g. AdaLoRA's statistics.
    pub state_bytes: usize,
    /// Activations kept for the backward pass, by [`theory`]; `None` where it does not hold.
    pub kept_bytes: Option<f64>,
    /// Most resident memory of the process.
    pub peak_bytes: Option<u64>,
}

/// Takes one peak apart.
///
/// # Errors
/// A worker that ends before its time; wrong settings.
pub fn take_apart(job: &Job, loaded: &Worker, common: &Common) -> Result<Parts> {
    let model = loaded.model();
    let device = model.spec.embeddings.device();
    let trained = loaded.train(&mut AtStep::new(&device, 1, || ()))?;
    let trainable = trained.best.context("no checkpoint was kept")?.trainable;
    let trained_bytes = F32 * trainable.num_params();
    let state_bytes = trainable.method.as_ref().map_or(0, |method| {
        let state: usize = method.state().iter().map(|(_, data)| data.bytes().len()).sum();
        state.saturating_sub(F32 * method.num_params())
    });
    let is_frozen = trainable.unfrozen.is_none();
    // With nothing trained below the head nothing is kept; with everything trained far more is.
    let kept_bytes = match (&trainable.method, is_frozen) {
        (Some(_), _) => Some(theory::of(job, model)?.kept_bytes),
        (None, true) => Some(0.0),
        (None, false) => None,
    };
    let n_packed = match (&trainable.method, is_frozen) {
        _ if !kernels::is_flex(&device) => 0,
        (Some(_), _) => 2,
        (None, true) => 1,
        (None, false) => 0,
    };
    let number = theory::bytes(job.model.precision);
    let mut side = Side::start(OURS, our_worker(job, common)?, None)?;
    let round = side.ask(Request::Train)?;
    Ok(Parts {
        title: job.arm.title().to_owned(),
        frozen_bytes: F32 * model.info.n_parameters,
        packed_bytes: n_packed * number * model.spec.n_layers * theory::layer_numbers(&model.spec),
        trained_bytes,
        gradient_bytes: trained_bytes,
        optimizer_bytes: 2 * trained_bytes,
        state_bytes,
        kept_bytes,
        peak_bytes: round.peak_bytes,
    })
}

impl Memory {
    /// The parts as a table, and what they were taken on.
    pub fn table(&self) -> String {
        let head = [
            "method",
            "frozen",
            "packed",
            "trained",
            "gradients",
            "AdamW",
            "state",
            "kept",
            "all else",
            "peak",
        ];
        let rows: Vec<Vec<String>> = self
            .parts
            .iter()
            .map(|parts| {
                let bytes = |n: usize| format::bytes(n as f64);
                let known = parts.frozen_bytes
                    + parts.packed_bytes
                    + parts.trained_bytes
                    + parts.gradient_bytes
                    + parts.optimizer_bytes
                    + parts.state_bytes;
                let peak = parts.peak_bytes.map(|peak| peak as f64);
                let rest =
                    peak.zip(parts.kept_bytes).map(|(peak, kept)| peak - kept - known as f64);
                let or_dash = |n: Option<f64>| n.map_or("–".to_owned(), format::bytes);
                vec![
                    parts.title.clone(),
                    bytes(parts.frozen_bytes),
                    bytes(parts.packed_bytes),
                    bytes(parts.trained_bytes),
                    bytes(parts.gradient_bytes),
                    bytes(parts.optimizer_bytes),
                    bytes(parts.state_bytes),
                    or_dash(parts.kept_bytes),
                    or_dash(rest),
                    or_dash(peak),
                ]
            })
            .collect();
        let (machine, table) = (machine(&self.environment), table(&head, &rows));
        let Self { model, batch, length, .. } = self;
        format!("{machine}; {model}, {batch} rows of {length} tokens a step.\n\n{table}")
    }
}
