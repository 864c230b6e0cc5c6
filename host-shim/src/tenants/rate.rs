//! How fast a tenant may send.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Limits of requests and bytes a second; none where there is no limit.
#[derive(Debug, Default)]
pub struct Rates {
    pub requests: Option<Rate>,
    pub bytes: Option<Rate>,
}

impl Rates {
    /// Waits for the turn of a request of so many bytes. False, at once: that would be so long that its signature
    /// would expire.
    pub async fn admit(&self, bytes: usize) -> bool {
        let now = Instant::now();
        let wait = |rate: &Option<Rate>, amount| {
            rate.as_ref().map_or(Some(Duration::ZERO), |rate| rate.book(amount, now))
        };
        let Some(first) = wait(&self.requests, 1.0) else { return false };
        let Some(second) = wait(&self.bytes, bytes as f64) else { return false };
        tokio::time::sleep(first.max(second)).await;
        true
    }
}

/// A limit on average over a second.
#[derive(Debug)]
pub struct Rate {
    a_second: f64,
    /// When all that was let through will have been paid for.
    paid: Mutex<Instant>,
}

impl Rate {
    /// So many a second, which is more than none.
    pub fn new(a_second: f64) -> Rate {
        Rate { a_second, paid: Mutex::new(Instant::now()) }
    }

    /// Books an amount, and says how long to wait before it; `None`, and nothing is booked, if that is too long.
    fn book(&self, amount: f64, now: Instant) -> Option<Duration> {
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = (*paid).max(now);
        let wait = begin.saturating_duration_since(now).saturating_sub(BURST);
        if wait > LONGEST {
            return None;
        }
        *paid = begin + Duration::from_secs_f64(amount / self.a_second);
        Some(wait)
    }
}

/// What may be sent at once after a pause.
const BURST: Duration = Duration::from_secs(1);
/// A signature is good for five minutes.
const LONGEST: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_it_is_even() {
        let now = Instant::now();
        let rate = Rate { a_second: 10.0, paid: Mutex::new(now) };
        for _ in 0..11 {
            assert_eq!(rate.book(1.0, now), Some(Duration::ZERO));
        }
        for number in 1..=20 {
            assert_eq!(rate.book(1.0, now), Some(Duration::from_millis(100 * number)));
        }
        // What was not used is saved up for a second, and no longer.
        let later = now + Duration::from_secs(60);
        for _ in 0..11 {
            assert_eq!(rate.book(1.0, later), Some(Duration::ZERO));
        }
        assert_eq!(rate.book(1.0, later), Some(Duration::from_millis(100)));
    }

    #[test]
    fn what_would_wait_too_long_is_held_back() {
        let now = Instant::now();
        let rate = Rate { a_second: 1000.0, paid: Mutex::new(now) };
        assert_eq!(rate.book(31_000.0, now), Some(Duration::ZERO));
        assert_eq!(rate.book(31_000.0, now), Some(Duration::from_secs(30)));
        assert_eq!(rate.book(1.0, now), None);
        assert_eq!(rate.book(1.0, now + Duration::from_secs(10)), Some(Duration::from_secs(51)));
    }
}
