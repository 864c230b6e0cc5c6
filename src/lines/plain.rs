//! Text without frames: plain lines, and the lines with times that Docker sends of a terminal.

use super::decoder::{FULL_PIECE, Output};
use super::rfc3339::Clock;
use super::{End, Malformed, Piece, Side, Sink, Text};
use crate::time::Timestamp;

/// Lines that end in LF.
#[derive(Debug)]
pub struct Lines;

impl Lines {
    pub fn read<S: Sink>(&mut self, bytes: &[u8], offset: &mut u64, now: Timestamp, out: &mut Output<'_, S>) {
        split_lines(bytes, *offset, |text, end, offset| {
            out.piece(Piece {
                side: Side::Stdout,
                time: now,
                text: Text::Raw(text),
                end,
                same_frame: false,
                offset,
            });
        });
        *offset += bytes.len() as u64;
    }
}

/// Gives `each` every line without its LF, then what is left; with the offset behind it.
pub(super) fn split_lines(bytes: &[u8], start: u64, mut each: impl FnMut(&[u8], End, u64)) {
    let mut begin = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        let line = bytes.get(begin..end).unwrap_or_default();
        begin = end + 1;
        each(line, End::Line, start + begin as u64);
    }
    match bytes.get(begin..) {
        None | Some([]) => {}
        Some(rest) => each(rest, End::Open, start + bytes.len() as u64),
    }
}

/// Pieces that begin with a time and a space, each a line or 16,384 bytes of one.
#[derive(Debug, Default)]
pub struct LinesWithTimes {
    clock: Clock,
    state: State,
    /// The time that the line under way began with, and its space: every piece of the line repeats it.
    prefix: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    /// At the start of a line.
    #[default]
    Start,
    /// In a piece that may have so many more bytes.
    Body { time: Timestamp, left: usize },
    /// Behind a full piece. Docker may have made it longer, by replacing bytes that were not UTF-8, so its
    /// end is where the line's time stands again.
    Joint { time: Timestamp },
    /// In a line that began without a time.
    Lost,
}

/// The longest time there is, with its space: nine digits, and a zone of hours and minutes.
const LONGEST_TIME: usize = 36;

impl LinesWithTimes {
    pub fn read<S: Sink>(
        &mut self,
        bytes: &[u8],
        offset: &mut u64,
        partial: &mut Vec<u8>,
        out: &mut Output<'_, S>,
    ) {
        if partial.is_empty() {
            let used = self.take(bytes, offset, out, false);
            partial.extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            // What waits is less than a time: joining it with the chunk is rare and short.
            let mut joined = std::mem::take(partial);
            joined.extend_from_slice(bytes);
            let used = self.take(&joined, offset, out, false);
            partial.extend_from_slice(joined.get(used..).unwrap_or_default());
        }
    }

    pub fn finish<S: Sink>(&mut self, mut offset: u64, partial: &mut Vec<u8>, out: &mut Output<'_, S>) {
        let rest = std::mem::take(partial);
        self.take(&rest, &mut offset, out, true);
    }

    /// Takes what can be understood without knowing what follows; how much that was.
    fn take<S: Sink>(
        &mut self,
        bytes: &[u8],
        offset: &mut u64,
        out: &mut Output<'_, S>,
        last: bool,
    ) -> usize {
        let mut left = bytes;
        while !left.is_empty() {
            let (used, state) = match self.state {
                State::Start if !last && !has_whole_time(left) => break,
                State::Start => match self.time_of(left) {
                    Some((time, used)) => (used, State::Body { time, left: FULL_PIECE }),
                    None => (0, State::Lost),
                },
                State::Body { time, left: room } => {
                    let window = left.get(..room.saturating_add(1)).unwrap_or(left);
                    let line_end = memchr::memchr(b'\n', window);
                    let length = line_end.unwrap_or(window.len().min(room));
                    let same_frame = room < FULL_PIECE;
                    let used = piece(left, length, line_end.is_some(), same_frame, time, *offset, out);
                    let state = match line_end {
                        Some(_) => State::Start,
                        None if length == room => State::Joint { time },
                        None => State::Body { time, left: room - length },
                    };
                    (used, state)
                }
                State::Joint { time } => {
                    let line_end = memchr::memchr(b'\n', left);
                    let line = left.get(..line_end.unwrap_or(left.len())).unwrap_or_default();
                    if let Some(joint) = memchr::memmem::find(line, &self.prefix) {
                        let used = piece(left, joint, false, true, time, *offset, out);
                        (used + self.prefix.len(), State::Body { time, left: FULL_PIECE })
                    } else if let Some(end) = line_end {
                        (piece(left, end, true, true, time, *offset, out), State::Start)
                    } else {
                        // The time may have begun.
                        let held_back = if last { 0 } else { self.prefix.len().saturating_sub(1) };
                        let length = left.len().saturating_sub(held_back);
                        if length == 0 {
                            break;
                        }
                        (piece(left, length, false, true, time, *offset, out), State::Joint { time })
                    }
                }
                State::Lost => {
                    let line_end = memchr::memchr(b'\n', left);
                    let used = line_end.map_or(left.len(), |end| end + 1);
                    out.malformed(Malformed::Bytes(used as u64));
                    (used, if line_end.is_some() { State::Start } else { State::Lost })
                }
            };
            self.state = state;
            *offset += used as u64;
            left = left.get(used..).unwrap_or_default();
        }
        bytes.len() - left.len()
    }

