//! A log stream of the host's, as far as it has been read and delivered.

use crate::batch::Mark;
use crate::lines::{Decoder, Framing, Lane, Order, Position, Side, Sides};
use crate::time::Millis;

use super::outlet::OutletId;
use super::output::Positions;

/// A source and where its events go.
#[derive(Debug)]
pub struct Source {
    pub decoder: Decoder,
    pub outlet: OutletId,
    /// What to call it when speaking to people.
    pub called: String,
    pub stage: Stage,
    pub progress: Progress,
    order: Order,
    /// Whether the log cannot be read a second time.
    pub once_only: bool,
}

/// What has been made of a source, and what of that has been delivered.
#[derive(Debug)]
pub struct Progress {
    /// The position of the last event made.
    made: Sides<Position>,
    delivered: Sides<Position>,
    acknowledged: Positions,
}

/// Whether there is more to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The host will say when there is.
    Idle,
    /// There is, and it waits its turn or for room.
    Readable,
    /// The host has been asked for it.
    Asked,
    /// Never again.
    Ended,
}

/// Frames of the two sides may stand in another order than their times by a moment, so a side that is
/// silent is taken to have been read only up to so long before the other.
const DISORDER: Millis = Millis(2_000);

impl Source {
    pub fn new(
        framing: Framing,
        start: u64,
        terminal: bool,
        taken: Positions,
        outlet: OutletId,
        called: String,
    ) -> Source {
        let order = match framing {
            Framing::Lines | Framing::Frames | Framing::JsonFile => Order::ByOffset,
            Framing::LinesWithTimes | Framing::FramesWithTimes => Order::ByTime,
        };
        let taken_or_none =
            Sides { stdout: taken.stdout.unwrap_or_default(), stderr: taken.stderr.unwrap_or_default() };
        let lane = |side| Lane::new(side, order, terminal, *taken_or_none.get(side));
        let lanes = Sides { stdout: lane(Side::Stdout), stderr: lane(Side::Stderr) };
        Source {
            decoder: Decoder::new(framing, start, lanes),
            outlet,
            called,
            stage: Stage::Idle,
            progress: Progress { made: taken_or_none, delivered: taken_or_none, acknowledged: taken },
            order,
            once_only: matches!(framing, Framing::Lines | Framing::Frames),
        }
    }

    /// The positions to acknowledge, if they are further than the last ones.
    pub fn acknowledge(&mut self) -> Option<Positions> {
        let Progress { made, delivered, .. } = &self.progress;
        let open = |side| made.get(side) != delivered.get(side) || self.decoder.lanes().get(side).is_open();
        let accepted =
            self.raised(delivered, Sides { stdout: open(Side::Stdout), stderr: open(Side::Stderr) });
        if accepted == self.progress.acknowledged {
            return None;
        }
        self.progress.acknowledged = accepted;
        Some(accepted)
    }

    /// Up to where it has been read, half lines left out.
    pub fn read_to(&self) -> Positions {
        let lanes = self.decoder.lanes();
        let read = Sides { stdout: lanes.stdout.read_to(), stderr: lanes.stderr.read_to() };
        self.raised(&read, Sides { stdout: lanes.stdout.is_open(), stderr: lanes.stderr.is_open() })
    }

    /// The positions, with a side that has nothing open brought up to where the other stands: what the
    /// host reads again begins at the earlier of the two.
    fn raised(&self, positions: &Sides<Position>, open: Sides<bool>) -> Positions {
        let raise = |side: Side, other: Side| {
            let own = *positions.get(side);
            let other = *positions.get(other);
            if *open.get(side) { own } else { self.raise(own, other) }
        };
        let some = |position: Position| (position != Position::default()).then_some(position);
        Sides {
            stdout: some(raise(Side::Stdout, Side::Stderr)),
            stderr: some(raise(Side::Stderr, Side::Stdout)),
        }
    }

    fn raise(&self, own: Position, other: Position) -> Position {
        match self.order {
            Order::ByOffset if other.offset > own.offset => Position { ordinal: 0, into_line: 0, ..other },
            Order::ByTime => {
                let time = other.time.shifted(-(DISORDER.0 as i64));
                if time > own.time {
                    Position { offset: other.offset, time, ordinal: 0, into_line: 0 }
                } else {
                    own
                }
            }
            Order::ByOffset => own,
        }
    }
}

impl Progress {
    /// Notes that an event of this position has been put into a batch.
    #[inline]
    pub fn made(&mut self, side: Side, position: Position) {
        *self.made.get_mut(side) = position;
    }

    /// Notes that a batch with this mark has been delivered.
    pub fn deliver(&mut self, mark: &Mark) {
        *self.delivered.get_mut(mark.side) = mark.position;
    }

    /// Whether all that was made has been delivered.
    pub fn is_settled(&self) -> bool {
        self.made == self.delivered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::SourceId;
    use crate::time::Timestamp;

    fn source(framing: Framing) -> Source {
        Source::new(framing, 0, false, Positions::default(), OutletId(0), "test".into())
    }

    fn at(offset: u64, millis: u64) -> Position {
        Position { offset, time: Timestamp::from_millis(millis), ordinal: 1, into_line: 0 }
    }

    fn deliver(source: &mut Source, side: Side, position: Position) {
        source.progress.made(side, position);
        source.progress.deliver(&Mark { source: SourceId(1), side, position });
    }

    #[test]
    fn a_silent_side_follows_the_other() {
        let mut by_offset = source(Framing::JsonFile);
        deliver(&mut by_offset, Side::Stdout, at(70, 9_000));
        let accepted = by_offset.acknowledge().unwrap();
        assert_eq!(accepted.stdout.map(|position| position.offset), Some(70));
        assert_eq!(accepted.stderr.map(|position| position.offset), Some(70));
        assert_eq!(by_offset.acknowledge(), None);

        let mut by_time = source(Framing::FramesWithTimes);
        deliver(&mut by_time, Side::Stdout, at(70, 9_000));
        let stderr = by_time.acknowledge().unwrap().stderr.unwrap();
        assert_eq!((stderr.time.millis(), stderr.ordinal), (7_000, 0));
    }

    #[test]
    fn a_side_with_undelivered_events_stays_where_it_is() {
        let mut source = source(Framing::JsonFile);
        deliver(&mut source, Side::Stderr, at(10, 1));
        source.progress.made(Side::Stderr, at(20, 2));
        deliver(&mut source, Side::Stdout, at(70, 3));
        let accepted = source.acknowledge().unwrap();
        assert_eq!(accepted.stderr, Some(at(10, 1)));
        assert!(!source.progress.is_settled());
    }
}
