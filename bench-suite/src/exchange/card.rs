//! The model card of an adapter.

use std::path::Path;

use report::format;

use super::export::Base;
use crate::finished::Finished;

/// `README.md`: what it is, how good it is, how to load it, and what must be the same then.
pub fn card(run: &Finished, base: &Base, folder: &Path) -> String {
    let record = &run.record;
    let (task, method) = (&record.task, &record.method);
    let revision = match &base.revision {
        Some(revision) => format!(", revision=\"{revision}\""),
        None => String::new(),
    };
    let mut parts = vec![
        format!(
            "---\nbase_model: {}\nlibrary_name: peft\npipeline_tag: text-classification\ntags:\n- \
             base_model:adapter:{}\n- {}\n---\n",
            base.name, base.name, method.name
        ),
        format!(
            "# {} for {}\n\nA classifier of text into {}: {} on the frozen model `{}`, \
             pooling `{}`.",
            record.label(),
            task.name,
            task.classes.join(", "),
            method.title,
            base.name,
            record.backbone.pooling
        ),
    ];
    if let Some(scores) = &record.scores {
        parts.push(format!(
            "Test accuracy {} and macro-F1 {:.3} on {} rows that it never saw; trained on {} rows.",
            format::percent(scores.test_accuracy),
            scores.test_macro_f1,
            format::count(task.n_test),
            format::count(task.n_train)
        ));
    }
    parts.push(format!(
        "{} trained numbers, {} kept, and {} in the head.",
        format::count(record.counts.trainable),
        format::count(record.counts.stored),
        format::count(record.counts.head)
    ));
    parts.push(format!(
        "## Use\n\n`PooledBert` is in `pooled_bert.py` in this folder: Hugging Face's BERT with the \
         pooling that the adapter was trained with.\nOther pooling gives other answers, without \
         any error.\n\n```python\nimport sys\n\nfrom peft import PeftModel\nfrom transformers import \
         AutoConfig, AutoTokenizer\n\nfolder, base = {folder:?}, \"{}\"\nsys.path.append(folder)\nfrom \
         pooled_bert import PooledBert\n\nconfig = AutoConfig.from_pretrained(folder)\nmodel = \
         PooledBert.from_pretrained(base, config=config{revision})\nmodel = \
         PeftModel.from_pretrained(model, folder).eval()\ntokenizer = \
         AutoTokenizer.from_pretrained(base{revision})\ninputs = tokenizer([\"a fine film\"], \
         padding=True, truncation=True, max_length={}, return_tensors=\"pt\")\nprint([config.id2label[i] \
         for i in model(**inputs).logits.argmax(-1).tolist()])\n```",
        base.name, task.max_tokens
    ));
    parts.push(format!(
        "## Made by\n\n```text\n{}\n```\n\nSettings: `{}`",
        record.command, method.config
    ));
    parts.join("\n\n") + "\n"
}
