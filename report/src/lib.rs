//! Run records, and the tables, charts and pages made from them.
//!
//! A results folder holds one JSON file per run, `<run id>.json`; that is the truth. Beside them
//! `suite.json` keeps what was asked for, and `trained/` what was trained. Everything else
//! (`runs.csv`, `charts/`, `REPORT.md`, `report.html`) is derived: [`render`] makes it
//! again, byte for byte the same for the same records. This crate reads records and never trains.
//!
//! ```no_run
//! # fn main() -> Result<(), report::ReportError> {
//! let results = report::ResultsDir::open("results/quick".as_ref())?;
//! if let report::Claim::Mine(lock) = results.claim("lora-2d5fa52051")? {
//!     // … train, then results.write(&record)? …
//! #   drop(lock);
//! }
//! let rendered = report::render(&results, "PEFT methods on movie reviews")?;
//! println!("{}", rendered.html.display());
//! # Ok(()) }
//! ```

pub mod record;

mod error;
mod files;
mod lock;
mod merge;
mod results;
mod suite;
mod trials;

pub mod clock;
pub mod format;
pub mod stats;

mod finding;
mod notes;
mod paired;
mod pairing;
mod pairing_pages;
mod study;
mod summary;
mod table;

mod chart;
mod html;
mod index;
mod markdown;
mod render;
mod runs_csv;

#[cfg(test)]
mod example;

pub use chart::panels;
pub use error::ReportError;
pub use files::{make_folder, write_atomic};
pub use index::index;
pub use lock::Lock;
pub use merge::{Merged, merge};
pub use pairing::{Pair, Pairing, pair};
pub use record::RunRecord;
pub use render::{Rendered, render};
pub use results::{Claim, ResultsDir};
pub use suite::SuiteInfo;
