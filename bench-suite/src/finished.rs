//! A recorded run with its trained tensors: what the commands that use a result work on.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use assets::Store;
use backbones::{Precision, Tokens};
use burn::tensor::Tensor;
use datasets::{Encoded, eval_batches};
use report::{ResultsDir, RunRecord, record::Status};

use crate::{
    arm::{Arm, Baseline},
    choice::ModelChoice,
    data::tokens,
    device::Chosen,
    measure::scores,
    model::Model,
    plan::quoted,
    train::EVALUATION_BATCH,
    trainable::Trainable,
};

/// A trained run, loaded for use.
pub struct Finished {
    /// What is recorded of it.
    pub record: RunRecord,
    /// What was trained.
    pub arm: Arm,
    /// The frozen model that it was trained on.
    pub model: Model,
    /// The trained part, on the plain device.
    pub trained: Trainable,
    chosen: Chosen,
}

impl Finished {
    /// Loads the trained tensors of a record and the model under them.
    ///
    /// # Errors
    /// The tensors or the model are not there, or are not those of the record.
    pub fn load(
        results: &ResultsDir,
        record: RunRecord,
        store: &Store,
        chosen: Chosen,
    ) -> Result<Self> {
        let path = tensors_of(results, &record)?;
        let arm = arm(&record)?;
        let model = model_choice(&record)?.load(store, &chosen.device)?;
        model.check_is_of(&record)?;
        let n_classes = record.task.classes.len();
        let trained = Trainable::load(&arm, &model, n_classes, &path, &chosen.device)?;
        Ok(Self { record, arm, model, trained, chosen })
    }

    /// Scores of the classes, `[batch, n_classes]`.
    pub fn logits(&self, tokens: &Tokens) -> Tensor<2> {
        self.trained.logits(&self.model, tokens)
    }

    /// Scores of the classes for every row, in the rows' order.
    pub fn scores(&self, rows: &[Encoded]) -> Vec<Vec<f64>> {
        let mut answers = vec![Vec::new(); rows.len()];
        for batch in eval_batches(rows, &vec![0; rows.len()], EVALUATION_BATCH) {
            let logits = self.logits(&tokens(&batch, &self.chosen.device));
            for (scores, &row) in scores(logits).into_iter().zip(&batch.rows) {
                answers[row] = scores;
            }
        }
        answers
    }
}

/// The file of the tensors that a run trained.
///
/// # Errors
/// It is not there, with the command that makes it again.
pub fn tensors_of(results: &ResultsDir, record: &RunRecord) -> Result<PathBuf> {
    let path = results.trained_path(&record.id);
    if path.is_file() {
        return Ok(path);
    }
    // An imported run is read again whenever it is asked for.
    let again = if record.status == Status::Imported { "" } else { " --retrain" };
    bail!(
        "{}: the tensors of run {} are not there; make them again with: {}{again} --results {}",
        path.display(),
        record.id,
        record.command,
        quoted(&results.path().display().to_string())
    )
}

/// What a record says was trained.
///
/// # Errors
/// The record names no method of this program, or settings that it does not have.
pub fn arm(record: &RunRecord) -> Result<Arm> {
    let name = record.method.name.as_str();
    match Baseline::ALL.into_iter().find(|baseline| baseline.name() == name) {
        Some(baseline) => Ok(Arm::Baseline(baseline)),
        None => Arm::read(name, &record.method.config).map_err(|error| {
            anyhow!("record {}: field 'method' cannot be used: {error:?}", record.id)
        }),
    }
}

/// The model that a record names.
///
/// # Errors
/// A pooling or a precision that this program does not have.
pub fn model_choice(record: &RunRecord) -> Result<ModelChoice> {
    Ok(ModelChoice {
        name: record.backbone.name.clone(),
        pooling: serde_json::from_value(record.backbone.pooling.clone().into())?,
        max_tokens: record.task.max_tokens,
        precision: match &record.backbone.precision {
            None => Precision::F32,
            Some(name) => serde_json::from_value(name.clone().into())?,
        },
    })
}
