//! Joins the lines of one event: a line that matches begins it, those that follow and do not go on with it.
//!
//! An event is held until it is known to be whole: the next one begins, its log ends or is interrupted for
//! good, it is as long as an event may be, or no further line comes in time. Until then it counts as not read:
//! no position behind it is passed on.

use std::sync::Arc;

use super::limit::Limit;
use super::rules::LineRules;
use super::text::unescape;
use super::{Event, EventText, Malformed, Position, Rest, Side, Sides, Sink};
use crate::time::{Millis, Timestamp};

/// The events of a log stream that are not known to be whole.
#[derive(Debug)]
pub struct Joiner {
    rules: Arc<LineRules>,
    limit: Limit,
    sides: Sides<Held>,
    /// A line without its escapes, to look for the pattern in.
    plain: Vec<u8>,
}

#[derive(Debug, Default)]
struct Held {
    event: Option<Begun>,
    /// The text of the event, escaped; empty without one.
    text: Vec<u8>,
}

/// An event that more lines may join.
#[derive(Clone, Copy, Debug)]
struct Begun {
    time: Timestamp,
    /// Bytes of UTF-8 in `text`.
    bytes: usize,
    /// The end of its last line.
    position: Position,
    /// When its first line was read, and its last one.
    first: Timestamp,
    last: Timestamp,
}

/// Between two lines: LF, escaped.
const LINE_END: &[u8] = br"\n";
/// Lines that come one by one, each in time, make an event wait so many times as long as it waits for one.
const WAITS: u64 = 2;
/// Room that a side keeps for its next event, in bytes.
const KEPT_ROOM: usize = 32 << 10;

impl Joiner {
    /// `None` where each line is an event.
    pub fn new(rules: &Arc<LineRules>, limit: Limit) -> Option<Joiner> {
        rules.start.as_ref()?;
        Some(Joiner { rules: Arc::clone(rules), limit, sides: Sides::default(), plain: Vec::new() })
    }

    /// Whether an event of this side is held.
    pub fn holds(&self, side: Side) -> bool {
        self.sides.get(side).event.is_some()
    }

    /// Memory taken, in bytes.
    pub fn held(&self) -> usize {
        let text = |held: &Held| if held.event.is_some() { held.text.capacity() } else { 0 };
        text(&self.sides.stdout) + text(&self.sides.stderr)
    }

    /// When an event will have waited so long for its next line that it is whole without.
    pub fn due(&self, patience: Millis) -> Option<Timestamp> {
        let events = [self.sides.stdout.event, self.sides.stderr.event];
        events.into_iter().flatten().map(|event| event.due(patience)).min()
    }

    /// Passes on the events that have waited long enough.
    pub fn ripen(&mut self, now: Timestamp, patience: Millis, sink: &mut impl Sink) {
        for side in [Side::Stdout, Side::Stderr] {
            let held = self.sides.get_mut(side);
            if held.event.is_some_and(|event| event.due(patience) <= now) {
                held.pass_on_all(side, sink);
            }
        }
    }

    /// Passes on what is held: no line will join it.
    pub fn finish(&mut self, sink: &mut impl Sink) {
        self.sides.stdout.pass_on_all(Side::Stdout, sink);
        self.sides.stderr.pass_on_all(Side::Stderr, sink);
    }

    /// The clock was stepped back: what was read was read so much earlier by it.
    pub fn rewind(&mut self, nanos: u64) {
        for event in [&mut self.sides.stdout.event, &mut self.sides.stderr.event].into_iter().flatten() {
            event.first = event.first.back(nanos);
            event.last = event.last.back(nanos);
        }
    }
}

/// Whether a line begins an event. `plain` is room for it without its escapes.
fn begins(line: &[u8], rules: &LineRules, plain: &mut Vec<u8>) -> bool {
    let Some(start) = &rules.start else { return true };
    if !line.contains(&b'\\') {
        return start.is_in(line);
    }
    plain.clear();
    unescape(line, plain);
    start.is_in(plain)
}

