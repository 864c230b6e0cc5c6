//! Joins the pieces of a line of one side, and cuts lines that are longer than an event may be.

use super::limit::Limit;
use super::text::{cut_escape, strip_escape};
use super::{End, Event, EventText, Malformed, Piece, Position, Rest, Side, Sink, Text};
use crate::time::Timestamp;

/// A container's standard output or standard error, as far as it has been read.
#[derive(Debug)]
pub struct Lane {
    side: Side,
    order: Order,
    /// Whether CR LF ends a line.
    terminal: bool,
    /// Everything up to here was taken in an earlier life, or before a break.
    passed: Position,
    /// The end of the last complete line; never before `passed`.
    complete: Position,
    /// The last frame's place, which counts frames of the same time.
    frame: Position,
    line: Option<Line>,
    /// The text of the line under way, escaped; empty without one.
    text: Vec<u8>,
    limit: Limit,
    /// A line of so many bytes fits an event whatever it holds.
    surely: usize,
}

/// How the positions of a log stream are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    ByOffset,
    ByTime,
}

/// A line under way, beyond its text.
#[derive(Debug)]
struct Line {
    time: Timestamp,
    /// Bytes of UTF-8 in the lane's `text`.
    bytes: usize,
    /// Bytes of UTF-8 of this line that have left as events, in an earlier life or in this.
    sent: u64,
    /// Bytes of UTF-8 still to be passed over because an earlier life delivered them.
    pass: u64,
    /// The start of a character whose rest is in the next piece.
    cut: Vec<u8>,
}

/// Room that an idle lane keeps for its next long line, in bytes.
const KEPT_ROOM: usize = 32 << 10;

impl Lane {
    /// A lane of which everything up to `passed` was taken before.
    pub fn new(side: Side, order: Order, terminal: bool, passed: Position) -> Lane {
        Lane {
            side,
            order,
            terminal,
            passed,
            complete: Position { into_line: 0, ..passed },
            frame: Position::default(),
            line: None,
            text: Vec::new(),
            limit: Limit::Plain,
            surely: Limit::Plain.surely(),
        }
    }

    /// Says how long an event may be.
    pub fn limit(&mut self, limit: Limit) {
        self.limit = limit;
        self.surely = limit.surely();
    }

    /// How far the lane has been read: whole lines, and the parts of a long one that left as events.
    pub fn read_to(&self) -> Position {
        let into_line = self.line.as_ref().map_or(self.passed.into_line, |line| line.sent);
        Position { into_line, ..self.complete }
    }

    /// Whether a line is under way, be it one that an earlier life has sent parts of.
    pub fn is_open(&self) -> bool {
        self.line.is_some() || self.passed.into_line > 0
    }

    /// Memory that a line under way takes, in bytes.
    pub fn held(&self) -> usize {
        self.line.as_ref().map_or(0, |line| self.text.capacity() + line.cut.capacity())
    }

    /// Forgets a half line: the host goes back, and what lies before it is passed over.
    pub fn restart(&mut self) {
        self.passed = self.read_to();
        self.frame = Position::default();
        self.line = None;
        self.text = Vec::new();
    }

    /// Takes a piece, and passes on the events that it completes.
    #[inline(always)]
    pub fn piece(&mut self, piece: Piece<'_>, sink: &mut impl Sink) {
        let frame = self.place_of(&piece);
        self.frame = frame;
        if self.is_passed(frame) {
            return;
        }
        let piece = self.behind_passed(piece);
        let whole = piece.end == End::Line && self.line.is_none() && self.passed.into_line == 0;
        if whole && piece.text.len() <= self.surely {
            self.complete = frame;
            let text = EventText::Line(self.without_cr(piece.text));
            sink.event(Event { side: self.side, time: piece.time, text, position: frame });
        } else {
            self.join(piece, frame, sink);
        }
    }

    /// Ends the line under way, if there is one.
    pub fn finish(&mut self, sink: &mut impl Sink) {
        let end = self.frame;
        self.end_line(end, sink);
    }

    fn place_of(&self, piece: &Piece<'_>) -> Position {
        let ordinal = match self.order {
            Order::ByOffset => 0,
            Order::ByTime if piece.same_frame => self.frame.ordinal,
            Order::ByTime if piece.time == self.frame.time => self.frame.ordinal.saturating_add(1),
            Order::ByTime => 1,
        };
        Position { offset: piece.offset, time: piece.time, ordinal, into_line: 0 }
    }

