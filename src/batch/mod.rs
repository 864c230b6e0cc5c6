//! Events of one destination on their way into a request.
//!
//! A [`Batch`] is the request's body from the first event on: each is written where it will be sent from.
//! Closed, it is a [`Frozen`] request, which is sent as it is however often that takes, or halved to find
//! what the service will not take.

mod frozen;
mod marks;

pub use frozen::{Frozen, FrozenEvent};
pub use marks::{Mark, Marks, SourceId};

use crate::cloudwatch::limits::{EVENT_OVERHEAD, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_BATCH_SPAN};
use crate::lines::{EventText, Position, Rest, Side};
use crate::naming::Destination;
use crate::time::Timestamp;

/// Events that are still being gathered.
#[derive(Debug)]
pub struct Batch {
    body: Vec<u8>,
    /// Where the events begin in `body`.
    head: usize,
    events: Vec<Entry>,
    /// As CloudWatch counts: messages and overhead.
    bytes: usize,
    earliest: u64,
    latest: u64,
    /// Whether the events stand in order of their times.
    in_order: bool,
    marks: Marks,
    /// What every event of the same millisecond begins with.
    opening: Opening,
    since: Timestamp,
}

/// One event of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Milliseconds, as sent.
    pub time: u64,
    /// Where it ends in the body.
    pub end: u32,
    pub source: SourceId,
}

/// What became of an event that was to join a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
    /// It did; so many bytes of its text made no sense and were left out.
    Joined { unread: usize, empty: bool },
    /// It would break a limit: close the batch and begin another.
    Full,
}

/// The event's source and its place there.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub source: SourceId,
    pub side: Side,
    pub position: Position,
}

/// A comma, the time of an event, and the begin of its message.
#[derive(Debug)]
struct Opening {
    time: u64,
    text: [u8; LONGEST_OPENING],
    length: usize,
}

/// With the twenty digits of the greatest number, and round: it is copied as a whole and cut, because a
/// copy of constant length takes no call.
const LONGEST_OPENING: usize = 48;

impl Batch {
    /// An empty batch, opened at `now`; `body` is room to reuse.
    pub fn new(destination: &Destination, mut body: Vec<u8>, now: Timestamp) -> Batch {
        body.clear();
        destination.write_head(&mut body);
        Batch {
            head: body.len(),
            body,
            events: Vec::new(),
            bytes: 0,
            earliest: u64::MAX,
            latest: 0,
            in_order: true,
            marks: Marks::default(),
            opening: Opening::of(now.millis()),
            since: now,
        }
    }

