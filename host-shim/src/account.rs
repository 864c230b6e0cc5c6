//! What an instance has computed to no effect, by which one is known that will do so for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::usage::Usage;

/// An instance's use of the processors, since it last had any effect: read of a log, or had a request answered.
///
/// That it waits is no sign of use, for what is there already is waited for too. But the longer it waits, the more is
/// forgiven, so that the little that an idle instance computes never adds up.
#[derive(Debug, Default)]
pub struct Account {
    /// In nanoseconds.
    to_no_effect: AtomicU64,
    /// Of what it computes: what others did for it, who have a bound of their own.
    apart: AtomicU64,
    /// Whether it was made to yield.
    preempted: AtomicBool,
    usage: Arc<Usage>,
}

impl Account {
    /// One that says what is used.
    pub fn of(usage: Arc<Usage>) -> Account {
        Account { usage, ..Account::default() }
    }

    /// The instance did something that it is there for.
    pub fn effect(&self) {
        self.to_no_effect.store(0, Ordering::Relaxed);
    }

    /// How long it has computed since then, less what is forgiven.
    pub fn to_no_effect(&self) -> Duration {
        Duration::from_nanos(self.to_no_effect.load(Ordering::Relaxed))
    }

    /// The instance is made to yield.
    pub fn preempt(&self) {
        self.preempted.store(true, Ordering::Relaxed);
    }

    /// Whether it was made to yield since this was last asked.
    pub fn was_preempted(&self) -> bool {
        self.preempted.swap(false, Ordering::Relaxed)
    }

    /// It has computed for so long.
    pub fn computed(&self, time: Duration) {
        self.usage.compute(time);
        let own = nanoseconds(time).saturating_sub(self.apart.swap(0, Ordering::Relaxed));
        self.to_no_effect.fetch_add(own, Ordering::Relaxed);
    }

    /// Of what it is about to have computed, so much is not its own: whoever did has a bound of their own.
    pub fn set_apart(&self, time: Duration) {
        self.apart.fetch_add(nanoseconds(time), Ordering::Relaxed);
    }

    /// It has waited for so long, for something else than its turn.
    pub fn waited(&self, time: Duration) {
        let forgiven = nanoseconds(time / WAITS_FOR_ONE);
        let less = |before: u64| Some(before.saturating_sub(forgiven));
        // It always has a new value.
        let _ = self.to_no_effect.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// For a second of computing that is forgiven, so many must have been waited.
const WAITS_FOR_ONE: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_computed_to_no_effect_adds_up_unless_it_is_little() {
        let second = Duration::from_secs(1);
        for (computes, waits, effect_every, expected) in [
            (second, Duration::ZERO, None, 100 * second),
            // It waits in between, and yet is always there.
            (second, second, None, Duration::from_millis(90_100)),
            // Idle, for a long time.
            (second / 100, second, None, second / 100),
            // Busy, with something to show for it.
            (second, second / 2, Some(3), second),
        ] {
            let account = Account::default();
            for round in 0..100 {
                if effect_every.is_some_and(|every| round % every == 0) {
                    account.effect();
                }
                account.waited(waits);
                account.computed(computes);
            }
            assert_eq!(account.to_no_effect(), expected, "{computes:?} {waits:?}");
        }
    }

    #[test]
    fn what_others_compute_for_it_is_not_its_own() {
        let account = Account::default();
        account.set_apart(Duration::from_secs(5));
        account.computed(Duration::from_secs(6));
        account.computed(Duration::from_secs(1));
        assert_eq!(account.to_no_effect(), Duration::from_secs(2));
    }

    #[test]
    fn to_be_made_to_yield_is_told_once() {
        let account = Account::default();
        account.preempt();
        assert!(account.was_preempted());
        assert!(!account.was_preempted());
    }
}
