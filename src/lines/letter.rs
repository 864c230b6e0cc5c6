//! Dead letters: events that CloudWatch refused for good, each a line of JSON, written to be read again.
//!
//! `{"logGroupName":"g","logStreamName":"s","timestamp":1800000000000,"message":"…","reason":"too-old",
//! "refused":"2027-01-15T08:00:00.000Z","source":"container web (0123456789ab)"}`, with an `error` where
//! the service said one. `timestamp` counts milliseconds. To be sent again the first four are enough.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::decoder::{Output, for_each_line};
use super::{End, Malformed, Piece, Side, Sink, Text};
use crate::cloudwatch::write_string;
use crate::time::Timestamp;

/// An event that is not delivered, and why.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    pub group: &'a str,
    pub stream: &'a str,
    /// Milliseconds.
    pub time: u64,
    /// Escaped.
    pub message: &'a [u8],
    pub reason: &'a str,
    /// What the service said of it.
    pub error: Option<&'a str>,
    pub refused: Timestamp,
    pub source: &'a str,
}

impl Letter<'_> {
    /// Appends the letter as a line.
    pub fn write(&self, out: &mut Vec<u8>) {
        let text = |key: &str, value: &str, out: &mut Vec<u8>| {
            out.extend_from_slice(key.as_bytes());
            write_string(value, out);
        };
        text("{\"logGroupName\":", self.group, out);
        text(",\"logStreamName\":", self.stream, out);
        out.extend_from_slice(format!(",\"timestamp\":{},\"message\":\"", self.time).as_bytes());
        out.extend_from_slice(self.message);
        text("\",\"reason\":", self.reason, out);
        if let Some(error) = self.error {
            text(",\"error\":", error, out);
        }
        text(",\"refused\":", &self.refused.to_rfc3339(), out);
        text(",\"source\":", self.source, out);
        out.extend_from_slice(b"}\n");
    }
}

/// Reads letters.
#[derive(Debug)]
pub struct Letters;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(borrow)]
    log_group_name: Cow<'a, str>,
    #[serde(borrow)]
    log_stream_name: Cow<'a, str>,
    timestamp: u64,
    #[serde(borrow)]
    message: &'a RawValue,
}

impl Letters {
    pub fn read<S: Sink>(
        &mut self,
        bytes: &[u8],
        offset: &mut u64,
        partial: &mut Vec<u8>,
        out: &mut Output<'_, S>,
    ) {
        for_each_line(bytes, offset, partial, |line, offset| take(line, offset, out));
    }

    /// The last line may have no end.
    pub fn finish<S: Sink>(&mut self, offset: u64, partial: &mut Vec<u8>, out: &mut Output<'_, S>) {
        let line = std::mem::take(partial);
        if !line.is_empty() {
            take(&line, offset + line.len() as u64, out);
        }
    }
}

fn take<S: Sink>(line: &[u8], offset: u64, out: &mut Output<'_, S>) {
    if line.trim_ascii().is_empty() {
        return;
    }
    let letter: Option<Line> = serde_json::from_slice(line).ok();
    let text = letter
        .as_ref()
        .and_then(|letter| letter.message.get().as_bytes().strip_prefix(b"\"")?.strip_suffix(b"\""));
    let (Some(letter), Some(text)) = (&letter, text) else {
        return out.malformed(Malformed::Bytes(line.len() as u64));
    };
    out.addressed(&letter.log_group_name, &letter.log_stream_name);
    out.piece(Piece {
        side: Side::Stdout,
        time: Timestamp::from_millis(letter.timestamp),
        text: Text::Json(text),
        end: End::Line,
        same_frame: false,
        offset,
    });
}

#[cfg(test)]
mod tests {
    use super::super::lane::Order;
    use super::super::testing::Heard;
    use super::super::{Decoder, Framing, Lane, Position, Rest, Sides};
    use super::*;
    use proptest::prelude::*;

    fn read(log: &[u8], chunk: usize) -> Heard {
        let lane = |side| Lane::new(side, Order::ByOffset, false, Position::default());
        let lanes = Sides { stdout: lane(Side::Stdout), stderr: lane(Side::Stderr) };
        let mut decoder = Decoder::new(Framing::DeadLetters, 0, lanes);
        let mut heard = Heard::default();
        for bytes in log.chunks(chunk) {
            decoder.read(bytes, Timestamp::default(), &mut heard);
        }
        decoder.finish(Timestamp::default(), &mut heard);
        heard
    }

    fn letter(message: &str, time: u64) -> Vec<u8> {
        let mut escaped = Vec::new();
        Text::Raw(message.as_bytes()).append_to(&mut escaped, usize::MAX, Rest::None);
        let mut line = Vec::new();
        let letter = Letter {
            group: "g",
            stream: "s \"x\"",
            time,
            message: &escaped,
            reason: "too-old",
            error: None,
            refused: Timestamp::from_millis(1_800_000_000_000),
            source: "standard input",
        };
        letter.write(&mut line);
        line
    }

    #[test]
    fn a_letter_is_an_object_a_line() {
        let line = letter("one \"line\"", 7);
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "{\"logGroupName\":\"g\",\"logStreamName\":\"s \\\"x\\\"\",\"timestamp\":7,\
             \"message\":\"one \\\"line\\\"\",\"reason\":\"too-old\",\
             \"refused\":\"2027-01-15T08:00:00.000Z\",\"source\":\"standard input\"}\n"
        );
    }

    #[test]
    fn what_is_no_letter_is_counted_and_passed_over() {
        for line in [
            "plain text\n",
            "{}\n",
            "{\"logGroupName\":\"g\",\"logStreamName\":\"s\",\"timestamp\":1}\n",
            "{\"logGroupName\":\"g\",\"logStreamName\":\"s\",\"timestamp\":1,\"message\":2}\n",
            "{\"logGroupName\":\"g\",\"logStreamName\":\"s\",\"timestamp\":-1,\"message\":\"m\"}\n",
        ] {
            let log = [line.as_bytes(), b"\n", &letter("good", 1)].concat();
            let heard = read(&log, 1_000);
            assert_eq!(heard.malformed, [Malformed::Bytes(line.len() as u64)], "{line}");
            assert_eq!(heard.events.len(), 1, "{line}");
        }
    }

    #[test]
    fn a_last_letter_without_a_line_end_is_read() {
        let log = letter("last", 1);
        let heard = read(&log[..log.len() - 1], 10);
        assert_eq!(heard.events, [(Side::Stdout, 1_000_000, "last".into())]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(
            letters in proptest::collection::vec(("(?s).{0,40}", 0u64..4_000_000_000_000), 1..6),
            chunk in 1usize..200,
        ) {
            let log: Vec<u8> = letters.iter().flat_map(|(message, time)| letter(message, *time)).collect();
            let heard = read(&log, chunk);
            let read: Vec<_> =
                heard.events.iter().map(|(_, nanos, text)| (text.clone(), nanos / 1_000_000)).collect();
            prop_assert_eq!(read, letters);
            prop_assert!(heard.addresses.iter().all(|(group, stream)| group == "g" && stream == "s \"x\""));
        }
    }
}
