//! The machine does what it wants to do, and the world checks it.

use cloudspout::batch::SourceId;
use cloudspout::settings::WhenFull;
use cloudspout::shipper::{Failure, Output, Pause, Positions};
use cloudspout::time::Timestamp;

use super::{Happening, Opened, World};
use crate::chance::fingerprint;
use crate::plan::{MILLI, SECOND};
use crate::sabotage::Sabotage;

/// More outputs at one moment than that are a loop without end.
const MANY: u32 = 1_000_000;
/// How many reads of a hundred find nothing, although there is more; and for how long at most.
const STALLS: u64 = 4;
const LONGEST_STALL: u64 = 400 * MILLI;
/// For how long what there is to read is kept back, where that is a fault.
const LONG: u64 = 20 * SECOND;
/// A host that stores late does so after this time, in nanoseconds.
const STORE_AFTER: u64 = 300 * MILLI;
/// Events of a healthy destination are delivered within so long, beyond the time they wait for others.
const HEALTHY_WITHIN: u64 = 15 * SECOND;

impl World {
    /// Tells the machine what there is to read, and carries out what it asks. Whether the world is over.
    pub(super) fn let_run(&mut self) -> Result<bool, String> {
        let now = Timestamp::from_nanos(self.wall());
        for rounds in 0..=MANY {
            self.announce();
            let Some(machine) = &mut self.machine else { return Ok(false) };
            if rounds == MANY {
                return Err("never comes to rest".to_owned());
            }
            let output = machine.shipper.poll_output(now);
            match &mut machine.doomed {
                Some(0) => {
                    self.kill();
                    self.summary.kills += 1;
                    return Ok(false);
                }
                Some(left) if !matches!(output, Output::Wait(_)) => *left -= 1,
                Some(_) | None => {}
            }
            match output {
                Output::Read { source, max } => self.read(source, max, now),
                Output::Resume { source, taken } => self.resume(source, taken),
                Output::Acknowledge { source, accepted } => self.acknowledge(source, accepted)?,
                // The ledger knows from the service what it refused.
                Output::Refused { .. } | Output::Settle { .. } => {}
                Output::Release(source) => self.release(source)?,
                Output::Send(request) => self.send(request)?,
                Output::FetchCredentials { renew } => {
                    self.note(|| format!("asks for credentials, renew: {renew}"), 20);
                    let at = self.now + self.chance.spread(MILLI, 2 * SECOND);
                    self.plan_for(at, Happening::Credentials(self.life, renew));
                }
                Output::Keep { id, lines } => self.keep(id, &lines)?,
                Output::Tell(severity, text) => {
                    let number = fingerprint(text.as_bytes());
                    self.note(|| format!("says {severity:?}: {text}"), number);
                }
                Output::Wait(until) => return self.rest(until, now).map(|()| false),
                Output::Done(result) => return self.done(result),
            }
        }
        Ok(false)
    }

    fn announce(&mut self) {
        let Some(machine) = &mut self.machine else { return };
        for feed in machine.feeds.values_mut() {
            if !feed.announced && feed.has_news(&self.containers[feed.container]) {
                feed.announced = true;
                machine.shipper.handle_readable(feed.id);
            }
        }
    }

    fn read(&mut self, source: SourceId, max: u32, now: Timestamp) {
        let drop = self.strikes(Sabotage::DropBytes);
        let repeat = self.strikes(Sabotage::RepeatBytes);
        let end = self.sabotage == Some(Sabotage::EndHalfLines);
        let keep_back = self.strikes(Sabotage::KeepBack);
        let Some(machine) = &mut self.machine else { return };
        let Some(feed) = machine.feeds.get_mut(&source) else { return };
        let container = feed.container;
        if keep_back || !self.plan.sick && self.chance.percent(STALLS) {
            feed.stalled = true;
            feed.announced = false;
            machine.shipper.handle_bytes(source, b"", now);
            let stall = self.chance.spread(MILLI, LONGEST_STALL);
            let at = self.now + if keep_back { LONG } else { stall };
            return self.plan_for(at, Happening::Thaw(source));
        }
        match feed.read(max, &self.containers[container], &mut self.chance) {
            Ok(bytes) => {
                if bytes.is_empty() {
                    feed.announced = false;
                }
                let read_to = feed.read_to();
                let handed_in: &[u8] = if drop && !bytes.is_empty() { b"" } else { &bytes };
                machine.shipper.handle_bytes(source, handed_in, now);
                if drop && !bytes.is_empty() {
                    machine.shipper.handle_readable(source);
                }
                if repeat && !bytes.is_empty() {
                    machine.shipper.poll_output(now);
                    machine.shipper.handle_bytes(source, &bytes, now);
                }
                self.ledger.read(container, read_to);
                self.note(
                    || format!("reads {} bytes of c{container}, up to {read_to}", bytes.len()),
                    bytes.len() as u64,
                );
            }
            Err(pause) => {
                let pause = if end && pause == Pause::Interrupted { Pause::Stopped } else { pause };
                machine.shipper.handle_pause(source, pause, now);
                self.note(|| format!("hears that c{container} is {pause:?}"), 21);
            }
        }
    }

    fn resume(&mut self, source: SourceId, taken: Positions) {
        let skipped = u64::from(self.sabotage == Some(Sabotage::ResumeTooLate));
        let Some(machine) = &mut self.machine else { return };
        let Some(feed) = machine.feeds.get_mut(&source) else { return };
        let container = feed.container;
        let start = feed.resume(&self.containers[container].log, &taken, skipped, &mut self.chance);
        machine.shipper.handle_resumed(source, start);
        self.summary.resumes += 1;
        self.note(|| format!("goes on with c{container} at {start}, taken {taken:?}"), start);
    }