    /// Adds an event, unless it would break a limit of CloudWatch's.
    #[inline]
    pub fn push(&mut self, time: Timestamp, text: EventText<'_>, origin: Origin) -> Push {
        let time = time.millis();
        let earliest = self.earliest.min(time);
        let latest = self.latest.max(time);
        if self.events.len() >= MAX_BATCH_EVENTS || (latest - earliest > MAX_BATCH_SPAN.0 && !self.is_empty())
        {
            return Push::Full;
        }
        let begin = self.body.len();
        self.opening.append_to(&mut self.body, time, self.events.is_empty());
        let (bytes, unread) = match text {
            EventText::Line(text) => {
                let taken = text.append_to(&mut self.body, usize::MAX, Rest::None);
                (taken.bytes, text.len() - taken.read)
            }
            EventText::Escaped(text, bytes) => {
                self.body.extend_from_slice(text);
                (bytes, 0)
            }
        };
        let empty = bytes == 0;
        if empty {
            // CloudWatch takes no empty message, and an empty line is a line.
            self.body.push(b' ');
        }
        let bytes = self.bytes + bytes + usize::from(empty) + EVENT_OVERHEAD;
        if bytes > MAX_BATCH_BYTES {
            self.body.truncate(begin);
            return Push::Full;
        }
        self.body.extend_from_slice(b"\"}");
        let Ok(end) = u32::try_from(self.body.len()) else {
            self.body.truncate(begin);
            return Push::Full;
        };
        self.bytes = bytes;
        self.in_order &= time >= self.latest;
        self.earliest = earliest;
        self.latest = latest;
        self.events.push(Entry { time, end, source: origin.source });
        self.marks.set(origin);
        Push::Joined { unread, empty }
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// How many events are in it.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// As CloudWatch counts.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The earliest time that one of its events bears.
    pub fn earliest(&self) -> Option<Timestamp> {
        (!self.is_empty()).then_some(Timestamp::from_millis(self.earliest))
    }

    /// When the batch was opened.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Has the batch wait as if it had been opened at `since`, if that was earlier.
    pub fn hasten(&mut self, since: Timestamp) {
        self.since = self.since.min(since);
    }

    /// The clock was stepped back: the batch was opened so much earlier by it.
    pub fn rewind(&mut self, nanos: u64) {
        self.since = self.since.back(nanos);
    }

    /// What it takes of memory, in bytes.
    pub fn held(&self) -> usize {
        self.body.capacity() + self.events.capacity() * size_of::<Entry>()
    }

    /// Closes the batch: its events in order of time, those of the same millisecond in order of arrival.
    pub fn freeze(self) -> Frozen {
        let Batch { mut body, head, mut events, bytes, in_order, marks, .. } = self;
        if !in_order {
            (body, events) = sorted(&body, head, &events);
        }
        body.extend_from_slice(TAIL);
        Frozen::new(body, head, events, bytes, marks)
    }
}

/// What follows the last event of a request.
const TAIL: &[u8] = b"]}";

/// The same body with its events in order of time.
fn sorted(body: &[u8], head: usize, events: &[Entry]) -> (Vec<u8>, Vec<Entry>) {
    let mut begin = head;
    let mut pieces: Vec<_> = events
        .iter()
        .map(|entry| {
            let end = entry.end as usize;
            let piece = body.get(begin..end).unwrap_or_default();
            begin = end;
            (entry, piece.strip_prefix(b",").unwrap_or(piece))
        })
        .collect();
    pieces.sort_by_key(|(entry, _)| entry.time);
    let mut sorted = Vec::with_capacity(body.len() + TAIL.len());
    sorted.extend_from_slice(body.get(..head).unwrap_or_default());
    let events = pieces
        .iter()
        .enumerate()
        .map(|(number, (entry, piece))| {
            if number > 0 {
                sorted.push(b',');
            }
            sorted.extend_from_slice(piece);
            Entry { end: sorted.len() as u32, ..**entry }
        })
        .collect();
    (sorted, events)
}

impl Opening {
    #[inline]
    fn append_to(&mut self, body: &mut Vec<u8>, time: u64, first: bool) {
        if self.time != time {
            *self = Opening::of(time);
        }
        if first {
            return body.extend(self.text.iter().take(self.length).skip(1));
        }
        let begin = body.len();
        body.extend_from_slice(&self.text);
        body.truncate(begin + self.length);
    }

