//! The adviser: which method, size and learning rate suit the user's own rows, found by
//! cross-validation within a time budget.
//!
//! [`candidates`] says what may be chosen, [`folds`] cuts the rows, [`schedule`] plans the time
//! from measured costs, [`field`] lets in as many as there is time for, [`contest`] runs
//! successive halving, [`finale`] trains the winner, [`advice`] is what comes out and [`words`]
//! says it.

pub mod advice;
pub mod candidates;
pub mod contest;
pub mod field;
pub mod finale;
pub mod folds;
pub mod schedule;
pub mod words;
