//! The machine: log bytes and answers go in, requests and acknowledgements come out.
//!
//! Whoever drives it hands in what happened, by calls that return at once, and then drains
//! [`Shipper::poll_output`] until it says [`Output::Wait`]. It reads no clock: every call that needs the
//! time brings it. Given the same calls it gives the same outputs.
//!
//! A source's bytes become events, an event joins its destination's batch, a full or old batch is closed
//! and sent until the service has given a definite answer; then its sources are acknowledged up to there.
//! Batches of one destination are delivered in order, and no destination waits for another.

mod answers;
mod clock;
mod counts;
mod directory;
mod filter;
mod gap;
mod held;
mod intake;
mod keyring;
mod letters;
mod losses;
mod outlet;
mod output;
mod placing;
mod retention;
mod room;
mod scatter;
mod sent;
mod shaping;
mod silence;
mod source;
mod status;
mod told;

pub use answers::CredentialsError;
pub use counts::Counts;
pub use filter::{Filter, FilterEvents, FilterOrigin, FilterOutcome};
pub use gap::Reason;
pub use output::{Body, Failure, Fate, KeepId, Output, Positions, Request, RequestId, Severity};
pub use status::{Answers, Outcome, Status};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::batch::SourceId;
use crate::delivery::Jitter;
use crate::lines::{Framing, LineRules};
use crate::naming::{Container, Destination};
use crate::settings::{Settings, Signing};
use crate::time::Timestamp;

use directory::Directory;
use keyring::Keyring;
use outlet::{Outlet, OutletId, ParcelId};
use placing::Place;
use retention::{Group, Retention, RetentionId};
use sent::Sent;
use shaping::Beginning;
use source::{Source, Stage, origin_of};

/// How a source begins; `opened` in the WIT says what each field means.
#[derive(Clone, Debug)]
pub struct Opening {
    pub framing: Framing,
    pub start: u64,
    pub taken: Positions,
    pub lost: Option<Loss>,
    pub terminal: bool,
    pub container: Container,
}

/// Why a source has no more bytes; `pause` in the WIT says what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    Interrupted,
    Stopped,
    Ended,
    Lost(Loss),
}

/// Log data that a source no longer has; `loss` in the WIT says what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    pub reason: Reason,
    pub bytes: Option<u64>,
    pub before: Option<Timestamp>,
}

/// What is wanted of the machine as a whole; `phase` in the WIT says what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Running,
    Finishing,
    Stopping { by: Timestamp },
}

/// SHA-256, by whoever does it best.
pub type Digest = Box<dyn Fn(&[u8]) -> [u8; 32]>;

/// The machine.
pub struct Shipper {
    settings: Settings,
    digest: Digest,
    filter: Option<Box<dyn Filter>>,
    sources: BTreeMap<SourceId, Source>,
    outlets: Vec<Outlet>,
    by_destination: BTreeMap<Destination, OutletId>,
    directory: Directory,
    /// Who came first to each destination, where what ships ends by itself: there all containers are at once, also
    /// those that have been read to their end.
    firsts: BTreeMap<Destination, String>,
    /// Outlets whose destination is not in use.
    vacant: Vec<OutletId>,
    under_way: BTreeMap<RequestId, Sent>,
    last_request: RequestId,
    /// Dead letters that were handed out.
    keeping: BTreeMap<KeepId, (OutletId, ParcelId)>,
    last_keep: KeepId,
    /// Log groups that are still to be told how long to keep events; and those that were, in this life.
    retentions: BTreeMap<RetentionId, Retention>,
    retained: BTreeSet<Group>,
    last_retention: RetentionId,
    /// Rules that containers brought, for those that bring the same.
    own_rules: BTreeMap<Beginning, Arc<LineRules>>,
    keyring: Keyring,
    /// Whether something cannot be sent for lack of credentials; at the start, to have them early.
    starved: bool,
    /// The service's clock is so many ms ahead of ours.
    clock_ahead: i64,
    /// The latest time that was handed in.
    heard: Timestamp,
    jitter: Jitter,
    counts: Counts,
    answers: Answers,
    /// Why the log of a container, the first such, is not shipped at all.
    refused: Option<String>,
    phase: Phase,
    /// Why nothing more is read: once all that was taken is delivered, that is its end.
    broken: Option<Failure>,
    done: Option<Result<(), Failure>>,
    /// Whether people have been told all there is to tell.
    summed_up: bool,
    /// Outputs that are ready.
    outputs: VecDeque<Output>,
    /// Sources with bytes to read, in the order in which they came up.
    readable: VecDeque<SourceId>,
    /// Outlets that wait until fewer requests are under way, in the order in which they came.
    parked: VecDeque<OutletId>,
    /// Outlets to look at.
    stirred: BTreeSet<OutletId>,
    /// When outlets have something to do by the passing of time.
    wakes: BTreeSet<(Timestamp, OutletId)>,
    /// When silent sources have waited long enough for further lines of an event.
    ripening: BTreeSet<(Timestamp, SourceId)>,
    /// Room of delivered batches, to be used again.
    spare: Vec<Vec<u8>>,
    /// Memory counted for all outlets, and for the half lines of all sources, in bytes.
    held: usize,
    /// Requests under way whose destination failed the last time.
    probes: usize,
    /// Whether anything has ever been delivered.
    delivered_any: bool,
}

