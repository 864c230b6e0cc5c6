//! Docker as a source: every container's log becomes a log stream on the hub.
//!
//! The supervisor learns from the Engine API which containers there are and what becomes of them; each
//! container that is followed has a task of its own, which waits nearly always. Nothing in here looks at
//! what a log says.

mod address;
mod api;
mod assign;
mod backoff;
mod body;
mod container;
mod engine;
mod files;
mod filter;
mod glob;
mod instant;
mod look;
mod once;
mod own;
mod records;
mod sight;
mod supervisor;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

pub use address::{Address, AddressError, Tls};
pub use assign::{Assign, Candidate, Seat};
pub use engine::EngineError;
pub use filter::{Filter, Terminals};
pub use glob::Glob;
pub use look::{Seen, look};
pub use sight::Sight;

use crate::positions::Store;
use engine::Engine;
use own::{LeftOut, Own};
use records::Inspected;

/// What the operator chose.
#[derive(Clone, Debug)]
pub struct Config {
    pub address: Address,
    pub extent: Extent,
    pub backlog: Backlog,
    pub source: Source,
    /// Docker's data root as it is seen from here, if that is not where the daemon says.
    pub docker_root: Option<PathBuf>,
    pub filter: Filter,
    /// Where it is seen whether the daemon is there.
    pub sight: Sight,
}

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every container for as long as it exists, and every new one.
    Follow,
    /// What all containers, running or not, have logged so far.
    Once,
}

/// Where to begin in the log of a container that runs at the start and of which nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backlog {
    Beginning,
    Now,
    /// With the last so many messages.
    Last(u64),
}

/// The way to a container's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The daemon's files where they can be read, else the Engine API.
    Auto,
    Files,
    Api,
}

/// Follows containers, or reads once what they have logged, each for whomever `assign` names: a [`Hub`] takes
/// them all.
///
/// [`Hub`]: crate::streams::Hub
///
/// With [`Extent::Follow`] it does so until it is dropped. Dropping it ends every log stream for good, so
/// let the component return from `run` first. With [`Extent::Once`] it moves the component on to
/// `finishing` once everything has been read, and returns.
///
/// # Errors
/// The daemon is not there at the start. That it goes away later is waited out.
pub async fn run(config: Config, assign: impl Assign + 'static, store: Store) -> Result<(), EngineError> {
    let shared = Arc::new(Shared::connect(config, assign, store).await?);
    match shared.config.extent {
        Extent::Follow => supervisor::run(shared).await,
        Extent::Once => once::run(shared).await,
    }
}
/// What all parts of this source share.
struct Shared {
    config: Config,
    engine: Engine,
    assign: Box<dyn Assign>,
    store: Store,
    own: Own,
    daemon_name: String,
    /// Where the daemon keeps its files, on its own machine.
    data_root: String,
    /// The daemon's clock at the start, in nanoseconds.
    begun: u64,
    /// Told whenever the daemon is there again.
    connected: watch::Sender<()>,
    /// Whether people have been told that log files cannot be read.
    said_unreadable: AtomicBool,
    /// Tells of changes to log files; made when the first is read.
    watcher: OnceLock<Arc<files::Watcher>>,
}

impl Shared {
    /// Finds the daemon, and what it says of itself.
    async fn connect(
        config: Config,
        assign: impl Assign + 'static,
        store: Store,
    ) -> Result<Shared, EngineError> {
        let engine = Engine::new(config.address.clone());
        engine.negotiate().await?;
        let info = engine.info().await?;
        Ok(Shared {
            begun: instant::nanoseconds(&info.system_time).unwrap_or_else(instant::now),
            daemon_name: info.name,
            data_root: info.docker_root_dir,
            own: Own::of_this_process(),
            connected: watch::channel(()).0,
            said_unreadable: AtomicBool::new(false),
            watcher: OnceLock::new(),
            engine,
            config,
            assign: Box::new(assign),
            store,
        })
    }

    /// Whether a container is not to be followed; if so, why.
    fn leaves_out(&self, container: &Inspected) -> Option<&'static str> {
        match self.own.leaves_out(container) {
            Some(LeftOut::Own) => Some("it is cloudspout's own"),
            Some(LeftOut::Asked) => Some("its environment or a label asks for it"),
            None => self.config.filter.takes(container).err(),
        }
    }
}

#[cfg(test)]
mod tests;
