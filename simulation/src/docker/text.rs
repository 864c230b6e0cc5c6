//! What containers write, and what people should see of it.

use crate::chance::Chance;

/// A line of so many bytes. `tag` comes first where it fits; `letter` is all there is of shorter ones.
pub fn line(tag: &str, letter: u8, length: usize, chance: &mut Chance) -> Vec<u8> {
    if length < tag.len() {
        return vec![letter; length];
    }
    let mut line = Vec::with_capacity(length + 16);
    line.extend_from_slice(tag.as_bytes());
    match chance.below(8) {
        0 => fill(&mut line, length, chance, |chance| {
            chance.pick(&["é", "€", "🐎", "\u{2028}", "x", "ß"]).as_bytes()
        }),
        1 => fill(&mut line, length, chance, |chance| {
            chance
                .pick(&["\"", "\\", "\t", "\u{1}", "<", "&", "\\n", "/", "\u{7f}", "\u{8}", "\\\\", "b"])
                .as_bytes()
        }),
        2 => fill(&mut line, length, chance, |chance| {
            let pieces: &[&[u8]] = &[
                b"\xF0\x9F\x99",
                b"\xFF",
                b"\xC3",
                b"ok",
                b"\xE2\x82",
                b"\xED\xA0\x80",
                b"\xC0\x80",
                b"\x80",
                "ü".as_bytes(),
            ];
            chance.pick(pieces)
        }),
        _ => {
            while line.len() < length {
                // Words that differ, so that no two parts of a long line are the same.
                let word = format!("{:x} ", chance.next());
                line.extend_from_slice(word.as_bytes());
            }
            line.truncate(length);
        }
    }
    line
}

/// What a line has to hold to begin an event, where events have several lines: one in four does, by the number in
/// its tag.
pub const EVENT_BEGINS: &str = r"^☠?c\d+[a-z][[:xdigit:]]*[0-3]\|";

/// Whether a line begins an event.
pub fn begins_event(line: &str) -> bool {
    let Some((tag, _)) = line.split_once('|') else { return false };
    tag.trim_start_matches('☠').starts_with('c') && tag.ends_with(['0', '1', '2', '3'])
}

fn fill(line: &mut Vec<u8>, length: usize, chance: &mut Chance, piece: fn(&mut Chance) -> &'static [u8]) {
    // Long lines repeat a stretch, with a number between.
    let mut stretch = Vec::new();
    while stretch.len() < 200.min(length) {
        stretch.extend_from_slice(piece(chance));
    }
    while line.len() < length {
        line.extend_from_slice(&stretch);
        line.extend_from_slice(format!("{:x}", chance.next()).as_bytes());
    }
    line.truncate(length);
}

/// A length: mostly short, at times odd.
pub fn length(least: u64, usual: u64, chance: &mut Chance) -> usize {
    let length = match chance.below(100) {
        0..4 => 0,
        4..9 => chance.between(1, 3),
        9 => chance.pick(&[16_383, 16_384, 16_385, 32_767, 32_768, 40_000]),
        10..13 => chance.spread(1_000, 9_000),
        _ => chance.spread(least, usual),
    };
    length as usize
}

/// A length near the longest that an event may have, or beyond.
pub fn long_length(chance: &mut Chance) -> usize {
    let length = match chance.below(4) {
        0 => chance.between(1_048_546, 1_048_580),
        1 => chance.pick(&[1_048_550, 2_097_100, 1_048_576]),
        _ => chance.between(300_000, 3_000_000),
    };
    length as usize
}

/// UTF-8, with U+FFFD for every byte that is none: as Go reads bytes.
pub fn lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut left = bytes;
    loop {
        match std::str::from_utf8(left) {
            Ok(valid) => {
                text.push_str(valid);
                return text;
            }
            Err(error) => {
                let (valid, rest) = left.split_at(error.valid_up_to());
                text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                text.push(char::REPLACEMENT_CHARACTER);
                left = &rest[1..];
            }
        }
    }
}

/// A line as the events it has to become: each as long as an event may be, and whole in characters.
pub fn parts(text: &str) -> Vec<&str> {
    const LONGEST: usize = 1_048_576 - 26;
    let mut parts = Vec::new();
    let mut left = text;
    while left.len() > LONGEST {
        let border = (0..=LONGEST).rev().find(|at| left.is_char_boundary(*at)).unwrap_or(LONGEST);
        let (part, rest) = left.split_at(border);
        parts.push(part);
        left = rest;
    }
    parts.push(left);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_shown_one_by_one() {
        assert_eq!(lossy(b"a\xF0\x9F\x99b"), "a\u{FFFD}\u{FFFD}\u{FFFD}b");
        assert_eq!(lossy("é".as_bytes()), "é");
    }

    #[test]
    fn parts_are_whole_in_characters() {
        let text = format!("{}€€", "x".repeat(1_048_549));
        let lengths: Vec<_> = parts(&text).iter().map(|part| part.len()).collect();
        assert_eq!(lengths, [1_048_549, 6]);
    }
}