/// Requests under way in all: a start with a thousand containers is no storm of connections.
const MOST_UNDER_WAY: usize = 64;
/// Those of them that may go to destinations that failed the last time: should each hang until it is given
/// up, the others find their way free.
const MOST_PROBES: usize = MOST_UNDER_WAY / 2;
/// Rooms for bodies kept for reuse: so many, of so many bytes together.
const SPARE_ROOMS: usize = 64;
const SPARE_BYTES: usize = 5 << 20;

impl Shipper {
    pub fn new(settings: Settings, digest: Digest) -> Shipper {
        Shipper {
            jitter: Jitter::new(settings.seed),
            digest,
            filter: None,
            sources: BTreeMap::new(),
            outlets: Vec::new(),
            by_destination: BTreeMap::new(),
            directory: Directory::default(),
            firsts: BTreeMap::new(),
            vacant: Vec::new(),
            under_way: BTreeMap::new(),
            last_request: RequestId(0),
            keeping: BTreeMap::new(),
            last_keep: KeepId(0),
            retentions: BTreeMap::new(),
            retained: BTreeSet::new(),
            last_retention: RetentionId(0),
            own_rules: BTreeMap::new(),
            keyring: Keyring::new(),
            starved: settings.signing == Signing::Here,
            clock_ahead: 0,
            heard: Timestamp::default(),
            counts: Counts::default(),
            answers: Answers::default(),
            refused: None,
            phase: Phase::Running,
            broken: None,
            done: None,
            summed_up: false,
            outputs: VecDeque::new(),
            readable: VecDeque::new(),
            parked: VecDeque::new(),
            stirred: BTreeSet::new(),
            wakes: BTreeSet::new(),
            ripening: BTreeSet::new(),
            spare: Vec::new(),
            held: 0,
            probes: 0,
            delivered_any: false,
            settings,
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// A source begins. Its id must not have been used before. One that has nowhere to go is let go of at
    /// once.
    pub fn handle_opened(&mut self, id: SourceId, opening: Opening) {
        let Opening { framing, start, taken, lost, terminal, container } = opening;
        let container = Arc::new(container);
        let Place { named, outlet, apart, terms } = match self.place_of(framing, &container) {
            Ok(place) => place,
            Err(refusal) => {
                let fate = Fate::Unreadable(refusal);
                self.outputs.push_back(Output::Settle { source: id, fate });
                self.outputs.push_back(Output::Release(id));
                return;
            }
        };
        let called = container.called();
        let rules = self.rules_of(&container);
        let terms = self.fitting(terms, &rules, &container);
        let mut source = Source::new(framing, start, terminal, taken, outlet, named, called);
        source.apart = apart;
        for outlet in source.outlets() {
            if let Some(outlet) = self.outlets.get_mut(outlet.0) {
                if outlet.sources == 0 {
                    outlet.terms = terms.clone();
                }
                outlet.sources += 1;
            }
        }
        let by_event = self.names_by_event(framing, &container);
        let fields: &[String] = if by_event { &self.settings.event_fields } else { &[] };
        source.decoder.name_fields(&self.settings.fields, fields);
        source.decoder.follow(&rules, &origin_of(&container, &self.settings.host_name));
        source.origin = self.filter_origin(framing, &container);
        if source.origin.is_some() {
            source.scatter();
        }
        if by_event {
            source.keep_apart(container);
        }
        self.sources.insert(id, source);
        if let Some(lost) = lost {
            self.note_loss(id, lost, self.heard);
        }
    }

    /// A source has bytes to read, or a pause.
    pub fn handle_readable(&mut self, id: SourceId) {
        if let Some(source) = self.sources.get_mut(&id).filter(|source| source.stage == Stage::Idle) {
            source.stage = Stage::Readable;
            self.readable.push_back(id);
        }
    }

    /// What is wanted has changed.
    pub fn handle_phase(&mut self, phase: Phase, now: Timestamp) {
        self.hear_time(now);
        if std::mem::discriminant(&phase) == std::mem::discriminant(&self.phase) {
            return;
        }
        self.phase = phase;
        if let Phase::Stopping { .. } = phase {
            let sources: Vec<_> = self.sources.iter().map(|(id, source)| (*id, source.once_only)).collect();
            for (id, once_only) in sources {
                match once_only {
                    true => self.finish_lines(id, now),
                    false => self.finish_events(id, now),
                }
            }
        }
        self.stirred.extend((0..self.outlets.len()).map(OutletId));
    }

    /// The next thing to do. Ends with [`Output::Wait`] or, for good, [`Output::Done`].
    pub fn poll_output(&mut self, now: Timestamp) -> Output {
        self.hear_time(now);
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return output;
            }
            if let Some(done) = &self.done {
                if self.summed_up {
                    return Output::Done(done.clone());
                }
                self.summed_up = true;
                self.tell_all_losses();
                continue;
            }
            self.hear_silence(now);
            while let Some(outlet) = self.next_due(now) {
                self.stirred.insert(outlet);
            }
            if let Some(outlet) = self.unpark() {
                self.stirred.insert(outlet);
            }
            if let Some(outlet) = self.stirred.pop_first() {
                self.pump(outlet, now);
                continue;
            }
            if self.send_retention(now) {
                continue;
            }
            if self.starved
                && let Some(renew) = self.keyring.poll_fetch(now)
            {
                return Output::FetchCredentials { renew };
            }
            if let Some(read) = self.next_read(now) {
                return read;
            }
            if !self.stirred.is_empty() {
                continue;
            }
            if let Some(result) = self.end(now) {
                self.done = Some(result);
                continue;
            }
            return Output::Wait(self.next_wake());
        }
    }

