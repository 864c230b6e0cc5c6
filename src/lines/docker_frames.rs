//! Docker's frames: a header that names the side and the length, then the payload.

use super::decoder::{FULL_PIECE, LONGEST_UNIT, Output};
use super::plain::split_lines;
use super::rfc3339::Clock;
use super::{End, Malformed, Piece, Side, Sink, Text};
use crate::time::Timestamp;

/// Whether a payload begins with a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    Absent,
    Present,
}

/// Reads frames.
#[derive(Debug)]
pub struct Frames {
    times: Times,
    clock: Clock,
    /// A header made no sense, so there is no telling where the next frame begins.
    lost: bool,
}

const HEADER: usize = 8;

impl Frames {
    pub fn new(times: Times) -> Frames {
        Frames { times, clock: Clock::default(), lost: false }
    }

    pub fn restart(&mut self) {
        self.lost = false;
    }

    pub fn read<S: Sink>(
        &mut self,
        bytes: &[u8],
        offset: &mut u64,
        partial: &mut Vec<u8>,
        now: Timestamp,
        out: &mut Output<'_, S>,
    ) {
        let mut left = bytes;
        while !partial.is_empty() && !left.is_empty() && !self.lost {
            let Some(length) = self.frame_length(partial, out) else { break };
            let wanted = length.saturating_sub(partial.len());
            let (head, tail) = left.split_at_checked(wanted).unwrap_or((left, &[]));
            partial.extend_from_slice(head);
            left = tail;
            if self.frame_length(partial, out) == Some(partial.len()) && partial.len() >= HEADER {
                self.frame(partial, *offset, now, out);
                *offset += partial.len() as u64;
                partial.clear();
            }
        }
        while !left.is_empty() && !self.lost {
            let Some(length) = self.frame_length(left, out) else { break };
            let Some((frame, tail)) = left.split_at_checked(length) else {
                partial.extend_from_slice(left);
                return;
            };
            self.frame(frame, *offset, now, out);
            *offset += frame.len() as u64;
            left = tail;
        }
        if self.lost {
            let passed_over = (partial.len() + left.len()) as u64;
            partial.clear();
            *offset += passed_over;
            if passed_over > 0 {
                out.malformed(Malformed::Bytes(passed_over));
            }
        }
    }

    /// The whole length of the frame that begins here, or of its header while that is not whole.
    fn frame_length<S: Sink>(&mut self, bytes: &[u8], out: &mut Output<'_, S>) -> Option<usize> {
        let Some([kind, z0, z1, z2, l0, l1, l2, l3]) = bytes.first_chunk::<HEADER>() else {
            return Some(HEADER);
        };
        let length = usize::try_from(u32::from_be_bytes([*l0, *l1, *l2, *l3])).unwrap_or(usize::MAX);
        if *kind > 3 || [z0, z1, z2] != [&0; 3] || length > LONGEST_UNIT {
            self.lost = true;
            out.malformed(Malformed::Daemon("what should be a frame of Docker's is none".into()));
            return None;
        }
        Some(HEADER + length)
    }

    fn frame<S: Sink>(&mut self, frame: &[u8], start: u64, now: Timestamp, out: &mut Output<'_, S>) {
        let Some(([kind, ..], payload)) = frame.split_first_chunk::<HEADER>() else { return };
        let side = match kind {
            2 => Side::Stderr,
            3 => {
                let text = String::from_utf8_lossy(payload).trim_end().to_owned();
                return out.malformed(Malformed::Daemon(text));
            }
            _ => Side::Stdout,
        };
        if self.times == Times::Absent {
            return split_lines(payload, start + HEADER as u64, |text, end, offset| {
                out.piece(Piece { side, time: now, text: Text::Raw(text), end, same_frame: false, offset });
            });
        }
        let (time, text) = self.split_time(payload).unwrap_or((now, payload));
        // A message may hold line ends of its own, where a logging plugin wrote them: only the last ends it.
        let (text, end) = match text.strip_suffix(b"\n") {
            Some(text) => (text, End::Line),
            None if text.len() < FULL_PIECE => (text, End::Line),
            None => (text, End::Open),
        };
        let offset = start + frame.len() as u64;
        out.piece(Piece { side, time, text: Text::Raw(text), end, same_frame: false, offset });
    }

