//! `predict`: classifies texts with a trained run.

use std::path::Path;

use anyhow::Result;
use datasets::Example;
use serde_json::json;

use super::{find::find, print_json, store};
use crate::{cli::Common, device::choose, finished::Finished, measure::largest};

pub fn predict(id: &str, texts: &[String], folder: Option<&Path>, common: &Common) -> Result<()> {
    let (results, record) = find(id, folder)?;
    let run = Finished::load(&results, record, &store(common)?, choose(common.device)?)?;
    let examples: Vec<Example> =
        texts.iter().map(|text| Example { text: text.clone(), pair: None, label: 0 }).collect();
    let answers = run.log_probabilities(&run.model.encoder.encode(&examples)?);
    let classes = &run.record.task.classes;
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
