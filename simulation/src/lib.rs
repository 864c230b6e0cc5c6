//! The core in a simulated world: containers, host, network and service that fail at random, and a model
//! that knows what has to arrive all the same.
//!
//! [`World::run`] lives through the world of a seed: the same seed is the same world, step by step. What
//! goes wrong is a [`Violation`], which says how to see it again. [`Sabotage`] plants faults between the
//! machine and its world, so that the tests can show that the world would notice.

mod chance;
mod docker;
mod host;
mod model;
mod outcome;
mod plan;
mod sabotage;
mod service;
mod world;

pub use outcome::{Summary, Violation};
pub use plan::Profile;
pub use sabotage::Sabotage;
pub use world::World;
