//! A container: writes lines to its two outputs, stops, starts again, and is removed.

use std::collections::VecDeque;

use cloudspout::lines::{Framing, Side};

use super::log::{Log, PIECE};
use super::text;
use crate::chance::Chance;

/// A container and its log.
#[derive(Debug)]
pub struct Container {
    pub name: String,
    pub terminal: bool,
    pub log: Log,
    pub running: bool,
    /// Will not start again.
    pub gone: bool,
    /// Starts so often again.
    pub lives: u64,
    writers: [Writer; 2],
    letters: [u8; 2],
    /// Which side may write empty lines: they all look the same.
    empties: bool,
    /// Lines begun so far, which makes each another one.
    number: u64,
}

#[derive(Debug, Default)]
struct Writer {
    /// What is still to be written of a line.
    open: VecDeque<(Vec<u8>, bool)>,
    time: u64,
    /// A line without an end, left by an earlier life.
    fragment: Option<(Vec<u8>, u64)>,
}

/// What has become of a line, as the model has to know it.
#[derive(Debug)]
pub enum Written {
    /// A line begins that has to become these events.
    Begun { side: Side, time: Option<u64>, parts: Vec<String>, poison: bool, joined: Option<String> },
    /// The line under way ends here.
    Ended { side: Side, offset: u64, time: u64, ordinal: u32, line_end: bool },
}

/// What a line may be.
#[derive(Clone, Copy, Debug)]
pub struct Taste {
    pub least: u64,
    pub usual: u64,
    pub long: bool,
    pub poison: bool,
    pub odd_times: bool,
    pub burst: u64,
}

/// Poison begins so.
pub const POISON: char = '☠';
const SIDES: [Side; 2] = [Side::Stdout, Side::Stderr];

impl Container {
    /// `number` is its number among those of the same destination.
    pub fn new(name: String, number: u8, framing: Framing, lives: u64, chance: &mut Chance) -> Container {
        let terminal = match framing {
            Framing::LinesWithTimes => true,
            Framing::JsonFile => chance.percent(25),
            Framing::Lines
            | Framing::JsonLines
            | Framing::DeadLetters
            | Framing::JsonBody
            | Framing::OtlpProtobuf
            | Framing::OtlpJson
            | Framing::Frames
            | Framing::FramesWithTimes => false,
        };
        Container {
            name,
            terminal,
            log: Log::new(framing, chance.percent(20)),
            running: true,
            gone: false,
            lives,
            writers: Default::default(),
            letters: [b'a' + 2 * number, b'b' + 2 * number],
            empties: number == 0,
            number: 0,
        }
    }

    /// Writes some lines.
    pub fn act(&mut self, now: u64, taste: Taste, chance: &mut Chance) -> Vec<Written> {
        let mut written = Vec::new();
        let lines = chance.spread(1, taste.burst);
        let mut side = Side::Stdout;
        for _ in 0..lines {
            if chance.percent(40) {
                side = self.side(chance);
            }
            self.line(side, now, taste, chance, &mut written);
        }
        written
    }

    /// Stops, perhaps in the middle of a line.
    pub fn stop(&mut self, now: u64, chance: &mut Chance) -> Vec<Written> {
        let mut written = Vec::new();
        let taste = Taste { least: 4, usual: 900, long: false, poison: false, odd_times: false, burst: 1 };
        self.running = false;
        self.gone = self.lives == 0;
        for side in SIDES {
            self.flush(side, usize::MAX, &mut written);
            // Docker hands out a terminal's log without a border between a line that does not end and what
            // the next life writes, so there is no telling them apart.
            let may = match self.log.framing {
                Framing::LinesWithTimes => self.gone,
                _ => side == Side::Stdout || !self.is_one_sided(),
            };
            let may = may && (side == Side::Stdout || !self.is_one_sided());
            if may && self.writers[side as usize].fragment.is_none() && chance.percent(40) {
                self.fragment(side, now, taste, chance, &mut written);
            }
        }
        written
    }

    pub fn start(&mut self) {
        self.running = true;
        self.lives -= 1;
    }

    fn is_one_sided(&self) -> bool {
        self.terminal || self.log.framing == Framing::Lines
    }

    fn side(&self, chance: &mut Chance) -> Side {
        if self.is_one_sided() { Side::Stdout } else { chance.pick(&SIDES) }
    }

    fn line(&mut self, side: Side, now: u64, taste: Taste, chance: &mut Chance, written: &mut Vec<Written>) {
        if !self.writers[side as usize].open.is_empty() {
            let pieces = if chance.percent(50) { usize::MAX } else { chance.between(1, 4) as usize };
            return self.flush(side, pieces, written);
        }
        let after_fragment = self.writers[side as usize].fragment.take();
        let length = match &after_fragment {
            Some(_) => chance.between(20, 300) as usize,
            None if taste.long && chance.percent(12) => text::long_length(chance),
            None => text::length(taste.least, taste.usual, chance),
        };
        let length = if length == 0 && (!self.empties || side == Side::Stderr) { 1 } else { length };
        let poison = taste.poison && after_fragment.is_none() && chance.percent(2);
        let time = self.time(side, now, taste.odd_times, chance);
        let content = self.content(side, length, poison, after_fragment.is_some(), chance);
        let joined = after_fragment.and_then(|(head, _)| self.joined(&head, &content));
        let ended = if self.terminal { [content.as_slice(), b"\r"].concat() } else { content };
        let pieces = self.pieces(&ended, chance);
        written.push(self.begun(side, &pieces, time, poison, joined));
        let writer = &mut self.writers[side as usize];
        writer.time = time;
        let last = pieces.len() - 1;
        writer.open.extend(pieces.into_iter().enumerate().map(|(at, piece)| (piece, at == last)));
        let at_once =
            if last > 0 && chance.percent(50) { chance.between(1, last as u64) as usize } else { usize::MAX };
        self.flush(side, at_once, written);
    }

