//! Log data to write: the same every time, with every kind of line that has caused trouble somewhere.

use crate::rules::{EVENT_BYTES, PIECE_BYTES};

/// A source of numbers that looks random and is the same every time.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

const WORDS: [&str; 12] = [
    "request",
    "GET /index.html?q=1&r=\"two\"",
    "level=info",
    "größer",
    "日本語",
    "\u{1f642}",
    "\\n is not a newline",
    "\ttab",
    "{\"json\": true}",
    "\u{2028}",
    "\u{1}\u{7f}",
    "<b>&amp;</b>",
];

/// So many lines of everyday log text, each with a label and its number, so that none is like another.
pub fn lines(label: &str, count: usize) -> Vec<u8> {
    let mut dice = Dice::new(label.bytes().map(u64::from).sum());
    let mut text = Vec::new();
    for number in 0..count {
        text.extend_from_slice(format!("{label} {number:07}").as_bytes());
        for _ in 0..dice.below(12) {
            text.push(b' ');
            text.extend_from_slice(WORDS[dice.below(WORDS.len())].as_bytes());
        }
        text.push(b'\n');
    }
    text
}

/// So many lines of exactly `width` bytes each, their newline included.
pub fn even_lines(count: usize, width: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(count * width);
    for number in 0..count {
        let begin = text.len();
        text.extend_from_slice(format!("{number:09} ").as_bytes());
        let filler = b"abcdefghijklmnopqrstuvwxyz0123456789 /\"\\";
        text.extend(filler.iter().cycle().take(width - (text.len() - begin) - 1));
        text.push(b'\n');
    }
    text
}

/// A line of exactly so many bytes before its newline. Any part of it tells its label, its length and its place.
pub fn line_of(label: &str, bytes: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes + 32);
    while text.len() < bytes {
        text.extend_from_slice(format!("{label} {bytes} {}|", text.len()).as_bytes());
    }
    text.truncate(bytes);
    text.push(b'\n');
    text
}

/// Lines whose lengths stand at every edge, up to `most` bytes: empty, about Docker's piece, about an event, and longer.
pub fn lines_at_every_edge(label: &str, most: usize) -> Vec<u8> {
    let lengths = [
        0,
        1,
        PIECE_BYTES - 1,
        PIECE_BYTES,
        PIECE_BYTES + 1,
        2 * PIECE_BYTES,
        40 * 1024,
        0,
        1024 * 1024,
        EVENT_BYTES - 1,
        EVENT_BYTES,
        EVENT_BYTES + 1,
        2 * EVENT_BYTES,
        3 * 1024 * 1024,
        12,
        0,
    ];
    lengths.into_iter().filter(|length| *length <= most).flat_map(|length| line_of(label, length)).collect()
}

/// Lines that are not UTF-8, and such whose characters lie across Docker's cut or an event's end.
pub fn lines_of_odd_bytes() -> Vec<u8> {
    let mut text = Vec::new();
    let mut line = |bytes: &[u8]| {
        text.extend_from_slice(bytes);
        text.push(b'\n');
    };
    line(b"odd \xff\xfe\x80 bytes");
    line(b"cut off \xf0\x9f\x99");
    line(b"\xe2\x82 \xed\xa0\x80 \xc0\xaf \xf5\x80\x80\x80");
    line("control \u{0}\u{1}\u{8}\u{b}\u{c}\u{1b}[31m\u{7f}\u{85}\u{feff} \u{10ffff}".as_bytes());
    line(b"a carriage return stays \r within and at the end\r");
    line(b"   ");
    for character in ["ü", "€", "\u{1f642}"] {
        for back in 0..character.len() {
            let mut cut = line_of("cut", PIECE_BYTES - back - 1);
            cut.pop();
            cut.push(b'.');
            cut.extend_from_slice(character.as_bytes());
            cut.extend_from_slice(b" goes on");
            line(&cut);
        }
    }
    let mut long = line_of("split", EVENT_BYTES - 2);
    long.pop();
    long.extend_from_slice("\u{1f642} after the split \u{fffd}".as_bytes());
    long.extend_from_slice(&[0xff; 100]);
    line(&long);
    line(&vec![0x80; EVENT_BYTES / 3 + 5]);
    text
}
