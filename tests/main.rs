//! The laws of the zoo, as tests.
//!
//! - [`contract`] holds every method of the zoo to the same laws, on the CPU and on wgpu.
//!   Nothing lists the methods: a new one is held to them by its row in `zoo!`.
//! - [`settings`] holds every method's configuration to the same laws.
//! - [`configurations`] finds the configurations of a method, and [`any_settings`] holds whatever
//!   is found or made up to laws of their own.
//! - [`parity`] holds the BERT backbone against Hugging Face transformers.
//! - [`peft`] holds the methods and the optimizer against Hugging Face PEFT.
//! - [`precision`] holds frozen matrices in bfloat16 against float32.
//! - [`checkpoints`] breaks checkpoints and configurations.
//! - [`folding`] writes checkpoints with methods folded into them.
//! - [`full_fine_tuning`] is about the reference.
//! - [`exchange`] writes and reads adapters of Hugging Face PEFT.
//! - [`lora`] and [`virtual_tokens`] hold single methods against other ways to compute the same;
//!   [`adalora`] counts what survives.

mod adalora;
mod any_settings;
mod checkpoints;
mod configurations;
mod contract;
mod devices;
mod exchange;
mod folding;
mod full_fine_tuning;
mod golden;
mod lora;
mod numbers;
mod parity;
mod peft;
mod precision;
mod real_model;
mod settings;
mod subject;
mod tiny_model;
mod training;
mod virtual_tokens;
