//! Run records, and the tables, charts and pages made from them.
//!
//! A results folder holds one JSON file per run, `<run id>.json`; that is the truth. Everything
//! else in it (`runs.csv`, `charts/`, `REPORT.md`, `report.html`) is derived: [`render`] makes it
//! again, byte for byte the same for the same records. This crate reads records and never trains.
//!
//! ```no_run
//! # fn main() -> Result<(), report::ReportError> {
//! let results = report::ResultsDir::open("results/quick".as_ref())?;
//! let lock = results.lock()?; // one run at a time
//! // … results.write(&record)? after each run …
//! let rendered = report::render(&results, "PEFT methods on movie reviews")?;
//! println!("{}", rendered.html.display());
//! # drop(lock);
//! # Ok(()) }
//! ```

pub mod record;

mod error;
mod files;
mod lock;
mod results;

pub mod clock;
pub mod format;
pub mod stats;

mod finding;
mod notes;
mod summary;
mod table;

mod chart;
mod html;
mod markdown;
mod render;
mod runs_csv;

#[cfg(test)]
mod example;

pub use error::ReportError;
pub use files::{make_folder, write_atomic};
pub use finding::{Finding, finding};
pub use lock::Lock;
pub use record::RunRecord;
pub use render::{Rendered, render};
pub use results::ResultsDir;
pub use summary::{Comparison, Configuration, Series, compare};
pub use table::{Cell, Column, Table, table};
