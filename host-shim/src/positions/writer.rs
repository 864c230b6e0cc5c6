//! The thread that brings positions to disk.

use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Shared;
use super::disk::{Changes, Disk};

/// The thread; dropped, it writes what is left and ends.
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(disk: Disk, shared: Arc<Shared>) -> std::io::Result<Writer> {
        let theirs = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("positions".to_owned()).spawn(move || write(disk, &theirs))?;
        Ok(Writer { shared, thread: Some(thread) })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed by the thread itself.
            let _ = thread.join();
        }
    }
}

fn write(mut disk: Disk, shared: &Shared) {
    let mut failing: Option<Failing> = None;
    loop {
        let Some((changes, upto)) = next(shared, failing.is_some()) else { return };
        match disk.write(&changes) {
            Ok(()) => {
                if failing.take().is_some() {
                    tracing::info!("positions can be stored again in {}", disk.path().display());
                }
                shared.written.send_modify(|written| {
                    written.generation = upto;
                    written.failed = None;
                });
            }
            Err(problem) => {
                put_back(shared, &changes);
                let failing = failing.get_or_insert(Failing { said: None });
                failing.say(&problem, &disk);
                shared.written.send_modify(|written| written.failed = Some((upto, problem)));
            }
        }
    }
}

/// Waits for changes, and takes them all; after a failure not before a while has passed. `None` once the
/// store is closed and everything was tried.
fn next(shared: &Shared, failing: bool) -> Option<(Changes, u64)> {
    let mut state = shared.lock();
    if failing {
        let waited = shared.changed.wait_timeout_while(state, RETRY_AFTER, |state| !state.closing);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if state.closing {
            return None;
        }
    }
    let mut on_disk = shared.written.borrow().generation;
    while state.generation == on_disk {
        if state.closing {
            return None;
        }
        state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        on_disk = shared.written.borrow().generation;
    }
    let dirty = std::mem::take(&mut state.dirty);
    let records = dirty.into_iter().map(|id| {
        let record = state.records.get(&id).cloned();
        (id, record)
    });
    let changes = Changes { records: records.collect(), last_running: state.last_running };
    Some((changes, state.generation))
}

/// Whatever was not written is to be written. Nobody knows what a disk that failed has kept: every record
/// is written again.
fn put_back(shared: &Shared, changes: &Changes) {
    let mut guard = shared.lock();
    let state = &mut *guard;
    state.dirty.extend(changes.records.keys().chain(state.records.keys()).cloned());
}

/// A disk that refuses, and when people were told.
struct Failing {
    said: Option<Instant>,
}

impl Failing {
    fn say(&mut self, problem: &str, disk: &Disk) {
        if self.said.is_some_and(|said| said.elapsed() < SAY_EVERY) {
            return;
        }
        self.said = Some(Instant::now());
        tracing::error!(
            "positions cannot be stored in {}: {problem}; logs are shipped all the same, but if cloudspout ends \
             before this is mended, what it ships from now on will be shipped again",
            disk.path().display()
        );
    }
}

const RETRY_AFTER: Duration = Duration::from_secs(1);
const SAY_EVERY: Duration = Duration::from_secs(60);
