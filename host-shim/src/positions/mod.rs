//! How far each container's log has been accepted by CloudWatch, kept across restarts.
//!
//! Everything is in memory, and a thread of its own writes to an embedded database under the state
//! directory what has changed: at once when it is idle, and when it is not, whatever came meanwhile with
//! one commit. Whoever stores a position never waits for the disk. When the disk fails, shipping goes on
//! from memory, and the thread tries again.

mod disk;
mod keeper;
mod record;
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

pub use disk::OpenError;
pub use keeper::{FileOf, Keeper};
pub use record::{FilePlace, Place, Record};

use disk::Disk;
use writer::Writer;

/// The positions of every container. Clones are the same store; the last to go writes what is left.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    /// `None` without a state directory.
    writer: Option<Arc<Writer>>,
}

struct Shared {
    state: Mutex<State>,
    /// Told when there is something to write, or the store closes.
    changed: std::sync::Condvar,
    written: watch::Sender<Written>,
}

#[derive(Default)]
struct State {
    records: BTreeMap<String, Record>,
    /// When this program last ran, in nanoseconds since 1970; from an earlier life until `beat`.
    last_running: Option<u64>,
    dirty: BTreeSet<String>,
    /// Counts changes.
    generation: u64,
    closing: bool,
}

/// What the writer has done so far.
#[derive(Clone, Debug, Default)]
struct Written {
    /// Every change up to this one is on disk.
    generation: u64,
    /// The last attempt, if it failed: up to which change it went, and why.
    failed: Option<(u64, String)>,
}

impl Store {
    /// Opens the store in a directory, which is made if need be. A store that is damaged is moved aside,
    /// and a new one begun: see [`Store::open`]'s log lines.
    ///
    /// # Errors
    /// Another process has it open, it was written by a newer version, or the directory cannot be used.
    pub fn open(directory: &Path) -> Result<Store, OpenError> {
        let (disk, found) = Disk::open(directory)?;
        let state = State { records: found.records, last_running: found.last_running, ..State::default() };
        let shared = Shared::new(state);
        let writer = Writer::start(disk, Arc::clone(&shared)).map_err(OpenError::thread)?;
        Ok(Store { shared, writer: Some(Arc::new(writer)) })
    }

    /// A store that forgets everything when the program ends.
    pub fn in_memory() -> Store {
        Store { shared: Shared::new(State::default()), writer: None }
    }

    /// Whether positions outlive the program.
    pub fn is_lasting(&self) -> bool {
        self.writer.is_some()
    }

    /// What is known of a container.
    pub fn record(&self, id: &str) -> Option<Record> {
        self.shared.lock().records.get(id).cloned()
    }

    /// Changes what is known of a container; one that is unknown begins with nothing.
    pub fn update(&self, id: &str, now: u64, change: impl FnOnce(&mut Record)) {
        self.shared.change(|state| {
            let record = state.records.entry(id.to_owned()).or_default();
            change(record);
            record.seen = now;
            state.dirty.insert(id.to_owned());
        });
    }

    /// When this program last said that it runs, in nanoseconds since 1970: containers that ended before
    /// that were read by it. `None` if it never ran with this store.
    pub fn last_running(&self) -> Option<u64> {
        self.shared.lock().last_running
    }

    /// Says that this program runs, now.
    pub fn beat(&self, now: u64) {
        self.shared.change(|state| state.last_running = Some(now));
    }

    /// Says which containers exist. What is known of others is dropped once they have been gone for a day.
    pub fn exist(&self, ids: &BTreeSet<&str>, now: u64) {
        self.shared.change(|state| {
            let mut dirty = Vec::new();
            state.records.retain(|id, record| {
                let age = now.saturating_sub(record.seen);
                if ids.contains(id.as_str()) {
                    if age > SEEN_EVERY {
                        record.seen = now;
                        dirty.push(id.clone());
                    }
                    return true;
                }
                if age > KEPT_FOR {
                    dirty.push(id.clone());
                }
                age <= KEPT_FOR
            });
            state.dirty.extend(dirty);
        });
    }

    /// Waits until everything that was stored before is on disk, unless the disk fails or hangs.
    pub async fn settle(&self) {
        if self.writer.is_none() {
            return;
        }
        let wanted = self.shared.lock().generation;
        let mut written = self.shared.written.subscribe();
        let settled = written.wait_for(|written| written.generation >= wanted || written.failed.is_some());
        // Shipping goes on in either case, and the writer says what is wrong.
        let _ = tokio::time::timeout(HANGS_AFTER, settled).await;
    }

    /// Waits until everything that was stored before is on disk.
    ///
    /// # Errors
    /// The disk refused, for the reason given; the store keeps trying.
    pub async fn flush(&self) -> Result<(), String> {
        if self.writer.is_none() {
            return Ok(());
        }
        let wanted = self.shared.lock().generation;
        let mut written = self.shared.written.subscribe();
        let written = written
            .wait_for(|written| {
                written.generation >= wanted
                    || written.failed.as_ref().is_some_and(|(upto, _)| *upto >= wanted)
            })
            .await
            .map_err(|_closed| "the store is closed".to_owned())?;
        match &written.failed {
            Some((_, problem)) if written.generation < wanted => Err(problem.clone()),
            _ => Ok(()),
        }
    }
}

impl Shared {
    fn new(state: State) -> Arc<Shared> {
        let (written, _) = watch::channel(Written::default());
        Arc::new(Shared { state: Mutex::new(state), changed: std::sync::Condvar::new(), written })
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        state.generation += 1;
        drop(state);
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock; should one ever, the state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A disk that takes longer is not waited for.
const HANGS_AFTER: Duration = Duration::from_secs(2);
const SECOND: u64 = 1_000_000_000;
/// How long the positions of a container that is gone are kept: a backup may bring it back.
const KEPT_FOR: u64 = 24 * 3_600 * SECOND;
/// How exactly the last sight of a container is known.
const SEEN_EVERY: u64 = 3_600 * SECOND;

#[cfg(test)]
mod tests;
