//! Reading many batches as one sequence in the order of events, each batch loaded only when its turn comes.

use std::collections::BinaryHeap;
use std::sync::Arc;

use bytes::Bytes;

use super::batch::Opened;
use super::position::{Direction, Position};

/// One event as it is read back.
#[derive(Clone, Debug)]
pub struct Event {
    pub stream: Arc<str>,
    pub position: Position,
    pub message: Bytes,
    pub ingested: i64,
}

/// A batch that may hold events of the window.
#[derive(Clone, Debug)]
pub struct Span {
    pub stream: Arc<str>,
    pub number: u64,
    pub first: i64,
    pub last: i64,
    pub events: u32,
    pub ingested: i64,
    /// Present if the store keeps batches in memory.
    pub bytes: Option<Bytes>,
}

/// The events to read: from `from` on, up to but without `until`.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub from: Position,
    pub until: Position,
}

/// Merges batches; `load` fetches the bytes of those that are not in memory, `None` if a batch is gone meanwhile.
pub struct Merge<L> {
    heads: BinaryHeap<Head>,
    spans: Vec<Span>,
    opened: Vec<Option<Opened>>,
    window: Window,
    direction: Direction,
    load: L,
}

/// The next event of a batch, or a bound for it while the batch is closed.
#[derive(PartialEq, Eq)]
struct Head {
    position: Position,
    direction: Direction,
    span: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Head) -> std::cmp::Ordering {
        // The heap hands out its greatest element first.
        match self.direction {
            Direction::Forward => other.position.cmp(&self.position),
            Direction::Backward => self.position.cmp(&other.position),
        }
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<L: FnMut(u64) -> Option<Bytes>> Merge<L> {
    pub fn new(spans: Vec<Span>, window: Window, direction: Direction, load: L) -> Merge<L> {
        let heads = spans
            .iter()
            .enumerate()
            .map(|(nth, span)| Head {
                position: match direction {
                    Direction::Forward => Position { timestamp: span.first, batch: span.number, nth: 0 },
                    Direction::Backward => Position {
                        timestamp: span.last,
                        batch: span.number,
                        nth: span.events.saturating_sub(1),
                    },
                },
                direction,
                span: nth,
            })
            .collect();
        let opened = spans.iter().map(|_| None).collect();
        Merge { heads, spans, opened, window, direction, load }
    }

    /// Opens a batch and queues its first event inside the window, if it has one.
    fn open(&mut self, nth: usize) -> Option<()> {
        let span = self.spans.get_mut(nth)?;
        let bytes = span.bytes.take().or_else(|| (self.load)(span.number))?;
        let opened = Opened::of(bytes);
        let number = span.number;
        let position = |event: u32| -> Option<Position> {
            Some(Position { timestamp: opened.timestamp(event)?, batch: number, nth: event })
        };
        let mut inside = (0..opened.len())
            .filter_map(position)
            .filter(|position| (self.window.from..self.window.until).contains(position));
        let first = match self.direction {
            Direction::Forward => inside.next(),
            Direction::Backward => inside.next_back(),
        };
        let head = first.map(|position| Head { position, direction: self.direction, span: nth });
        drop(inside);
        self.heads.extend(head);
        *self.opened.get_mut(nth)? = Some(opened);
        Some(())
    }
}

impl<L: FnMut(u64) -> Option<Bytes>> Iterator for Merge<L> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            let head = self.heads.pop()?;
            let slot = self.opened.get_mut(head.span)?;
            let Some(opened) = slot else {
                self.open(head.span);
                continue;
            };
            let span = self.spans.get(head.span)?;
            let (_, message) = opened.event(head.position.nth)?;
            let following = match self.direction {
                Direction::Forward => head.position.nth.checked_add(1),
                Direction::Backward => head.position.nth.checked_sub(1),
            };
            let following = following.and_then(|nth| {
                let timestamp = opened.timestamp(nth)?;
                Some(Position { timestamp, batch: span.number, nth })
            });
            let event = Event {
                stream: Arc::clone(&span.stream),
                position: head.position,
                message,
                ingested: span.ingested,
            };
            match following {
                Some(position) if (self.window.from..self.window.until).contains(&position) => {
                    self.heads.push(Head { position, ..head });
                }
                // The batch is read: its memory can go.
                _ => *slot = None,
            }
            return Some(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::Packing;
    use super::*;

    #[test]
    fn events_come_by_time_then_by_arrival_in_either_direction() {
        let batches = [
            (1, vec![(10, "a"), (30, "e")]),
            (2, vec![(20, "b"), (20, "c"), (40, "f")]),
            (3, vec![(20, "d")]),
        ];
        check(&batches, (0, i64::MAX), "abcdef");
        check(&batches, (20, 40), "bcde");
        check(&batches, (41, i64::MAX), "");
    }

    fn check(batches: &[(u64, Vec<(i64, &str)>)], (from, until): (i64, i64), expected: &str) {
        let read = |direction| -> String {
            let spans = batches.iter().map(|(number, events)| span(*number, events)).collect();
            let window = Window { from: Position::at(from), until: Position::at(until) };
            Merge::new(spans, window, direction, |_| None)
                .map(|event| String::from_utf8(event.message.to_vec()).unwrap())
                .collect()
        };
        assert_eq!(read(Direction::Forward), expected);
        assert_eq!(read(Direction::Backward), expected.chars().rev().collect::<String>());
    }

    fn span(number: u64, events: &[(i64, &str)]) -> Span {
        let mut packing = Packing::default();
        for (timestamp, message) in events {
            packing.push(*timestamp, message);
        }
        let packed = packing.finish().unwrap();
        Span {
            stream: "stream".into(),
            number,
            first: packed.first,
            last: packed.last,
            events: packed.events,
            ingested: 0,
            bytes: Some(packed.bytes),
        }
    }
}
