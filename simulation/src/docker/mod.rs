//! Containers and what Docker keeps of their output, encoded as Docker does it.

mod container;
mod log;
pub mod text;
mod time;

pub use container::{Container, POISON, Taste, Written};
pub use log::Log;
