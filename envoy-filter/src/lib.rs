//! Ships Envoy's access logs to Amazon CloudWatch Logs: a proxy-wasm module around the core.
//!
//! A request that ended is written as a [`line`], which the core's machine puts into a batch; the
//! [`logger`] carries out what the machine asks, by HTTP calls to a cluster of Envoy's. What the operator
//! wants is the [`configuration`]. `proxy` is the only part that touches Envoy: everything else runs, and
//! is tested, without.

#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::todo)
)]

pub mod answer;
pub mod configuration;
pub mod credentials;
pub mod line;
pub mod logger;
pub mod stats;

#[cfg(target_family = "wasm")]
mod proxy;
