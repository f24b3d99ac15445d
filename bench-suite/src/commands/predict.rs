//! `predict`: classifies texts with a trained run.

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use datasets::{Example, eval_batches};
use serde_json::json;

use super::{find::find, print_json, store};
use crate::{
    arm::{Arm, Baseline},
    bench::trained_path,
    choice::ModelChoice,
    cli::Common,
    data::tokens,
    device::choose,
    measure::{largest, log_softmax},
    trainable::Trainable,
};

pub fn predict(id: &str, texts: &[String], folder: Option<&Path>, common: &Common) -> Result<()> {
    let (results, record) = find(id, folder)?;
    let path = trained_path(&results, &record.id);
    if !path.is_file() {
        bail!(
            "{}: the tensors that run {} trained are not there; make them again with: {} --results DIR",
            path.display(),
            record.id,
            record.command
        );
    }
    let name = record.method.name.as_str();
    let arm = match Baseline::ALL.into_iter().find(|baseline| baseline.name() == name) {
        Some(baseline) => Arm::Baseline(baseline),
        None => Arm::read(name, &record.method.config).map_err(|error| {
            anyhow!("record {}: field 'method' cannot be used: {error:?}", record.id)
        })?,
    };
    let chosen = choose(common.device)?;
    let choice = ModelChoice {
        name: record.backbone.name.clone(),
        pooling: serde_json::from_value(record.backbone.pooling.clone().into())?,
        max_tokens: record.task.max_tokens,
    };
    let model = choice.load(&store(common)?, &chosen.device)?;
    if model.info.fingerprint != record.backbone.fingerprint {
        bail!(
            "model '{}' is not the one that run {} was trained on (its weights differ); give that one back its name",
            choice.name,
            record.id
        );
    }
    let classes = &record.task.classes;
    let trained = Trainable::load(&arm, &model, classes.len(), &path, &chosen.device)?;
    let examples: Vec<Example> =
        texts.iter().map(|text| Example { text: text.clone(), pair: None, label: 0 }).collect();
    let encoded = model.encoder.encode(&examples)?;
    let mut answers = vec![Vec::new(); texts.len()];
    for batch in eval_batches(&encoded, &vec![0; texts.len()], 64) {
        let logits = trained.logits(&model, &tokens(&batch, &chosen.device));
        for (scores, &row) in log_softmax(logits).into_iter().zip(&batch.rows) {
            answers[row] = scores;
        }
    }
    let answer = |(text, scores): (&String, &Vec<f64>)| {
        let shares: serde_json::Map<_, _> = classes
            .iter()
            .zip(scores)
            .map(|(class, score)| (class.clone(), json!(score.exp())))
            .collect();
        json!({ "text": text, "label": classes[largest(scores)], "probabilities": shares })
    };
    if common.json {
        return print_json(&texts.iter().zip(&answers).map(answer).collect::<Vec<_>>());
    }
    for (text, scores) in texts.iter().zip(&answers) {
        let best = largest(scores);
        println!("{:<16} {:>5.1}%  {text}", classes[best], 100.0 * scores[best].exp());
    }
    Ok(())
}
