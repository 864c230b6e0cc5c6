//! Events that the service refused for good: counted, kept as dead letters, and marked where they are
//! missing, before anything is acknowledged.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use super::answers::FEW_TRIES;
use super::gap::{Gap, Missing, Reason};
use super::outlet::{Load, OutletId, ParcelId, ParcelState, Trouble};
use super::{Failure, KeepId, Output, Shipper};
use crate::batch::{Frozen, FrozenEvent};
use crate::cloudwatch::Rejected;
use crate::delivery::Pace;
use crate::lines::Letter;
use crate::time::Timestamp;

/// Events of a batch that stand together and were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub events: Range<usize>,
    pub reason: Reason,
}

/// Which of so many events were not taken, and why.
pub fn refused_by(rejected: Rejected, events: usize) -> [Refused; 3] {
    let Rejected { too_old, expired, too_new } = rejected;
    let of = |events, reason| Refused { events, reason };
    [
        of(0..too_old, Reason::TooOld),
        of(too_old..too_old + expired, Reason::Expired),
        of(events - too_new..events, Reason::TooNew),
    ]
}

impl Shipper {
    /// Takes events of a batch as refused for good; the others have been delivered.
    pub(super) fn refuse(&mut self, id: OutletId, parcel: ParcelId, refused: &[Refused], now: Timestamp) {
        let service_now = now.shifted(self.clock_ahead);
        let letters = self.letters_of(id, parcel, refused, service_now);
        let marking = self.marking();
        let Some(outlet) = self.outlets.get_mut(id.0) else { return };
        let Some(Load::Batch(frozen)) = outlet.parcel_mut(parcel).map(|parcel| &parcel.load) else { return };
        let frozen = Rc::clone(frozen);
        let mut origins = BTreeMap::new();
        let mut gap = Gap::new(place_of(&frozen, refused, service_now), frozen.marks());
        for Refused { events, reason } in refused.iter().filter(|refused| !refused.events.is_empty()) {
            let time = |at: usize| frozen.event(at).map_or(0, |event| event.time);
            let (count, last) = (events.len() as u64, events.end.saturating_sub(1));
            gap.add(Missing::events(*reason, count, time(events.start), time(last)));
            outlet.losses.add(*reason, count);
            for event in events.clone().filter_map(|at| frozen.event(at)) {
                *origins.entry(event.source).or_insert(0) += 1;
            }
        }
        outlet.refuse(parcel, gap, letters, marking);
        for (source, events) in &origins {
            if let Some(source) = self.sources.get_mut(source) {
                source.refused += events;
            }
        }
        self.outputs.extend(origins.into_iter().map(|(source, events)| Output::Refused { source, events }));
        self.tell_losses(id, now);
        self.take_delivered(id);
    }

    /// The refused events as dead letters, if they are to be kept.
    fn letters_of(
        &mut self,
        id: OutletId,
        parcel: ParcelId,
        refused: &[Refused],
        now: Timestamp,
    ) -> Option<Rc<[u8]>> {
        if !self.settings.dead_letters {
            return None;
        }
        let outlet = self.outlets.get_mut(id.0)?;
        let Load::Batch(frozen) = &outlet.parcel_mut(parcel)?.load else { return None };
        let frozen = Rc::clone(frozen);
        let mut lines = Vec::new();
        for Refused { events, reason } in refused {
            for FrozenEvent { time, message, source } in events.clone().filter_map(|at| frozen.event(at)) {
                let source = self.sources.get(&source);
                let letter = Letter {
                    group: outlet.destination.group(),
                    stream: outlet.destination.stream(),
                    time,
                    message,
                    reason: reason.word(),
                    error: outlet.losses.error.as_deref().filter(|_| *reason == Reason::Invalid),
                    refused: now,
                    source: source.map_or("", |source| source.called.as_str()),
                };
                letter.write(&mut lines);
            }
        }
        Some(lines.into())
    }

    /// Hands out dead letters of a destination, to be kept.
    pub(super) fn hand_out_letters(&mut self, id: OutletId) {
        while let Some(parcel) = self.outlets.get_mut(id.0).and_then(|outlet| outlet.next_to_keep()) {
            parcel.state = ParcelState::Keeping;
            let Some(lines) = parcel.letters.clone() else { return };
            self.last_keep = KeepId(self.last_keep.0 + 1);
            self.keeping.insert(self.last_keep, (id, parcel.id));
            self.outputs.push_back(Output::Keep { id: self.last_keep, lines });
        }
    }

    /// Dead letters have been kept where they outlast this machine, or not, for the reason given.
    pub fn handle_kept(&mut self, id: KeepId, kept: Result<(), String>, now: Timestamp) {
        self.hear_time(now);
        let Some((id, parcel)) = self.keeping.remove(&id) else { return };
        let marking = self.marking();
        let Some(outlet) = self.outlets.get_mut(id.0) else { return };
        self.stirred.insert(id);
        match kept {
            Ok(()) => {
                let letters = outlet.parcel_mut(parcel).and_then(|parcel| parcel.letters.as_ref());
                let count = letters.map_or(0, |lines| memchr::memchr_iter(b'\n', lines).count());
                self.counts.dead_letters += count as u64;
                outlet.kept(parcel, marking);
                outlet.backoff.succeed();
                self.relief(id);
                self.take_delivered(id);
            }
            Err(text) => {
                if let Some(parcel) = outlet.parcel_mut(parcel) {
                    parcel.state = ParcelState::ToKeep;
                }
                let failures = self.wait(id, None, Pace::Patient, None, now);
                self.trouble(id, Trouble::DeadLetters, &text, now);
                if self.settings.fail_fast && failures >= FEW_TRIES {
                    self.done = Some(Err(Failure::DeadLetters(text)));
                }
            }
        }
    }
}

/// The time, in milliseconds, at which a log stream says what of a batch is missing: where it was delivered
/// again behind what is too old, or last before what is too new; else where the event itself stood.
fn place_of(frozen: &Frozen, refused: &[Refused], now: Timestamp) -> u64 {
    let time = |at: usize| frozen.event(at).map(|event| event.time);
    let is_refused = |at: &usize| refused.iter().any(|refused| refused.events.contains(at));
    let first_delivered = (0..frozen.len()).find(|at| !is_refused(at));
    match refused {
        [Refused { reason: Reason::Invalid, events }] => time(events.start),
        [.., too_new] if !too_new.events.is_empty() => too_new.events.start.checked_sub(1).and_then(time),
        _ => first_delivered.and_then(time),
    }
    .unwrap_or(now.millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_that_is_refused_has_one_reason() {
        for (too_old, expired, too_new, ranges) in [
            (0, 0, 0, [0..0, 0..0, 10..10]),
            (3, 0, 0, [0..3, 3..3, 10..10]),
            (3, 2, 1, [0..3, 3..5, 9..10]),
            (0, 0, 10, [0..0, 0..0, 0..10]),
        ] {
            let refused = refused_by(Rejected { too_old, expired, too_new }, 10);
            assert_eq!(refused.map(|refused| refused.events), ranges);
        }
    }
}