    /// The time at the start of a line, and the length of its text and space.
    fn time_of(&mut self, bytes: &[u8]) -> Option<(Timestamp, usize)> {
        // Neither a longer time nor none may depend on how much is at hand.
        let bytes = bytes.get(..LONGEST_TIME).unwrap_or(bytes);
        let (time, length) = self.clock.read(bytes)?;
        let prefix = bytes.get(..=length).filter(|prefix| prefix.ends_with(b" "))?;
        self.prefix.clear();
        self.prefix.extend_from_slice(prefix);
        Some((time, prefix.len()))
    }
}

/// Passes on the first `length` bytes, if there are any or they end a line; how many bytes that used up.
fn piece<S: Sink>(
    bytes: &[u8],
    length: usize,
    ends_line: bool,
    same_frame: bool,
    time: Timestamp,
    offset: u64,
    out: &mut Output<'_, S>,
) -> usize {
    let used = length + usize::from(ends_line);
    if used > 0 {
        let text = Text::Raw(bytes.get(..length).unwrap_or_default());
        let end = if ends_line { End::Line } else { End::Open };
        out.piece(Piece { side: Side::Stdout, time, text, end, same_frame, offset: offset + used as u64 });
    }
    used
}

/// Whether so much is at hand that a time, if one stands here, is whole.
fn has_whole_time(bytes: &[u8]) -> bool {
    bytes.len() >= LONGEST_TIME || bytes.contains(&b' ') || bytes.contains(&b'\n')
}

#[cfg(test)]
mod tests {
    use super::super::testing::Heard;
    use super::super::{Decoder, Framing, Lane, Position, Sides};
    use super::*;
    use crate::lines::lane::Order;

    fn read(framing: Framing, terminal: bool, log: &[u8], chunk: usize) -> Heard {
        let lane = |side, order| Lane::new(side, order, terminal, Position::default());
        let order = if framing == Framing::Lines { Order::ByOffset } else { Order::ByTime };
        let lanes = Sides { stdout: lane(Side::Stdout, order), stderr: lane(Side::Stderr, order) };
        let mut decoder = Decoder::new(framing, 0, lanes);
        let mut heard = Heard::default();
        for bytes in log.chunks(chunk) {
            decoder.read(bytes, Timestamp::from_nanos(1), &mut heard);
        }
        assert_eq!(decoder.offset() + decoder.waiting() as u64, log.len() as u64);
        decoder.finish(Timestamp::default(), &mut heard);
        heard
    }

    fn texts(heard: &Heard) -> Vec<&str> {
        heard.events.iter().map(|(_, _, text)| text.as_str()).collect()
    }

    #[test]
    fn plain_lines_are_the_same_in_chunks_of_any_size() {
        for chunk in 1..20 {
            let heard = read(Framing::Lines, false, b"one\n\ntwo\r\nno end", chunk);
            assert_eq!(texts(&heard), ["one", "", "two\r", "no end"], "chunks of {chunk}");
            assert_eq!(heard.positions[0].offset, 4);
        }
    }

