//! Cuts the bytes of a log stream into pieces of lines, whatever the framing.

use std::sync::Arc;

use super::body::{Body, Kind};
use super::docker_frames::{self, Frames};
use super::json_event::FieldNames;
use super::json_file::JsonFile;
use super::json_lines::JsonLines;
use super::letter::Letters;
use super::limit::Limit;
use super::plain::{Lines, LinesWithTimes};
use super::shaper::Shaper;
use super::wrap::Origin;
use super::{End, Lane, LineRules, Order, Piece, Position, Side, Sides, Sink, Text};
use crate::time::{Millis, Timestamp};

/// How the bytes of a log stream are to be understood; `framing` in the WIT describes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Lines,
    LinesWithTimes,
    Frames,
    FramesWithTimes,
    JsonFile,
    JsonLines,
    DeadLetters,
    JsonBody,
    OtlpProtobuf,
    OtlpJson,
}

impl Framing {
    /// Whether a log stream of it is one body, understood as a whole.
    pub fn is_body(self) -> bool {
        matches!(self, Framing::JsonBody | Framing::OtlpProtobuf | Framing::OtlpJson)
    }
}

/// What could not be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// So many bytes were passed over.
    Bytes(u64),
    /// Docker's daemon said so, in the log.
    Daemon(String),
    /// Nothing of a body was taken, for this reason.
    Body(String),
}

/// Reads a log stream of one framing.
#[derive(Debug)]
pub struct Decoder {
    form: Form,
    /// Bytes read so far, counted as the host counts.
    offset: u64,
    /// The beginning of a line or frame whose end has not been read.
    partial: Vec<u8>,
    lanes: Sides<Lane>,
    /// What becomes of lines, where rules ask for it.
    shaper: Option<Box<Shaper>>,
}

#[derive(Debug)]
enum Form {
    Lines(Lines),
    LinesWithTimes(LinesWithTimes),
    Frames(Frames),
    JsonFile(JsonFile),
    JsonLines(JsonLines),
    Letters(Letters),
    Body(Body),
}

/// Docker's daemon reads a container's output in pieces of this many bytes: one of fewer that does not end
/// in LF is the last of its line, because the container ended, or because its log driver (`local`) keeps no
/// LF behind a line that came in pieces.
pub(super) const FULL_PIECE: usize = 16 << 10;
/// A frame or an entry longer than this is none: Docker's pieces are 16 KiB before escaping.
pub(super) const LONGEST_UNIT: usize = 4 << 20;

impl Decoder {
    /// A decoder for a log stream whose next byte is at `start`. `lanes` say what was taken before.
    pub fn new(framing: Framing, start: u64, lanes: Sides<Lane>) -> Decoder {
        let form = match framing {
            Framing::Lines => Form::Lines(Lines),
            Framing::LinesWithTimes => Form::LinesWithTimes(LinesWithTimes::default()),
            Framing::Frames => Form::Frames(Frames::new(docker_frames::Times::Absent)),
            Framing::FramesWithTimes => Form::Frames(Frames::new(docker_frames::Times::Present)),
            Framing::JsonFile => Form::JsonFile(JsonFile::default()),
            Framing::JsonLines => Form::JsonLines(JsonLines::default()),
            Framing::DeadLetters => Form::Letters(Letters),
            Framing::JsonBody => Form::Body(Body::new(Kind::Objects)),
            Framing::OtlpProtobuf => Form::Body(Body::new(Kind::OtlpProtobuf)),
            Framing::OtlpJson => Form::Body(Body::new(Kind::OtlpJson)),
        };
        Decoder { form, offset: start, partial: Vec::new(), lanes, shaper: None }
    }

    /// Says which fields of JSON objects hold what, and by which of them events are kept apart.
    pub fn name_fields(&mut self, names: &FieldNames, apart: &[String]) {
        match &mut self.form {
            Form::JsonLines(JsonLines { event, .. }) | Form::Body(Body { event, .. }) => {
                event.name_fields(names, apart);
            }
            Form::Lines(_)
            | Form::LinesWithTimes(_)
            | Form::Frames(_)
            | Form::JsonFile(_)
            | Form::Letters(_) => {}
        }
    }

