//! What is counted.

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
}
