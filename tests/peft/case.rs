//! A golden case of Hugging Face PEFT, and the same training here.

use std::{collections::BTreeMap, fs};

use backbones::Pooling;
use bench_suite::{
    arm::Arm,
    data::{Data, tokens},
    model::Model,
    parameters::{fill, named},
    steps::Steps,
    train::Trainer,
    trainable::Trainable,
    training::{Schedule, Training},
};
use burn::tensor::{Device, Tensor, TensorData};
use datasets::{Batch, Example, Split, Task};
use rand::{SeedableRng, rngs::StdRng};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    golden::{Tensors, TinyCopy, fixture, read_tensors, store},
    numbers::numbers,
};

const N_CLASSES: usize = 3;

/// One method with one configuration, and what Hugging Face PEFT made of it.
#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    pub n_steps: usize,
    /// AdaLoRA's prunings.
    #[serde(default)]
    pub prunings: Vec<Pruning>,
    method: String,
    settings: Value,
    learning_rate: f64,
    head_learning_rate: f64,
    weight_decay: f64,
    clip_norm: f64,
    #[serde(skip)]
    tensors: Tensors,
}

/// What AdaLoRA kept after a step, and why.
#[derive(Deserialize)]
pub struct Pruning {
    pub step: usize,
    /// Triplets that it kept.
    pub budget: usize,
    /// The largest importance that was pruned.
    pub threshold: f32,
    /// Triplets left, by site.
    pub surviving_rank: Vec<usize>,
}

impl Case {
    pub fn all() -> Vec<Self> {
        let folder = fixture("peft");
        let cases = fs::read(folder.join("cases.json")).unwrap();
        let mut cases: Vec<Self> = serde_json::from_slice(&cases).unwrap();
        for case in &mut cases {
            case.tensors = read_tensors(&folder.join(format!("{}.safetensors", case.name)));
        }
        cases
    }

    /// A stored tensor's numbers.
    pub fn numbers(&self, name: &str) -> Vec<f32> {
        let stored = self.tensors.get(name);
        stored.unwrap_or_else(|| panic!("{}: no tensor '{name}'", self.name)).f32s()
    }

    /// The trained tensors at a moment: `start`, `gradient`, `step_5`.
    pub fn trained(&self, moment: &str) -> BTreeMap<String, TensorData> {
        let of = |(name, stored): (&String, &crate::golden::Stored)| {
            let name = name.strip_prefix(moment)?.strip_prefix('.')?;
            let is_trained = name.starts_with("method.") || name.starts_with("head.");
            let data = || TensorData::new(stored.f32s(), stored.shape.clone());
            is_trained.then(|| (name.to_owned(), data()))
        };
        self.tensors.iter().filter_map(of).collect()
    }

    /// Steps after which the trained tensors are stored.
    pub fn is_stored(&self, step: usize) -> bool {
        self.tensors.contains_key(&format!("step_{step}.head.bias"))
    }

    /// Gives `body` the steps of the suite and the trained part as it started there.
    pub fn with_steps<R>(
        &self,
        model: &Model,
        body: impl FnOnce(&mut Steps<'_>, Trainable) -> R,
    ) -> R {
        let device = &Device::flex();
        let training = Training {
            batch_size: 1,
            learning_rate: Some(self.learning_rate),
            head_learning_rate: self.head_learning_rate,
            schedule: Schedule::Constant,
            warmup_share: 0.0,
            weight_decay: self.weight_decay,
            clip_norm: self.clip_norm,
            ..Training::default()
        };
        let data = Data::new(rows(self.n_steps), &training, &model.encoder).unwrap();
        let trainer = Trainer {
            model,
            data: &data,
            training: &training,
            peak_rate: self.learning_rate,
            seed: 0,
            device,
        };
        let trainable = self.start(model, &device.clone().autodiff());
        let mut steps = Steps::new(&trainer, &trainable);
        assert_eq!(steps.total, self.n_steps);
        body(&mut steps, trainable)
    }

    fn start(&self, model: &Model, device: &Device) -> Trainable {
        let arm = Arm::read(&self.method, &self.settings).unwrap();
        let rng = &mut StdRng::seed_from_u64(0);
        let mut trainable = Trainable::init(&arm, model, N_CLASSES, rng, device).unwrap();
        let start = self.trained("start");
        assert_eq!(parameters(&trainable).len(), start.len(), "{}: other tensors", self.name);
        trainable.method = fill(trainable.method, "method", &start).expect(&self.name);
        trainable.head = fill(trainable.head, "head", &start).expect(&self.name);
        trainable
    }
}

/// The trained tensors by name.
pub fn parameters(trainable: &Trainable) -> Vec<(String, TensorData)> {
    [named(&trainable.method, "method"), named(&trainable.head, "head")].concat()
}

/// The tiny BERT as a run loads it, pooled as Hugging Face PEFT pools.
pub fn model() -> Model {
    let copy = TinyCopy::new();
    // A run has a tokenizer; the batches here are tokens already.
    let words = json!({"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3});
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "decoder": null,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": words},
    });
    fs::write(copy.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let folder = copy.path().to_str().unwrap();
    Model::load(&store(), folder, Pooling::HfPooler, 8, &Device::flex()).unwrap()
}

/// The batches that the steps took in turn.
pub fn batches() -> Vec<Batch> {
    let stored = read_tensors(&fixture("peft").join("batches.safetensors"));
    let batch = |i: usize| {
        let ids = stored.get(&format!("{i}.input_ids"))?;
        let take = |name: &str| stored[&format!("{i}.{name}")].i32s();
        let mask: Vec<bool> = take("attention_mask").into_iter().map(|one| one == 1).collect();
        Some(Batch {
            n: ids.shape[0],
            seq: ids.shape[1],
            ids: ids.i32s(),
            type_ids: take("token_type_ids"),
            labels: take("labels"),
            n_tokens: mask.iter().filter(|&&real| real).count(),
            rows: (0..ids.shape[0]).collect(),
            mask,
        })
    };
    (0..).map_while(batch).collect()
}

/// Scores of the classes for every batch.
pub fn logits(trainable: &Trainable, model: &Model, batches: &[Batch]) -> Vec<Vec<f32>> {
    let device = Device::flex();
    let logits = |batch: &Batch| -> Tensor<2> { trainable.logits(model, &tokens(batch, &device)) };
    batches.iter().map(|batch| numbers(logits(batch))).collect()
}

/// As many rows as there are steps: their number is all that is asked of them.
fn rows(n: usize) -> Task {
    let row = |i| Example { text: format!("row {i}"), pair: None, label: i % N_CLASSES };
    let train: Vec<Example> = (0..n).map(row).collect();
    let split = Split { validation: train.clone(), test: train.clone(), train };
    let classes = (0..N_CLASSES).map(|class| class.to_string()).collect();
    Task { name: "rows".into(), title: "Rows".into(), classes, split, notes: vec![] }
}
