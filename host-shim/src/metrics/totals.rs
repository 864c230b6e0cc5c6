//! What instances have counted, one after the other: an instance counts from nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::families::COUNTS;
use crate::reports::{Action, Counts, Outcome, Status};
use crate::usage::Usage;

/// The sums over the instances there have been.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// In the order of [`COUNTS`].
    pub counts: [u64; COUNTS.len()],
    /// Requests by action and outcome.
    pub answered: BTreeMap<(&'static str, &'static str), u64>,
    /// Answers by the bound of their bucket in ms; those that are within none come last.
    pub latency: BTreeMap<u32, u64>,
    pub latency_sum: u64,
    pub credentials_found: u64,
    pub credentials_missed: u64,
    pub computed: Duration,
}

/// The bound of a bucket that has none.
pub const BOUNDLESS: u32 = u32::MAX;
/// A component that is not ours may say what it likes, but not fill the page.
const MOST_BUCKETS: usize = 32;

impl Totals {
    /// Adds what one instance has said.
    pub fn add(&mut self, counts: Option<&Counts>, status: Option<&Status>, usage: &Usage) {
        self.computed = self.computed.saturating_add(usage.computed());
        if let Some(counts) = counts {
            for (sum, count) in self.counts.iter_mut().zip(&COUNTS) {
                grow(sum, (count.of)(counts));
            }
        }
        let Some(status) = status else { return };
        for answered in &status.answered {
            let key = (action(answered.action), outcome(answered.outcome));
            grow(self.answered.entry(key).or_default(), answered.requests);
        }
        for bucket in &status.latency {
            let bound = bucket.within.unwrap_or(BOUNDLESS);
            if self.latency.len() < MOST_BUCKETS || self.latency.contains_key(&bound) {
                grow(self.latency.entry(bound).or_default(), bucket.answers);
            }
        }
        grow(&mut self.latency_sum, status.latency_sum);
        grow(&mut self.credentials_found, status.credentials_found);
        grow(&mut self.credentials_missed, status.credentials_missed);
    }

    /// The sum of a count, by its name and its reason.
    pub fn count(&self, name: &str, reason: Option<&str>) -> u64 {
        let found =
            COUNTS.iter().zip(self.counts).find(|(count, _)| count.name == name && count.reason == reason);
        found.map_or(0, |(_, sum)| sum)
    }
}

fn grow(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

fn action(action: Action) -> &'static str {
    match action {
        Action::PutLogEvents => "PutLogEvents",
        Action::CreateLogStream => "CreateLogStream",
        Action::CreateLogGroup => "CreateLogGroup",
        Action::PutRetentionPolicy => "PutRetentionPolicy",
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Throttled => "throttled",
        Outcome::Fault => "fault",
        Outcome::NotSent => "not-sent",
        Outcome::Unanswered => "unanswered",
        Outcome::NotFound => "not-found",
        Outcome::Denied => "denied",
        Outcome::Credentials => "credentials",
        Outcome::Clock => "clock",
        Outcome::Invalid => "invalid",
        Outcome::NotCloudwatch => "not-cloudwatch",
    }
}
