//! Trains every method on a frozen model and compares them.
//!
//! The flow: [`suite`] → [`plan`] → [`run`] ([`train`], then one look at the test split) → record
//! on disk → report. [`commands`] is what the command line offers.

pub mod adamw;
pub mod advise;
pub mod arm;
pub mod choice;
pub mod cli;
pub mod clip;
pub mod commands;
pub mod console;
pub mod data;
pub mod device;
pub mod exchange;
pub mod features;
pub mod finished;
pub mod folding;
pub mod loader;
pub mod measure;
pub mod memory;
pub mod metrics;
pub mod model;
pub mod names;
pub mod new_folder;
pub mod plan;
pub mod run;
pub mod search;
pub mod settings;
pub mod shard;
pub mod steps;
pub mod suite;
pub mod suite_file;
pub mod suite_run;
pub mod tensors;
pub mod timing;
pub mod train;
pub mod trainable;
pub mod training;
pub mod transfer;
pub mod trials;

pub use methods::parameters;
