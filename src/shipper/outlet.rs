//! One destination's events: being gathered, waiting their turn, under way.

use std::collections::VecDeque;
use std::rc::Rc;

use super::gap::{Gap, Missing, Reason};
use super::losses::Losses;
use super::output::Body;
use crate::batch::{Batch, Frozen, Marks, Origin, SourceId};
use crate::cloudwatch::{Operation, Tags};
use crate::delivery::Backoff;
use crate::naming::{Destination, Terms};
use crate::sigv4::Hex;
use crate::time::{Millis, Timestamp};

/// A destination by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutletId(pub usize);

/// Everything on its way to one destination.
#[derive(Debug)]
pub struct Outlet {
    pub destination: Destination,
    /// What the container that came first chose of how it is made and sent.
    pub terms: Terms,
    /// The batch that is still open.
    pub gathering: Option<Batch>,
    /// Closed batches in order; the first is the oldest that has not been delivered.
    queue: VecDeque<Parcel>,
    pub stage: Stage,
    pub backoff: Backoff,
    /// What is missing there for good, and what people have been told of that.
    pub losses: Losses,
    /// The trouble people have been told of, and when.
    pub trouble: Option<(Trouble, Timestamp)>,
    /// Whether it waits until fewer requests are under way.
    pub parked: bool,
    /// Sources that wait until there is room.
    pub blocked: Vec<SourceId>,
    /// Its entry in the table of wake-ups.
    pub due: Option<Timestamp>,
    /// Memory counted for it, in bytes.
    pub held: usize,
    last_parcel: u64,
    /// Batches and gaps that have been closed, ever.
    closed: u64,
    /// How many sources go there.
    pub sources: usize,
    /// Whether its log group, if it is to be made, has tags.
    pub tags: Tags,
    /// Whether a request that was to make the log group may have done so without our knowing.
    pub group_may_be_ours: bool,
    /// Whether people have been told that several do.
    pub shared: bool,
}

/// Whether log streams say where events are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marking {
    On,
    Off,
}

impl Marking {
    /// How a gap goes on.
    fn state(self) -> ParcelState {
        match self {
            Marking::On => ParcelState::Ready,
            Marking::Off => ParcelState::Delivered,
        }
    }
}

/// What the outlet is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Sending whatever is ready.
    Open,
    /// Making the log stream or log group, before anything is sent.
    Creating { operation: Operation, asked: bool },
    /// Waiting after a failure; then it goes on as it was.
    Waiting { until: Timestamp, creating: Option<Operation> },
}

/// What keeps events from being delivered, as people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Throttled,
    Fault,
    NotSent,
    Unanswered,
    Denied,
    Credentials,
    Signer,
    NotCloudWatch,
    Invalid,
    Clock,
    DeadLetters,
}

/// A closed batch on its way, or what is missing behind one.
#[derive(Debug)]
pub struct Parcel {
    pub id: ParcelId,
    /// Which one it is of those that were closed; halves of one share it.
    pub number: u64,
    pub load: Load,
    /// When the first of its events was read; none of a gap that holds none.
    since: Option<Timestamp>,
    /// Events of it that are refused for good, to be kept elsewhere.
    pub letters: Option<Rc<[u8]>>,
    /// What is sent, and its digest; made when it is first sent.
    pub sealed: Option<Sealed>,
    pub state: ParcelState,
    /// How often it has been sent.
    pub tries: u32,
}

/// What a parcel is about.
#[derive(Debug)]
pub enum Load {
    Batch(Rc<Frozen>),
    /// Events that are missing there, and not told yet: more may come to them.
    Gap(Gap),
    /// The request that tells of so many missing events.
    Marker(Rc<Frozen>, u64),
}

