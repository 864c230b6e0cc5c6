//! Bytes seen as characters the way Go sees them: decoding, classes, case.
//!
//! Go's strings are bytes. Where they are not UTF-8, each stray byte counts as one U+FFFD.

use super::unicode_tables::{DIGIT, LETTER, LOWER, PRINT, TITLE, UPPER};

/// Decodes the first character: what it is, and how many bytes it takes.
///
/// A byte that begins no character is U+FFFD of one byte; nothing is U+FFFD of no bytes.
pub fn decode(bytes: &[u8]) -> (char, usize) {
    let Some(&lead) = bytes.first() else {
        return (char::REPLACEMENT_CHARACTER, 0);
    };
    let width = match lead {
        0..=0x7f => return (char::from(lead), 1),
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return (char::REPLACEMENT_CHARACTER, 1),
    };
    bytes
        .get(..width)
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .and_then(|text| text.chars().next())
        .map_or((char::REPLACEMENT_CHARACTER, 1), |character| (character, width))
}

/// Walks over bytes character by character.
#[derive(Clone)]
pub struct Characters<'a> {
    rest: &'a [u8],
}

/// One step of [`Characters`].
pub struct Character<'a> {
    pub value: char,
    pub bytes: &'a [u8],
    /// False for a byte that is no part of any character.
    pub valid: bool,
}

impl<'a> Characters<'a> {
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Characters<'a> {
    type Item = Character<'a>;

    fn next(&mut self) -> Option<Character<'a>> {
        let (value, width) = decode(self.rest);
        let (bytes, rest) = self.rest.split_at_checked(width)?;
        if bytes.is_empty() {
            return None;
        }
        self.rest = rest;
        let valid = value != char::REPLACEMENT_CHARACTER || width != 1;
        Some(Character { value, bytes, valid })
    }
}

pub fn count(bytes: &[u8]) -> usize {
    Characters::of(bytes).count()
}

/// The text, each stray byte replaced by U+FFFD.
pub fn to_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => Characters::of(bytes).map(|character| character.value).collect(),
    }
}

/// Whether Go shows the character as itself in a quoted string.
pub fn is_print(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\0'..='\x7f' => false,
        _ => within(PRINT, character),
    }
}

pub fn is_letter(character: char) -> bool {
    character.is_ascii_alphabetic() || (!character.is_ascii() && within(LETTER, character))
}

pub fn is_digit(character: char) -> bool {
    character.is_ascii_digit() || (!character.is_ascii() && within(DIGIT, character))
}

/// Go's `unicode.IsSpace`.
pub fn is_space(character: char) -> bool {
    matches!(
        character,
        '\t'..='\r' | ' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}'
            | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

pub fn to_upper(character: char) -> char {
    if character.is_ascii() { character.to_ascii_uppercase() } else { mapped(UPPER, character) }
}

pub fn to_lower(character: char) -> char {
    if character.is_ascii() { character.to_ascii_lowercase() } else { mapped(LOWER, character) }
}

pub fn to_title(character: char) -> char {
    if character.is_ascii() { character.to_ascii_uppercase() } else { mapped(TITLE, character) }
}

fn within(table: &[(u32, u32)], character: char) -> bool {
    let code = u32::from(character);
    let after = table.partition_point(|&(first, _)| first <= code);
    after.checked_sub(1).and_then(|at| table.get(at)).is_some_and(|&(_, last)| code <= last)
}

fn mapped(table: &[(u32, u32, u32, i32)], character: char) -> char {
    let code = u32::from(character);
    let after = table.partition_point(|&(first, ..)| first <= code);
    // Runs of every second character may interleave, so the run before is looked at as well.
    for back in 1..=2 {
        let Some(&(first, last, step, distance)) = after.checked_sub(back).and_then(|at| table.get(at))
        else {
            break;
        };
        if code <= last && (code - first).is_multiple_of(step) {
            return code.checked_add_signed(distance).and_then(char::from_u32).unwrap_or(character);
        }
    }
    character
}