    /// Says how lines become events, of a log that comes from there. A dead letter is one already, as is an
    /// object of a body, and one that goes where its own fields say.
    pub fn follow(&mut self, rules: &Arc<LineRules>, origin: &Origin<'_>) {
        let is_event = match &self.form {
            Form::Letters(_) | Form::Body(_) => true,
            Form::JsonLines(JsonLines { event, .. }) => event.is_kept_apart(),
            Form::Lines(_) | Form::LinesWithTimes(_) | Form::Frames(_) | Form::JsonFile(_) => false,
        };
        if is_event {
            return;
        }
        self.shaper = Shaper::new(rules, origin).map(Box::new);
        let limit = self.shaper.as_ref().map_or(Limit::Plain, |shaper| shaper.limit());
        self.lanes.stdout.limit(limit);
        self.lanes.stderr.limit(limit);
    }

    /// A decoder of nothing.
    pub fn idle() -> Decoder {
        let lane = |side| Lane::new(side, Order::ByOffset, false, Position::default());
        Decoder::new(Framing::Lines, 0, Sides { stdout: lane(Side::Stdout), stderr: lane(Side::Stderr) })
    }

    /// Reads a chunk; every event in it goes to `sink`. `now` is the time of lines that bring none.
    pub fn read(&mut self, bytes: &[u8], now: Timestamp, sink: &mut impl Sink) {
        match self.shaper.take() {
            None => self.read_lines(bytes, now, sink),
            Some(mut shaper) => {
                shaper.shape(now, sink, |lines| self.read_lines(bytes, now, lines));
                self.shaper = Some(shaper);
            }
        }
    }

    fn read_lines(&mut self, bytes: &[u8], now: Timestamp, sink: &mut impl Sink) {
        let Decoder { form, offset, partial, lanes, .. } = self;
        let mut out = Output { lanes, sink };
        match form {
            Form::Lines(form) => form.read(bytes, offset, now, &mut out),
            Form::LinesWithTimes(form) => form.read(bytes, offset, partial, &mut out),
            Form::Frames(form) => form.read(bytes, offset, partial, now, &mut out),
            Form::JsonFile(form) => form.read(bytes, offset, partial, &mut out),
            Form::JsonLines(form) => form.read(bytes, offset, partial, now, &mut out),
            Form::Letters(form) => form.read(bytes, offset, partial, &mut out),
            Form::Body(form) => form.read(bytes, partial),
        }
    }

    /// Whether there are events that can be made without reading more: see [`Decoder::go_on`].
    pub fn has_more(&self) -> bool {
        matches!(&self.form, Form::Body(form) if form.has_more())
    }

    /// Makes some more events of a body that has been read to its end.
    pub fn go_on(&mut self, now: Timestamp, sink: &mut impl Sink) {
        let Decoder { form, offset, partial, lanes, .. } = self;
        if let Form::Body(form) = form {
            form.go_on(offset, partial, now, &mut Output { lanes, sink });
        }
    }

    /// Takes a line that was cut before it came here: `text` is all of it, and may hold line ends. It is an
    /// event by itself, whatever the rules.
    #[inline(never)]
    pub fn line(&mut self, text: &[u8], time: Timestamp, sink: &mut impl Sink) {
        self.offset += text.len() as u64 + 1;
        let piece = Piece {
            side: Side::Stdout,
            time,
            text: Text::Raw(text),
            end: End::Line,
            same_frame: false,
            offset: self.offset,
        };
        self.lanes.stdout.piece(piece, sink);
    }

    /// Ends open lines, and the events that wait for more: the container stopped, and what it left without a
    /// line end is all there will be. `now` is the time of lines that bring none.
    pub fn finish(&mut self, now: Timestamp, sink: &mut impl Sink) {
        match self.shaper.take() {
            None => self.finish_lines(now, sink),
            Some(mut shaper) => {
                shaper.shape(now, sink, |lines| self.finish_lines(now, lines));
                shaper.finish(sink);
                self.shaper = Some(shaper);
            }
        }
    }

    fn finish_lines(&mut self, now: Timestamp, sink: &mut impl Sink) {
        let Decoder { form, offset, partial, lanes, .. } = self;
        let mut out = Output { lanes, sink };
        match form {
            Form::LinesWithTimes(form) => form.finish(*offset, partial, &mut out),
            Form::JsonLines(form) => form.finish(offset, partial, now, &mut out),
            Form::Letters(form) => form.finish(*offset, partial, &mut out),
            Form::Body(form) => return form.finish(partial, &mut out),
            Form::Lines(_) | Form::Frames(_) | Form::JsonFile(_) => {}
        }
        let half = std::mem::take(&mut self.partial);
        if !half.is_empty() {
            sink.malformed(Malformed::Bytes(half.len() as u64));
        }
        self.lanes.stdout.finish(sink);
        self.lanes.stderr.finish(sink);
    }

