//! What is missing at a destination for good, and how people hear of it: at once, then now and then, and
//! at the end.

use std::fmt::Write as _;

use super::gap::Reason;
use super::outlet::OutletId;
use super::{Severity, Shipper};
use crate::time::{Millis, Timestamp};

/// Events that are missing at one destination, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    by_reason: [u64; REASONS.len()],
    /// What the service said last of an event it takes for invalid.
    pub error: Option<String>,
    /// How many people have been told of, and when.
    told: u64,
    told_at: Option<Timestamp>,
}

/// Those of which it is known how many events they cost, in the words of people.
const REASONS: [(Reason, &str); 6] = [
    (Reason::TooOld, "too old (over 14 days)"),
    (Reason::Expired, "older than the log group's retention"),
    (Reason::TooNew, "too new (over 2 hours ahead)"),
    (Reason::Invalid, "invalid"),
    (Reason::DroppedOldest, "dropped for want of room, oldest first"),
    (Reason::DroppedNewest, "dropped for want of room"),
];

/// How often people hear of losses that grow.
const REMINDER: Millis = Millis(60_000);

impl Losses {
    pub fn add(&mut self, reason: Reason, events: u64) {
        let at = REASONS.iter().position(|(known, _)| *known == reason);
        if let Some(count) = at.and_then(|at| self.by_reason.get_mut(at)) {
            *count += events;
        }
    }

    pub fn total(&self) -> u64 {
        self.by_reason.iter().sum()
    }

    /// What to tell people, if there is something new, and it is time to.
    fn news(&mut self, now: Option<Timestamp>) -> Option<String> {
        let early = |now: Timestamp| self.told_at.is_some_and(|told| now.since(told) < REMINDER);
        if self.total() == self.told || now.is_some_and(early) {
            return None;
        }
        self.told = self.total();
        self.told_at = now.or(self.told_at);
        let mut text = format!("{} events are not delivered so far:", self.total());
        let each = REASONS.iter().zip(self.by_reason).filter(|(_, count)| *count > 0);
        for (number, ((_, words), count)) in each.enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{} {count} {words}", if number > 0 { "," } else { "" });
        }
        if let Some(error) = &self.error {
            let _ = write!(text, "; CloudWatch says: {error}");
        }
        Some(text)
    }
}

impl Shipper {
    /// Tells what is missing at a destination, unless that has just been told.
    pub(super) fn tell_losses(&mut self, id: OutletId, now: Timestamp) {
        self.tell_news(id, Some(now));
    }

    /// Tells what has not been told.
    pub(super) fn tell_all_losses(&mut self) {
        for id in 0..self.outlets.len() {
            self.tell_all_losses_of(OutletId(id));
        }
    }

    /// Tells what has not been told of a destination.
    pub(super) fn tell_all_losses_of(&mut self, id: OutletId) {
        self.tell_news(id, None);
    }

    fn tell_news(&mut self, id: OutletId, now: Option<Timestamp>) {
        let Some(outlet) = self.outlets.get_mut(id.0) else { return };
        if let Some(news) = outlet.losses.news(now) {
            let text = format!("{}: {news}", outlet.destination);
            self.tell(Severity::Error, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_told_at_once_then_now_and_then_and_at_the_end() {
        let at = |seconds: u64| Some(Timestamp::from_millis(seconds * 1_000));
        let mut losses = Losses::default();
        assert_eq!(losses.news(at(0)), None);
        losses.add(Reason::TooOld, 3);
        assert_eq!(
            losses.news(at(1)).as_deref(),
            Some("3 events are not delivered so far: 3 too old (over 14 days)")
        );
        losses.add(Reason::Invalid, 1);
        losses.error = Some("InvalidParameterException: no".into());
        assert_eq!(losses.news(at(60)), None);
        assert_eq!(
            losses.news(at(61)).as_deref(),
            Some(
                "4 events are not delivered so far: 3 too old (over 14 days), 1 invalid; CloudWatch says: \
                 InvalidParameterException: no"
            )
        );
        assert_eq!(losses.news(at(600)), None, "nothing new");
        losses.add(Reason::DroppedNewest, 5);
        assert!(
            losses.news(None).is_some_and(|text| text.contains("9 events") && text.contains("5 dropped"))
        );
        assert_eq!(losses.news(None), None);
    }
}
