//! One planned run, and the name that follows from what it is.

use std::path::PathBuf;

use report::RunRecord;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{
    arm::Arm,
    choice::{ModelChoice, TaskChoice},
    data::Data,
    model::Model,
    search::{SearchSettings, Searched, Trials},
    settings::assignment,
    training::Training,
};

/// A recorded run that another one goes on from.
#[derive(Clone, Debug, PartialEq)]
pub struct Parent {
    /// What is recorded of it.
    pub record: RunRecord,
    /// The file of its trained tensors.
    pub tensors: PathBuf,
}

/// Everything that decides a run's result.
#[derive(Clone, Debug, PartialEq)]
pub struct RunPlan {
    /// What is classified.
    pub task: TaskChoice,
    /// What is frozen.
    pub model: ModelChoice,
    /// What is trained.
    pub arm: Arm,
    /// The run that this one goes on from, if it does not start afresh.
    pub from: Option<Parent>,
    /// How it is trained.
    pub training: Training,
    /// Seed of initialisation, data order and dropout.
    pub seed: u64,
    /// How the learning rate is to be found where the training does not give it.
    pub search: Option<SearchSettings>,
    /// Tasks that the trained run is also tested on.
    pub transfer: Vec<TaskChoice>,
}

impl RunPlan {
    /// The plan with the method's own learning rate written out, so that a record says what was
    /// done and a changed default makes another run.
    ///
    /// A rate that is to be searched stays open.
    pub fn with_defaults(mut self) -> Self {
        if Trials::of(&self).is_some() {
            return self;
        }
        self.search = None;
        let rate = &mut self.training.learning_rate;
        *rate = rate.or(self.arm.learning_rate());
        self
    }

    /// The plan with a rate that was searched.
    pub fn at_rate(&self, searched: Searched, rate: f64) -> Self {
        let mut plan = Self { search: None, ..self.clone() };
        match searched {
            Searched::LearningRate => plan.training.learning_rate = Some(rate),
            Searched::HeadLearningRate => plan.training.head_learning_rate = rate,
        }
        plan
    }

    /// Whether the trials of one are those of the other: they differ in nothing but the seed.
    pub fn shares_search(&self, other: &Self) -> bool {
        Self { seed: other.seed, ..self.clone() } == *other
            && (self.seed == other.seed || Trials::of(self).is_some())
    }

    /// `method-hash`: equal for equal task rows, model weights, settings and seed, whatever the
    /// files and folders are called. The device is not part of it.
    ///
    /// The id of a run whose rate is to be searched has the settings of the search in it, not the
    /// rate: so it is known before the search, and a part of a suite done elsewhere has the ids
    /// that it has here.
    pub fn id(&self, model: &Model, data: &Data) -> String {
        #[derive(Serialize)]
        struct Identity<'a> {
            task: &'a str,
            rows: [usize; 3],
            model: &'a str,
            pooling: &'a str,
            max_tokens: usize,
            #[serde(skip_serializing_if = "Option::is_none")]
            precision: &'a Option<String>,
            method: &'a str,
            config: &'a Arm,
            training: &'a Training,
            seed: u64,
            /// Not said where there is none, so that ids of other runs are what they were.
            #[serde(skip_serializing_if = "Option::is_none")]
            from: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            search: &'a Option<SearchSettings>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            transfer: Vec<String>,
        }
        let identity = Identity {
            task: &data.info.fingerprint,
            rows: [data.info.n_train, data.info.n_validation, data.info.n_test],
            model: &model.info.fingerprint,
            pooling: &model.info.pooling,
            max_tokens: data.info.max_tokens,
            precision: &model.info.precision,
            method: self.arm.name(),
            config: &self.arm,
            training: &self.training,
            seed: self.seed,
            from: self.from.as_ref().map(|parent| parent.record.id.as_str()),
            search: &self.search,
            transfer: self.transfer.iter().map(TaskChoice::name).collect(),
        };
        let json = serde_json::to_vec(&identity).unwrap_or_default();
        let hash = Sha256::digest(&json);
        let hash: String = hash.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{hash}", self.arm.name())
    }

    /// The command that makes this run's record.
    pub fn command(&self) -> String {
        let mut words = vec!["cargo run --release -p bench-suite -- run".to_owned()];
        words.extend(self.task.flags().iter().map(|word| quoted(word)));
        match &self.from {
            // Model, method and settings are those of the parent.
            Some(parent) => words.push(format!("--from {}", parent.record.id)),
            None => {
                words.extend(self.model.flags().iter().map(|word| quoted(word)));
                words.push(format!("--method {}", self.arm.name()));
                let default = Arm::named(self.arm.name()).ok();
                words.extend(changed("--config", &self.arm, &default));
            }
        }
        words.extend(changed("--training", &self.training, &Some(Training::default())));
        words.push(format!("--seeds {}", self.seed));
        let transfer = self.transfer.iter().map(TaskChoice::name).collect::<Vec<_>>().join(",");
        if !transfer.is_empty() {
            words.push(format!("--transfer {transfer}"));
        }
        // A folder that the task's own flags do not name already.
        if let Some(other) = self.transfer.iter().find(|other| other.folder().is_some())
            && self.task.folder().is_none()
        {
            words.extend(other.flags()[2..].iter().map(|word| quoted(word)));
        }
        words.join(" ")
    }
}

/// `flag key=value` for every field that differs from the default.
fn changed<T: Serialize>(flag: &str, settings: &T, default: &Option<T>) -> Vec<String> {
    let fields = |settings: &T| match serde_json::to_value(settings) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let default = default.as_ref().map(fields).unwrap_or_default();
    fields(settings)
        .iter()
        .filter(|(key, value)| default.get(*key) != Some(*value))
        .filter_map(|(key, value)| Some(format!("{flag} {}", quoted(&assignment(key, value)?))))
        .collect()
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
