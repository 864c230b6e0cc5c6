//! What the component wants people to hear.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use crate::bindings::cloudspout::host::reports::{
    Action, Answered, Bucket, Counts, Outcome, Severity, Status,
};
use crate::usage::Usage;

/// Takes an instance's reports. It is called from the instance's thread and must not block.
pub trait Reporter: Send + Sync {
    /// An instance begins, which takes this much of the machine.
    fn begin(&self, usage: &Arc<Usage>) {
        // For most, what it says is enough.
        let _ = usage;
    }

    fn tell(&self, severity: Severity, text: &str);

    /// What it has counted, and how it stands; once a second at most, while that changes.
    fn count(&self, counts: &Counts, status: &Status);
}

/// Passes reports on as log lines: what happens at once, counts now and then.
#[derive(Debug)]
pub struct Tracing {
    tenant: Option<String>,
    form: Form,
    every: Option<Duration>,
    counted: Mutex<Counted>,
}

/// How counts are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In a sentence.
    Words,
    /// Each in a field of its own.
    Fields,
}

#[derive(Debug)]
struct Counted {
    counts: Option<Counts>,
    told_at: Instant,
}

impl Tracing {
    /// Tells counts so often, if they have changed; `None`: only at the end.
    pub fn new(form: Form, every: Option<Duration>) -> Tracing {
        let counted = Mutex::new(Counted { counts: None, told_at: Instant::now() });
        Tracing { tenant: None, form, every, counted }
    }

    /// Says with all that it tells whose it is.
    pub fn of_tenant(self, tenant: &str) -> Tracing {
        Tracing { tenant: Some(tenant.to_owned()), ..self }
    }

    /// The last counts.
    pub fn counts(&self) -> Option<Counts> {
        self.lock().counts
    }

    /// Tells the last counts, if anything was read.
    pub fn sum_up(&self) {
        let counts = self.lock().counts;
        if let Some(counts) = counts.filter(|counts| counts.events_read > 0) {
            self.tell_counts(&counts);
        }
    }