impl Begun {
    fn due(&self, patience: Millis) -> Timestamp {
        (self.last + patience).min(self.first + Millis(patience.0.saturating_mul(WAITS)))
    }
}

impl Held {
    fn pass_on_all(&mut self, side: Side, sink: &mut impl Sink) {
        let end = self.text.len();
        self.pass_on(end, end, side, sink);
    }

    /// Passes on the event, whose text ends at `end`, and keeps the text from `next` on.
    fn pass_on(&mut self, end: usize, next: usize, side: Side, sink: &mut impl Sink) {
        let Some(Begun { time, bytes, position, .. }) = self.event.take() else { return };
        let text = EventText::Escaped(self.text.get(..end).unwrap_or_default(), bytes);
        sink.event(Event { side, time, text, position });
        self.text.drain(..next);
        if self.text.capacity() > KEPT_ROOM {
            self.text.shrink_to(KEPT_ROOM);
        }
    }
}

/// Where a lane puts its lines while they are to be joined.
pub struct Joining<'a, S> {
    joiner: Option<&'a mut Joiner>,
    now: Timestamp,
    sink: &'a mut S,
    /// Whether the next event is no line of its own, but more of the one before.
    goes_on: bool,
}

impl<'a, S> Joining<'a, S> {
    pub fn new(joiner: Option<&'a mut Joiner>, now: Timestamp, sink: &'a mut S) -> Joining<'a, S> {
        Joining { joiner, now, sink, goes_on: false }
    }
}

