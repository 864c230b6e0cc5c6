//! The files of Docker's `json-file` driver: an object a line, with the text, the side and the time.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::decoder::{FULL_PIECE, LONGEST_UNIT, Output, for_each_line};
use super::rfc3339::Clock;
use super::text::strip_escape;
use super::{End, Malformed, Piece, Rest, Side, Sink, Text};
use crate::time::Timestamp;

/// Reads entries.
#[derive(Debug, Default)]
pub struct JsonFile {
    clock: Clock,
    /// How long the last entry's time was: the next one's is as long, nine times in ten.
    time_length: usize,
}

/// An entry whose parts stand where Docker does not put them, as with labels under `attrs`.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    log: &'a RawValue,
    #[serde(borrow, default)]
    stream: Option<Cow<'a, str>>,
    #[serde(borrow)]
    time: Cow<'a, str>,
}

impl JsonFile {
    pub fn read<S: Sink>(
        &mut self,
        bytes: &[u8],
        offset: &mut u64,
        partial: &mut Vec<u8>,
        out: &mut Output<'_, S>,
    ) {
        for_each_line(bytes, offset, partial, |line, offset| self.line(line, offset, out));
        if partial.len() > LONGEST_UNIT {
            out.malformed(Malformed::Bytes(partial.len() as u64));
            *offset += partial.len() as u64;
            partial.clear();
        }
    }

    fn line<S: Sink>(&mut self, line: &[u8], offset: u64, out: &mut Output<'_, S>) {
        let Some((side, time, json)) = self.usual(line).or_else(|| self.unusual(line)) else {
            out.malformed(Malformed::Bytes(line.len() as u64));
            return;
        };
        let (json, end) = match strip_escape(json, b'n') {
            Some(json) => (json, End::Line),
            None if is_full(json) => (json, End::Open),
            None => (json, End::Line),
        };
        out.piece(Piece { side, time, text: Text::Json(json), end, same_frame: false, offset });
    }

    /// Reads an entry from its two ends, without looking at the text between.
    ///
    /// That cannot be mistaken: a quote inside the text stands behind a backslash, and the tail looked
    /// for has quotes behind commas and colons.
    #[inline]
    fn usual<'a>(&mut self, line: &'a [u8]) -> Option<(Side, Timestamp, &'a [u8])> {
        let line = line.strip_prefix(b"{\"log\":\"")?.strip_suffix(b"\"}\n")?;
        let (head, time, time_length) = match self.time_at_end(line, self.time_length) {
            Some(found) => found,
            None => self.time_at_end(line, line.len() - (memchr::memrchr(b'"', line)? + 1))?,
        };
        self.time_length = time_length;
        let head = head.strip_suffix(b"\",\"time\":\"")?;
        let (side, text) = match head.strip_suffix(b"\",\"stream\":\"stdout") {
            Some(text) => (Side::Stdout, text),
            None => (Side::Stderr, head.strip_suffix(b"\",\"stream\":\"stderr")?),
        };
        Some((side, time, text))
    }

    /// What stands before a time of this length at the end of a line, and the time.
    #[inline]
    fn time_at_end<'a>(&mut self, line: &'a [u8], length: usize) -> Option<(&'a [u8], Timestamp, usize)> {
        let (head, time) = line.split_at_checked(line.len().checked_sub(length)?)?;
        let (time, read) = self.clock.read(time)?;
        (read == length).then_some((head, time, length))
    }

    /// Reads an entry as JSON.
    #[cold]
    fn unusual<'a>(&mut self, line: &'a [u8]) -> Option<(Side, Timestamp, &'a [u8])> {
        let entry: Entry = serde_json::from_slice(line).ok()?;
        let side = match entry.stream.as_deref() {
            Some("stderr") => Side::Stderr,
            _ => Side::Stdout,
        };
        let (time, _) = self.clock.read(entry.time.as_bytes())?;
        let text = entry.log.get().as_bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        Some((side, time, text))
    }
}

/// Whether this is as much of a line as Docker puts into one entry.
fn is_full(json: &[u8]) -> bool {
    // No escape is shorter than what it stands for.
    json.len() >= FULL_PIECE && {
        let mut text = Vec::with_capacity(json.len());
        Text::Json(json).append_to(&mut text, usize::MAX, Rest::None).bytes >= FULL_PIECE
    }
}

#[cfg(test)]
mod tests {
    use super::super::lane::Order;
    use super::super::testing::Heard;
    use super::super::{Decoder, Framing, Lane, Position, Sides};
    use super::*;
    use proptest::prelude::*;

    fn read(log: &[u8], chunk: usize) -> Heard {
        let lane = |side| Lane::new(side, Order::ByOffset, false, Position::default());
        let lanes = Sides { stdout: lane(Side::Stdout), stderr: lane(Side::Stderr) };
        let mut decoder = Decoder::new(Framing::JsonFile, 0, lanes);
        let mut heard = Heard::default();
        for bytes in log.chunks(chunk) {
            decoder.read(bytes, Timestamp::default(), &mut heard);
        }
        decoder.finish(Timestamp::default(), &mut heard);
        heard
    }

