//! Bytes come in, events go into batches.

use std::rc::Rc;

use super::gap::{Gap, Missing, Reason};
use super::outlet::{Load, Marking, Outlet, OutletId};
use super::scatter::Scatterer;
use super::source::{Progress, Source, Stage};
use super::{Counts, Loss, Output, Pause, SPARE_BYTES, SPARE_ROOMS, Severity, Shipper};
use crate::batch::{Batch, Marks, Origin, Push, SourceId};
use crate::lines::{Decoder, Event, Malformed, Sink};
use crate::time::{Millis, Timestamp};

impl Shipper {
    /// What a read that was asked for returned. No bytes: there are none for the time being.
    pub fn handle_bytes(&mut self, id: SourceId, bytes: &[u8], now: Timestamp) {
        self.hear_time(now);
        let Some(source) = self.sources.get_mut(&id).filter(|source| source.stage == Stage::Asked) else {
            return;
        };
        if bytes.is_empty() {
            source.stage = Stage::Idle;
            return self.await_lines(id);
        }
        source.stage = Stage::Readable;
        self.readable.push_back(id);
        // Not before there is more: should the source turn out to be gone, a half line is all there will be.
        if let Some(start) = source.resumed_at.take() {
            source.decoder.restart(start);
        }
        self.counts.bytes_read += bytes.len() as u64;
        self.with_lines(id, now, &Chunk::Bytes(bytes));
    }

    /// A source of lines has one that was cut before it came here: `text` is all of it, and may hold line
    /// ends. Nothing is asked for first, so where `when_full` waits, it is the driver that has to.
    pub fn handle_line(&mut self, id: SourceId, text: &[u8], now: Timestamp) {
        self.hear_time(now);
        let Some(outlet) = self.sources.get(&id).map(|source| source.outlet) else { return };
        self.counts.bytes_read += text.len() as u64;
        let before = self.gathered(outlet);
        self.with_lines(id, now, &Chunk::Line(text));
        // Memory is counted anew once a batch is closed, which is seldom.
        if self.gathered(outlet) <= before {
            self.measure(outlet);
            self.drop_oldest();
        }
    }

    /// Events in the open batch of an outlet.
    fn gathered(&self, id: OutletId) -> usize {
        let gathering = self.outlets.get(id.0).and_then(|outlet| outlet.gathering.as_ref());
        gathering.map_or(0, Batch::len)
    }

    /// A source that was to be read has no more for the time being, or for good.
    pub fn handle_pause(&mut self, id: SourceId, pause: Pause, now: Timestamp) {
        self.hear_time(now);
        if pause != Pause::Interrupted {
            self.finish_lines(id, now);
        }
        let Some(source) = self.sources.get_mut(&id) else { return };
        match pause {
            Pause::Ended if source.decoder.has_more() => {
                source.stage = Stage::Draining;
                self.readable.push_back(id);
            }
            Pause::Ended => {
                source.stage = Stage::Ended;
                self.acknowledge(id);
            }
            Pause::Interrupted | Pause::Stopped | Pause::Lost(_) => {
                source.stage = Stage::Idle;
                let taken = source.read_to();
                self.outputs.push_back(Output::Resume { source: id, taken });
            }
        }
        self.await_lines(id);
        if let Pause::Lost(loss) = pause {
            self.note_loss(id, loss, now);
        }
    }

    /// Makes some more events of a source that has been read to its end.
    pub(super) fn drain(&mut self, id: SourceId, now: Timestamp) {
        self.with_lines(id, now, &Chunk::More);
        let Some(source) = self.sources.get_mut(&id) else { return };
        if source.decoder.has_more() {
            self.readable.push_back(id);
        } else {
            source.stage = Stage::Ended;
            self.acknowledge(id);
        }
    }

