//! Parameter-efficient fine-tuning methods on Burn, one paper a file.
//!
//! [`method`] says what a method is. The list below is the whole registration of a method:
//! its file, and its row in [`zoo!`].

pub mod hugging_face;
pub mod method;
pub mod zoo;

pub mod adalora;
pub mod lora;
pub mod p_tuning;
pub mod prefix_tuning;
pub mod prompt_tuning;

pub mod graph;
pub mod init;
pub mod parameters;
pub mod prompt_length;
pub mod sites;

pub use method::{Budget, Card, ConfigError, PeftMethod, Plan, PlannedTensor, Progress};

zoo! {
    Lora = lora::Lora,
    AdaLora = adalora::AdaLora,
    PromptTuning = prompt_tuning::PromptTuning,
    PTuning = p_tuning::PTuning,
    PrefixTuning = prefix_tuning::PrefixTuning,
}

/// The worked example of CONTRIBUTING.md, compiled and run as a doctest.
#[cfg(doctest)]
#[doc = include_str!("../../CONTRIBUTING.md")]
pub struct ContributingExamples;
