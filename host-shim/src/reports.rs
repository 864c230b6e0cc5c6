//! What the component wants people to hear.

use std::sync::Mutex;
use std::sync::PoisonError;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Debug,
    Info,
    Warning,
    Error,
}

/// Counts since an instance started; `counts` in the WIT says what each means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub bytes_read: u64,
    pub events_read: u64,
    pub requests_sent: u64,
    pub requests_retried: u64,
    pub bytes_sent: u64,
    pub events_accepted: u64,
    pub events_too_old: u64,
    pub events_too_new: u64,
    pub events_expired: u64,
    pub events_invalid: u64,
    pub requests_ambiguous: u64,
    pub events_possibly_doubled: u64,
    pub events_empty: u64,
    pub lines_split: u64,
    pub bytes_malformed: u64,
}

/// Takes an instance's reports. It is called from the instance's thread and must not block.
pub trait Reporter: Send + Sync {
    fn tell(&self, severity: Severity, text: &str);
    fn count(&self, counts: &Counts);
}

/// Passes reports on as log lines, and keeps the last counts.
#[derive(Debug, Default)]
pub struct Tracing {
    counts: Mutex<Counts>,
}

impl Tracing {
    /// The counts as last reported.
    pub fn counts(&self) -> Counts {
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
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = *counts;
    }
}