impl<S: Sink> Sink for Joining<'_, S> {
    fn event(&mut self, event: Event<'_>) {
        let Joining { joiner, now, sink, goes_on } = self;
        let goes_on = std::mem::take(goes_on);
        let Some(Joiner { rules, limit, sides, plain }) = joiner else { return sink.event(event) };
        let Event { side, mut time, text, position } = event;
        let held = sides.get_mut(side);
        let end = held.text.len();
        if held.event.is_some() && !goes_on {
            held.text.extend_from_slice(LINE_END);
        }
        let next = held.text.len();
        let bytes = match text {
            EventText::Line(text) => {
                let taken = text.append_to(&mut held.text, usize::MAX, Rest::None);
                if taken.read < text.len() {
                    sink.malformed(Malformed::Bytes((text.len() - taken.read) as u64));
                }
                taken.bytes
            }
            EventText::Escaped(text, bytes) => {
                held.text.extend_from_slice(text);
                bytes
            }
        };
        let begins = !goes_on && begins(held.text.get(next..).unwrap_or_default(), rules, plain);
        let first = *now;
        match &mut held.event {
            Some(event)
                if !begins && limit.fits(event.bytes + usize::from(!goes_on) + bytes, held.text.len()) =>
            {
                event.bytes += usize::from(!goes_on) + bytes;
                event.position = position;
                event.last = *now;
            }
            Some(_) | None => {
                // What goes on with an event that is full is of the time that its first line says.
                if let Some(event) = held.event.filter(|_| !begins && rules.time.is_some()) {
                    time = event.time;
                }
                held.pass_on(end, next, side, *sink);
                held.event = Some(Begun { time, bytes, position, first, last: first });
            }
        }
    }

    fn rest_of_line(&mut self) {
        self.goes_on = true;
    }

    hand_on!();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Heard;
    use super::super::wrap::Origin;
    use super::super::{Decoder, End, Framing, Lane, LineOptions, Order, Piece, Text};
    use super::*;
    use crate::cloudwatch::limits::MAX_MESSAGE_BYTES;
    use proptest::prelude::*;

    const PATIENCE: Millis = Millis(5_000);

    fn rules(pattern: &str) -> Arc<LineRules> {
        let options = LineOptions { multiline_pattern: Some(pattern.into()), ..LineOptions::default() };
        Arc::new(LineRules::of(&options).unwrap())
    }

    fn decoder(framing: Framing, passed: Position, pattern: &str) -> Decoder {
        let lane = |side| Lane::new(side, Order::ByOffset, false, passed);
        let lanes = Sides { stdout: lane(Side::Stdout), stderr: lane(Side::Stderr) };
        let mut decoder = Decoder::new(framing, 0, lanes);
        decoder.follow(&rules(pattern), &Origin::default());
        decoder
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn texts(heard: &Heard) -> Vec<&str> {
        heard.events.iter().map(|(_, _, text)| text.as_str()).collect()
    }

    #[track_caller]
    fn check(pattern: &str, log: &str, expected: &[&str]) {
        for chunk in [1, 3, 1_000] {
            let mut decoder = decoder(Framing::Lines, Position::default(), pattern);
            let mut heard = Heard::default();
            for bytes in log.as_bytes().chunks(chunk) {
                decoder.read(bytes, at(1), &mut heard);
            }
            decoder.finish(at(1), &mut heard);
            assert_eq!(texts(&heard), expected, "{pattern} in chunks of {chunk}");
        }
    }

    #[test]
    fn a_line_that_does_not_match_goes_on_with_the_event_before() {
        check("^A", "A1\n b\n\tc\nA2\nA3\n d\n", &["A1\n b\n\tc", "A2", "A3\n d"]);
        check("^A", " b\n c\nA1\n", &[" b\n c", "A1"]);
        check("^A", "A1\n\n\nb\n\nA2\n\n", &["A1\n\n\nb\n", "A2\n"]);
        check("^A", "A1\nb", &["A1\nb"]);
        check("^A", "", &[]);
        check("", "a\nb\n", &["a", "b"]);
        check("^\"\t", "\"\t1\nb \\ \"\t\n\"\t2\n", &["\"\t1\nb \\ \"\t", "\"\t2"]);
        check("^\u{1}", "\u{1}a\nu0001\n\u{1}", &["\u{1}a\nu0001", "\u{1}"]);
    }

    #[test]
    fn the_sides_have_events_of_their_own() {
        let log = [
            r#"{"log":"A1\n","stream":"stdout","time":"1970-01-01T00:00:01Z"}"#,
            r#"{"log":"A2\n","stream":"stderr","time":"1970-01-01T00:00:02Z"}"#,
            r#"{"log":" out\n","stream":"stdout","time":"1970-01-01T00:00:03Z"}"#,
            r#"{"log":" err\n","stream":"stderr","time":"1970-01-01T00:00:04Z"}"#,
            "",
        ]
        .join("\n");
        let mut decoder = decoder(Framing::JsonFile, Position::default(), "^A");
        let mut heard = Heard::default();
        decoder.read(log.as_bytes(), at(1), &mut heard);
        assert!(heard.events.is_empty());
        assert!(decoder.is_open(Side::Stdout) && decoder.is_open(Side::Stderr));
        decoder.finish(at(1), &mut heard);
        assert_eq!(
            heard.events,
            [
                (Side::Stdout, 1_000_000_000, "A1\n out".into()),
                (Side::Stderr, 2_000_000_000, "A2\n err".into())
            ]
        );
        let last_entry = log.trim_end().rfind('\n').unwrap() as u64 + 1;
        let ends: Vec<_> = heard.positions.iter().map(|position| position.offset).collect();
        assert_eq!(ends, [last_entry, log.len() as u64]);
    }

    #[test]
    fn an_event_is_as_long_as_an_event_may_be_and_ends_with_a_line() {
        let half = "x".repeat(MAX_MESSAGE_BYTES / 2);
        let fits = "y".repeat(MAX_MESSAGE_BYTES - half.len() - 2);
        let log = format!("A\n{half}\n{half}\n{half}\nA{half}\n{fits}\nz\n");
        let expected =
            [format!("A\n{half}"), half.clone(), half.clone(), format!("A{half}\n{fits}"), "z".to_owned()];
        let mut decoder = decoder(Framing::Lines, Position::default(), "^A");
        let mut heard = Heard::default();
        for bytes in log.as_bytes().chunks(100_000) {
            decoder.read(bytes, at(1), &mut heard);
        }
        assert!(decoder.held() < 2 * MAX_MESSAGE_BYTES + 200_000);
        decoder.finish(at(1), &mut heard);
        assert_eq!(texts(&heard), expected);
        assert_eq!(decoder.held(), 0);
    }

    #[test]
    fn a_line_longer_than_an_event_is_cut_and_what_follows_joins_its_end() {
        let long = format!("A{}A tail", "x".repeat(MAX_MESSAGE_BYTES - 1));
        let log = format!("A1\n{long}\n b\nA2\n");
        let expected = ["A1", &long[..MAX_MESSAGE_BYTES], "A tail\n b", "A2"];
        let mut first = decoder(Framing::Lines, Position::default(), "^A");
        let mut heard = Heard::default();
        first.read(log.as_bytes(), at(1), &mut heard);
        first.finish(at(1), &mut heard);
        assert_eq!(texts(&heard), expected);
        assert_eq!(heard.splits, 1);

        // Another life goes on within the line, whose rest is no beginning although it looks like one.
        let accepted = heard.positions[1];
        assert_eq!((accepted.offset, accepted.into_line), (3, MAX_MESSAGE_BYTES as u64));
        let mut second = decoder(Framing::Lines, accepted, "^A");
        let mut heard = Heard::default();
        second.read(log.as_bytes(), at(1), &mut heard);
        second.finish(at(1), &mut heard);
        assert_eq!(texts(&heard), &expected[2..]);
    }

    #[test]
    fn an_event_is_whole_once_no_line_comes_in_time() {
        let mut decoder = decoder(Framing::Lines, Position::default(), "^A");
        let mut heard = Heard::default();
        assert_eq!(decoder.ripens(PATIENCE), None);
        decoder.read(b"A1\n", at(1_000), &mut heard);
        decoder.read(b" b\n", at(4_000), &mut heard);
        assert_eq!(decoder.ripens(PATIENCE), Some(at(9_000)));
        decoder.ripen(at(8_999), PATIENCE, &mut heard);
        assert!(heard.events.is_empty());
        decoder.ripen(at(9_000), PATIENCE, &mut heard);
        assert_eq!(heard.events, [(Side::Stdout, 1_000_000_000, "A1\n b".into())]);
        assert_eq!((heard.positions[0].offset, decoder.ripens(PATIENCE)), (6, None));
        // What comes later has its own time.
        decoder.read(b" c\n", at(9_500), &mut heard);
        decoder.read(b"A2\n", at(9_600), &mut heard);
        assert_eq!(heard.events[1..], [(Side::Stdout, 9_500_000_000, " c".into())]);
    }

    #[test]
    fn lines_that_trickle_in_do_not_hold_an_event_for_ever() {
        let mut decoder = decoder(Framing::Lines, Position::default(), "^A");
        let mut heard = Heard::default();
        for second in 0..10 {
            decoder.read(b" b\n", at(20_000 + second * 1_000), &mut heard);
        }
        assert_eq!(decoder.ripens(PATIENCE), Some(at(30_000)));
        decoder.rewind(3_000_000_000);
        assert_eq!(decoder.ripens(PATIENCE), Some(at(27_000)));
    }

    #[test]
    fn an_interruption_keeps_whole_lines_and_forgets_half_ones() {
        let mut decoder = decoder(Framing::Lines, Position::default(), "^A");
        let mut heard = Heard::default();
        decoder.read(b"A1\n b\n ha", at(1), &mut heard);
        assert_eq!(decoder.lanes().stdout.read_to().offset, 6);
        decoder.restart(3);
        decoder.read(b" b\n half\nA2\n", at(2), &mut heard);
        assert_eq!(texts(&heard), ["A1\n b\n half"]);
    }

    #[test]
    fn the_pattern_is_looked_for_in_what_the_program_wrote() {
        let entry = |text: &str| {
            format!(r#"{{"log":"{text}\n","stream":"stdout","time":"1970-01-01T00:00:01Z"}}"#) + "\n"
        };
        let log = [entry(r"\u003cA\u003e \u00e9\\1"), entry(r"\u003cb"), entry("<A> é\\\\2")].concat();
        let mut decoder = decoder(Framing::JsonFile, Position::default(), r"^<A> é\\\d");
        let mut heard = Heard::default();
        decoder.read(log.as_bytes(), at(1), &mut heard);
        decoder.finish(at(1), &mut heard);
        assert_eq!(texts(&heard), ["<A> é\\1\n<b", "<A> é\\2"]);
    }

    /// What people expect: lines in order, each side apart.
    fn model(lines: &[(Side, String)]) -> Vec<(Side, String)> {
        let mut events: Vec<(Side, String)> = Vec::new();
        for side in [Side::Stdout, Side::Stderr] {
            let mut own: Vec<String> = Vec::new();
            for (_, line) in lines.iter().filter(|(of, _)| *of == side) {
                match own.last_mut() {
                    Some(event) if !line.starts_with('A') => *event = format!("{event}\n{line}"),
                    Some(_) | None => own.push(line.clone()),
                }
            }
            events.extend(own.into_iter().map(|event| (side, event)));
        }
        events
    }

    proptest! {
        #[test]
        fn however_a_log_is_cut_its_events_are_those_of_the_model(
            lines in proptest::collection::vec((any::<bool>(), "A?[ -~é\\t]{0,12}"), 0..30),
            chunk in 1usize..80,
        ) {
            let side = |error: bool| if error { Side::Stderr } else { Side::Stdout };
            let lines: Vec<_> = lines.into_iter().map(|(error, line)| (side(error), line)).collect();
            let log: Vec<u8> = lines.iter().flat_map(|(side, line)| {
                let kind = if *side == Side::Stderr { 2 } else { 1 };
                let mut frame = vec![kind, 0, 0, 0];
                frame.extend_from_slice(&(line.len() as u32 + 1).to_be_bytes());
                [frame, line.as_bytes().to_vec(), b"\n".to_vec()].concat()
            }).collect();
            let mut decoder = decoder(Framing::Frames, Position::default(), "^A");
            let mut heard = Heard::default();
            for (number, bytes) in log.chunks(chunk).enumerate() {
                decoder.read(bytes, at(number as u64), &mut heard);
            }
            decoder.finish(at(1_000_000), &mut heard);
            let mut events: Vec<_> =
                heard.events.iter().map(|(side, _, text)| (*side, text.clone())).collect();
            events.sort_by_key(|(side, _)| *side);
            prop_assert_eq!(events, model(&lines));
            for side in [Side::Stdout, Side::Stderr] {
                let events = heard.events.iter().zip(&heard.positions).filter(|((of, ..), _)| *of == side);
                prop_assert!(events.is_sorted_by_key(|(_, position)| position.offset));
            }
        }
    }

    #[test]
    fn a_lane_says_what_is_the_rest_of_a_line() {
        let mut joiner = Joiner::new(&rules("^A"), Limit::Plain).unwrap();
        let mut heard = Heard::default();
        let mut lane = Lane::new(Side::Stdout, Order::ByOffset, false, Position::default());
        let text = vec![b'A'; 2 * MAX_MESSAGE_BYTES + 1];
        let piece = Piece {
            side: Side::Stdout,
            time: at(1),
            text: Text::Raw(&text),
            end: End::Line,
            same_frame: false,
            offset: text.len() as u64 + 1,
        };
        lane.piece(piece, &mut Joining::new(Some(&mut joiner), at(1), &mut heard));
        joiner.finish(&mut heard);
        let lengths: Vec<_> = texts(&heard).iter().map(|text| text.len()).collect();
        assert_eq!(lengths, [MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES, 1]);
    }
}