    /// Writes a line that does not end.
    fn fragment(
        &mut self,
        side: Side,
        now: u64,
        taste: Taste,
        chance: &mut Chance,
        written: &mut Vec<Written>,
    ) {
        let time = self.time(side, now, false, chance);
        let length = chance.between(20, taste.usual) as usize;
        let content = self.content(side, length, false, true, chance);
        written.push(self.begun(side, std::slice::from_ref(&content), time, false, None));
        let frame = self.log.append(side, time, &content, false);
        written.push(Written::Ended {
            side,
            offset: frame.end,
            time,
            ordinal: frame.ordinal,
            line_end: false,
        });
        let writer = &mut self.writers[side as usize];
        writer.time = time;
        writer.fragment = Some((content, time));
    }

    fn begun(
        &self,
        side: Side,
        pieces: &[Vec<u8>],
        time: u64,
        poison: bool,
        joined: Option<String>,
    ) -> Written {
        // A file of JSON holds text, so a character that is cut between two pieces is lost.
        let mut text = match self.log.framing {
            Framing::JsonFile => pieces.iter().map(|piece| text::lossy(piece)).collect(),
            _ => text::lossy(&pieces.concat()),
        };
        if self.terminal && text.ends_with('\r') {
            text.pop();
        }
        let parts = text::parts(&text).into_iter().map(str::to_owned).collect();
        Written::Begun { side, time: self.log.is_timed().then_some(time), parts, poison, joined }
    }

    /// How a line without an end and the next one read, if nobody saw the end between them. Docker's own
    /// pieces tell it: only full ones go on.
    fn joined(&self, head: &[u8], tail: &[u8]) -> Option<String> {
        match self.log.framing {
            Framing::Lines
            | Framing::JsonLines
            | Framing::DeadLetters
            | Framing::JsonBody
            | Framing::OtlpProtobuf
            | Framing::OtlpJson
            | Framing::Frames => Some(text::lossy(&[head, tail].concat())),
            Framing::LinesWithTimes | Framing::FramesWithTimes | Framing::JsonFile => None,
        }
    }

    fn content(
        &mut self,
        side: Side,
        length: usize,
        poison: bool,
        plain: bool,
        chance: &mut Chance,
    ) -> Vec<u8> {
        self.number += 1;
        let mark = if poison { POISON.to_string() } else { String::new() };
        let letter = self.letters[side as usize];
        let tag = format!("{mark}{}{}{:x}|", self.name, char::from(letter), self.number);
        let length = if poison { length.max(tag.len()) } else { length };
        if plain {
            let length = length.max(tag.len());
            return format!("{tag:.<length$}").into_bytes();
        }
        let mut line = text::line(&tag, letter, length, chance);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        line
    }

    fn pieces(&self, content: &[u8], chance: &mut Chance) -> Vec<Vec<u8>> {
        let mut pieces: Vec<Vec<u8>> = match self.log.framing {
            Framing::Lines
            | Framing::JsonLines
            | Framing::DeadLetters
            | Framing::JsonBody
            | Framing::OtlpProtobuf
            | Framing::OtlpJson
            | Framing::Frames => {
                let mut pieces = Vec::new();
                let mut left = content;
                while left.len() > 1 && (left.len() > PIECE || chance.percent(20)) {
                    let most = left.len().min(100_000) as u64;
                    let (piece, rest) = left.split_at(chance.spread(1, most) as usize);
                    pieces.push(piece.to_vec());
                    left = rest;
                }
                pieces.push(left.to_vec());
                pieces
            }
            Framing::LinesWithTimes | Framing::FramesWithTimes | Framing::JsonFile => {
                content.chunks(PIECE).map(<[u8]>::to_vec).collect()
            }
        };
        let full = pieces.last().is_none_or(|piece| piece.len() == PIECE);
        if full {
            pieces.push(Vec::new());
        }
        pieces
    }

    /// Writes so many pieces of the line under way.
    fn flush(&mut self, side: Side, pieces: usize, written: &mut Vec<Written>) {
        let Container { writers, log, .. } = self;
        let writer = &mut writers[side as usize];
        for _ in 0..pieces {
            let Some((piece, last)) = writer.open.pop_front() else { return };
            let frame = log.append(side, writer.time, &piece, last);
            if last {
                written.push(Written::Ended {
                    side,
                    offset: frame.end,
                    time: frame.time,
                    ordinal: frame.ordinal,
                    line_end: true,
                });
            }
        }
    }

    /// A time for the next line: the sides are out of order by a moment, and times are at times equal.
    fn time(&mut self, side: Side, now: u64, odd: bool, chance: &mut Chance) -> u64 {
        let last = self.writers[side as usize].time;
        if odd && chance.percent(10) {
            const HOUR: u64 = 3_600_000_000_000;
            // Too old, older than the group keeps, or too new.
            return if chance.percent(70) {
                now - chance.between(0, 16 * 24) * HOUR
            } else {
                now + chance.between(0, 5) * HOUR
            };
        }
        // A clock that was stepped back takes the times with it.
        if last > now {
            return now;
        }
        match chance.below(20) {
            0 => last.max(now - 900_000_000.min(now)),
            1..8 => last.max(now - chance.spread(1, 500_000_000)),
            _ => now,
        }
    }
}
