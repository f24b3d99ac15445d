//! Frozen pretrained transformers, and the four questions that they ask a method.
//!
//! - [`injection`] is the contract with the methods: read it first.
//! - [`backbone`] loads, encodes and pools; [`bert`] is one architecture.
//! - [`spec`] is what a method may know of a backbone.
//!
//! Nothing here names a method.

pub mod attention;
pub mod backbone;
pub mod bert;
pub mod injection;
pub mod rewrite;
pub mod spec;
pub mod tiny;
pub mod weights;

pub use backbone::{Backbone, ClassNames, Pooling, Tokens};
pub use injection::{Delta, Injection, KeyValue, Role, Site, Untouched};
pub use kernels::Precision;
pub use rewrite::{Changes, Rewritten, restored};
pub use spec::{BackboneSpec, ModuleNames, Tokenize};
pub use weights::{Checkpoint, LoadError};
