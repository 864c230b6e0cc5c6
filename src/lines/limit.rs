//! How long an event may be.

use crate::cloudwatch::limits::MAX_MESSAGE_BYTES;

/// The longest text of an event, and how it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// As CloudWatch counts, in bytes of UTF-8.
    Plain,
    /// So many bytes once it is escaped: it becomes a string within the event.
    Escaped(usize),
}

/// A byte of a log becomes so many bytes of UTF-8 at most (U+FFFD).
const LONGEST_REPLACEMENT: usize = 3;
/// A byte of UTF-8 becomes so many bytes at most once it is escaped (`\u0001`).
const LONGEST_ESCAPE: usize = 6;

impl Limit {
    /// Bytes of a log that fit whatever they are.
    pub fn surely(self) -> usize {
        match self {
            Limit::Plain => MAX_MESSAGE_BYTES / LONGEST_REPLACEMENT,
            Limit::Escaped(most) => most / LONGEST_ESCAPE,
        }
    }

    /// Bytes of UTF-8 that fit behind a text of so many, which is so long escaped; there may be room for more
    /// once these are written, if they come to less than they might.
    pub fn room(self, bytes: usize, escaped: usize) -> usize {
        match self {
            Limit::Plain => MAX_MESSAGE_BYTES.saturating_sub(bytes),
            Limit::Escaped(most) => most.saturating_sub(escaped) / LONGEST_ESCAPE,
        }
    }

    /// Whether what fits shows only once it is written.
    pub fn is_estimate(self) -> bool {
        matches!(self, Limit::Escaped(_))
    }

    /// Whether a text of so many bytes of UTF-8, which is so long escaped, fits.
    pub fn fits(self, bytes: usize, escaped: usize) -> bool {
        match self {
            Limit::Plain => bytes <= MAX_MESSAGE_BYTES,
            Limit::Escaped(most) => escaped <= most,
        }
    }
}
