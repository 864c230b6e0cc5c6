//! What is counted.

use std::fmt;

/// Counts since the start; `counts` in the WIT says what each means.
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
    pub events_dropped_oldest: u64,
    pub events_dropped_newest: u64,
    pub events_filtered: u64,
    pub events_unfiltered: u64,
    pub dead_letters: u64,
    pub log_gaps: u64,
    pub log_bytes_lost: u64,
    pub gaps_marked: u64,
    pub group_settings_refused: u64,
    pub requests_ambiguous: u64,
    pub events_possibly_doubled: u64,
    pub events_empty: u64,
    pub lines_split: u64,
    pub bytes_malformed: u64,
}

impl Counts {
    /// Events that CloudWatch refused for good.
    pub fn rejected(&self) -> u64 {
        self.events_too_old + self.events_too_new + self.events_expired + self.events_invalid
    }

    /// Events dropped for want of room.
    pub fn dropped(&self) -> u64 {
        self.events_dropped_oldest + self.events_dropped_newest
    }
}

/// What people read at the end.
impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} events read, {} accepted, {} rejected, {} in requests without an answer that were sent again; \
             {} requests, {} of them repeated",
            self.events_read,
            self.events_accepted,
            self.rejected(),
            self.events_possibly_doubled,
            self.requests_sent,
            self.requests_retried,
        )
    }
}
