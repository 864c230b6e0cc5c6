//! A strict CloudWatch Logs endpoint on loopback.
//!
//! It takes what CloudWatch Logs takes, refuses what the service refuses with the service's own codes and words,
//! verifies signatures, keeps what arrives, and lets the AWS CLI and the SDKs read it back. It can also fail on
//! purpose ([`FaultPlan`]), because a sender is only as good as what it does then.
//!
//! ```no_run
//! # async fn run() -> Result<(), cloudspout_local::LocalError> {
//! use cloudspout_local::{Config, Endpoint};
//!
//! let endpoint = Endpoint::bind(Config::default()).await?;
//! println!("http://{}", endpoint.address());
//! endpoint.serve(std::future::pending()).await
//! # }
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

// From the door to the cellar.
mod config;
mod endpoint;

mod control;
mod service;

mod body;
mod stats;
mod wire;

mod fault;
mod sigv4;

mod api;
mod print;
mod refusal;

mod store;

mod clock;

pub use clock::Timestamp;
pub use config::{Config, Exposure, Keys, PrintMode, Sync, Work};
pub use control::{Control, KeptEvent};
pub use endpoint::{Endpoint, LocalError};
pub use fault::{FaultError, FaultPlan};
pub use sigv4::keys::{KeyPair, LOCAL_KEY_ID, LOCAL_SECRET};
pub use stats::Counts;
pub use store::{DiskError, StoreError};
