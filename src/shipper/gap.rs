//! Events that are missing from a log stream for good: how many, from when to when, and why.

use std::fmt::Write as _;

use crate::batch::{Batch, Frozen, Marks, Origin, SourceId};
use crate::lines::{EventText, Position, Side, Text};
use crate::naming::Destination;
use crate::time::{Millis, Timestamp};

/// Why events are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    TooOld,
    Expired,
    TooNew,
    Invalid,
    DroppedOldest,
    DroppedNewest,
    /// The source threw them away before they were read.
    Rotated,
    Compressed,
    Truncated,
}

/// Events missing for one reason, at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    pub reason: Reason,
    /// `None`: nobody knows.
    pub events: Option<u64>,
    /// Bytes of log, where that is what is known.
    pub bytes: Option<u64>,
    /// Milliseconds: the first and the last event that is missing. Of what was never read: the last event
    /// before, and the first behind.
    pub from: Option<u64>,
    pub to: Option<u64>,
}

/// What is missing between two batches.
#[derive(Clone, Debug, Default)]
pub struct Gap {
    missing: Vec<Missing>,
    /// How far sources have been taken once the gap has been told.
    marks: Marks,
    /// Where in time the log stream says it, in milliseconds.
    at: u64,
}

/// CloudWatch takes nothing older than 14 days; a marker keeps an hour's distance.
const OLDEST_MARKER: Millis = Millis((14 * 24 - 1) * 3_600 * 1_000);

impl Reason {
    /// As markers and dead letters say it.
    pub fn word(self) -> &'static str {
        match self {
            Reason::TooOld => "too-old",
            Reason::Expired => "expired",
            Reason::TooNew => "too-new",
            Reason::Invalid => "invalid",
            Reason::DroppedOldest => "dropped-oldest",
            Reason::DroppedNewest => "dropped-newest",
            Reason::Rotated => "rotated",
            Reason::Compressed => "compressed",
            Reason::Truncated => "truncated",
        }
    }
}

impl Missing {
    /// So many events from one time to another, in milliseconds.
    pub fn events(reason: Reason, events: u64, from: u64, to: u64) -> Missing {
        Missing { reason, events: Some(events), bytes: None, from: Some(from), to: Some(to) }
    }

    /// Takes in more that is missing at the same place for the same reason.
    fn extend(&mut self, other: Missing) {
        let sum = |one: Option<u64>, other: Option<u64>| Some(one? + other?);
        let each = |choose: fn(u64, u64) -> u64, one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(choose(one, other)),
            (one, other) => one.or(other),
        };
        self.events = sum(self.events, other.events);
        self.bytes = sum(self.bytes, other.bytes);
        self.from = each(u64::min, self.from, other.from);
        self.to = each(u64::max, self.to, other.to);
    }

    /// The message of the event that tells of it: JSON, so that CloudWatch Logs Insights finds its fields.
    fn message(&self) -> String {
        let mut text = format!("{{\"cloudspout\":\"gap\",\"reason\":\"{}\"", self.reason.word());
        let time = |millis: u64| Timestamp::from_millis(millis).to_rfc3339();
        // Writing to a string cannot fail.
        let _ = self.events.map(|events| write!(text, ",\"events\":{events}"));
        let _ = self.bytes.map(|bytes| write!(text, ",\"bytes\":{bytes}"));
        let _ = self.from.map(|from| write!(text, ",\"from\":\"{}\"", time(from)));
        let _ = self.to.map(|to| write!(text, ",\"to\":\"{}\"", time(to)));
        text.push('}');
        text
    }
}

impl Gap {
    /// A gap to be told at a time, in milliseconds, that takes sources up to these marks.
    pub fn new(at: u64, marks: Marks) -> Gap {
        Gap { missing: Vec::new(), marks, at }
    }

    /// Adds what is missing there.
    pub fn add(&mut self, missing: Missing) {
        match self.missing.iter_mut().find(|known| known.reason == missing.reason) {
            Some(known) => known.extend(missing),
            None => self.missing.push(missing),
        }
    }

    /// Adds an event of a source that is dropped.
    pub fn add_event(&mut self, reason: Reason, time: u64, origin: Origin) {
        self.marks.set(origin);
        self.at = self.at.max(time);
        match self.missing.last_mut().filter(|last| last.reason == reason) {
            Some(last) => last.extend(Missing::events(reason, 1, time, time)),
            None => self.add(Missing::events(reason, 1, time, time)),
        }
    }