    /// Does whatever an outlet can do at this moment.
    fn pump(&mut self, id: OutletId, now: Timestamp) {
        let in_flight = self.settings.in_flight;
        let flush_at_once = self.phase != Phase::Running || self.broken.is_some();
        let flush_after = self.settings.flush_after;
        let Some(outlet) = self.outlets.get_mut(id.0) else { return };
        let flush_after = outlet.terms.flush_after.unwrap_or(flush_after);
        if let outlet::Stage::Waiting { until, creating } = outlet.stage
            && until <= now
        {
            outlet.stage = match creating {
                Some(operation) => outlet::Stage::Creating { operation, asked: false },
                None => outlet::Stage::Open,
            };
        }
        // An old batch is closed once it can leave: until then it may as well grow.
        let old = outlet.flush_due(flush_after).is_some_and(|due| due <= now || flush_at_once);
        if old && outlet.queued() < in_flight {
            outlet.close();
        }
        let stage = outlet.stage;
        if stage == outlet::Stage::Open {
            self.hand_out_letters(id);
        }
        match stage {
            outlet::Stage::Waiting { .. } | outlet::Stage::Creating { asked: true, .. } => {}
            _ if !self.has_slot(id) => self.park(id),
            outlet::Stage::Creating { operation, asked: false } => self.send_create(id, operation, now),
            outlet::Stage::Open => while self.has_slot(id) && self.send_parcel(id, now) {},
        }
        self.settle(id);
        self.vacate(id);
    }

    /// Has an outlet looked at again once fewer requests are under way, if it has something to send.
    fn park(&mut self, id: OutletId) {
        if let Some(outlet) = self.outlets.get_mut(id.0).filter(|outlet| !outlet.parked && outlet.has_work())
        {
            outlet.parked = true;
            self.parked.push_back(id);
        }
    }

