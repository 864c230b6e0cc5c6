//! What may be held in memory: who is read, and what is dropped where that was chosen.

use std::ops::RangeInclusive;

use super::gap::Reason;
use super::outlet::OutletId;
use super::source::{Source, Stage};
use super::{Output, Phase, Shipper};
use crate::settings::WhenFull;
use crate::time::Timestamp;

/// Bytes asked of a source at a time: as much as a processor's cache holds with room to spare.
const READ_BYTES: u32 = 256 << 10;
/// Batches closed and not delivered, beyond those under way, at which a destination's sources wait.
const QUEUE_BEYOND: usize = 1;
/// What a destination may gather while the others hold all there is to hold, in bytes: its share of as much as
/// the buffer again, within these bounds.
const SMALL_BATCH: RangeInclusive<usize> = 32 << 10..=256 << 10;

impl Shipper {
    /// Whether a destination's sources may be read.
    pub(super) fn has_room(&self, id: OutletId) -> bool {
        let Some(outlet) = self.outlets.get(id.0) else { return false };
        let own = outlet.queued() < self.settings.in_flight + QUEUE_BEYOND;
        // A destination that holds nothing closed may always gather a small batch, whatever the others hold.
        own && (self.held < self.settings.buffer_bytes || outlet.gathers_little(self.small_batch()))
    }

    /// The more destinations there are, the less each may gather beyond the buffer.
    fn small_batch(&self) -> usize {
        let share = self.settings.buffer_bytes / self.by_destination.len().max(1);
        share.clamp(*SMALL_BATCH.start(), *SMALL_BATCH.end())
    }

    pub(super) fn next_read(&mut self, now: Timestamp) -> Option<Output> {
        if matches!(self.phase, Phase::Stopping { .. }) || self.broken.is_some() {
            return None;
        }
        while let Some(id) = self.readable.pop_front() {
            let wants = |source: &&Source| matches!(source.stage, Stage::Readable | Stage::Draining);
            let Some(source) = self.sources.get(&id).filter(wants) else { continue };
            let (stage, outlet) = (source.stage, source.gate.unwrap_or(source.outlet));
            // Where there is none, room is made once it is known for what.
            if self.when_full(outlet) != WhenFull::Wait || self.has_room(outlet) {
                if stage == Stage::Draining {
                    self.drain(id, now);
                    // What came of it may have to leave first.
                    if self.stirred.is_empty() {
                        continue;
                    }
                    return None;
                }
                if let Some(source) = self.sources.get_mut(&id) {
                    source.stage = Stage::Asked;
                }
                return Some(Output::Read { source: id, max: READ_BYTES });
            }
            if let Some(outlet) = self.outlets.get_mut(outlet.0) {
                outlet.blocked.push(id);
            }
            self.stirred.insert(outlet);
        }
        None
    }

    /// Counts the memory that an outlet takes.
    pub(super) fn measure(&mut self, id: OutletId) {
        let Some(outlet) = self.outlets.get_mut(id.0) else { return };
        let held = outlet.measure();
        self.held = self.held - outlet.held + held;
        outlet.held = held;
    }

    /// Whether what is read for a destination is dropped.
    pub(super) fn drops_newest(&self, id: OutletId) -> bool {
        let Some(outlet) = self.outlets.get(id.0) else { return false };
        let all_is_full = self.held >= self.settings.buffer_bytes;
        let has_plenty = outlet.queued() >= self.settings.in_flight + QUEUE_BEYOND;
        self.when_full(id) == WhenFull::DropNewest
            && has_plenty
            && (all_is_full || outlet.terms.most_waiting.is_some_and(|most| outlet.held >= most))
    }

    /// What becomes of events of a destination that there is no room for.
    fn when_full(&self, id: OutletId) -> WhenFull {
        let own = self.outlets.get(id.0).and_then(|outlet| outlet.terms.when_full);
        own.unwrap_or(self.settings.when_full)
    }

    /// Drops the oldest batches of whoever holds most, until there is room.
    pub(super) fn drop_oldest(&mut self) {
        let kept = self.settings.in_flight + QUEUE_BEYOND;
        let marking = self.marking();
        while self.settings.when_full == WhenFull::DropOldest && self.held >= self.settings.buffer_bytes {
            let fullest = self.outlets.iter_mut().enumerate().filter(|(_, outlet)| outlet.queued() > kept);
            let Some((at, outlet)) = fullest.max_by_key(|(_, outlet)| outlet.held) else { return };
            let Some(events) = outlet.drop_oldest(kept, marking) else { return };
            outlet.losses.add(Reason::DroppedOldest, events);
            self.counts.events_dropped_oldest += events;
            let id = OutletId(at);
            self.measure(id);
            self.take_delivered(id);
            self.tell_losses(id, self.heard);
            self.stirred.insert(id);
        }
    }
}
