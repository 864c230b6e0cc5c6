//! Runs the Cloudspout component under wasmtime, and supplies what it imports.
//!
//! [`Runtime`] loads the component; [`Runtime::run`] runs one instance of it until it is done. Logs reach
//! it through a [`streams::Hub`]: from Docker ([`docker`]), from standard input ([`pipe`]), from whoever sends
//! them ([`serve`]), or from a source of your own. The host moves bytes and keeps positions ([`positions`]); it decides nothing.
//!
//! To ship logs from a program of your own, hand an instance what it needs, each by a trait with an
//! implementation at hand:
//!
//! | what | trait | at hand |
//! |---|---|---|
//! | log streams | [`streams::Hub::open`] gives a writer; [`streams::Keep`] hears what is accepted | [`pipe`], [`docker`], [`serve`] |
//! | credentials | [`Provider`] | [`AwsCredentials`] |
//! | requests | [`Transport`] | [`HttpClient`] |
//! | the time | [`Clock`] | [`SystemClock`] |
//! | what people should hear | [`Reporter`] | [`Tracing`] |
//!
//! `examples/embed.rs` does all of it.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::todo)
)]

mod account;
mod bindings;
mod bounds;
mod causes;
mod clock;
mod code;
mod credentials;
mod dead_letters;
mod driver;
mod ec2;
mod explain;
mod http;
mod imports;
mod listening;
mod nothing;
mod reports;
mod transport;
mod turns;
mod usage;

pub mod docker;
pub mod filtering;
pub mod metrics;
pub mod pipe;
pub mod positions;
pub mod serve;
pub mod streams;
pub mod tenants;

pub use bounds::{Bounds, Exceeded};
pub use causes::causes;
pub use clock::{Clock, SystemClock};
pub use credentials::{
    AwsCredentials, ContainerEndpoint, CredentialsFailure, CredentialsSource, Identity, NoPlace, Place,
    Provider, default_region,
};
pub use dead_letters::DeadLetters;
pub use driver::{
    Collisions, Compression, Failure, FilterFailure, Means, NamingMode, Options, Output, Overrides, RunError,
    Runtime, WhenFull, Wrap,
};
pub use ec2::{Ec2, ec2};
pub use explain::{Explanation, Placement, Rendering, explain};
pub use http::HttpClient;
pub use nothing::Nothing;
pub use reports::{Action, Answered, Bucket, Counts, Form, Outcome, Reporter, Severity, Status, Tracing};
pub use transport::{Body, SendError, Transport};
pub use usage::Usage;
/// For implementing [`Provider`] and [`Transport`].
pub use wasmtime_wasi::async_trait;
