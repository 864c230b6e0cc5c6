//! Stores the positions of one container, as the component acknowledges them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{FilePlace, Store};
use crate::streams::{Keep, Positions};

/// Says where an offset of a log lies in a file; `None` for a log that is not read from files.
pub trait FileOf: Send + Sync {
    fn file_of(&self, offset: u64) -> Option<FilePlace>;

    /// Everything before this offset has been accepted, and nobody will ask where it lies.
    fn accepted(&self, _offset: u64) {}
}

/// For logs that are not read from files.
impl FileOf for () {
    fn file_of(&self, _offset: u64) -> Option<FilePlace> {
        None
    }
}

/// Stores the positions of a container.
pub struct Keeper<F> {
    store: Store,
    id: String,
    files: F,
    /// What will have been accepted once the run that ended then is delivered whole.
    whole: Mutex<Option<(Positions, String)>>,
    clock: fn() -> u64,
}

impl<F: FileOf> Keeper<F> {
    pub fn new(store: Store, id: &str, files: F, clock: fn() -> u64) -> Keeper<F> {
        Keeper { store, id: id.to_owned(), files, whole: Mutex::new(None), clock }
    }

    /// Says that the run which ended at `finished` has been read whole, up to `taken`. Once that is
    /// accepted too, the record says so, and nobody needs to look at this run again.
    pub fn read_whole(&self, taken: Positions, finished: &str) {
        let accepted = self.store.record(&self.id).map(|record| record.positions()).unwrap_or_default();
        let mut whole = self.lock();
        if accepted == taken {
            *whole = None;
            drop(whole);
            self.store.update(&self.id, (self.clock)(), |record| record.done = Some(finished.to_owned()));
        } else {
            *whole = Some((taken, finished.to_owned()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Positions, String)>> {
        self.whole.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: FileOf> Keep for Keeper<F> {
    fn keep(&self, accepted: &Positions) {
        let done = self.lock().take_if(|(taken, _)| taken == accepted).map(|(_, finished)| finished);
        self.store.update(&self.id, (self.clock)(), |record| {
            record.accept(accepted, |offset| self.files.file_of(offset));
            record.done = done;
        });
        self.files.accepted(accepted.offset());
    }
}