    fn split_time<'a>(&mut self, payload: &'a [u8]) -> Option<(Timestamp, &'a [u8])> {
        let (time, length) = self.clock.read(payload)?;
        let (b' ', text) = payload.get(length..)?.split_first()? else { return None };
        Some((time, text))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Heard;
    use super::super::{Decoder, Framing, Lane, Position, Sides};
    use super::*;
    use crate::lines::lane::Order;

    fn frame(kind: u8, payload: &str) -> Vec<u8> {
        let mut frame = vec![kind, 0, 0, 0];
        frame.extend_from_slice(&(payload.len() as u32).to_be_bytes());
        frame.extend_from_slice(payload.as_bytes());
        frame
    }

    fn read(framing: Framing, log: &[u8], chunk: usize) -> Heard {
        let lane = |side| Lane::new(side, Order::ByTime, false, Position::default());
        let lanes = Sides { stdout: lane(Side::Stdout), stderr: lane(Side::Stderr) };
        let mut decoder = Decoder::new(framing, 0, lanes);
        let mut heard = Heard::default();
        for bytes in log.chunks(chunk) {
            decoder.read(bytes, Timestamp::from_nanos(99), &mut heard);
        }
        assert_eq!(decoder.offset() + decoder.waiting() as u64, log.len() as u64);
        decoder.finish(Timestamp::default(), &mut heard);
        heard
    }

    #[test]
    fn frames_are_read_in_chunks_of_any_size_and_the_sides_stay_apart() {
        let full = "x".repeat(FULL_PIECE);
        let log = [
            frame(1, &format!("1970-01-01T00:00:00.000000001Z {full}")),
            frame(2, "1970-01-01T00:00:00.000000002Z err\n"),
            frame(1, "1970-01-01T00:00:00.000000001Z line\n"),
            frame(1, "1970-01-01T00:00:00.000000003Z \n"),
            frame(3, "daemon is sorry\n"),
            frame(2, "1970-01-01T00:00:00.000000004Z last"),
        ]
        .concat();
        for chunk in (1..200).chain([4_096, FULL_PIECE, log.len()]) {
            let heard = read(Framing::FramesWithTimes, &log, chunk);
            assert_eq!(
                heard.events,
                [
                    (Side::Stderr, 2, "err".into()),
                    (Side::Stdout, 1, format!("{full}line")),
                    (Side::Stdout, 3, "".into()),
                    (Side::Stderr, 4, "last".into()),
                ],
                "chunks of {chunk}"
            );
            assert_eq!(heard.malformed, [Malformed::Daemon("daemon is sorry".into())]);
            assert_eq!((heard.positions[1].time.nanos(), heard.positions[1].ordinal), (1, 2));
        }
    }

    #[test]
    fn a_piece_that_is_not_full_ends_its_line_without_lf_too() {
        let time = "1970-01-01T00:00:00.000000001Z ";
        let full = "x".repeat(FULL_PIECE);
        for last in ["rest", ""] {
            let log = [
                frame(1, &format!("{time}{full}")),
                frame(1, &format!("{time}{last}")),
                frame(1, &format!("{time}next\n")),
            ]
            .concat();
            let heard = read(Framing::FramesWithTimes, &log, 1 << 20);
            let texts: Vec<_> = heard.events.into_iter().map(|(_, _, text)| text).collect();
            assert_eq!(texts, [format!("{full}{last}"), "next".into()]);
        }
    }

    #[test]
    fn frames_without_times_are_split_at_line_ends() {
        let log = [frame(1, "one\ntwo\nth"), frame(2, "err\n"), frame(1, "ree\n")].concat();
        for chunk in 1..log.len() {
            let heard = read(Framing::Frames, &log, chunk);
            let texts: Vec<_> = heard.events.iter().map(|(_, time, text)| (*time, text.as_str())).collect();
            assert_eq!(texts, [(99, "one"), (99, "two"), (99, "err"), (99, "three")], "chunks of {chunk}");
        }
    }

    #[test]
    fn what_is_no_frame_is_counted_and_passed_over() {
        for chunk in [1, 5, 100] {
            let heard = read(Framing::FramesWithTimes, b"plain text\nand more\n", chunk);
            assert!(heard.events.is_empty());
            let bytes: u64 = heard
                .malformed
                .iter()
                .map(|malformed| match malformed {
                    Malformed::Bytes(bytes) => *bytes,
                    Malformed::Daemon(_) | Malformed::Body(_) => 0,
                })
                .sum();
            assert_eq!(bytes, 20, "chunks of {chunk}");
        }
    }
}