    /// Of the outlets that wait for a request to end, the one that has waited longest of those that need
    /// wait no longer.
    fn unpark(&mut self) -> Option<OutletId> {
        if self.under_way.len() >= MOST_UNDER_WAY {
            return None;
        }
        let at = self.parked.iter().position(|id| self.has_slot(*id))?;
        let id = self.parked.remove(at)?;
        self.outlets.get_mut(id.0)?.parked = false;
        Some(id)
    }

    /// Whether a request more may be under way, to this destination.
    fn has_slot(&self, id: OutletId) -> bool {
        let failed = self.outlets.get(id.0).is_some_and(Outlet::is_failing);
        self.under_way.len() < MOST_UNDER_WAY && (!failed || self.probes < MOST_PROBES)
    }

    /// Brings the tables up to date with an outlet.
    fn settle(&mut self, id: OutletId) {
        self.measure(id);
        self.drop_oldest();
        let flush_after = self.settings.flush_after;
        let in_flight = self.settings.in_flight;
        let Some(outlet) = self.outlets.get_mut(id.0) else { return };
        let flush_after = outlet.terms.flush_after.unwrap_or(flush_after);
        let due = match outlet.stage {
            outlet::Stage::Waiting { until, .. } => Some(until),
            outlet::Stage::Creating { .. } => None,
            outlet::Stage::Open if outlet.queued() < in_flight => outlet.flush_due(flush_after),
            outlet::Stage::Open => None,
        };
        if due != outlet.due {
            if let Some(old) = outlet.due {
                self.wakes.remove(&(old, id));
            }
            self.wakes.extend(due.map(|due| (due, id)));
            outlet.due = due;
        }
        if outlet.blocked.is_empty() {
            return;
        }
        let has_room = self.has_room(id);
        let Some(outlet) = self.outlets.get_mut(id.0) else { return };
        if has_room {
            self.readable.extend(outlet.blocked.drain(..));
        } else if outlet.queued() == 0 {
            // It has gathered what it may, and nothing of it is on its way: waiting for more helps nobody.
            outlet.close();
            self.stirred.insert(id);
        }
    }

    fn next_due(&mut self, now: Timestamp) -> Option<OutletId> {
        let (_, id) = *self.wakes.first().filter(|(due, _)| *due <= now)?;
        self.wakes.pop_first();
        if let Some(outlet) = self.outlets.get_mut(id.0) {
            outlet.due = None;
        }
        Some(id)
    }

    fn next_wake(&self) -> Option<Timestamp> {
        let stop = match self.phase {
            Phase::Stopping { by } => Some(by),
            Phase::Running | Phase::Finishing => None,
        };
        let wake = self.wakes.first().map(|(due, _)| *due);
        let ripe = self.ripening.first().map(|(due, _)| *due);
        let waiting = self.retentions.values().filter(|retention| !retention.asked);
        let retention = waiting.map(|retention| retention.due).filter(|due| *due > self.heard).min();
        // Until something cannot be sent, others are fetched when something is.
        let fetch = self.keyring.due().filter(|_| self.starved);
        [stop, wake, ripe, retention, fetch].into_iter().flatten().min()
    }

    /// Whether it is over, and how.
    fn end(&self, now: Timestamp) -> Option<Result<(), Failure>> {
        if let Some(failure) = &self.broken
            && self.outlets.iter().all(Outlet::is_done)
        {
            return Some(Err(failure.clone()));
        }
        match self.phase {
            Phase::Running => return None,
            Phase::Finishing if !self.sources.is_empty() => return None,
            Phase::Finishing | Phase::Stopping { .. } => {}
        }
        let told = self.retentions.is_empty() || self.phase != Phase::Finishing;
        let complete = told && self.outlets.iter().all(Outlet::is_done);
        let missing = self.counts.rejected() + self.counts.dropped();
        match self.phase {
            _ if complete && self.settings.fail_fast && self.refused.is_some() => {
                self.refused.clone().map(|refused| Err(Failure::Settings(refused)))
            }
            _ if complete && self.settings.fail_fast && missing > 0 => Some(Err(Failure::Rejected(missing))),
            _ if complete => Some(Ok(())),
            Phase::Stopping { by } if by <= now => {
                let unfinished: u64 = self.outlets.iter().map(Outlet::events).sum();
                Some(Err(Failure::Unfinished(unfinished)))
            }
            _ => None,
        }
    }

    fn tell(&mut self, severity: Severity, text: String) {
        self.outputs.push_back(Output::Tell(severity, text));
    }
}

#[cfg(test)]
mod tests;
