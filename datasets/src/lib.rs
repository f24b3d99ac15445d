#![doc = include_str!("../README.md")]

mod batch;
mod delimited;
mod error;
mod files;
mod folders;
mod rows;
mod sentences;
mod single;
mod split;
mod summary;
mod task;
mod text;
mod tokenize;

pub use batch::{Batch, PAD_ID, eval_batches, train_batches};
pub use error::{DataError, LineProblem};
pub use files::{Encoding, FileTask, Format, from_files};
pub use folders::{FOLDERS, FolderTask, from_dir};
pub use sentences::{NAMED, NamedTask, named};
pub use single::{FileRow, labelled, texts};
pub use summary::{Lengths, Summary};
pub use task::{Example, Split, Task};
pub use tokenize::{Encoded, TextEncoder};
pub use tokenizers::Tokenizer;
