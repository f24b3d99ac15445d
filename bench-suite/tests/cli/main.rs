//! The program as a user meets it: commands in a shell, files, messages, exit codes.
//!
//! Nothing here needs the network: the model is a BERT of two layers with random weights, the
//! task a table of 64 rows, and a training takes a fraction of a second.

mod desk;
mod tiny;

mod advise;
mod bad_assets;
mod bad_data;
mod bad_model;
mod bad_names;
mod bad_settings;
mod bad_suite;
mod bench;
mod built_in_suites;
mod commands;
mod comparing;
mod endings;
mod exchange;
mod interrupted;
mod kept;
mod results_folder;
mod search;
mod shards;
mod sharing;
mod suites;
mod using;
mod whole_zoo;