    /// Takes in a gap that lies directly behind this one.
    pub fn join(&mut self, later: &Gap) {
        for missing in &later.missing {
            self.add(*missing);
        }
        self.marks.advance(&later.marks);
        self.at = self.at.max(later.at);
    }

    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Events known to be missing.
    pub fn events(&self) -> u64 {
        self.missing.iter().filter_map(|missing| missing.events).sum()
    }

    /// Memory taken, in bytes.
    pub fn held(&self) -> usize {
        self.missing.capacity() * size_of::<Missing>()
    }

    /// The request that tells of it: an event for each reason, all of one time that the service takes.
    pub fn marker(&self, destination: &Destination, now: Timestamp) -> Frozen {
        let now_ms = now.millis();
        let at = self.at.clamp(now_ms.saturating_sub(OLDEST_MARKER.0), now_ms);
        let mut batch = Batch::new(destination, Vec::new(), now);
        let nowhere = Origin { source: SourceId(0), side: Side::Stdout, position: Position::default() };
        for missing in &self.missing {
            let message = missing.message();
            let text = EventText::Line(Text::Raw(message.as_bytes()));
            // There are fewer reasons than a batch has room for events.
            batch.push(Timestamp::from_millis(at), text, nowhere);
        }
        batch.freeze().with_marks(self.marks.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn told(gap: &Gap) -> Vec<(u64, String)> {
        let frozen = gap.marker(&Destination::for_tests("g", "s"), NOW);
        let body: serde_json::Value = serde_json::from_slice(frozen.body()).unwrap();
        let event = |event: &serde_json::Value| {
            (event["timestamp"].as_u64().unwrap(), event["message"].as_str().unwrap().to_owned())
        };
        body["logEvents"].as_array().unwrap().iter().map(event).collect()
    }

    #[test]
    fn a_marker_says_what_is_known() {
        let time = NOW.millis() - 1_000;
        let at_time = "2027-01-15T07:59:59.000Z";
        for (missing, message) in [
            (
                Missing::events(Reason::TooOld, 3, 0, time),
                format!(
                    r#"{{"cloudspout":"gap","reason":"too-old","events":3,"from":"1970-01-01T00:00:00.000Z","to":"{at_time}"}}"#
                ),
            ),
            (
                Missing {
                    reason: Reason::Rotated,
                    events: None,
                    bytes: Some(70),
                    from: Some(time),
                    to: None,
                },
                format!(r#"{{"cloudspout":"gap","reason":"rotated","bytes":70,"from":"{at_time}"}}"#),
            ),
            (
                Missing { reason: Reason::Truncated, events: None, bytes: None, from: None, to: None },
                r#"{"cloudspout":"gap","reason":"truncated"}"#.to_owned(),
            ),
        ] {
            let mut gap = Gap::new(time, Marks::default());
            gap.add(missing);
            assert_eq!(told(&gap), [(time, message.clone())]);
            let value: serde_json::Value = serde_json::from_str(&message).unwrap();
            assert_eq!(value["cloudspout"], "gap");
        }
    }

    #[test]
    fn a_marker_stands_at_a_time_that_the_service_takes() {
        let day = 24 * 3_600_000;
        let now = NOW.millis();
        for (at, stands_at) in [
            (now - day, now - day),
            (now + day, now),
            (0, now - 14 * day + 3_600_000),
            (now - 14 * day, now - 14 * day + 3_600_000),
        ] {
            let mut gap = Gap::new(at, Marks::default());
            gap.add(Missing::events(Reason::Invalid, 1, at, at));
            assert_eq!(told(&gap)[0].0, stands_at);
        }
    }

    #[test]
    fn gaps_that_meet_are_one() {
        let origin = |offset| Origin {
            source: SourceId(1),
            side: Side::Stdout,
            position: Position { offset, ..Position::default() },
        };
        let mut gap = Gap::default();
        gap.add_event(Reason::DroppedOldest, 20, origin(5));
        gap.add_event(Reason::DroppedOldest, 10, origin(9));
        let mut later = Gap::default();
        later.add_event(Reason::DroppedOldest, 30, origin(12));
        later.add_event(Reason::DroppedNewest, 40, origin(15));
        gap.join(&later);
        assert_eq!(
            gap.missing,
            [
                Missing::events(Reason::DroppedOldest, 3, 10, 30),
                Missing::events(Reason::DroppedNewest, 1, 40, 40)
            ]
        );
        assert_eq!(gap.marks.iter().map(|mark| mark.position.offset).collect::<Vec<_>>(), [15]);
        assert_eq!((gap.events(), gap.at), (4, 40));
    }
}