    fn tell_counts(&self, counts: &Counts) {
        let tenant = self.tenant.as_deref();
        match self.form {
            Form::Words => tracing::info!(tenant, "{}", words(counts)),
            Form::Fields => tracing::info!(
                tenant,
                bytes_read = counts.bytes_read,
                events_read = counts.events_read,
                events_empty = counts.events_empty,
                lines_split = counts.lines_split,
                bytes_malformed = counts.bytes_malformed,
                requests_sent = counts.requests_sent,
                requests_retried = counts.requests_retried,
                requests_ambiguous = counts.requests_ambiguous,
                bytes_sent = counts.bytes_sent,
                events_accepted = counts.events_accepted,
                events_possibly_doubled = counts.events_possibly_doubled,
                events_too_old = counts.events_too_old,
                events_too_new = counts.events_too_new,
                events_expired = counts.events_expired,
                events_invalid = counts.events_invalid,
                events_dropped_oldest = counts.events_dropped_oldest,
                events_dropped_newest = counts.events_dropped_newest,
                events_filtered = counts.events_filtered,
                events_unfiltered = counts.events_unfiltered,
                dead_letters = counts.dead_letters,
                log_gaps = counts.log_gaps,
                log_bytes_lost = counts.log_bytes_lost,
                gaps_marked = counts.gaps_marked,
                group_settings_refused = counts.group_settings_refused,
                "counts"
            ),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        // No code panics while it holds the lock; should one ever, the counts are still whole.
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reporter for Tracing {
    fn tell(&self, severity: Severity, text: &str) {
        let tenant = self.tenant.as_deref();
        match severity {
            Severity::Debug => tracing::debug!(tenant, "{text}"),
            Severity::Info => tracing::info!(tenant, "{text}"),
            Severity::Warning => tracing::warn!(tenant, "{text}"),
            Severity::Error => tracing::error!(tenant, "{text}"),
        }
    }

    fn count(&self, counts: &Counts, _status: &Status) {
        let mut counted = self.lock();
        counted.counts = Some(*counts);
        if self.every.is_some_and(|every| counted.told_at.elapsed() >= every) {
            counted.told_at = Instant::now();
            drop(counted);
            self.tell_counts(counts);
        }
    }
}

/// Both hear of it.
impl<A: Reporter, B: Reporter> Reporter for (Arc<A>, Arc<B>) {
    fn begin(&self, usage: &Arc<Usage>) {
        self.0.begin(usage);
        self.1.begin(usage);
    }

    fn tell(&self, severity: Severity, text: &str) {
        self.0.tell(severity, text);
        self.1.tell(severity, text);
    }

    fn count(&self, counts: &Counts, status: &Status) {
        self.0.count(counts, status);
        self.1.count(counts, status);
    }
}

/// The counts as a sentence; what did not happen is left out.
fn words(counts: &Counts) -> String {
    let rejected = [
        (counts.events_too_old, "too old"),
        (counts.events_expired, "older than the retention"),
        (counts.events_too_new, "too new"),
        (counts.events_invalid, "invalid"),
    ];
    let each = |parts: &[(u64, &str)]| {
        let mut text = String::new();
        for (count, what) in parts.iter().filter(|(count, _)| *count > 0) {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}{count} {what}", if text.is_empty() { "" } else { ", " });
        }
        text
    };
    let mut text = format!("{} events read, {} accepted", counts.events_read, counts.events_accepted);
    let total: u64 = rejected.iter().map(|(count, _)| count).sum();
    let _ = write!(text, ", {total} rejected");
    if total > 0 {
        let _ = write!(text, " ({})", each(&rejected));
    }
    let others = each(&[
        (counts.events_dropped_oldest, "dropped oldest first"),
        (counts.events_dropped_newest, "dropped as they came"),
        (counts.events_filtered, "left out by the filter"),
        (counts.events_unfiltered, "let by unfiltered"),
        (counts.dead_letters, "kept as dead letters"),
        (counts.events_possibly_doubled, "in requests without an answer, which may be there twice"),
        (counts.gaps_marked, "gaps marked"),
        (counts.group_settings_refused, "settings of log groups refused"),
    ]);
    if !others.is_empty() {
        let _ = write!(text, ", {others}");
    }
    if counts.log_gaps > 0 {
        let _ = write!(
            text,
            "; parts of logs gone before they could be read: {} (bytes, as far as known: {})",
            counts.log_gaps, counts.log_bytes_lost
        );
    }
    let _ = write!(text, "; {} requests, {} of them repeated", counts.requests_sent, counts.requests_retried);
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Nothing has happened.
    pub const NONE: Counts = Counts {
        bytes_read: 0,
        events_read: 0,
        requests_sent: 0,
        requests_retried: 0,
        bytes_sent: 0,
        events_accepted: 0,
        events_too_old: 0,
        events_too_new: 0,
        events_expired: 0,
        events_invalid: 0,
        events_dropped_oldest: 0,
        events_dropped_newest: 0,
        events_filtered: 0,
        events_unfiltered: 0,
        dead_letters: 0,
        log_gaps: 0,
        log_bytes_lost: 0,
        gaps_marked: 0,
        group_settings_refused: 0,
        requests_ambiguous: 0,
        events_possibly_doubled: 0,
        events_empty: 0,
        lines_split: 0,
        bytes_malformed: 0,
    };

    fn counts() -> Counts {
        Counts {
            bytes_read: 1,
            events_read: 10,
            requests_sent: 3,
            requests_retried: 1,
            bytes_sent: 1,
            events_accepted: 6,
            ..NONE
        }
    }

    #[test]
    fn people_read_what_happened_and_nothing_else() {
        for (counts, text) in [
            (counts(), "10 events read, 6 accepted, 0 rejected; 3 requests, 1 of them repeated"),
            (
                Counts {
                    events_too_old: 2,
                    events_invalid: 1,
                    events_dropped_newest: 1,
                    events_filtered: 4,
                    dead_letters: 3,
                    events_possibly_doubled: 5,
                    log_gaps: 2,
                    log_bytes_lost: 7,
                    ..counts()
                },
                "10 events read, 6 accepted, 3 rejected (2 too old, 1 invalid), 1 dropped as they came, 4 left out by the filter, 3 kept as \
                 dead letters, 5 in requests without an answer, which may be there twice; parts of logs gone before \
                 they could be read: 2 (bytes, as far as known: 7); 3 requests, 1 of them repeated",
            ),
        ] {
            assert_eq!(words(&counts), text);
        }
    }
}