    #[test]
    fn a_terminals_lines_bring_their_times() {
        let log =
            b"1970-01-01T00:00:00.000000007Z one\r\n1970-01-01T00:00:00.5Z \r\n1970-01-01T00:00:01Z a b";
        for chunk in 1..90 {
            let heard = read(Framing::LinesWithTimes, true, log, chunk);
            assert_eq!(texts(&heard), ["one", "", "a b"], "chunks of {chunk}");
            let times: Vec<_> = heard.events.iter().map(|(_, time, _)| *time).collect();
            assert_eq!(times, [7, 500_000_000, 1_000_000_000]);
        }
    }

    #[test]
    fn a_time_of_endless_digits_is_none_however_it_is_cut() {
        let log = format!("1970-01-01T00:00:00.{}Z one\r\n1970-01-01T00:00:01Z two\r\n", "1".repeat(40));
        for chunk in 1..log.len() {
            let heard = read(Framing::LinesWithTimes, true, log.as_bytes(), chunk);
            assert_eq!(texts(&heard), ["two"], "chunks of {chunk}");
        }
    }

    #[test]
    fn a_terminals_long_line_is_joined_across_the_times_between_its_pieces() {
        let time = "1970-01-01T00:00:00.000000007Z ";
        for length in [FULL_PIECE - 1, FULL_PIECE, FULL_PIECE + 1, 2 * FULL_PIECE, 40_000] {
            let line = "x".repeat(length);
            let mut log = String::new();
            let mut rest = format!("{line}\r\n");
            while !rest.is_empty() {
                let tail = rest.split_off(rest.len().min(FULL_PIECE));
                log.push_str(time);
                log.push_str(&rest);
                rest = tail;
            }
            log.push_str(time);
            log.push_str("next\r\n");
            for chunk in [1, 7, 4096, 1 << 20] {
                let heard = read(Framing::LinesWithTimes, true, log.as_bytes(), chunk);
                assert_eq!(texts(&heard), [line.as_str(), "next"], "{length} bytes in chunks of {chunk}");
            }
        }
    }

    #[test]
    fn a_terminals_line_is_one_frame_however_it_is_cut() {
        let log = b"1970-01-01T00:00:01Z one\r\n1970-01-01T00:00:01Z two\r\n1970-01-01T00:00:02Z three\r\n";
        for chunk in 1..log.len() {
            let heard = read(Framing::LinesWithTimes, true, log, chunk);
            let ordinals: Vec<_> = heard.positions.iter().map(|position| position.ordinal).collect();
            assert_eq!(ordinals, [1, 2, 1], "chunks of {chunk}");
        }
        let passed =
            Position { time: Timestamp::from_nanos(1_000_000_000), ordinal: 1, ..Position::default() };
        for chunk in 1..log.len() {
            let lane = |side| Lane::new(side, Order::ByTime, true, passed);
            let lanes = Sides { stdout: lane(Side::Stdout), stderr: lane(Side::Stderr) };
            let mut decoder = Decoder::new(Framing::LinesWithTimes, 0, lanes);
            let mut heard = Heard::default();
            for bytes in log.chunks(chunk) {
                decoder.read(bytes, Timestamp::default(), &mut heard);
            }
            assert_eq!(texts(&heard), ["two", "three"], "chunks of {chunk}");
        }
    }

    #[test]
    fn a_terminals_piece_that_docker_made_longer_ends_where_the_time_stands_again() {
        let time = "1970-01-01T00:00:00.000000007Z ";
        let cut = format!("{}\u{FFFD}\u{FFFD}", "x".repeat(FULL_PIECE - 2));
        let log = format!("{time}{cut}{time}\u{FFFD} goes on\r\n{time}next\r\n");
        for chunk in [1, 7, 1_000, FULL_PIECE, FULL_PIECE + 3, FULL_PIECE + 40, 1 << 20] {
            let heard = read(Framing::LinesWithTimes, true, log.as_bytes(), chunk);
            assert_eq!(
                texts(&heard),
                [format!("{cut}\u{FFFD} goes on").as_str(), "next"],
                "chunks of {chunk}"
            );
        }
    }

    #[test]
    fn a_line_without_a_time_is_counted_and_passed_over() {
        let heard =
            read(Framing::LinesWithTimes, true, b"error from daemon\n1970-01-01T00:00:01Z fine\r\n", 100);
        assert_eq!(texts(&heard), ["fine"]);
        assert_eq!(heard.malformed, [Malformed::Bytes(18)]);
    }
}
