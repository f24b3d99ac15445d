//! Broken files: whatever reads them gives a clear error or something of use.
//!
//! Each reader is given files that are right with something gone wrong in them, always the same
//! ones. Beside that, the attacks that chance would not find have tests of their own.
//!
//! ```text
//! cargo test --release --workspace --test fuzz                                # 2000 cases each
//! PEFT_ZOO_FUZZ_CASES=100000 cargo test --release --workspace --test fuzz -- --nocapture
//! ```
//!
//! A new reader is one [`reader::Reader`]. It is a binary of its own because its allocator counts.

mod adapters;
mod archives;
mod memory;
mod models;
mod mutation;
mod reader;
mod records;
mod suites;
mod tables;
#[path = "../tiny_model.rs"]
mod tiny_model;
mod tokenizers;
mod trained;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;
