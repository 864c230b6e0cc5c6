//! How the machine stands: what is on its way, and what came of requests.

use super::Shipper;
use super::outlet::Outlet;
use crate::cloudwatch::Operation;
use crate::delivery::{Cause, Refusal, Verdict};
use crate::time::{Millis, Timestamp};

/// How the machine stands; `status` in the WIT says what each field means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub answers: Answers,
    pub in_flight: usize,
    pub bytes_held: usize,
    pub events_pending: u64,
    pub pending_since: Option<Timestamp>,
    pub earliest_pending: Option<Timestamp>,
    pub destinations: usize,
    pub destinations_failing: usize,
    pub credentials_expire: Option<Timestamp>,
}

/// What came of a request; `outcome` in the WIT says what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    Throttled,
    Fault,
    NotSent,
    Unanswered,
    NotFound,
    Denied,
    Credentials,
    Clock,
    Invalid,
    NotCloudWatch,
}

/// What has come in answer to what was asked, since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    requests: [[u64; Outcome::ALL.len()]; Operation::ALL.len()],
    /// Answers of `PutLogEvents`, by the first of [`WITHIN`] that holds them; behind these, all that took longer.
    latency: [u64; WITHIN.len() + 1],
    latency_sum: Millis,
    pub credentials_found: u64,
    pub credentials_missed: u64,
}

/// How long an answer may take to be in a bucket, in ms: from a nearby endpoint at its best to the most that
/// hosts wait for.
const WITHIN: [u32; 12] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];

impl Outcome {
    /// In the order of the WIT.
    pub const ALL: [Outcome; 11] = [
        Outcome::Ok,
        Outcome::Throttled,
        Outcome::Fault,
        Outcome::NotSent,
        Outcome::Unanswered,
        Outcome::NotFound,
        Outcome::Denied,
        Outcome::Credentials,
        Outcome::Clock,
        Outcome::Invalid,
        Outcome::NotCloudWatch,
    ];

    fn of(verdict: &Verdict) -> Outcome {
        match verdict {
            Verdict::Accept(_) => Outcome::Ok,
            Verdict::Retry(Cause::Throttled { .. }) => Outcome::Throttled,
            Verdict::Retry(Cause::Fault { .. }) => Outcome::Fault,
            Verdict::Retry(Cause::NotSent(_)) => Outcome::NotSent,
            Verdict::Retry(Cause::Unanswered(_)) => Outcome::Unanswered,
            Verdict::Create => Outcome::NotFound,
            Verdict::SetClock(_) => Outcome::Clock,
            Verdict::Renew(refusal) | Verdict::Hold(refusal) | Verdict::Halve(refusal) => match refusal {
                Refusal::Denied(_) => Outcome::Denied,
                Refusal::Credentials(_) => Outcome::Credentials,
                Refusal::NotCloudWatch(_) => Outcome::NotCloudWatch,
                Refusal::Invalid(_) => Outcome::Invalid,
            },
        }
    }
}

impl Answers {
    pub(super) fn note(&mut self, operation: Operation, verdict: &Verdict, took: Millis) {
        let outcome = Outcome::of(verdict);
        let counts = self.requests.get_mut(operation as usize);
        if let Some(count) = counts.and_then(|counts| counts.get_mut(outcome as usize)) {
            *count += 1;
        }
        if operation != Operation::PutLogEvents || matches!(outcome, Outcome::NotSent | Outcome::Unanswered) {
            return;
        }
        let bucket = WITHIN.iter().take_while(|within| took.0 > u64::from(**within)).count();
        if let Some(count) = self.latency.get_mut(bucket) {
            *count += 1;
        }
        self.latency_sum.0 += took.0;
    }

    /// How many requests had which outcome, of those that any had.
    pub fn requests(&self) -> impl Iterator<Item = (Operation, Outcome, u64)> {
        Operation::ALL.iter().zip(&self.requests).flat_map(|(operation, counts)| {
            let counted = Outcome::ALL.iter().zip(counts).filter(|(_, count)| **count > 0);
            counted.map(|(outcome, count)| (*operation, *outcome, *count))
        })
    }

