//! Sentence vectors computed once, for an arm that changes nothing below its head.

use std::{rc::Rc, time::Instant};

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};
use datasets::eval_batches;

use crate::{
    data::{Data, Rows, tokens},
    model::Model,
    train::EVALUATION_BATCH,
    trainable::Trainable,
};

/// Sentence vectors of each split, `[rows, d_model]`, where they never change.
#[derive(Debug, Default)]
pub struct Features {
    /// Of the training rows.
    pub train: Option<Tensor<2>>,
    /// Of the validation rows.
    pub validation: Option<Tensor<2>>,
    /// True tokens that went through the backbone for them.
    pub n_tokens: usize,
    /// Seconds that they took.
    pub seconds: f64,
}

impl Features {
    /// The vectors if neither a method nor the backbone will change them; else none. They are
    /// computed once for all trainings on the same rows.
    pub fn where_frozen(
        trainable: &Trainable,
        model: &Model,
        data: &Data,
        device: &Device,
    ) -> Rc<Self> {
        if trainable.method.is_some() || trainable.unfrozen.is_some() {
            return Rc::default();
        }
        data.features(|| {
            let clock = Instant::now();
            let plain = trainable.valid();
            let train = features(&plain, model, &data.train, device);
            let validation = features(&plain, model, &data.validation, device);
            // A failure on the device comes back with the next number that is read from it.
            let _ = device.sync();
            Self {
                train: Some(train),
                validation: Some(validation),
                n_tokens: data.train.n_tokens() + data.validation.n_tokens(),
                seconds: clock.elapsed().as_secs_f64(),
            }
        })
    }
}

fn features(trainable: &Trainable, model: &Model, rows: &Rows, device: &Device) -> Tensor<2> {
    let mut order = Vec::with_capacity(rows.labels.len());
    let mut vectors = Vec::new();
    for batch in eval_batches(&rows.encoded, &rows.labels, EVALUATION_BATCH) {
        vectors.push(trainable.features(model, &tokens(&batch, device)));
        order.extend(batch.rows);
    }
    // Batches come by length; row i of the result is row i of the split.
    let mut place = vec![0; order.len()];
    for (position, row) in order.into_iter().enumerate() {
        place[row] = position as i32;
    }
    let place = Tensor::from_ints(place.as_slice(), device);
    Tensor::cat(vectors, 0).select(0, place)
}
