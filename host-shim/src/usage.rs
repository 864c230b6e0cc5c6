//! What an instance takes of the machine.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// What one instance takes, while it runs and once it has ended.
#[derive(Debug, Default)]
pub struct Usage {
    memory: AtomicUsize,
    computed: AtomicU64,
}

impl Usage {
    /// Its linear memory, in bytes.
    pub fn memory(&self) -> usize {
        self.memory.load(Ordering::Relaxed)
    }

    /// How long it has computed. Nothing of an instance of a runtime that is not
    /// [shared](crate::Runtime::shared): there is nobody to tell it from.
    pub fn computed(&self) -> Duration {
        Duration::from_nanos(self.computed.load(Ordering::Relaxed))
    }

    pub(crate) fn grow(&self, bytes: usize) {
        self.memory.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn compute(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.computed.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}
