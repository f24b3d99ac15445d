//! Measures speed and memory of training: what the command `bench` does.
//!
//! A [`job`] says what is measured. A [`worker`] is a process of its own that has loaded one job;
//! it does one round of work whenever it is asked and tells what that took. Ours goes through
//! [`crate::train`], the same code as a run; Hugging Face PEFT's is a Python script that is spoken
//! to in the same way ([`peft`]). A [`side`] is our end of the line to a worker, so sides can take
//! turns, and a drift of the machine meets them all.

pub mod growth;
pub mod job;
pub mod launches;
pub mod memory;
pub mod page;
pub mod peft;
pub mod rounds;
pub mod side;
pub mod speed;
pub mod stopwatch;
pub mod suites;
pub mod table;
pub mod targets;
pub mod theory;
pub mod worker;
