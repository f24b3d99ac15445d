//! What is compared: a baseline or a method of the zoo.

use burn::tensor::Device;
use methods::{Budget, CARDS, Card, ConfigError, Method, MethodConfig, Plan};
use rand::rngs::StdRng;
use serde::{Deserializer, Serialize, Serializer};

use crate::{model::Model, names::unknown};

/// A reference that is not a PEFT method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// Always the commonest class of the training rows. Trains nothing.
    Majority,
    /// A linear classifier on the frozen features (a linear probe).
    HeadOnly,
    /// Every parameter of the backbone trained.
    Full,
}

impl Baseline {
    /// Every baseline.
    pub const ALL: [Baseline; 3] = [Self::Majority, Self::HeadOnly, Self::Full];

    /// The name in suites and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Majority => "majority",
            Self::HeadOnly => "head",
            Self::Full => "full",
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Majority => "Majority class",
            Self::HeadOnly => "Head only",
            Self::Full => "Full fine-tuning",
        }
    }

    /// What it is, in a line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Majority => "always the commonest class of the training rows",
            Self::HeadOnly => "a linear classifier on the frozen features",
            Self::Full => "every parameter of the backbone trained",
        }
    }

    /// A learning rate for AdamW that trains well without tuning; `None` where nothing but the
    /// head is trained, which has a rate of its own.
    pub fn learning_rate(self) -> Option<f64> {
        match self {
            Self::Majority | Self::HeadOnly => None,
            Self::Full => Some(2e-4),
        }
    }
}

/// One arm of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Arm {
    /// A reference.
    Baseline(Baseline),
    /// A PEFT method with its settings.
    Peft(MethodConfig),
}

impl Arm {
    /// Every name that [`Arm::named`] knows.
    pub fn names() -> Vec<&'static str> {
        let baselines = Baseline::ALL.map(Baseline::name);
        CARDS.iter().map(|card| card.name).chain(baselines).collect()
    }

    /// The arm of a name, with default settings.
    ///
    /// # Errors
    /// A message with the nearest names.
    pub fn named(name: &str) -> Result<Self, String> {
        if let Some(baseline) = Baseline::ALL.into_iter().find(|b| b.name() == name) {
            return Ok(Self::Baseline(baseline));
        }
        MethodConfig::named(name)
            .map(Self::Peft)
            .ok_or_else(|| unknown("method", name, &Self::names(), "list methods"))
    }

    /// The arm of a name with settings read from anywhere.
    ///
    /// # Errors
    /// The reader's error; `Err(None)` for an unknown name or settings given to a baseline.
    pub fn read<'de, D: Deserializer<'de>>(
        name: &str,
        settings: D,
    ) -> Result<Self, Option<D::Error>> {
        match MethodConfig::read(name, settings) {
            Some(config) => config.map(Self::Peft).map_err(Some),
            None => Err(None),
        }
    }

    /// The name in suites and on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Baseline(baseline) => baseline.name(),
            Self::Peft(config) => config.card().name,
        }
    }

    /// The name for people.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Baseline(baseline) => baseline.title(),
            Self::Peft(config) => config.card().title,
        }
    }

    /// The method's card, if it is a method.
    pub fn card(&self) -> Option<Card> {
        match self {
            Self::Baseline(_) => None,
            Self::Peft(config) => Some(config.card()),
        }
    }

    /// A learning rate for AdamW that trains well without tuning; `None` where nothing but the
    /// head is trained.
    pub fn learning_rate(&self) -> Option<f64> {
        match self {
            Self::Baseline(baseline) => baseline.learning_rate(),
            Self::Peft(config) => Some(config.learning_rate()),
        }
    }

    /// The size knob, if there is one.
    pub fn budget(&self) -> Option<Budget> {
        match self {
            Self::Baseline(_) => None,
            Self::Peft(config) => Some(config.budget()),
        }
    }

    /// What tells this curve from the default of its method.
    pub fn variant(&self) -> String {
        match self {
            Self::Baseline(_) => String::new(),
            Self::Peft(config) => config.variant(),
        }
    }

    /// The method's tensors by formula; none for a baseline.
    ///
    /// # Errors
    /// As the method's own check of its settings.
    pub fn plan(&self, model: &Model) -> Result<Option<Plan>, ConfigError> {
        match self {
            Self::Baseline(_) => Ok(None),
            Self::Peft(config) => config.plan(&model.spec).map(Some),
        }
    }

    /// The method, ready to train; none for a baseline.
    ///
    /// # Errors
    /// As the method's own check of its settings.
    pub fn method(
        &self,
        model: &Model,
        rng: &mut StdRng,
        device: &Device,
    ) -> Result<Option<Method>, ConfigError> {
        match self {
            Self::Baseline(_) => Ok(None),
            Self::Peft(config) => config.init(&model.spec, rng, device).map(Some),
        }
    }
}

impl Serialize for Arm {
    /// The settings alone: the name stands beside them in records.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Baseline(_) => serde_json::Map::new().serialize(serializer),
            Self::Peft(config) => config.serialize(serializer),
        }
    }
}
