//! Ships container logs to Amazon CloudWatch Logs: the core, and the component built from it.
//!
//! A line's way: [`lines`] turn a log's bytes into events, [`naming`] says where they go, [`batch`] writes
//! them into the body of a request, [`sigv4`] signs it, [`delivery`] judges the answer, and [`shipper`] is
//! the machine that joins them. It does nothing by itself: bytes, answers and the time are handed in;
//! requests and acknowledgements come out. `component` drives it where it runs as a WASI component.

#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::todo)
)]

pub mod batch;
pub mod cloudwatch;
pub mod command;
#[cfg(all(target_family = "wasm", target_env = "p2"))]
mod component;
pub mod delivery;
pub mod explain;
pub mod lines;
pub mod naming;
pub mod settings;
pub mod shipper;
pub mod sigv4;
pub mod size;
pub mod template;
pub mod time;
