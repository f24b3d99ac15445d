//! What the README of a folded checkpoint says: above all, which pooling the head was trained on.

use backbones::{Pooling, Rewritten};

use crate::finished::Finished;

/// For a head on the model's own pooler.
const WHOLE: &str = r#"from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForSequenceClassification.from_pretrained(".").eval()
BATCH
logits = model(**batch).logits"#;

/// For a head on other vectors.
const PARTS: &str = r#"from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModel.from_pretrained(".").eval()
head = load_file("model.safetensors")
BATCH
hidden = model(**batch).last_hidden_state
VECTORS
logits = vectors @ head["classifier.weight"].T + head["classifier.bias"]"#;

const MEAN: &str = r#"mask = batch["attention_mask"].unsqueeze(-1)
vectors = (hidden * mask).sum(1) / mask.sum(1)"#;

/// The text of the README.
pub fn readme(run: &Finished, written: &Rewritten) -> String {
    let record = &run.record;
    let (reads, code) = match run.model.pooling {
        Pooling::Pooler | Pooling::HfPooler => (
            "what the model's own pooler makes of the first token: \
             AutoModelForSequenceClassification loads encoder and head",
            WHOLE.to_owned(),
        ),
        Pooling::Cls => (
            "the hidden state of the first token",
            PARTS.replace("VECTORS", "vectors = hidden[:, 0]"),
        ),
        Pooling::Mean => {
            ("the mean of the hidden states of the true tokens", PARTS.replace("VECTORS", MEAN))
        }
    };
    let warning = match run.model.pooling {
        Pooling::Pooler | Pooling::HfPooler => "",
        Pooling::Cls | Pooling::Mean => {
            ". AutoModelForSequenceClassification would put a pooler before it and answer wrongly"
        }
    };
    let batch = format!(
        "batch = tokenizer(\n    [\"a text\"], padding=True, truncation=True, max_length={}, \
         return_tensors=\"pt\"\n)",
        record.task.max_tokens
    );
    let accuracy = record.scores.as_ref().map_or(String::new(), |scores| {
        format!(", test accuracy {:.1} %", 100.0 * scores.test_accuracy)
    });
    let model = &record.backbone.name;
    let paragraphs = [
        format!("# {} on {model}, folded", record.method.title),
        format!(
            "Run `{}`: {} on {}{accuracy}. Classes: {}.",
            record.id,
            record.label(),
            record.task.title,
            record.task.classes.join(", ")
        ),
        format!(
            "`model.safetensors` is the checkpoint of {model} with {} tensors changed, and with the \
             head as `classifier.weight` and `classifier.bias`. All others have the bytes that \
             they had.{}",
            written.n_changed,
            rounding(written)
        ),
        format!("The head reads {reads}{warning}."),
        format!("```python\n{}\n```", code.replace("BATCH", &batch)),
        format!(
            "`unfold.safetensors` holds what `bench-suite unfold` needs to make the checkpoint of \
             {model} again. Nothing else reads it."
        ),
        format!("The run was made by\n\n```sh\n{}\n```\n", record.command),
    ];
    paragraphs.join("\n\n")
}

fn rounding(written: &Rewritten) -> String {
    let types: Vec<String> = written.rounded_to.iter().map(|dtype| format!("{dtype:?}")).collect();
    match types.is_empty() {
        true => String::new(),
        false => format!(
            " The changed ones are rounded to {}, the type that they had, so that answers differ a \
             little from those of the run.",
            types.join(" and ")
        ),
    }
}
