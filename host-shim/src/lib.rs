//! Runs the Cloudspout component under wasmtime, and supplies what it imports.
//!
//! [`Runtime`] loads the component; [`Runtime::run`] runs one instance of it until it is done. Logs reach
//! it through a [`streams::Hub`]: from Docker ([`docker`]), from standard input ([`pipe`]), or from a source
//! of your own. The host moves bytes and keeps positions ([`positions`]); it decides nothing.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::todo)
)]

mod bindings;
mod causes;
mod credentials;
mod driver;
mod http;
mod imports;
mod reports;

pub mod docker;
pub mod pipe;
pub mod positions;
pub mod streams;

pub use causes::causes;
pub use credentials::{AwsCredentials, CredentialsFailure, Identity, Provider, default_region};
pub use driver::{Compression, Failure, Options, RunError, Runtime};
pub use http::HttpClient;
pub use reports::{Counts, Reporter, Severity, Tracing};