/// The bytes that are sent, the same each time.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub body: Body,
    pub digest: Hex,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParcelId(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParcelState {
    Ready,
    UnderWay,
    /// Its dead letters wait to be handed out.
    ToKeep,
    /// Its dead letters have been handed out, to be kept.
    Keeping,
    /// Its place is kept until those before it are delivered too.
    Delivered,
}

impl Parcel {
    /// Memory taken, in bytes.
    fn held(&self) -> usize {
        let load = match &self.load {
            Load::Batch(frozen) | Load::Marker(frozen, _) => frozen.held(),
            Load::Gap(gap) => gap.held(),
        };
        let compressed = match &self.sealed {
            Some(Sealed { body: Body::Bytes(bytes), .. }) => bytes.len(),
            Some(Sealed { body: Body::Batch(_), .. }) | None => 0,
        };
        load + compressed + self.letters.as_ref().map_or(0, |letters| letters.len())
    }

    /// How far its sources have been taken once it is delivered.
    pub fn marks(&self) -> Marks {
        match &self.load {
            Load::Batch(frozen) | Load::Marker(frozen, _) => frozen.marks(),
            Load::Gap(gap) => gap.marks().clone(),
        }
    }

    /// Events whose fate is not settled.
    fn events(&self) -> u64 {
        match &self.load {
            _ if self.state == ParcelState::Delivered => 0,
            Load::Batch(frozen) => frozen.len() as u64,
            Load::Gap(gap) => gap.events(),
            Load::Marker(_, events) => *events,
        }
    }

    /// The earliest time that one of its events bears.
    fn earliest(&self) -> Option<Timestamp> {
        match &self.load {
            Load::Batch(frozen) => frozen.event(0).map(|event| Timestamp::from_millis(event.time)),
            Load::Gap(_) | Load::Marker(..) => None,
        }
    }

    /// Whether it takes one of the places that a destination has for batches.
    fn counts(&self) -> bool {
        matches!(self.load, Load::Batch(_)) || self.letters.is_some()
    }
}

impl Outlet {
    pub fn new(destination: Destination) -> Outlet {
        Outlet {
            destination,
            terms: Terms::default(),
            gathering: None,
            queue: VecDeque::new(),
            stage: Stage::Open,
            backoff: Backoff::default(),
            losses: Losses::default(),
            trouble: None,
            parked: false,
            blocked: Vec::new(),
            due: None,
            held: 0,
            last_parcel: 0,
            closed: 0,
            sources: 0,
            tags: Tags::With,
            group_may_be_ours: false,
            shared: false,
        }
    }

    /// Closes the open batch.
    pub fn close(&mut self) {
        if let Some(batch) = self.gathering.take().filter(|batch| !batch.is_empty()) {
            self.closed += 1;
            let since = Some(batch.since());
            let parcel = self.parcel(self.closed, Load::Batch(Rc::new(batch.freeze())), since);
            self.queue.push_back(parcel);
        }
    }

    /// The next batch to send, while no more than `in_flight` are under way. A gap whose turn it is is put
    /// into words here.
    pub fn next_parcel(&mut self, in_flight: usize, now: Timestamp) -> Option<&mut Parcel> {
        let busy =
            |state| matches!(state, ParcelState::UnderWay | ParcelState::ToKeep | ParcelState::Keeping);
        if self.queue.iter().filter(|parcel| busy(parcel.state)).count() >= in_flight {
            return None;
        }
        let parcel = self.queue.iter_mut().find(|parcel| parcel.state == ParcelState::Ready)?;
        if let Load::Gap(gap) = &parcel.load {
            parcel.load = Load::Marker(Rc::new(gap.marker(&self.destination, now)), gap.events());
        }
        Some(parcel)
    }

    pub fn parcel_mut(&mut self, id: ParcelId) -> Option<&mut Parcel> {
        self.queue.iter_mut().find(|parcel| parcel.id == id)
    }

    /// The next parcel with dead letters to be handed out.
    pub fn next_to_keep(&mut self) -> Option<&mut Parcel> {
        self.queue.iter_mut().find(|parcel| parcel.state == ParcelState::ToKeep)
    }

    /// The oldest parcel, once it is delivered.
    pub fn take_delivered(&mut self) -> Option<Parcel> {
        self.queue.pop_front_if(|parcel| parcel.state == ParcelState::Delivered)
    }

    /// Puts two halves where a batch was. `false`: it is a single event.
    pub fn halve(&mut self, id: ParcelId) -> bool {
        let Some(at) = self.queue.iter().position(|parcel| parcel.id == id) else { return false };
        let halves = self.queue.get(at).and_then(|parcel| match &parcel.load {
            Load::Batch(frozen) => Some((frozen.halves()?, parcel.number, parcel.since)),
            Load::Gap(_) | Load::Marker(..) => None,
        });
        let Some(((first, second), number, since)) = halves else { return false };
        let first = self.parcel(number, Load::Batch(Rc::new(first)), since);
        let second = self.parcel(number, Load::Batch(Rc::new(second)), since);
        self.queue.remove(at);
        self.queue.insert(at, second);
        self.queue.insert(at, first);
        true
    }

    /// Puts a gap where a batch was: what of it could be delivered is, and the rest is missing.
    pub fn refuse(&mut self, id: ParcelId, gap: Gap, letters: Option<Rc<[u8]>>, marking: Marking) {
        let Some(parcel) = self.parcel_mut(id) else { return };
        parcel.load = Load::Gap(gap);
        parcel.sealed = None;
        parcel.tries = 0;
        parcel.state = if letters.is_some() { ParcelState::ToKeep } else { marking.state() };
        parcel.letters = letters;
    }

    /// The dead letters of a parcel are kept.
    pub fn kept(&mut self, id: ParcelId, marking: Marking) {
        if let Some(parcel) = self.parcel_mut(id) {
            parcel.letters = None;
            parcel.state = marking.state();
        }
    }

    /// Closes the open batch, and puts a gap behind it.
    pub fn skip(&mut self, gap: Gap, marking: Marking) {
        self.close();
        self.closed += 1;
        let mut parcel = self.parcel(self.closed, Load::Gap(gap), None);
        parcel.state = marking.state();
        self.queue.push_back(parcel);
    }

    /// Passes over an event for want of room. The open batch has been closed.
    pub fn drop_newest(&mut self, time: u64, origin: Origin, marking: Marking) {
        let open = |parcel: &&mut Parcel| matches!(parcel.load, Load::Gap(_)) && parcel.letters.is_none();
        if self.queue.back_mut().filter(open).is_none() {
            self.skip(Gap::default(), marking);
        }
        if let Some(Parcel { load: Load::Gap(gap), .. }) = self.queue.back_mut() {
            gap.add_event(Reason::DroppedNewest, time, origin);
        }
    }

    /// Gives up the oldest batch that is not under way, if there are more than `kept`; says how many events
    /// that were.
    pub fn drop_oldest(&mut self, kept: usize, marking: Marking) -> Option<u64> {
        if self.queued() <= kept {
            return None;
        }
        let is_idle =
            |parcel: &Parcel| parcel.state == ParcelState::Ready && matches!(parcel.load, Load::Batch(_));
        let at = self.queue.iter().position(is_idle)?;
        let Some(Parcel { load: Load::Batch(frozen), .. }) = self.queue.get(at) else { return None };
        let time = |at: usize| frozen.event(at).map_or(0, |event| event.time);
        let (count, from, to) = (frozen.len() as u64, time(0), time(frozen.len().saturating_sub(1)));
        let mut gap = Gap::new(to, frozen.marks());
        gap.add(Missing::events(Reason::DroppedOldest, count, from, to));
        let dropped = self.queue.get(at).map(|parcel| parcel.number);
        let before = at.checked_sub(1).and_then(|before| self.queue.get_mut(before));
        if let Some(Parcel { load: Load::Gap(before), letters: None, number, .. }) = before {
            before.join(&gap);
            *number = dropped.unwrap_or(*number);
            self.queue.remove(at);
        } else if let Some(id) = self.queue.get(at).map(|parcel| parcel.id) {
            self.refuse(id, gap, None, marking);
        }
        Some(count)
    }

    fn parcel(&mut self, number: u64, load: Load, since: Option<Timestamp>) -> Parcel {
        self.last_parcel += 1;
        let id = ParcelId(self.last_parcel);
        Parcel { id, number, load, since, letters: None, sealed: None, state: ParcelState::Ready, tries: 0 }
    }

    /// The number of the batch or gap that took in the last event.
    pub fn newest(&self) -> u64 {
        self.closed + u64::from(self.gathering.as_ref().is_some_and(|batch| !batch.is_empty()))
    }

    /// Batches that are closed and not delivered.
    pub fn queued(&self) -> usize {
        self.queue.iter().filter(|parcel| parcel.counts()).count()
    }

    /// Whether there is something to send, or to keep.
    pub fn has_work(&self) -> bool {
        self.queue.iter().any(|parcel| matches!(parcel.state, ParcelState::Ready | ParcelState::ToKeep))
    }

    /// Whether nothing is left to be done.
    pub fn is_done(&self) -> bool {
        self.queue.iter().all(|parcel| parcel.state == ParcelState::Delivered)
            && self.gathering.as_ref().is_none_or(Batch::is_empty)
    }

    /// Whether nothing is closed, and less than so many bytes are gathered.
    pub fn gathers_little(&self, bytes: usize) -> bool {
        self.queued() == 0 && self.gathering.as_ref().is_none_or(|batch| batch.bytes() < bytes)
    }

    /// Whether the last request came to nothing.
    pub fn is_failing(&self) -> bool {
        self.backoff.failures() > 0
    }

    /// Whether nothing goes there, and nothing is to be done about it.
    pub fn is_idle(&self) -> bool {
        self.sources == 0
            && self.gathering.is_none()
            && self.queue.is_empty()
            && self.stage == Stage::Open
            && self.due.is_none()
            && !self.parked
            && self.blocked.is_empty()
    }

    /// Events that are not delivered.
    pub fn events(&self) -> u64 {
        let queued: u64 = self.queue.iter().map(Parcel::events).sum();
        queued + self.gathering.as_ref().map_or(0, Batch::len) as u64
    }

    /// When the first of those was read.
    pub fn pending_since(&self) -> Option<Timestamp> {
        let queued = self.queue.iter().filter(|parcel| parcel.events() > 0).filter_map(|parcel| parcel.since);
        let gathering = self.gathering.as_ref().filter(|batch| !batch.is_empty()).map(Batch::since);
        queued.chain(gathering).min()
    }

    /// The earliest time that one of those bears.
    pub fn earliest_pending(&self) -> Option<Timestamp> {
        let queued = self.queue.iter().filter(|parcel| parcel.events() > 0).filter_map(Parcel::earliest);
        let gathering = self.gathering.as_ref().and_then(Batch::earliest);
        queued.chain(gathering).min()
    }

    /// The clock was stepped back: what is on its way was read so much earlier by it.
    pub fn rewind_queue(&mut self, nanos: u64) {
        for parcel in &mut self.queue {
            parcel.since = parcel.since.map(|since| since.back(nanos));
        }
    }

    /// When the open batch has waited long enough.
    pub fn flush_due(&self, flush_after: Millis) -> Option<Timestamp> {
        let batch = self.gathering.as_ref().filter(|batch| !batch.is_empty())?;
        Some(batch.since() + flush_after)
    }

    /// Memory taken, in bytes.
    pub fn measure(&self) -> usize {
        let queued: usize = self.queue.iter().map(Parcel::held).sum();
        queued + self.gathering.as_ref().map_or(0, Batch::held)
    }
}