    fn of(time: u64) -> Opening {
        let written = format!(",{{\"timestamp\":{time},\"message\":\"");
        let mut text = [0; LONGEST_OPENING];
        text.iter_mut().zip(written.bytes()).for_each(|(to, byte)| *to = byte);
        Opening { time, text, length: written.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::Text;
    use proptest::prelude::*;
    use serde_json::Value;

    fn origin() -> Origin {
        Origin { source: SourceId(1), side: Side::Stdout, position: Position::default() }
    }

    fn batch() -> Batch {
        Batch::new(&Destination::for_tests("g\"r", "s"), Vec::new(), Timestamp::default())
    }

    fn push(batch: &mut Batch, time: u64, text: &[u8]) -> Push {
        batch.push(Timestamp::from_millis(time), EventText::Line(Text::Raw(text)), origin())
    }

    fn events(frozen: &Frozen) -> Vec<(u64, String)> {
        let body: Value = serde_json::from_slice(frozen.body()).unwrap();
        assert_eq!(body["logGroupName"], "g\"r");
        assert_eq!(body["logStreamName"], "s");
        let event = |event: &Value| {
            (event["timestamp"].as_u64().unwrap(), event["message"].as_str().unwrap().to_owned())
        };
        body["logEvents"].as_array().unwrap().iter().map(event).collect()
    }

    #[test]
    fn a_body_holds_the_events_in_order_of_time_then_arrival() {
        let mut batch = batch();
        for (time, text) in [(5, "a"), (7, "b"), (5, "c"), (6, ""), (7, "d\n")] {
            push(&mut batch, time, text.as_bytes());
        }
        let expected = [(5, "a"), (5, "c"), (6, " "), (7, "b"), (7, "d\n")];
        assert_eq!(events(&batch.freeze()), expected.map(|(time, text)| (time, text.to_owned())));
    }

    #[test]
    fn a_batch_is_full_at_each_limit_and_not_before() {
        let long = vec![b'x'; MAX_BATCH_BYTES - EVENT_OVERHEAD];
        let mut bytes = batch();
        assert_eq!(push(&mut bytes, 1, &long), Push::Joined { unread: 0, empty: false });
        assert_eq!(push(&mut bytes, 1, b""), Push::Full);
        let mut bytes = batch();
        push(&mut bytes, 1, &long[2 * EVENT_OVERHEAD + 1..]);
        assert_eq!(push(&mut bytes, 1, b""), Push::Joined { unread: 0, empty: true });
        assert_eq!(push(&mut bytes, 1, b""), Push::Full);

        let mut count = batch();
        for _ in 0..MAX_BATCH_EVENTS {
            assert_ne!(push(&mut count, 1, b"x"), Push::Full);
        }
        assert_eq!(push(&mut count, 1, b"x"), Push::Full);

        let mut span = batch();
        push(&mut span, MAX_BATCH_SPAN.0 + 5, b"x");
        assert_ne!(push(&mut span, 5, b"x"), Push::Full);
        assert_eq!(push(&mut span, 4, b"x"), Push::Full);
        assert_eq!(push(&mut span, MAX_BATCH_SPAN.0 + 6, b"x"), Push::Full);
    }

    #[test]
    fn what_is_no_utf8_counts_as_what_is_sent_for_it() {
        let mut batch = batch();
        let text = vec![0xFF; (MAX_BATCH_BYTES - EVENT_OVERHEAD) / 3 + 1];
        assert_eq!(push(&mut batch, 1, &text), Push::Full);
        assert_ne!(push(&mut batch, 1, &text[1..]), Push::Full);
    }

    #[test]
    fn halves_hold_the_same_events_and_the_second_the_marks() {
        let mut batch = batch();
        for (time, text) in [(1, "a"), (2, "b"), (3, "c")] {
            push(&mut batch, time, text.as_bytes());
        }
        let (first, second) = batch.freeze().halves().unwrap();
        let expect = |events: &[(u64, &str)]| {
            events.iter().map(|(time, text)| (*time, (*text).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(events(&first), expect(&[(1, "a")]));
        assert_eq!(events(&second), expect(&[(2, "b"), (3, "c")]));
        assert_eq!((first.marks().iter().count(), second.marks().iter().count()), (0, 1));
        assert_eq!((first.bytes(), second.bytes()), (27, 54));
        assert!(first.halves().is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn no_batch_breaks_a_limit_and_no_event_is_lost(
            lines in proptest::collection::vec((0u64..200_000_000, 0usize..700_000, any::<u8>()), 1..20),
        ) {
            let mut open = batch();
            let mut frozen = Vec::new();
            for (time, length, byte) in &lines {
                let text = vec![*byte; *length / 3];
                if push(&mut open, *time, &text) == Push::Full {
                    frozen.push(std::mem::replace(&mut open, batch()).freeze());
                    prop_assert_ne!(push(&mut open, *time, &text), Push::Full);
                }
            }
            frozen.push(open.freeze());
            let mut count = 0;
            for frozen in &frozen {
                let events = events(frozen);
                count += events.len();
                let bytes: usize = events.iter().map(|(_, text)| text.len() + EVENT_OVERHEAD).sum();
                prop_assert!(bytes <= MAX_BATCH_BYTES);
                prop_assert_eq!(bytes, frozen.bytes());
                prop_assert!(events.len() <= MAX_BATCH_EVENTS && events.len() == frozen.len());
                prop_assert!(events.is_sorted_by_key(|(time, _)| *time));
                prop_assert!(events.iter().all(|(_, text)| !text.is_empty()));
                if let (Some((first, _)), Some((last, _))) = (events.first(), events.last()) {
                    prop_assert!(last - first <= MAX_BATCH_SPAN.0);
                }
            }
            prop_assert_eq!(count, lines.len());
        }
    }
}
