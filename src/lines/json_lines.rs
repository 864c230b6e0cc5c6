//! Lines of JSON, an object each, as log collectors pass events on.

use super::decoder::{LONGEST_UNIT, Output, for_each_line};
use super::json_event::JsonEvent;
use super::{End, Piece, Side, Sink, Text};
use crate::time::Timestamp;

/// Reads objects. A line that is none, or one of more than 4 MiB, is an event as it stands.
#[derive(Debug, Default)]
pub struct JsonLines {
    pub event: JsonEvent,
    /// Whether the line under way is too long to wait for its end.
    long: bool,
}

impl JsonLines {
    pub fn read<S: Sink>(
        &mut self,
        bytes: &[u8],
        offset: &mut u64,
        partial: &mut Vec<u8>,
        now: Timestamp,
        out: &mut Output<'_, S>,
    ) {
        let mut bytes = bytes;
        if self.long {
            self.event.describe(out);
            let end = memchr::memchr(b'\n', bytes);
            let (line, rest) =
                bytes.split_at_checked(end.map_or(bytes.len(), |end| end + 1)).unwrap_or_default();
            *offset += line.len() as u64;
            let text = Text::Raw(line.strip_suffix(b"\n").unwrap_or(line));
            let end = if end.is_some() { End::Line } else { End::Open };
            out.piece(Piece { side: Side::Stdout, time: now, text, end, same_frame: false, offset: *offset });
            self.long = end == End::Open;
            bytes = rest;
        }
        for_each_line(bytes, offset, partial, |line, offset| self.line(line, offset, now, out));
        if partial.len() > LONGEST_UNIT {
            *offset += partial.len() as u64;
            let (time, _) = self.event.read(partial);
            self.event.describe(out);
            let (time, text) = (time.unwrap_or(now), Text::Raw(partial));
            out.piece(Piece {
                side: Side::Stdout,
                time,
                text,
                end: End::Open,
                same_frame: false,
                offset: *offset,
            });
            partial.clear();
            self.long = true;
        }
    }

    /// Takes the last line, which has no end.
    pub fn finish<S: Sink>(
        &mut self,
        offset: &mut u64,
        partial: &mut Vec<u8>,
        now: Timestamp,
        out: &mut Output<'_, S>,
    ) {
        let line = std::mem::take(partial);
        *offset += line.len() as u64;
        self.line(&line, *offset, now, out);
        self.long = false;
    }

    pub fn restart(&mut self) {
        self.long = false;
    }

    fn line<S: Sink>(&mut self, line: &[u8], offset: u64, now: Timestamp, out: &mut Output<'_, S>) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // Blanks between objects are no events.
        if line.trim_ascii().is_empty() {
            return;
        }
        let (time, text) = self.event.read(line);
        self.event.describe(out);
        let time = time.unwrap_or(now);
        out.piece(Piece { side: Side::Stdout, time, text, end: End::Line, same_frame: false, offset });
    }
}

#[cfg(test)]
mod tests {
    use super::super::lane::Order;
    use super::super::testing::Heard;
    use super::super::{Decoder, FieldNames, Framing, Lane, Position, Sides};
    use super::*;

    fn decoder(names: &FieldNames) -> Decoder {
        let lane = |side| Lane::new(side, Order::ByOffset, false, Position::default());
        let lanes = Sides { stdout: lane(Side::Stdout), stderr: lane(Side::Stderr) };
        let mut decoder = Decoder::new(Framing::JsonLines, 0, lanes);
        decoder.name_fields(names, &[]);
        decoder
    }

    fn read(names: &FieldNames, log: &[u8], chunk: usize) -> Vec<(u64, String)> {
        let mut decoder = decoder(names);
        let mut heard = Heard::default();
        for bytes in log.chunks(chunk) {
            decoder.read(bytes, Timestamp::from_nanos(7), &mut heard);
        }
        decoder.finish(Timestamp::from_nanos(7), &mut heard);
        assert!(heard.malformed.is_empty());
        assert!(heard.positions.is_sorted_by_key(|position| position.offset));
        heard.events.into_iter().map(|(_, time, text)| (time, text)).collect()
    }

    fn check(names: &FieldNames, log: &str, expected: &[(u64, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(time, text)| (*time, (*text).to_owned())).collect();
        for chunk in [1, 2, 5, 1_000] {
            assert_eq!(read(names, log.as_bytes(), chunk), expected, "{log}, chunks of {chunk}");
        }
    }

    #[test]
    fn an_object_is_an_event_with_its_own_time() {
        let log = concat!(
            r#"{"message":"a \"b\" é","timestamp":"1970-01-01T00:00:01Z"}"#,
            "\n\r\n  \n",
            r#"{"date":2.5,"log":"x"}"#,
            "\r\n",
            r#"{"time":"no time","date":3,"@timestamp":4}"#,
            "\n",
            r#"{"msg":"none"}"#,
            "\n not JSON\n",
            r#"{"time":1.5,"cut":"#,
        );
        check(
            &FieldNames::default(),
            log,
            &[
                (1_000_000_000, r#"{"message":"a \"b\" é","timestamp":"1970-01-01T00:00:01Z"}"#),
                (2_500_000_000, r#"{"date":2.5,"log":"x"}"#),
                (4_000_000_000, r#"{"time":"no time","date":3,"@timestamp":4}"#),
                (7, r#"{"msg":"none"}"#),
                (7, " not JSON"),
                (1_500_000_000, r#"{"time":1.5,"cut":"#),
            ],
        );
    }

    #[test]
    fn fields_can_be_named() {
        let names = FieldNames { time: Some("at".into()), message: Some("message".into()) };
        let log = concat!(
            r#"{"message":"a \"b\"\u00e9\n","timestamp":9,"at":1}"#,
            "\n",
            r#"{"at":2,"message":{"a":1},"more":0}"#,
            "\n",
            r#"{"at":3,"no":"message"}"#,
        );
        check(
            &names,
            log,
            &[
                (1_000_000_000, "a \"b\"é\n"),
                (2_000_000_000, r#"{"a":1}"#),
                (3_000_000_000, r#"{"at":3,"no":"message"}"#),
            ],
        );
    }

    #[test]
    fn a_line_of_any_length_arrives() {
        let long = format!(r#"{{"time":5,"text":"{}"}}"#, "x".repeat(2 * LONGEST_UNIT));
        let log = format!("{long}\n{{\"time\":6}}\n");
        let events = read(&FieldNames::default(), log.as_bytes(), 256 << 10);
        let (last, pieces) = events.split_last().unwrap();
        assert_eq!(last, &(6_000_000_000, "{\"time\":6}".to_owned()));
        assert!(pieces.iter().all(|(time, _)| *time == 5_000_000_000));
        assert_eq!(pieces.iter().map(|(_, text)| text.as_str()).collect::<String>(), long);
    }
}
