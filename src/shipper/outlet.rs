//! One destination's events: being gathered, waiting their turn, under way.

use std::collections::VecDeque;
use std::rc::Rc;

use super::output::Body;
use crate::batch::{Batch, Frozen, SourceId};
use crate::cloudwatch::Operation;
use crate::delivery::Backoff;
use crate::naming::Destination;
use crate::sigv4::Hex;
use crate::time::{Millis, Timestamp};

/// A destination by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutletId(pub usize);

/// Everything on its way to one destination.
#[derive(Debug)]
pub struct Outlet {
    pub destination: Destination,
    /// The batch that is still open.
    pub gathering: Option<Batch>,
    /// Closed batches in order; the first is the oldest that has not been delivered.
    queue: VecDeque<Parcel>,
    pub stage: Stage,
    pub backoff: Backoff,
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
    /// How many sources go there.
    pub sources: usize,
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
    NotCloudWatch,
    Invalid,
    Clock,
}

/// A closed batch on its way.
#[derive(Debug)]
pub struct Parcel {
    pub id: ParcelId,
    pub frozen: Rc<Frozen>,
    /// What is sent, and its digest; made when it is first sent.
    pub sealed: Option<Sealed>,
    pub state: ParcelState,
    /// How often it has been sent.
    pub tries: u32,
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
    /// Its place is kept until those before it are delivered too.
    Delivered,
}

impl Parcel {
    /// Memory taken, in bytes.
    fn held(&self) -> usize {
        let compressed = match &self.sealed {
            Some(Sealed { body: Body::Bytes(bytes), .. }) => bytes.len(),
            Some(Sealed { body: Body::Batch(_), .. }) | None => 0,
        };
        self.frozen.held() + compressed
    }
}

impl Outlet {
    pub fn new(destination: Destination) -> Outlet {
        Outlet {
            destination,
            gathering: None,
            queue: VecDeque::new(),
            stage: Stage::Open,
            backoff: Backoff::default(),
            trouble: None,
            parked: false,
            blocked: Vec::new(),
            due: None,
            held: 0,
            last_parcel: 0,
            sources: 0,
        }
    }

    /// Closes the open batch.
    pub fn close(&mut self) {
        if let Some(batch) = self.gathering.take().filter(|batch| !batch.is_empty()) {
            let parcel = self.parcel(batch.freeze());
            self.queue.push_back(parcel);
        }
    }

    /// The next batch to send, while no more than `in_flight` are under way.
    pub fn next_parcel(&mut self, in_flight: usize) -> Option<&mut Parcel> {
        let under_way = self.queue.iter().filter(|parcel| parcel.state == ParcelState::UnderWay).count();
        if under_way >= in_flight {
            return None;
        }
        self.queue.iter_mut().find(|parcel| parcel.state == ParcelState::Ready)
    }

    pub fn parcel_mut(&mut self, id: ParcelId) -> Option<&mut Parcel> {
        self.queue.iter_mut().find(|parcel| parcel.id == id)
    }

    /// The oldest batch, once it is delivered.
    pub fn take_delivered(&mut self) -> Option<Rc<Frozen>> {
        self.queue.pop_front_if(|parcel| parcel.state == ParcelState::Delivered).map(|parcel| parcel.frozen)
    }

    /// Puts two halves where a batch was. `false`: it is a single event.
    pub fn halve(&mut self, id: ParcelId) -> bool {
        let Some(at) = self.queue.iter().position(|parcel| parcel.id == id) else { return false };
        let Some(halves) = self.queue.get(at).and_then(|parcel| parcel.frozen.halves()) else { return false };
        let (first, second) = (self.parcel(halves.0), self.parcel(halves.1));
        self.queue.remove(at);
        self.queue.insert(at, second);
        self.queue.insert(at, first);
        true
    }

    fn parcel(&mut self, frozen: Frozen) -> Parcel {
        self.last_parcel += 1;
        let id = ParcelId(self.last_parcel);
        Parcel { id, frozen: Rc::new(frozen), sealed: None, state: ParcelState::Ready, tries: 0 }
    }

    /// Batches that are closed and not delivered.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Whether nothing is closed, and less than so many bytes are gathered.
    pub fn gathers_little(&self, bytes: usize) -> bool {
        self.queue.is_empty() && self.gathering.as_ref().is_none_or(|batch| batch.bytes() < bytes)
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
    }

    /// Events that are not delivered.
    pub fn events(&self) -> u64 {
        let queued = self.queue.iter().filter(|parcel| parcel.state != ParcelState::Delivered);
        let queued: usize = queued.map(|parcel| parcel.frozen.len()).sum();
        (queued + self.gathering.as_ref().map_or(0, Batch::len)) as u64
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