    pub(super) fn acknowledge(&mut self, source: SourceId, accepted: Positions) -> Result<(), String> {
        let Some(container) =
            self.machine.as_ref().and_then(|machine| machine.feeds.get(&source)).map(|feed| feed.container)
        else {
            return Err(format!("acknowledges {source:?}, which it has let go of"));
        };
        let mut accepted = accepted;
        if self.strikes(Sabotage::AcknowledgeNever) {
            return Ok(());
        }
        if self.strikes(Sabotage::AcknowledgeOtherSide) {
            std::mem::swap(&mut accepted.stdout, &mut accepted.stderr);
        }
        if self.strikes(Sabotage::AcknowledgeBackwards) {
            accepted = Positions::default();
        }
        let (too_far, forget) =
            (self.strikes(Sabotage::AcknowledgeTooFar), self.sabotage == Some(Sabotage::ForgetIntoLine));
        for position in [&mut accepted.stdout, &mut accepted.stderr].into_iter().flatten() {
            if too_far {
                position.offset += 150;
                position.ordinal += 1;
                position.time = position.time.shifted(2_000);
            }
            if forget {
                position.into_line = 0;
            }
        }
        self.note(|| format!("acknowledges c{container} {accepted:?}"), 22);
        self.ledger.acknowledge(container, &accepted)?;
        if self.plan.late_store {
            self.plan_for(self.now + STORE_AFTER, Happening::Store(self.life, container, accepted));
        } else {
            self.stored[container] = accepted;
        }
        Ok(())
    }

    fn release(&mut self, source: SourceId) -> Result<(), String> {
        let Some(feed) = self.machine.as_mut().and_then(|machine| machine.feeds.remove(&source)) else {
            return Err(format!("lets go of {source:?} twice"));
        };
        let container = feed.container;
        self.note(|| format!("lets go of c{container}"), 23);
        self.ledger.release(container)?;
        if !self.containers[container].gone {
            return Err(format!("lets go of c{container}, which may write again"));
        }
        self.opened[container] = Opened::Released;
        Ok(())
    }

    /// The machine waits: all promises have to hold.
    fn rest(&mut self, until: Option<Timestamp>, now: Timestamp) -> Result<(), String> {
        let Some(machine) = &mut self.machine else { return Ok(()) };
        if let Some(until) = until {
            if until <= now {
                return Err(format!("waits for a moment that is past, and so runs in circles: {until:?}"));
            }
            machine.wish += 1;
            let wish = machine.wish;
            let nap = until.since_exactly(now);
            if self.sabotage != Some(Sabotage::Oversleep) {
                self.plan_for(self.now + nap, Happening::Wake(wish));
            }
        }
        let Some(machine) = &self.machine else { return Ok(()) };
        let mut counts = *machine.shipper.counts();
        if counts.bytes_malformed > 0 {
            return Err(format!("passes over {} bytes that make sense", counts.bytes_malformed));
        }
        if self.sabotage == Some(Sabotage::DropUncounted) {
            (counts.events_dropped_oldest, counts.events_dropped_newest) = (0, 0);
        }
        self.ledger.check_rest(&counts)?;
        let destinations = self.destinations.iter().max().map_or(0, |most| *most as u64 + 1);
        let most = self.plan.buffer_bytes + (destinations + 1) * (5 << 19);
        // Of what is dropped the model learns only when it is acknowledged.
        if self.ledger.held() > most && self.plan.when_full == WhenFull::Wait {
            return Err(format!("holds {} bytes, more than {most}", self.ledger.held()));
        }
        if self.plan.sick && !self.plan.weather && self.plan.kills + self.plan.stops == 0 {
            // A line may wait for others of its event before the event waits for others.
            let waits = if self.plan.multiline { 3 } else { 1 };
            let most = waits * self.plan.flush_after_ms * MILLI + HEALTHY_WITHIN;
            if self.ledger.slowest > most {
                let slowest = self.ledger.slowest / MILLI;
                return Err(format!("delivers to a healthy destination only after {slowest} ms"));
            }
        }
        Ok(())
    }

    fn done(&mut self, result: Result<(), Failure>) -> Result<bool, String> {
        self.note(|| format!("ends: {result:?}"), 24);
        let Some(machine) = &self.machine else { return Ok(false) };
        let counts = machine.shipper.counts();
        self.ledger.check_rest(counts)?;
        // Nothing but an answer that was never seen doubles, while the machine lives and time goes on.
        if self.summary.kills + self.plan.stops + self.plan.steps == 0
            && self.ledger.doubled_events > counts.events_possibly_doubled
        {
            return Err(format!(
                "has doubled {} events, and says that it may have doubled {}",
                self.ledger.doubled_events, counts.events_possibly_doubled
            ));
        }
        let Some(by) = machine.stopping else {
            if !machine.finishing || result != Ok(()) {
                return Err(format!("ends with {result:?}"));
            }
            if let Some(container) = self.opened.iter().position(|opened| *opened != Opened::Released) {
                return Err(format!("ends before c{container} is through"));
            }
            return Ok(true);
        };
        match result {
            Ok(()) if self.plan.in_flight == 1 && self.ledger.unsettled_read() > 0 => {
                return Err("ends well, and has not delivered all it read".to_owned());
            }
            Ok(()) => {}
            // Stepped ahead, the clock ends the time there was.
            Err(Failure::Unfinished(events)) if events > 0 && (self.now >= by || self.plan.steps > 0) => {}
            Err(failure) => return Err(format!("is stopped, and ends with {failure:?}")),
        }
        self.kill();
        Ok(false)
    }
}
