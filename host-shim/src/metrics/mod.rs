//! What an operator sees by HTTP: metrics for Prometheus, how everything stands, and whether logs are delivered.
//!
//! A [`Board`] has a [`Panel`] for each instance, or for each tenant's instances one after the other. A panel is a
//! [`Reporter`](crate::Reporter): it keeps what an instance says of itself, once a second at most, beside what the
//! host knows of it. A [`Server`] shows the board to whoever asks; while nobody does, nothing is made of it.
//!
//! What it shows is bounded by the configuration: a label for each tenant or route, none for containers, log
//! groups or log streams.

mod board;
mod families;
mod health;
mod page;
mod panel;
mod process;
mod server;
mod status;
mod totals;

pub use board::{Board, Part};
pub use page::{Format, Kind, Labels, Page, Value};
pub use panel::{Owner, Panel};
pub use server::Server;
