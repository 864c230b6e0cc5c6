//! Bytes come in, events go into batches.

use std::rc::Rc;

use super::outlet::Outlet;
use super::source::{Progress, Source, Stage};
use super::{Counts, Output, Pause, SPARE_ROOMS, Severity, Shipper};
use crate::batch::{Batch, Frozen, Origin, Push, SourceId};
use crate::lines::{Decoder, Event, Malformed, Sink};
use crate::time::Timestamp;

impl Shipper {
    /// What a read that was asked for returned. No bytes: there are none for the time being.
    pub fn handle_bytes(&mut self, id: SourceId, bytes: &[u8], now: Timestamp) {
        self.hear_time(now);
        let Some(source) = self.sources.get_mut(&id).filter(|source| source.stage == Stage::Asked) else {
            return;
        };
        if bytes.is_empty() {
            source.stage = Stage::Idle;
            return;
        }
        source.stage = Stage::Readable;
        self.readable.push_back(id);
        // Not before there is more: should the source turn out to be gone, a half line is all there will be.
        if let Some(start) = source.resumed_at.take() {
            source.decoder.restart(start);
        }
        self.counts.bytes_read += bytes.len() as u64;
        self.with_lines(id, now, |decoder, gatherer| decoder.read(bytes, now, gatherer));
    }

    /// A source that was to be read has no more for the time being, or for good.
    pub fn handle_pause(&mut self, id: SourceId, pause: Pause, now: Timestamp) {
        self.hear_time(now);
        if pause != Pause::Interrupted {
            self.finish_lines(id, now);
        }
        let Some(source) = self.sources.get_mut(&id) else { return };
        match pause {
            Pause::Ended => {
                source.stage = Stage::Ended;
                self.acknowledge(id);
            }
            Pause::Interrupted | Pause::Stopped => {
                source.stage = Stage::Idle;
                let taken = source.read_to();
                self.outputs.push_back(Output::Resume { source: id, taken });
            }
        }
    }

    /// A source goes on, with the byte at `start`.
    pub fn handle_resumed(&mut self, id: SourceId, start: u64) {
        if let Some(source) = self.sources.get_mut(&id) {
            source.resumed_at = Some(start);
        }
    }

    /// Makes events of what a source left without a line end.
    pub(super) fn finish_lines(&mut self, id: SourceId, now: Timestamp) {
        self.with_lines(id, now, |decoder, gatherer| decoder.finish(now, gatherer));
    }

    /// Reports what can be acknowledged of a source, and lets go of one that is through.
    pub(super) fn acknowledge(&mut self, id: SourceId) {
        let Some(source) = self.sources.get_mut(&id) else { return };
        if let Some(accepted) = source.acknowledge() {
            self.outputs.push_back(Output::Acknowledge { source: id, accepted });
        }
        if source.stage == Stage::Ended && source.progress.is_settled() {
            self.held -= source.held;
            let outlet = source.outlet;
            if let Some(outlet) = self.outlets.get_mut(outlet.0) {
                outlet.sources -= 1;
            }
            self.stirred.insert(outlet);
            self.sources.remove(&id);
            self.outputs.push_back(Output::Release(id));
        }
    }

    /// Has a source's decoder make events, which join the batches of its destination.
    fn with_lines(
        &mut self,
        id: SourceId,
        now: Timestamp,
        read: impl FnOnce(&mut Decoder, &mut Gatherer<'_>),
    ) {
        let Shipper { sources, outlets, spare, counts, held, .. } = self;
        let Some(Source { decoder, progress, outlet: outlet_id, called, held: counted, .. }) =
            sources.get_mut(&id)
        else {
            return;
        };
        let Some(outlet) = outlets.get_mut(outlet_id.0) else { return };
        let mut gatherer = Gatherer { id, progress, outlet, spare, counts, now, remarks: Vec::new() };
        read(decoder, &mut gatherer);
        let half = decoder.held();
        *held = *held - *counted + half;
        *counted = half;
        let remarks: Vec<_> =
            gatherer.remarks.into_iter().map(|remark| format!("{called}: {remark}")).collect();
        let outlet_id = *outlet_id;
        for remark in remarks {
            self.tell(Severity::Warning, remark);
        }
        self.stirred.insert(outlet_id);
    }

    /// Takes back the room of a batch that is through.
    pub(super) fn recycle(&mut self, frozen: Rc<Frozen>) {
        if let Some(frozen) = Rc::into_inner(frozen).filter(|_| self.spare.len() < SPARE_ROOMS) {
            self.spare.push(frozen.into_room());
        }
    }
}

/// Puts the events of one source into batches.
struct Gatherer<'a> {
    id: SourceId,
    progress: &'a mut Progress,
    outlet: &'a mut Outlet,
    spare: &'a mut Vec<Vec<u8>>,
    counts: &'a mut Counts,
    now: Timestamp,
    remarks: Vec<String>,
}

impl Sink for Gatherer<'_> {
    #[inline]
    fn event(&mut self, event: Event<'_>) {
        let Event { side, time, text, position } = event;
        self.counts.events_read += 1;
        self.progress.made(side, position);
        let origin = Origin { source: self.id, side, position };
        // An event fits an empty batch, so the second round ends it.
        for _ in 0..2 {
            let Outlet { destination, gathering, .. } = &mut *self.outlet;
            let batch = gathering.get_or_insert_with(|| {
                Batch::new(destination, self.spare.pop().unwrap_or_default(), self.now)
            });
            match batch.push(time, text, origin) {
                Push::Joined { unread: 0, empty: false } => return,
                Push::Joined { unread, empty } => {
                    self.counts.events_empty += u64::from(empty);
                    if unread > 0 {
                        self.malformed(Malformed::Bytes(unread as u64));
                    }
                    return;
                }
                Push::Full => self.outlet.close(),
            }
        }
    }

    fn split(&mut self) {
        self.counts.lines_split += 1;
    }

    fn malformed(&mut self, malformed: Malformed) {
        match malformed {
            Malformed::Bytes(bytes) => {
                // Once a read is enough for people; the count has all of it.
                if self.counts.bytes_malformed == 0 {
                    self.remarks.push(format!(
                        "{bytes} bytes of its log make no sense and are passed over (counted from here on)"
                    ));
                }
                self.counts.bytes_malformed += bytes;
            }
            Malformed::Daemon(text) => self.remarks.push(format!("Docker says: {text}")),
        }
    }
}
