//! The core as a WASI component: a host's imports drive the machine.
//!
//! [`run`] is the loop, over whatever a [`host`] gives. It is built for one of two worlds of the WIT:
//! `shipper`, whose host hands in logs and credentials through interfaces of ours, and `command`, for hosts
//! that have nothing but WASI.

// What exports a component is generated, and unsafe.
#![allow(unsafe_code)]

mod host;
mod http;
mod run;

#[cfg(feature = "command")]
mod command;
#[cfg(not(feature = "command"))]
mod shipper;