    /// How many answers of `PutLogEvents` took how long, in ms.
    pub fn latency(&self) -> impl Iterator<Item = (Option<u32>, u64)> {
        let bounds = WITHIN.iter().copied().map(Some).chain([None]);
        bounds.zip(self.latency.iter().copied())
    }

    pub fn latency_sum(&self) -> Millis {
        self.latency_sum
    }
}

impl Shipper {
    /// How it stands. Looks at all destinations.
    pub fn status(&self) -> Status {
        let outlets = || self.outlets.iter();
        Status {
            answers: self.answers.clone(),
            in_flight: self.under_way.len(),
            bytes_held: self.held,
            events_pending: outlets().map(Outlet::events).sum(),
            pending_since: outlets().filter_map(Outlet::pending_since).min(),
            earliest_pending: outlets().filter_map(Outlet::earliest_pending).min(),
            destinations: self.by_destination.len(),
            destinations_failing: outlets().filter(|outlet| outlet.is_failing()).count(),
            credentials_expire: self.keyring.expires(),
        }
    }

    /// What has come in answer to what was asked. Whatever changes the status changes these or the counts.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudwatch::Rejected;

    #[test]
    fn each_verdict_is_an_outcome() {
        let text = String::new;
        for (verdict, outcome) in [
            (Verdict::Accept(Rejected::default()), Outcome::Ok),
            (Verdict::Retry(Cause::Throttled { asked: None, text: text() }), Outcome::Throttled),
            (Verdict::Retry(Cause::Fault { asked: None, text: text() }), Outcome::Fault),
            (Verdict::Retry(Cause::NotSent(text())), Outcome::NotSent),
            (Verdict::Retry(Cause::Unanswered(text())), Outcome::Unanswered),
            (Verdict::Create, Outcome::NotFound),
            (Verdict::SetClock(-1), Outcome::Clock),
            (Verdict::Renew(Refusal::Credentials(text())), Outcome::Credentials),
            (Verdict::Hold(Refusal::Denied(text())), Outcome::Denied),
            (Verdict::Hold(Refusal::NotCloudWatch(text())), Outcome::NotCloudWatch),
            (Verdict::Halve(Refusal::Invalid(text())), Outcome::Invalid),
        ] {
            assert_eq!(Outcome::of(&verdict), outcome, "{verdict:?}");
            assert_eq!(Outcome::ALL[outcome as usize], outcome);
        }
        for operation in Operation::ALL {
            assert_eq!(Operation::ALL[operation as usize], operation);
        }
    }

    #[test]
    fn answers_are_counted_by_outcome_and_by_how_long_they_took() {
        let mut answers = Answers::default();
        let ok = Verdict::Accept(Rejected::default());
        for took in [0, 5, 6, 30_000, 30_001] {
            answers.note(Operation::PutLogEvents, &ok, Millis(took));
        }
        answers.note(
            Operation::PutLogEvents,
            &Verdict::Retry(Cause::Unanswered(String::new())),
            Millis(90_000),
        );
        answers.note(Operation::CreateLogGroup, &ok, Millis(7));
        let requests: Vec<_> = answers.requests().collect();
        assert_eq!(
            requests,
            [
                (Operation::PutLogEvents, Outcome::Ok, 5),
                (Operation::PutLogEvents, Outcome::Unanswered, 1),
                (Operation::CreateLogGroup, Outcome::Ok, 1),
            ]
        );
        let latency: Vec<_> = answers.latency().filter(|(_, count)| *count > 0).collect();
        assert_eq!(latency, [(Some(5), 2), (Some(10), 1), (Some(30_000), 1), (None, 1)]);
        assert_eq!(answers.latency_sum(), Millis(60_012));
    }
}