    /// Counts what a source lost before it was read, and has the log stream say so.
    pub(super) fn note_loss(&mut self, id: SourceId, loss: Loss, now: Timestamp) {
        self.counts.log_gaps += 1;
        self.counts.log_bytes_lost += loss.bytes.unwrap_or(0);
        let Some(source) = self.sources.get(&id) else { return };
        let (outlets, from) = (source.outlets(), source.progress.last_time());
        if !self.settings.mark_gaps {
            return;
        }
        let missing = Missing {
            reason: loss.reason,
            events: None,
            bytes: loss.bytes,
            from,
            to: loss.before.map(Timestamp::millis),
        };
        let mut gap = Gap::new(from.unwrap_or(now.millis()), Marks::default());
        gap.add(missing);
        for id in outlets {
            if let Some(outlet) = self.outlets.get_mut(id.0) {
                outlet.skip(gap.clone(), Marking::On);
            }
            self.stirred.insert(id);
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
        self.with_lines(id, now, &Chunk::End);
    }

    /// Makes events of whole lines that wait for more.
    pub(super) fn finish_events(&mut self, id: SourceId, now: Timestamp) {
        self.with_lines(id, now, &Chunk::EndOfEvents);
    }

    /// Makes events of whole lines that have waited long enough for more.
    pub(super) fn finish_old_events(&mut self, id: SourceId, now: Timestamp, patience: Millis) {
        self.with_lines(id, now, &Chunk::Silence(patience));
    }

    /// Reports what can be acknowledged of a source, and lets go of one that is through.
    pub(super) fn acknowledge(&mut self, id: SourceId) {
        let Some(source) = self.sources.get_mut(&id) else { return };
        if let Some(accepted) = source.acknowledge() {
            self.outputs.push_back(Output::Acknowledge { source: id, accepted });
        }
        if source.stage == Stage::Ended && source.progress.is_settled() && !source.stuck {
            self.held -= source.held;
            for outlet in source.outlets() {
                if let Some(outlet) = self.outlets.get_mut(outlet.0) {
                    outlet.sources -= 1;
                }
                self.stirred.insert(outlet);
            }
            let fate = source.fate();
            self.sources.remove(&id);
            self.outputs.push_back(Output::Settle { source: id, fate });
            self.outputs.push_back(Output::Release(id));
        }
    }

    /// Has a source's decoder make events, which join the batches of their destination.
    fn with_lines(&mut self, id: SourceId, now: Timestamp, chunk: &Chunk<'_>) {
        let Some(source) = self.sources.get(&id) else { return };
        let before = self.counts.events_read;
        let remarks = match source.progress.is_scattered() || source.apart.is_some() {
            true if source.origin.is_some() => self.filtered(id, now, chunk),
            true => self.scatter(id, now, chunk),
            false => self.gather(id, source.outlet, now, chunk),
        };
        let Some(source) = self.sources.get_mut(&id) else { return };
        source.events += self.counts.events_read - before;
        let half = source.decoder.held();
        self.held = self.held - source.held + half;
        source.held = half;
        let remarks: Vec<_> =
            remarks.into_iter().map(|remark| format!("{}: {remark}", source.called)).collect();
        for remark in remarks {
            self.tell(Severity::Warning, remark);
        }
    }

    /// Has events made that all go to one destination.
    fn gather(&mut self, id: SourceId, to: OutletId, now: Timestamp, chunk: &Chunk<'_>) -> Vec<String> {
        let dropping = self.drops_newest(to);
        let marking = self.marking();
        let Shipper { sources, outlets, spare, counts, .. } = self;
        let (Some(source), Some(outlet)) = (sources.get_mut(&id), outlets.get_mut(to.0)) else {
            return Vec::new();
        };
        if dropping {
            outlet.close();
        }
        let mut remarks = Vec::new();
        let Source { decoder, progress, unreadable, .. } = source;
        let remarks_to = &mut remarks;
        let mut gatherer = Gatherer {
            id,
            progress,
            unreadable,
            outlet,
            spare,
            counts,
            now,
            dropping,
            marking,
            remarks: remarks_to,
        };
        chunk.read(decoder, now, &mut gatherer);
        self.stirred.insert(to);
        if dropping {
            self.tell_losses(to, now);
        }
        remarks
    }

    /// Has events made that go to several destinations, as each says, or as its side decides.
    fn scatter(&mut self, id: SourceId, now: Timestamp, chunk: &Chunk<'_>) -> Vec<String> {
        let Some(Source { decoder, .. }) = self.sources.get_mut(&id) else { return Vec::new() };
        // Out of the way while its events look for their destinations.
        let mut decoder = std::mem::replace(decoder, Decoder::idle());
        let (remarks, passed_over) =
            self.scattering(id, now, |scatterer| chunk.read(&mut decoder, now, scatterer));
        if let Some(source) = self.sources.get_mut(&id) {
            source.decoder = decoder;
        }
        if passed_over {
            self.acknowledge(id);
        }
        remarks
    }

    /// Has events put into the batches of several destinations; what people should hear, and whether there are some
    /// that go nowhere.
    pub(super) fn scattering(
        &mut self,
        id: SourceId,
        now: Timestamp,
        events: impl FnOnce(&mut Scatterer<'_>),
    ) -> (Vec<String>, bool) {
        let Some(Source { outlet, apart, .. }) = self.sources.get(&id) else { return (Vec::new(), false) };
        let (outlet, apart) = (*outlet, *apart);
        let mut scatterer = Scatterer::new(self, id, now, outlet, apart);
        events(&mut scatterer);
        let Scatterer { touched, passed_over, remarks, .. } = scatterer;
        // One that has no room holds up the whole of it.
        let full = touched.iter().copied().find(|outlet| !self.has_room(*outlet));
        if let Some(source) = self.sources.get_mut(&id) {
            source.progress.set_milestone();
            source.gate = full;
        }
        for outlet in touched {
            self.stirred.insert(outlet);
            self.tell_losses(outlet, now);
        }
        (remarks, passed_over)
    }

    pub(super) fn marking(&self) -> Marking {
        if self.settings.mark_gaps { Marking::On } else { Marking::Off }
    }

    /// Takes back the room of a batch that is through.
    pub(super) fn recycle(&mut self, load: Load) {
        let Load::Batch(frozen) = load else { return };
        let spare: usize = self.spare.iter().map(Vec::capacity).sum();
        if self.spare.len() < SPARE_ROOMS
            && spare < SPARE_BYTES
            && let Some(frozen) = Rc::into_inner(frozen)
        {
            self.spare.push(frozen.into_room());
        }
    }
}

/// What a decoder is given.
pub(super) enum Chunk<'a> {
    Bytes(&'a [u8]),
    /// A whole line, without its end.
    Line(&'a [u8]),
    /// What it has kept back.
    More,
    /// There is no more: what is half is whole.
    End,
    /// There may be more, but none that joins what there is.
    EndOfEvents,
    /// There has been nothing for so long.
    Silence(Millis),
}

impl Chunk<'_> {
    pub(super) fn read(&self, decoder: &mut Decoder, now: Timestamp, sink: &mut impl Sink) {
        match self {
            Chunk::Bytes(bytes) => decoder.read(bytes, now, sink),
            Chunk::Line(text) => decoder.line(text, now, sink),
            Chunk::More => decoder.go_on(now, sink),
            Chunk::End => decoder.finish(now, sink),
            Chunk::EndOfEvents => decoder.finish_events(sink),
            Chunk::Silence(patience) => decoder.ripen(now, *patience, sink),
        }
    }
}

/// Puts the events of one source into the batches of one destination.
pub(super) struct Gatherer<'a> {
    pub(super) id: SourceId,
    pub(super) progress: &'a mut Progress,
    pub(super) unreadable: &'a mut Option<String>,
    pub(super) outlet: &'a mut Outlet,
    pub(super) spare: &'a mut Vec<Vec<u8>>,
    pub(super) counts: &'a mut Counts,
    pub(super) now: Timestamp,
    /// Whether there is no room for them.
    pub(super) dropping: bool,
    pub(super) marking: Marking,
    pub(super) remarks: &'a mut Vec<String>,
}

impl Sink for Gatherer<'_> {
    #[inline]
    fn event(&mut self, event: Event<'_>) {
        let Event { side, time, text, position } = event;
        self.counts.events_read += 1;
        self.progress.made(side, position);
        let origin = Origin { source: self.id, side, position };
        if self.dropping {
            return self.drop(time, origin);
        }
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

    /// Its events go where they go, whatever they say.
    fn addressed(&mut self, _group: &str, _stream: &str) {}

    fn described(&mut self, _event: &[u8]) {}

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
            // Whoever sent it hears of it.
            Malformed::Body(problem) => *self.unreadable = Some(problem),
            Malformed::Daemon(text) => self.remarks.push(format!("Docker says: {text}")),
        }
    }
}

impl Gatherer<'_> {
    /// Passes over an event.
    #[cold]
    fn drop(&mut self, time: Timestamp, origin: Origin) {
        self.counts.events_dropped_newest += 1;
        self.outlet.losses.add(Reason::DroppedNewest, 1);
        self.outlet.drop_newest(time.millis(), origin, self.marking);
    }
}
