//! Drives the program against real parts: a Docker daemon of its own, CloudWatch Logs endpoints, other people's clients.
//!
//! A scenario starts what it needs, lets the program ship, and compares event by event what arrived with what was
//! written. Everything started here ends with the scenario, also with one that fails; every wait has a bound and asks
//! for a condition. `tests/setup.sh` installs what is needed from outside.

pub mod rules;
pub mod text;

pub mod authority;
pub mod clock;
pub mod disk;
pub mod docker;
pub mod envoy;
pub mod filters;
pub mod issuer;
pub mod load;
pub mod metrics;
pub mod network;
pub mod peers;
pub mod program;
pub mod senders;
pub mod strict;
pub mod wasmtime;

pub mod events;

pub mod process;
