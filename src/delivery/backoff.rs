//! How long to wait before a request is sent again: longer each time, and never the same for all.

use crate::time::Millis;

/// How fast waits grow, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// A fault that is likely to pass at once.
    Brisk,
    /// The service asked for less.
    Throttled,
    /// Somebody has to mend something first.
    Patient,
}

/// Tries in a row that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

/// A source of chance, the same for the same seed.
#[derive(Clone, Debug)]
pub struct Jitter {
    state: u64,
}

impl Pace {
    /// The first wait at most, and any wait at most. The AWS SDKs begin with 50 ms, or 1 s when
    /// throttled, and stop growing at 20 s.
    const fn bounds(self) -> (Millis, Millis) {
        match self {
            Pace::Brisk => (Millis(100), Millis(20_000)),
            Pace::Throttled => (Millis(1_000), Millis(20_000)),
            Pace::Patient => (Millis(2_000), Millis(60_000)),
        }
    }
}

/// What a service may ask for beyond our own wait; the AWS SDKs grant 5 s.
const MOST_EXTRA: Millis = Millis(5_000);

impl Backoff {
    pub fn failures(self) -> u32 {
        self.failures
    }

    /// Counts a failure, and says how long to wait: a random part of a bound that doubles each time.
    /// `asked` is what the service asked for; a wait is never shorter, within reason.
    pub fn fail(&mut self, pace: Pace, asked: Option<Millis>, jitter: &mut Jitter) -> Millis {
        let (first, most) = pace.bounds();
        let doubled = first.0.saturating_mul(1 << self.failures.min(20)).min(most.0);
        self.failures = self.failures.saturating_add(1);
        let own = Millis(jitter.below(doubled));
        match asked {
            Some(asked) => asked.clamp(own, Millis(own.0 + MOST_EXTRA.0)),
            None => own,
        }
    }

    pub fn succeed(&mut self) {
        self.failures = 0;
    }
}

impl Jitter {
    pub fn new(seed: u64) -> Jitter {
        Jitter { state: seed }
    }

    /// A number from 0 to `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64: every seed is a good one.
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        match bound.checked_add(1) {
            Some(count) => mixed % count,
            None => mixed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_bound_and_begin_anew_after_a_success() {
        for (pace, bounds) in [
            (Pace::Brisk, [100, 200, 400, 800]),
            (Pace::Throttled, [1_000, 2_000, 4_000, 8_000]),
            (Pace::Patient, [2_000, 4_000, 8_000, 16_000]),
        ] {
            let mut longest = [0; 4];
            for seed in 0..2_000 {
                let mut jitter = Jitter::new(seed);
                let mut backoff = Backoff::default();
                for longest in &mut longest {
                    *longest = backoff.fail(pace, None, &mut jitter).0.max(*longest);
                }
                for _ in 0..40 {
                    assert!(backoff.fail(pace, None, &mut jitter) <= pace.bounds().1);
                }
                backoff.succeed();
                assert!(backoff.fail(pace, None, &mut jitter) <= pace.bounds().0);
            }
            for (longest, bound) in longest.into_iter().zip(bounds) {
                assert!(longest <= bound && longest > bound * 9 / 10, "{pace:?}: {longest} of {bound}");
            }
        }
    }

    #[test]
    fn a_service_that_asks_for_time_gets_it_within_reason() {
        let mut jitter = Jitter::new(1);
        let mut wait = |asked| Backoff::default().fail(Pace::Brisk, Some(Millis(asked)), &mut jitter).0;
        assert_eq!(wait(3_000), 3_000);
        assert!(wait(3_600_000) <= 5_100);
        assert!(wait(0) <= 100);
    }
}
