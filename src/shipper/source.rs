//! A log stream of the host's, as far as it has been read and delivered.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::batch::Mark;
use crate::lines::{Decoder, Framing, Lane, Order, Position, Side, Sides, WrapOrigin};
use crate::naming::{Container, Destination};
use crate::time::{Millis, Timestamp};

use super::filter::FilterOrigin;
use super::outlet::OutletId;
use super::output::{Fate, Positions};

/// A source and where its events go.
#[derive(Debug)]
pub struct Source {
    pub decoder: Decoder,
    /// Where its events go; of two sides that go apart, the first.
    pub outlet: OutletId,
    /// Where the events of each side go, where they do not go together; of a side that is not wanted, nowhere.
    pub apart: Option<Sides<Option<OutletId>>>,
    /// Of a source whose events go to several destinations: the one whose room decides whether it is read.
    pub gate: Option<OutletId>,
    /// Where its events go unless each says so itself.
    pub named: Destination,
    /// What to call it when speaking to people.
    pub called: String,
    pub stage: Stage,
    pub progress: Progress,
    /// Where the host goes on, once it has said so and until it does.
    pub resumed_at: Option<u64>,
    /// Memory counted for its half lines, in bytes.
    pub held: usize,
    /// Its entry in the table of events that wait for more lines.
    pub ripens: Option<Timestamp>,
    order: Order,
    /// Whether the log cannot be read a second time.
    pub once_only: bool,
    /// Events made of it so far, and those of them that were refused for good or dropped.
    pub events: u64,
    pub refused: u64,
    /// What a filter is told of it, if its events go through one.
    pub origin: Option<Box<FilterOrigin>>,
    /// Whether events of it were made that go nowhere until it is read again.
    pub stuck: bool,
    /// Why nothing of it could be taken.
    pub unreadable: Option<String>,
    /// What names are made of, where they depend on each event.
    pub container: Option<Arc<Container>>,
}

/// What has been made of a source, and what of that has been delivered.
#[derive(Debug)]
pub struct Progress {
    /// The position of the last event made.
    made: Sides<Position>,
    delivered: Sides<Position>,
    acknowledged: Positions,
    /// Of a source whose events do not all go to one destination: each that has not delivered all it has, with the
    /// number of the batch that took in its last event.
    scattered: Option<BTreeMap<OutletId, u64>>,
    /// How far such a source will have been delivered before all of it is: its destinations hardly ever rest at
    /// the same time.
    next: Option<Milestone>,
}

/// A place in a log, and what has to be delivered to have it delivered up to there.
#[derive(Debug)]
struct Milestone {
    made: Sides<Position>,
    awaits: BTreeMap<OutletId, u64>,
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
    /// All has been read, and events are made of it as there is room.
    Draining,
    /// Never again.
    Ended,
}

/// Frames of the two sides may stand in another order than their times by a moment, so a side that is
/// silent is taken to have been read only up to so long before the other.
const DISORDER: Millis = Millis(2_000);

/// What is known of where a log comes from.
pub fn origin_of<'a>(container: &'a Container, host: &'a str) -> WrapOrigin<'a> {
    WrapOrigin {
        id: &container.id,
        name: &container.name,
        image: &container.image_name,
        image_id: &container.image_id,
        hostname: &container.hostname,
        daemon: &container.daemon_name,
        created: &container.created,
        host,
        labels: &container.labels,
        env: &container.env,
    }
}

