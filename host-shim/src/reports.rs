//! What the component wants people to hear.

use std::sync::{Mutex, PoisonError};

pub use crate::bindings::cloudspout::host::reports::{Counts, Severity};

/// Takes an instance's reports. It is called from the instance's thread and must not block.
pub trait Reporter: Send + Sync {
    fn tell(&self, severity: Severity, text: &str);
    fn count(&self, counts: &Counts);
}

/// Passes reports on as log lines, and keeps the last counts.
#[derive(Debug, Default)]
pub struct Tracing {
    counts: Mutex<Option<Counts>>,
}

impl Tracing {
    /// The counts as last reported; `None` before the first time.
    pub fn counts(&self) -> Option<Counts> {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reporter for Tracing {
    fn tell(&self, severity: Severity, text: &str) {
        match severity {
            Severity::Debug => tracing::debug!("{text}"),
            Severity::Info => tracing::info!("{text}"),
            Severity::Warning => tracing::warn!("{text}"),
            Severity::Error => tracing::error!("{text}"),
        }
    }

    fn count(&self, counts: &Counts) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = Some(*counts);
    }
}
