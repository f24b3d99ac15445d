//! Models and data: named, fetched, verified, cached.
//!
//! An [`Asset`] is a set of files with pinned SHA-256 sums and a list of [`Source`]s, written down
//! in `registry.toml`. A [`Store`] keeps them in a cache folder: what is there and whole is used,
//! what is not is fetched from the first source that answers, verified, and moved into place in
//! one step. A killed or broken download therefore leaves nothing that a later run would trust.
//!
//! ```text
//! <cache>/assets/<name>-<12 hex digits of its checksums>/   registered assets
//! <cache>/hub/<org>--<name>@<revision>/                     other models from the hub
//! <cache>/staging/                                          downloads under way, and their locks
//! ```

mod archive;
mod checksum;
mod error;
mod fetch;
mod hub;
mod layout;
#[cfg(test)]
mod mock_hub;
mod options;
mod package;
mod pip_log;
mod progress;
mod registry;
mod staging;
mod store;

pub use archive::extract;
pub use checksum::sha256_file;
pub use error::{AssetError, Attempt, Failure};
pub use options::StoreOptions;
pub use registry::{Asset, AssetFile, Form, HubSource, Kind, PackageSource, Registry, Source};
pub use store::{AssetDir, Store};