    #[test]
    fn entries_are_read_as_docker_writes_them() {
        let log = concat!(
            r#"{"log":"plain\n","stream":"stdout","time":"1970-01-01T00:00:00.000000001Z"}"#,
            "\n",
            r#"{"log":"the end","stream":"stdout","time":"1970-01-01T00:00:00.000000002Z"}"#,
            "\n",
            r#"{"log":"oops\n","stream":"stderr","time":"1970-01-01T00:00:00.5Z"}"#,
            "\n",
            r#"{"log":"\u003cline\u003e\\n\n","stream":"stdout","time":"1970-01-01T00:00:00.000000003Z"}"#,
            "\n",
            r#"{"log":"\n","stream":"stdout","attrs":{"tag":"a","time":"x"},"time":"1970-01-01T00:00:01Z"}"#,
            "\n",
            r#"{"log":"\",\"stream\":\"stderr\",\"time\":\"1970-01-01T00:00:09Z\n","stream":"stdout","time":"1970-01-01T00:00:02Z"}"#,
            "\n",
        );
        for chunk in 1..log.len() {
            let heard = read(log.as_bytes(), chunk);
            let expected = [
                (Side::Stdout, 1, "plain"),
                (Side::Stdout, 2, "the end"),
                (Side::Stderr, 500_000_000, "oops"),
                (Side::Stdout, 3, "<line>\\n"),
                (Side::Stdout, 1_000_000_000, ""),
                (Side::Stdout, 2_000_000_000, "\",\"stream\":\"stderr\",\"time\":\"1970-01-01T00:00:09Z"),
            ];
            let expected = expected.map(|(side, time, text)| (side, time, text.to_owned()));
            assert_eq!(heard.events, expected, "chunks of {chunk}");
            assert!(heard.malformed.is_empty());
            assert_eq!(heard.positions.last().map(|position| position.offset), Some(log.len() as u64));
        }
    }

    #[test]
    fn full_entries_go_on_and_others_end_their_line() {
        let entry = |text: &str| {
            format!("{{\"log\":\"{text}\",\"stream\":\"stdout\",\"time\":\"1970-01-01T00:00:01Z\"}}\n")
        };
        let full = "x".repeat(FULL_PIECE);
        let nearly = "\\u003c".repeat(FULL_PIECE - 1);
        let log = [full.as_str(), "rest\\n", full.as_str(), "\\n", nearly.as_str(), full.as_str(), "end"];
        let heard = read(log.map(entry).concat().as_bytes(), 10_000);
        let texts: Vec<_> = heard.events.into_iter().map(|(_, _, text)| text).collect();
        assert_eq!(
            texts,
            [format!("{full}rest"), full.clone(), "<".repeat(FULL_PIECE - 1), format!("{full}end")]
        );
    }

    #[test]
    fn what_is_no_entry_is_counted_and_passed_over() {
        for (line, events) in [
            ("\0\0\0\0\n", 0),
            ("{\"log\":\"half an ent\n", 0),
            ("{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"yesterday\"}\n", 0),
            ("{\"log\":7,\"stream\":\"stdout\",\"time\":\"1970-01-01T00:00:01Z\"}\n", 0),
            ("\n", 0),
            ("{\"log\":\"\"}\n", 0),
        ] {
            let good = r#"{"log":"good\n","stream":"stdout","time":"1970-01-01T00:00:01Z"}"#;
            let heard = read(format!("{line}{good}\n").as_bytes(), 1000);
            assert_eq!(heard.events.len(), events + 1, "{line}");
            assert_eq!(heard.malformed, [Malformed::Bytes(line.len() as u64)], "{line}");
        }
    }

    proptest! {
        #[test]
        fn every_entry_reads_as_serde_reads_it(
            lines in proptest::collection::vec(("(?s)[^\\r]{0,40}", any::<bool>(), 0u64..4_000_000_000_000_000_000), 1..6),
            chunk in 1usize..200,
        ) {
            let mut log = String::new();
            for (text, stderr, nanos) in &lines {
                let stream = if *stderr { "stderr" } else { "stdout" };
                let text = serde_json::to_string(&format!("{text}\n")).unwrap();
                let seconds = nanos / 1_000_000_000 % 60;
                let time = format!("2026-11-21T02:18:{seconds:02}.{:09}Z", nanos % 1_000_000_000);
                log.push_str(&format!("{{\"log\":{text},\"stream\":\"{stream}\",\"time\":\"{time}\"}}\n"));
            }
            let heard = read(log.as_bytes(), chunk);
            let texts: Vec<_> = heard.events.iter().map(|(side, _, text)| (*side == Side::Stderr, text.clone())).collect();
            let expected: Vec<_> = lines.iter().map(|(text, stderr, _)| (*stderr, text.clone())).collect();
            prop_assert_eq!(texts, expected);
        }
    }
}