    /// Takes events that wait for more lines as whole: no more will come. A half line stays one.
    pub fn finish_events(&mut self, sink: &mut impl Sink) {
        if let Some(shaper) = &mut self.shaper {
            shaper.finish(sink);
        }
    }

    /// As [`Decoder::finish_events`], of those whose next line does not come in time.
    pub fn ripen(&mut self, now: Timestamp, patience: Millis, sink: &mut impl Sink) {
        if let Some(shaper) = &mut self.shaper {
            shaper.ripen(now, patience, sink);
        }
    }

    /// When there will be something to ripen, if nothing more is read.
    pub fn ripens(&self, patience: Millis) -> Option<Timestamp> {
        self.shaper.as_ref()?.due(patience)
    }

    /// The clock was stepped back.
    pub fn rewind(&mut self, nanos: u64) {
        if let Some(shaper) = &mut self.shaper {
            shaper.rewind(nanos);
        }
    }

    /// Forgets what is half read, to read it again from a host that goes on at `start`. Lines that are whole stay
    /// where they are, in events that wait for more.
    pub fn restart(&mut self, start: u64) {
        self.offset = start;
        self.partial.clear();
        match &mut self.form {
            Form::LinesWithTimes(form) => *form = LinesWithTimes::default(),
            Form::Frames(form) => form.restart(),
            Form::JsonLines(form) => form.restart(),
            Form::Body(form) => form.restart(),
            Form::Lines(_) | Form::JsonFile(_) | Form::Letters(_) => {}
        }
        self.lanes.stdout.restart();
        self.lanes.stderr.restart();
    }

    pub fn lanes(&self) -> &Sides<Lane> {
        &self.lanes
    }

    /// Whether something of a side has been read that no event was made of.
    pub fn is_open(&self, side: Side) -> bool {
        self.lanes.get(side).is_open() || self.shaper.as_ref().is_some_and(|shaper| shaper.holds(side))
    }

    /// The offset of the next byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes of a line or frame that is not whole; they lie behind `offset`.
    pub fn waiting(&self) -> usize {
        self.partial.len()
    }

    /// Memory that half lines, half frames and events that wait for more lines take, in bytes.
    pub fn held(&self) -> usize {
        let partial = if self.partial.is_empty() { 0 } else { self.partial.capacity() };
        let joined = self.shaper.as_ref().map_or(0, |shaper| shaper.held());
        partial + self.lanes.stdout.held() + self.lanes.stderr.held() + joined
    }
}

/// Where a form puts the pieces it finds.
pub(super) struct Output<'a, S> {
    lanes: &'a mut Sides<Lane>,
    sink: &'a mut S,
}

impl<S: Sink> Output<'_, S> {
    #[inline]
    pub fn piece(&mut self, piece: Piece<'_>) {
        self.lanes.get_mut(piece.side).piece(piece, self.sink);
    }

    pub fn malformed(&mut self, malformed: Malformed) {
        self.sink.malformed(malformed);
    }

    pub fn addressed(&mut self, group: &str, stream: &str) {
        self.sink.addressed(group, stream);
    }

    pub fn described(&mut self, event: &[u8]) {
        self.sink.described(event);
    }
}

/// Feeds `each` whole lines with their LF, joining one that began in an earlier chunk. What is left
/// over waits in `partial`. The offset counts what `each` has been given.
pub(super) fn for_each_line(
    bytes: &[u8],
    offset: &mut u64,
    partial: &mut Vec<u8>,
    mut each: impl FnMut(&[u8], u64),
) {
    let mut left = bytes;
    if !partial.is_empty() {
        let Some(end) = memchr::memchr(b'\n', left) else {
            partial.extend_from_slice(left);
            return;
        };
        let (head, tail) = left.split_at_checked(end + 1).unwrap_or((left, &[]));
        partial.extend_from_slice(head);
        *offset += partial.len() as u64;
        each(partial, *offset);
        partial.clear();
        left = tail;
    }
    while let Some(end) = memchr::memchr(b'\n', left) {
        let (line, tail) = left.split_at_checked(end + 1).unwrap_or((left, &[]));
        *offset += line.len() as u64;
        each(line, *offset);
        left = tail;
    }
    partial.extend_from_slice(left);
}
