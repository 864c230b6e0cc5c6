//! Whose a container's log is: everybody's the same, or a tenant's.

use std::any::Any;
use std::collections::BTreeMap;

use crate::streams::{Hub, Phase};

/// Says which hub a container's log goes to.
#[wasmtime_wasi::async_trait]
pub trait Assign: Send + Sync {
    /// Where the log of a container goes; waits while that is not to be said yet. `None`: it is not wanted.
    /// Asked again whenever the hub is closed.
    async fn assign(&self, candidate: &Candidate<'_>) -> Option<Seat>;

    /// No further container will be assigned.
    fn finish(&self);
}

/// What is known of a container when it is assigned. All of it was chosen by whoever started the container,
/// never by what runs in it.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub labels: &'a BTreeMap<String, String>,
    /// Names of the networks that it is in.
    pub networks: Vec<&'a str>,
}

/// A place on a hub, kept for as long as a container is followed.
pub struct Seat {
    pub hub: Hub,
    /// What is dropped when the seat is given up.
    pub keep: Option<Box<dyn Any + Send + Sync>>,
}

/// All containers go to one hub.
#[wasmtime_wasi::async_trait]
impl Assign for Hub {
    async fn assign(&self, _candidate: &Candidate<'_>) -> Option<Seat> {
        Some(Seat { hub: self.clone(), keep: None })
    }

    fn finish(&self) {
        self.set_phase(Phase::Finishing);
    }
}
