//! Growing pauses between attempts.

use std::time::Duration;

/// How long to wait before each further attempt.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    last: Option<Duration>,
}

impl Backoff {
    /// The next pause, twice the last one up to a limit.
    pub fn next(&mut self) -> Duration {
        let next = self.last.map_or(SHORTEST, |last| (last * 2).min(LONGEST));
        self.last = Some(next);
        next
    }

    /// After success the pauses begin anew.
    pub fn reset(&mut self) {
        self.last = None;
    }
}

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
