//! A container's log as Docker keeps it, and hands it out.

use cloudspout::lines::{Framing, Side};

use super::time;

/// Everything a container has logged, encoded.
#[derive(Debug)]
pub struct Log {
    pub framing: Framing,
    /// Docker adds what the log options ask for.
    pub attributes: bool,
    pub bytes: Vec<u8>,
    pub frames: Vec<Frame>,
    /// The last time of a side, and how many frames had it.
    last: [(u64, u32); 2],
}

/// What one write to the log became.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    pub time: u64,
    /// How many frames of its side had exactly this time, up to it.
    pub ordinal: u32,
    pub start: u64,
    pub end: u64,
}

/// Pieces of a line, as long as Docker's daemon makes them.
pub const PIECE: usize = 16 << 10;

impl Log {
    pub fn new(framing: Framing, attributes: bool) -> Log {
        Log { framing, attributes, bytes: Vec::new(), frames: Vec::new(), last: [(0, 0); 2] }
    }

    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Whether positions in it are told by time: it can only be had from a time on.
    pub fn by_time(&self) -> bool {
        matches!(self.framing, Framing::LinesWithTimes | Framing::FramesWithTimes)
    }

    /// Whether its entries have times.
    pub fn is_timed(&self) -> bool {
        self.by_time() || self.framing == Framing::JsonFile
    }

    /// Writes a piece of a line, with its line end if it has one.
    pub fn append(&mut self, side: Side, time: u64, text: &[u8], line_end: bool) -> Frame {
        let start = self.len();
        let feed: &[u8] = if line_end { b"\n" } else { b"" };
        match self.framing {
            Framing::Lines
            | Framing::JsonLines
            | Framing::DeadLetters
            | Framing::JsonBody
            | Framing::OtlpProtobuf
            | Framing::OtlpJson => self.bytes.extend([text, feed].concat()),
            Framing::LinesWithTimes => {
                self.bytes.extend([time::fixed(time).as_bytes(), b" ", text, feed].concat());
            }
            Framing::Frames => self.framed(side, &[text, feed].concat()),
            Framing::FramesWithTimes => {
                self.framed(side, &[time::fixed(time).as_bytes(), b" ", text, feed].concat());
            }
            Framing::JsonFile => self.entry(side, time, text, line_end),
        }
        let (last, count) = &mut self.last[side as usize];
        *count = if *last == time { *count + 1 } else { 1 };
        *last = time;
        let frame = Frame { time, ordinal: *count, start, end: self.len() };
        self.frames.push(frame);
        frame
    }

    fn framed(&mut self, side: Side, payload: &[u8]) {
        let kind = match side {
            Side::Stdout => 1,
            Side::Stderr => 2,
        };
        self.bytes.extend([kind, 0, 0, 0]);
        self.bytes.extend((payload.len() as u32).to_be_bytes());
        self.bytes.extend_from_slice(payload);
    }

    fn entry(&mut self, side: Side, time: u64, text: &[u8], line_end: bool) {
        let side = match side {
            Side::Stdout => "stdout",
            Side::Stderr => "stderr",
        };
        self.bytes.extend_from_slice(b"{\"log\":\"");
        escape(text, &mut self.bytes);
        if line_end {
            self.bytes.extend_from_slice(b"\\n");
        }
        let attributes =
            if self.attributes { r#","attrs":{"com.example/team":"\"logs\"","tag":"x"}"# } else { "" };
        let rest = format!("\",\"stream\":\"{side}\"{attributes},\"time\":\"{}\"}}\n", time::trimmed(time));
        self.bytes.extend_from_slice(rest.as_bytes());
    }

    /// The start of the frame in which this offset lies, or behind which it does.
    pub fn border(&self, offset: u64) -> u64 {
        let before = self.frames.partition_point(|frame| frame.end <= offset);
        self.frames.get(before).map_or(self.len(), |frame| frame.start)
    }
}

/// As the `json-file` driver escapes.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    let mut left = text;
    while let Some(byte) = left.first() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'<' | b'>' | b'&' | 0..0x20 => out.extend_from_slice(format!("\\u{:04x}", *byte).as_bytes()),
            0x20..0x80 => out.push(*byte),
            _ => {
                let character = left.get(..4).unwrap_or(left).utf8_chunks().next();
                let character = character.and_then(|chunk| chunk.valid().chars().next());
                let length = character.map_or(1, char::len_utf8);
                match character {
                    None => out.extend_from_slice(b"\\ufffd"),
                    Some('\u{2028}') => out.extend_from_slice(b"\\u2028"),
                    Some('\u{2029}') => out.extend_from_slice(b"\\u2029"),
                    Some(_) => out.extend_from_slice(&left[..length]),
                }
                left = &left[length..];
                continue;
            }
        }
        left = &left[1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_written_as_docker_does() {
        let mut log = Log::new(Framing::JsonFile, false);
        log.append(Side::Stderr, 1_500_000_000, b"a\"\\\t<\xFF\xE2\x80\xA8\xC3\xA9", true);
        let expected = "{\"log\":\"a\\\"\\\\\\u0009\\u003c\\ufffd\\u2028é\\n\",\"stream\":\"stderr\",\"time\":\"1970-01-01T00:00:01.5Z\"}\n";
        assert_eq!(String::from_utf8_lossy(&log.bytes), expected);
    }

    #[test]
    fn frames_of_the_same_time_are_counted_by_side() {
        let mut log = Log::new(Framing::FramesWithTimes, false);
        let ordinals = [(Side::Stdout, 7), (Side::Stderr, 7), (Side::Stdout, 7), (Side::Stdout, 8)]
            .map(|(side, time)| log.append(side, time, b"x", true).ordinal);
        assert_eq!(ordinals, [1, 1, 2, 1]);
        assert_eq!(log.border(log.frames[1].end + 3), log.frames[2].start);
    }
}