impl Source {
    pub fn new(
        framing: Framing,
        start: u64,
        terminal: bool,
        taken: Positions,
        outlet: OutletId,
        named: Destination,
        called: String,
    ) -> Source {
        let order = match framing {
            Framing::Lines
            | Framing::Frames
            | Framing::JsonFile
            | Framing::JsonLines
            | Framing::DeadLetters
            | Framing::JsonBody
            | Framing::OtlpProtobuf
            | Framing::OtlpJson => Order::ByOffset,
            Framing::LinesWithTimes | Framing::FramesWithTimes => Order::ByTime,
        };
        let taken_or_none =
            Sides { stdout: taken.stdout.unwrap_or_default(), stderr: taken.stderr.unwrap_or_default() };
        let lane = |side| Lane::new(side, order, terminal, *taken_or_none.get(side));
        let lanes = Sides { stdout: lane(Side::Stdout), stderr: lane(Side::Stderr) };
        Source {
            decoder: Decoder::new(framing, start, lanes),
            outlet,
            apart: None,
            gate: None,
            named,
            called,
            stage: Stage::Idle,
            progress: Progress {
                made: taken_or_none,
                delivered: taken_or_none,
                acknowledged: taken,
                scattered: (framing == Framing::DeadLetters).then(BTreeMap::new),
                next: None,
            },
            resumed_at: None,
            held: 0,
            ripens: None,
            order,
            once_only: matches!(framing, Framing::Lines | Framing::Frames | Framing::JsonLines),
            events: 0,
            refused: 0,
            origin: None,
            stuck: false,
            unreadable: None,
            container: None,
        }
    }

    /// Sends each event to where its own fields say.
    pub fn keep_apart(&mut self, container: Arc<Container>) {
        self.container = Some(container);
        self.scatter();
    }

    /// Has its events go to several destinations.
    pub fn scatter(&mut self) {
        self.progress.scattered = Some(BTreeMap::new());
    }

    /// What became of it, now that it is through.
    pub fn fate(&mut self) -> Fate {
        match self.unreadable.take() {
            Some(problem) => Fate::Unreadable(problem),
            None => Fate::Settled { events: self.events, refused: self.refused },
        }
    }

    /// The outlets that its events go to, each once.
    pub fn outlets(&self) -> impl Iterator<Item = OutletId> + use<> {
        let (outlet, apart) = (self.outlet, self.apart.unwrap_or_default());
        let others = [apart.stdout, apart.stderr].into_iter().flatten().filter(move |id| *id != outlet);
        std::iter::once(outlet).chain(others)
    }

    /// The positions to acknowledge, if they are further than the last ones.
    pub fn acknowledge(&mut self) -> Option<Positions> {
        let Progress { made, delivered, .. } = &self.progress;
        let open = |side| self.stuck || made.get(side) != delivered.get(side) || self.decoder.is_open(side);
        let raised = self.raised(delivered, Sides { stdout: open(Side::Stdout), stderr: open(Side::Stderr) });
        let accepted = Sides {
            stdout: self.kept(self.progress.acknowledged.stdout, raised.stdout),
            stderr: self.kept(self.progress.acknowledged.stderr, raised.stderr),
        };
        if accepted == self.progress.acknowledged {
            return None;
        }
        self.progress.acknowledged = accepted;
        Some(accepted)
    }

    /// Up to where it has been read, half lines left out: an event that waits for more lines is in memory.
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