    fn is_passed(&self, frame: Position) -> bool {
        match self.order {
            Order::ByOffset => frame.offset <= self.passed.offset,
            Order::ByTime => (frame.time, frame.ordinal) <= (self.passed.time, self.passed.ordinal),
        }
    }

    /// What of a piece lies behind `passed`: a line that ended with its container, and was taken so, may be
    /// read again as the beginning of a longer one.
    fn behind_passed<'a>(&self, piece: Piece<'a>) -> Piece<'a> {
        let length = piece.text.len() as u64 + u64::from(piece.end == End::Line);
        let begin = piece.offset.saturating_sub(length);
        match self.order {
            Order::ByOffset if begin < self.passed.offset => {
                let passed = usize::try_from(self.passed.offset - begin).unwrap_or(usize::MAX);
                Piece { text: piece.text.skip(passed), ..piece }
            }
            Order::ByOffset | Order::ByTime => piece,
        }
    }

    fn without_cr<'a>(&self, text: Text<'a>) -> Text<'a> {
        match text {
            Text::Raw(raw) if self.terminal => Text::Raw(raw.strip_suffix(b"\r").unwrap_or(raw)),
            Text::Json(json) if self.terminal => Text::Json(strip_escape(json, b'r').unwrap_or(json)),
            text => text,
        }
    }

    /// Adds a piece to the line under way, or begins one with it.
    fn join(&mut self, piece: Piece<'_>, frame: Position, sink: &mut impl Sink) {
        let mut line = self.line.take().unwrap_or_else(|| {
            let sent = std::mem::take(&mut self.passed.into_line);
            Line { time: piece.time, bytes: 0, sent, pass: sent, cut: Vec::new() }
        });
        let rest = if piece.end == End::Open { Rest::Follows } else { Rest::None };
        if line.cut.is_empty() {
            self.fill(piece.text, rest, &mut line, sink);
        } else {
            let mut text = std::mem::take(&mut line.cut);
            text.extend_from_slice(piece.text.bytes());
            let text = match piece.text {
                Text::Raw(_) => Text::Raw(&text),
                Text::Json(_) => Text::Json(&text),
            };
            self.fill(text, rest, &mut line, sink);
        }
        self.line = Some(line);
        if piece.end == End::Line {
            self.end_line(frame, sink);
        }
    }

    /// Adds text to a line, passing on an event whenever one is full.
    fn fill(&mut self, mut text: Text<'_>, rest: Rest, line: &mut Line, sink: &mut impl Sink) {
        while line.pass > 0 && !text.is_empty() {
            let room = usize::try_from(line.pass).unwrap_or(usize::MAX);
            let start = self.text.len();
            let taken = text.append_to(&mut self.text, room, rest);
            self.text.truncate(start);
            if taken.read == 0 {
                break;
            }
            line.pass -= taken.bytes as u64;
            text = text.skip(taken.read);
        }
        loop {
            let room = self.limit.room(line.bytes, self.text.len());
            let taken = text.append_to(&mut self.text, room, rest);
            line.bytes += taken.bytes;
            text = text.skip(taken.read);
            if text.is_empty() {
                return;
            }
            if rest == Rest::Follows && text.is_cut_character() {
                line.cut = text.bytes().to_vec();
                return;
            }
            if taken.read > 0 && self.limit.is_estimate() {
                continue;
            }
            if line.bytes == 0 {
                // Room for a whole event, and still nothing was taken: broken JSON.
                sink.malformed(Malformed::Bytes(text.len() as u64));
                return;
            }
            sink.split();
            if line.sent > 0 {
                sink.rest_of_line();
            }
            line.sent += line.bytes as u64;
            let position = Position { into_line: line.sent, ..self.complete };
            let text = EventText::Escaped(&self.text, line.bytes);
            sink.event(Event { side: self.side, time: line.time, text, position });
            self.text.clear();
            line.bytes = 0;
        }
    }

    fn end_line(&mut self, end: Position, sink: &mut impl Sink) {
        let Some(mut line) = self.line.take() else { return };
        if !line.cut.is_empty() {
            let cut = std::mem::take(&mut line.cut);
            self.fill(Text::Raw(&cut), Rest::None, &mut line, sink);
        }
        if self.terminal && cut_escape(b'r', &mut self.text) {
            line.bytes -= 1;
        }
        self.complete = end;
        // Nothing is left of a line whose last part an earlier life delivered.
        if line.sent == 0 || line.bytes > 0 {
            if line.sent > 0 {
                sink.rest_of_line();
            }
            let text = EventText::Escaped(&self.text, line.bytes);
            sink.event(Event { side: self.side, time: line.time, text, position: end });
        }
        self.text.clear();
        if self.text.capacity() > KEPT_ROOM {
            self.text = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Heard;
    use super::*;
    use crate::cloudwatch::limits::MAX_MESSAGE_BYTES;

    fn lane(order: Order, terminal: bool, passed: Position) -> Lane {
        Lane::new(Side::Stdout, order, terminal, passed)
    }

    fn piece(text: &[u8], end: End, offset: u64) -> Piece<'_> {
        let time = Timestamp::from_nanos(offset);
        Piece { side: Side::Stdout, time, text: Text::Raw(text), end, same_frame: false, offset }
    }

    fn texts(heard: &Heard) -> Vec<&str> {
        heard.events.iter().map(|(_, _, text)| text.as_str()).collect()
    }

    #[test]
    fn pieces_join_to_a_line_with_the_time_of_the_first() {
        let mut heard = Heard::default();
        let mut lane = lane(Order::ByOffset, false, Position::default());
        lane.piece(piece(b"one ", End::Open, 4), &mut heard);
        lane.piece(piece(b"line", End::Line, 9), &mut heard);
        lane.piece(piece(b"", End::Line, 10), &mut heard);
        assert_eq!(heard.events, [(Side::Stdout, 4, "one line".into()), (Side::Stdout, 10, "".into())]);
    }

    #[test]
    fn a_character_cut_between_pieces_is_whole() {
        let horse = "🐎".as_bytes();
        for cut in 1..4 {
            let mut heard = Heard::default();
            let mut lane = lane(Order::ByOffset, false, Position::default());
            lane.piece(piece(&horse[..cut], End::Open, 1), &mut heard);
            lane.piece(piece(&horse[cut..], End::Line, 2), &mut heard);
            assert_eq!(texts(&heard), ["🐎"], "cut at {cut}");
        }
        let mut heard = Heard::default();
        let mut lane = lane(Order::ByOffset, false, Position::default());
        lane.piece(piece(&horse[..2], End::Open, 1), &mut heard);
        lane.piece(piece(b"", End::Line, 2), &mut heard);
        assert_eq!(texts(&heard), ["\u{FFFD}\u{FFFD}"]);
    }

    #[test]
    fn a_line_that_was_taken_without_its_end_is_not_taken_again_with_it() {
        for begin in [0, 3] {
            let passed = Position { offset: 8, ..Position::default() };
            let mut heard = Heard::default();
            let mut lane = lane(Order::ByOffset, false, passed);
            lane.piece(piece(&b"one half and more"[begin..], End::Line, 18), &mut heard);
            lane.piece(piece(b"next", End::Line, 23), &mut heard);
            assert_eq!(texts(&heard), [" and more", "next"], "from {begin}");
        }
    }

    #[test]
    fn a_line_over_the_limit_becomes_several_events() {
        for (length, expected) in [
            (MAX_MESSAGE_BYTES, vec![MAX_MESSAGE_BYTES]),
            (MAX_MESSAGE_BYTES + 1, vec![MAX_MESSAGE_BYTES, 1]),
            (3 << 20, vec![MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES, 78]),
        ] {
            let text = vec![b'x'; length];
            let mut heard = Heard::default();
            let mut lane = lane(Order::ByOffset, false, Position::default());
            lane.piece(piece(&text, End::Line, 1), &mut heard);
            let lengths: Vec<_> = texts(&heard).iter().map(|text| text.len()).collect();
            assert_eq!(lengths, expected, "{length}");
            assert_eq!(heard.splits, expected.len() - 1);
        }
    }

    #[test]
    fn a_line_that_is_counted_escaped_is_cut_where_that_is_full() {
        for text in ["x\u{1}\"", "€", "plain", "\u{10FFFF}"] {
            let line = text.repeat(3_000);
            for most in [1_000, 1_001, 1_002, 1_003, 1_004, 1_005] {
                let mut heard = Heard::default();
                let mut lane = lane(Order::ByOffset, false, Position::default());
                lane.limit(Limit::Escaped(most));
                for (at, piece_of) in line.as_bytes().chunks(777).enumerate() {
                    lane.piece(piece(piece_of, End::Open, 1 + at as u64), &mut heard);
                }
                lane.piece(piece(b"", End::Line, 1_000), &mut heard);
                assert_eq!(texts(&heard).concat(), line, "{most}");
                let escaped = |text: &&str| {
                    let mut out = Vec::new();
                    Text::Raw(text.as_bytes()).append_to(&mut out, usize::MAX, Rest::None);
                    out.len()
                };
                let lengths: Vec<_> = texts(&heard).iter().map(escaped).collect();
                let (_, full) = lengths.split_last().unwrap();
                // As full as is known without trying: a character takes 24 bytes at most.
                assert!(lengths.iter().all(|length| *length <= most), "{lengths:?}");
                assert!(full.iter().all(|length| *length > most - 24), "{lengths:?}");
                assert!(heard.positions.is_sorted_by_key(|position| (position.offset, position.into_line)));
            }
        }
    }

    #[test]
    fn a_line_is_cut_between_characters() {
        let text = "€".repeat(MAX_MESSAGE_BYTES / 3 + 10);
        let mut heard = Heard::default();
        let mut lane = lane(Order::ByOffset, false, Position::default());
        lane.piece(piece(text.as_bytes(), End::Line, 1), &mut heard);
        assert_eq!(texts(&heard).concat(), text);
        assert!(
            texts(&heard).iter().all(|text| text.len() <= MAX_MESSAGE_BYTES && !text.contains('\u{FFFD}'))
        );
    }

    #[test]
    fn a_resumed_line_goes_on_where_the_accepted_part_ended() {
        let text = vec![b'x'; 2 * MAX_MESSAGE_BYTES + 5];
        let mut heard = Heard::default();
        let mut first = lane(Order::ByOffset, false, Position::default());
        first.piece(piece(b"before", End::Line, 7), &mut heard);
        first.piece(piece(&text, End::Line, 8 + text.len() as u64), &mut heard);
        let accepted = heard.positions[1];
        assert_eq!((accepted.offset, accepted.into_line), (7, MAX_MESSAGE_BYTES as u64));

        let mut heard = Heard::default();
        let mut second = lane(Order::ByOffset, false, accepted);
        second.piece(piece(b"before", End::Line, 7), &mut heard);
        second.piece(piece(&text, End::Line, 8 + text.len() as u64), &mut heard);
        let lengths: Vec<_> = texts(&heard).iter().map(|text| text.len()).collect();
        assert_eq!(lengths, [MAX_MESSAGE_BYTES, 5]);
    }

    #[test]
    fn frames_of_one_time_are_told_apart_by_their_number() {
        let at =
            |time, ordinal| Position { time: Timestamp::from_nanos(time), ordinal, ..Position::default() };
        let piece = |time, text| Piece { time: Timestamp::from_nanos(time), ..piece(text, End::Line, 0) };
        let mut heard = Heard::default();
        let mut lane = lane(Order::ByTime, false, at(5, 2));
        for (time, text) in [(4, b"a"), (5, b"b"), (5, b"c"), (5, b"d"), (6, b"e")] {
            lane.piece(piece(time, text), &mut heard);
        }
        assert_eq!(texts(&heard), ["d", "e"]);
        assert_eq!((heard.positions[0].ordinal, heard.positions[1].ordinal), (3, 1));
    }

    #[test]
    fn a_restart_reads_the_half_line_again() {
        let mut heard = Heard::default();
        let mut lane = lane(Order::ByOffset, false, Position::default());
        lane.piece(piece(b"a", End::Line, 2), &mut heard);
        lane.piece(piece(b"ha", End::Open, 4), &mut heard);
        assert_eq!(lane.read_to().offset, 2);
        lane.restart();
        lane.piece(piece(b"a", End::Line, 2), &mut heard);
        lane.piece(piece(b"half", End::Line, 7), &mut heard);
        assert_eq!(texts(&heard), ["a", "half"]);
    }

    #[test]
    fn a_terminal_ends_lines_with_cr_lf() {
        let mut heard = Heard::default();
        let mut lane = lane(Order::ByOffset, true, Position::default());
        lane.piece(piece(b"whole\r", End::Line, 7), &mut heard);
        lane.piece(piece(b"in ", End::Open, 9), &mut heard);
        lane.piece(piece(b"parts\r", End::Open, 9), &mut heard);
        lane.piece(piece(b"", End::Line, 17), &mut heard);
        assert_eq!(texts(&heard), ["whole", "in parts"]);
    }

    #[test]
    fn the_end_of_a_container_ends_its_line() {
        let mut heard = Heard::default();
        let mut lane = lane(Order::ByOffset, false, Position::default());
        lane.piece(piece(b"no line end", End::Open, 11), &mut heard);
        assert!(heard.events.is_empty());
        lane.finish(&mut heard);
        lane.finish(&mut heard);
        assert_eq!(texts(&heard), ["no line end"]);
        assert_eq!(heard.positions[0].offset, 11);
    }
}
