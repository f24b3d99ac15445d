//! Figures of a trained run on tasks that it was not trained on.

use anyhow::{Result, bail};
use burn::tensor::Device;
use report::record::{RowSet, Transfer};

use crate::{data::Data, model::Model, train::Trainer, trainable::Trainable, training::Training};

/// Checks that a classifier of one task can be asked about another.
///
/// # Errors
/// Both lists of classes, where they differ.
pub fn check(own: &Data, other: &Data) -> Result<()> {
    let (own, other) = (&own.info, &other.info);
    if own.classes != other.classes {
        bail!(
            "transfer: {} has the classes {}, but the run is trained on {} with {}; only a task \
             with the same classes can be tested without training",
            other.name,
            other.classes.join(", "),
            own.name,
            own.classes.join(", ")
        );
    }
    Ok(())
}

/// Tests a trained part on another task's test split.
pub fn transfer(trained: &Trainable, model: &Model, other: &Data, device: &Device) -> Transfer {
    let training = &Training::default();
    let trainer = Trainer { model, data: other, training, peak_rate: 0.0, seed: 0, device };
    let figures = trainer.evaluate(trained, other.test(), &None);
    Transfer {
        task: other.info.name.clone(),
        title: other.info.title.clone(),
        fingerprint: other.info.fingerprint.clone(),
        n_test: other.info.n_test,
        accuracy: figures.accuracy,
        macro_f1: figures.macro_f1,
        loss: figures.loss,
        test_correct: RowSet::of(&figures.correct),
    }
}
