//! Logs of every framing: however the bytes are cut, the events are the same, json-file entries read as serde
//! reads them, and events of several lines are those lines.
//!
//! The first byte chooses the framing, the second how the bytes are cut.

#![no_main]

use std::sync::{Arc, LazyLock};

use cloudspout::cloudwatch::limits::MAX_MESSAGE_BYTES;
use cloudspout::lines::{
    Decoder, Event, EventText, Framing, Lane, LineOptions, LineRules, Malformed, Order, Position, Rest, Side,
    Sides, Sink, WrapOrigin,
};
use cloudspout::time::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;

const FRAMINGS: [Framing; 9] = [
    Framing::Lines,
    Framing::LinesWithTimes,
    Framing::Frames,
    Framing::FramesWithTimes,
    Framing::JsonFile,
    Framing::JsonLines,
    Framing::JsonBody,
    Framing::OtlpProtobuf,
    Framing::OtlpJson,
];

fuzz_target!(|input: &[u8]| {
    let Some(([choice, cuts], log)) = input.split_first_chunk::<2>() else { return };
    let framing = FRAMINGS[usize::from(*choice) % FRAMINGS.len()];
    let terminal = *choice >= 128;
    let each = LineRules::default().into();
    let whole = read(framing, terminal, &each, &[log]);
    let pieces = cut(log, *cuts);
    let cut = read(framing, terminal, &each, &pieces);
    assert_eq!(
        whole,
        cut,
        "{framing:?}, cut into {:?}",
        pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>()
    );
    if framing == Framing::JsonFile && !terminal {
        compare_with_serde(log, &whole);
    }
    let joined = read(framing, terminal, &INDENTED, &pieces);
    for side in [Side::Stdout, Side::Stderr] {
        assert_eq!(joined.texts(side).collect::<Vec<_>>(), join(whole.texts(side)), "{framing:?}");
    }
});

/// Lines that are indented go on with the event before.
static INDENTED: LazyLock<Arc<LineRules>> = LazyLock::new(|| {
    let options = LineOptions { multiline_pattern: Some(r"^[^ \t]".into()), ..LineOptions::default() };
    Arc::new(LineRules::of(&options).expect("a pattern"))
});

fn join<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut events: Vec<String> = Vec::new();
    for line in lines {
        match events.last_mut() {
            Some(event) if line.is_empty() || line.starts_with([' ', '\t']) => {
                *event = format!("{event}\n{line}");
            }
            Some(_) | None => events.push(line.to_owned()),
        }
    }
    events
}

/// Pieces of 1 to 32 bytes.
fn cut(mut log: &[u8], seed: u8) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut state = u32::from(seed);
    while !log.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (piece, rest) = log.split_at((1 + (state >> 27) as usize).min(log.len()));
        pieces.push(piece);
        log = rest;
    }
    pieces
}

fn read(framing: Framing, terminal: bool, rules: &Arc<LineRules>, pieces: &[&[u8]]) -> Heard {
    let order = match framing {
        Framing::Lines
        | Framing::Frames
        | Framing::JsonFile
        | Framing::JsonLines
        | Framing::DeadLetters
        | Framing::JsonBody
        | Framing::OtlpProtobuf
        | Framing::OtlpJson => Order::ByOffset,
        Framing::LinesWithTimes | Framing::FramesWithTimes => Order::ByTime,
    };
    let lane = |side| Lane::new(side, order, terminal, Position::default());
    let lanes = Sides { stdout: lane(Side::Stdout), stderr: lane(Side::Stderr) };
    let mut decoder = Decoder::new(framing, 0, lanes);
    decoder.follow(rules, &WrapOrigin::default());
    let mut heard = Heard::default();
    for piece in pieces {
        decoder.read(piece, Timestamp::from_nanos(7), &mut heard);
    }
    decoder.finish(Timestamp::from_nanos(7), &mut heard);
    while decoder.has_more() {
        decoder.go_on(Timestamp::from_nanos(7), &mut heard);
    }
    heard
}

#[derive(Debug, Default, PartialEq)]
struct Heard {
    events: Vec<(Side, Timestamp, String, Position)>,
    splits: usize,
    malformed_bytes: u64,
    told: Vec<String>,
}

impl Heard {
    fn texts(&self, side: Side) -> impl Iterator<Item = &str> {
        self.events.iter().filter(move |(of, ..)| *of == side).map(|(_, _, text, _)| text.as_str())
    }
}

impl Sink for Heard {
    fn addressed(&mut self, _group: &str, _stream: &str) {}

    fn described(&mut self, _event: &[u8]) {}

    fn event(&mut self, event: Event<'_>) {
        let mut room = Vec::new();
        let (escaped, bytes) = match event.text {
            EventText::Escaped(escaped, bytes) => (escaped, bytes),
            EventText::Line(text) => {
                let taken = text.append_to(&mut room, MAX_MESSAGE_BYTES, Rest::None);
                (room.as_slice(), taken.bytes)
            }
        };
        let json = [b"\"", escaped, b"\""].concat();
        let text: String = serde_json::from_slice(&json).expect("an event is the inside of a JSON string");
        assert_eq!(text.len(), bytes, "an event is counted as CloudWatch counts");
        assert!(bytes <= MAX_MESSAGE_BYTES);
        self.events.push((event.side, event.time, text, event.position));
    }

    fn split(&mut self) {
        self.splits += 1;
    }

    fn malformed(&mut self, malformed: Malformed) {
        match malformed {
            Malformed::Bytes(bytes) => self.malformed_bytes += bytes,
            Malformed::Daemon(text) | Malformed::Body(text) => self.told.push(text),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry<'a> {
    log: String,
    stream: Option<String>,
    #[serde(rename = "attrs", default)]
    _attrs: Option<serde::de::IgnoredAny>,
    #[serde(rename = "time", borrow)]
    _time: &'a str,
}

/// Where serde understands every entry, and so do we, both understand the same. Only entries whose side stands behind
/// the text, as Docker puts it, are asked about.
fn compare_with_serde(log: &[u8], heard: &Heard) {
    let Some(lines) = log.strip_suffix(b"\n") else { return };
    let entries: Result<Vec<Entry>, _> =
        lines.split(|byte| *byte == b'\n').map(serde_json::from_slice).collect();
    let Ok(entries) = entries else { return };
    let count = |part: &[u8]| lines.windows(part.len()).filter(|window| *window == part).count();
    if count(br#"","stream":""#) != entries.len() || count(br#"{"log":""#) != entries.len() {
        return;
    }
    // No entry here is as long as those that a line goes on behind.
    if heard.malformed_bytes > 0 || log.len() >= 16 << 10 {
        return;
    }
    let expected: Vec<_> = entries
        .iter()
        .map(|entry| {
            let side = if entry.stream.as_deref() == Some("stderr") { Side::Stderr } else { Side::Stdout };
            (side, entry.log.strip_suffix('\n').unwrap_or(&entry.log))
        })
        .collect();
    let read: Vec<_> = heard.events.iter().map(|(side, _, text, _)| (*side, text.as_str())).collect();
    assert_eq!(read, expected);
}