    /// The position to acknowledge of a side that was raised before it had anything of its own: never one
    /// before that.
    fn kept(&self, acknowledged: Option<Position>, position: Option<Position>) -> Option<Position> {
        let Some(raised) = acknowledged else { return position };
        let own = position.unwrap_or_default();
        let goes_back = match self.order {
            Order::ByOffset => own.offset < raised.offset,
            // Only what was raised counts no frames. Other times go back where the clock was stepped back.
            Order::ByTime => raised.ordinal == 0 && own.time < raised.time,
        };
        if goes_back { Some(Position { into_line: own.into_line, ..raised }) } else { position }
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

    /// Notes that an event of a side that is not wanted has been passed over.
    pub fn pass_over(&mut self, side: Side, position: Position) {
        *self.made.get_mut(side) = position;
        // What was scattered before it is not delivered by that.
        if self.scattered.as_ref().is_none_or(BTreeMap::is_empty) {
            *self.delivered.get_mut(side) = position;
        }
    }

    /// Whether each of its events says where it goes.
    pub fn is_scattered(&self) -> bool {
        self.scattered.is_some()
    }

    /// Notes where the last event that was made has gone: to the batch of this number.
    pub fn scatter(&mut self, outlet: OutletId, number: u64) {
        if let Some(scattered) = &mut self.scattered {
            scattered.insert(outlet, number);
        }
    }

    /// Notes how far it has been made, to be acknowledged once all up to here is delivered.
    pub fn set_milestone(&mut self) {
        if let Some(scattered) = self.scattered.as_ref().filter(|scattered| !scattered.is_empty())
            && self.next.is_none()
        {
            self.next = Some(Milestone { made: self.made, awaits: scattered.clone() });
        }
    }

    /// The time of the last event made, in milliseconds; `None` without one.
    pub fn last_time(&self) -> Option<u64> {
        let last = self.made.stdout.time.max(self.made.stderr.time).millis();
        (last > 0).then_some(last)
    }

    /// Notes that the batch of this number, with this mark, has been delivered to a destination, and so all before
    /// it.
    pub fn deliver(&mut self, outlet: OutletId, number: u64, mark: &Mark) {
        let Some(scattered) = &mut self.scattered else {
            *self.delivered.get_mut(mark.side) = mark.position;
            return;
        };
        // A place in the log counts once every destination has all that stands before it.
        if all_in(scattered, outlet, number) {
            self.delivered = self.made;
            self.next = None;
        } else if let Some(next) = &mut self.next
            && all_in(&mut next.awaits, outlet, number)
        {
            self.delivered = next.made;
            self.next = None;
            self.set_milestone();
        }
    }

    /// Whether all that was made has been delivered.
    pub fn is_settled(&self) -> bool {
        self.made == self.delivered
    }
}

/// Takes a destination off the list if this batch was the last it had to deliver; whether that leaves none.
fn all_in(awaits: &mut BTreeMap<OutletId, u64>, outlet: OutletId, number: u64) -> bool {
    if awaits.get(&outlet).is_some_and(|last| *last <= number) {
        awaits.remove(&outlet);
    }
    awaits.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::SourceId;

    fn source(framing: Framing) -> Source {
        of_earlier_life(framing, Positions::default())
    }

    fn of_earlier_life(framing: Framing, taken: Positions) -> Source {
        let named = Destination::for_tests("g", "s");
        Source::new(framing, 0, false, taken, OutletId(0), named, "test".into())
    }

    fn at(offset: u64, millis: u64) -> Position {
        Position { offset, time: Timestamp::from_millis(millis), ordinal: 1, into_line: 0 }
    }

    fn deliver(source: &mut Source, side: Side, position: Position) {
        source.progress.made(side, position);
        source.progress.deliver(OutletId(0), 1, &Mark { source: SourceId(1), side, position });
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
    fn a_side_that_was_raised_is_never_taken_back() {
        for framing in [Framing::JsonFile, Framing::FramesWithTimes] {
            let mut source = source(framing);
            deliver(&mut source, Side::Stderr, at(10, 1_000));
            deliver(&mut source, Side::Stdout, at(70, 9_000));
            let raised = source.acknowledge().unwrap().stderr;
            source.progress.made(Side::Stderr, at(90, 10_000));
            assert_eq!(source.acknowledge(), None, "{framing:?}");
            let into_line = Position { into_line: 5, ..at(10, 1_000) };
            deliver(&mut source, Side::Stderr, into_line);
            source.progress.made(Side::Stderr, at(95, 11_000));
            let stderr = source.acknowledge().unwrap().stderr;
            assert_eq!(stderr, raised.map(|raised| Position { into_line: 5, ..raised }), "{framing:?}");
        }
    }

    #[test]
    fn a_side_of_whose_line_an_earlier_life_sent_a_part_stays_where_it_is() {
        let into_line = Position { into_line: 5, ..at(10, 1_000) };
        let taken = Positions { stdout: Some(into_line), stderr: None };
        let mut source = of_earlier_life(Framing::JsonFile, taken);
        deliver(&mut source, Side::Stderr, at(70, 9_000));
        let accepted = source.acknowledge().unwrap();
        assert_eq!((accepted.stdout, accepted.stderr), (Some(into_line), Some(at(70, 9_000))));
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
