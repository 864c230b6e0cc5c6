//! Writes one character of a log's text into a JSON string: escaped, carried over or replaced.

/// Whether more of the same line may follow a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    None,
    /// A character cut off at the end is left unread.
    Follows,
}

/// What became of one place in a text.
pub enum Step {
    /// So many bytes read, standing for so many bytes of UTF-8.
    Took(usize, usize),
    /// Nothing more can be taken: no room, a cut character, the end of a JSON string.
    Stop,
}

/// What is to be done about a special byte.
pub enum Place {
    /// It and the next byte are written as they stand: an escaped character.
    Stays,
    Escape(u8),
    /// Something that is looked at more closely, by [`Form::step`].
    Other,
}

/// What tells the kinds of text apart.
pub trait Form {
    /// What is to be done where a text goes on so, with a byte that is special.
    fn place(text: &[u8]) -> Place;

    /// Writes the character that a text begins with, whatever it is.
    fn step(text: &[u8], out: &mut Vec<u8>, room: usize, rest: Rest) -> Step;
}

/// As a program wrote it.
pub struct Raw;
/// The inside of a JSON string.
pub struct Json;

impl Form for Raw {
    #[inline(always)]
    fn place(text: &[u8]) -> Place {
        match text {
            [byte @ ..0x80, ..] => Place::Escape(*byte),
            _ => Place::Other,
        }
    }

    fn step(text: &[u8], out: &mut Vec<u8>, room: usize, rest: Rest) -> Step {
        match text.first() {
            None => Step::Stop,
            Some(0x80..) => multibyte(text, out, room, rest),
            Some(_) if room == 0 => Step::Stop,
            Some(byte) => {
                escape_ascii(*byte, out);
                Step::Took(1, 1)
            }
        }
    }
}

impl Form for Json {
    #[inline(always)]
    fn place(text: &[u8]) -> Place {
        match text {
            [b'\\', b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Place::Stays,
            _ => Place::Other,
        }
    }

    fn step(text: &[u8], out: &mut Vec<u8>, room: usize, rest: Rest) -> Step {
        match (text, Json::place(text)) {
            ([backslash, name, ..], Place::Stays) if room > 0 => {
                out.extend_from_slice(&[*backslash, *name]);
                Step::Took(2, 1)
            }
            ([b'\\', b'u', digits @ ..], _) => unicode_escape(digits, out, room),
            ([b'\\', b'/', ..], _) if room > 0 => {
                out.push(b'/');
                Step::Took(2, 1)
            }
            ([b'"' | b'\\', ..], _) => Step::Stop,
            _ => Raw::step(text, out, room, rest),
        }
    }
}

/// Carries over what follows `\u`.
fn unicode_escape(digits: &[u8], out: &mut Vec<u8>, room: usize) -> Step {
    const ESCAPE: usize = 6;
    let Some(unit) = hex4(digits) else { return Step::Stop };
    let pair = match (unit, digits.get(4..6)) {
        (0xD800..0xDC00, Some(b"\\u")) => {
            digits.get(6..).and_then(hex4).filter(|low| (0xDC00..0xE000).contains(low))
        }
        _ => None,
    };
    let (character, read) = match pair {
        Some(low) => (char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00)), 2 * ESCAPE),
        None => (char::from_u32(unit), ESCAPE),
    };
    let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
    if character.len_utf8() > room {
        return Step::Stop;
    }
    if character.is_ascii() {
        escape_ascii(character as u8, out);
    } else {
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Step::Took(read, character.len_utf8())
}

fn hex4(digits: &[u8]) -> Option<u32> {
    let digits = digits.first_chunk::<4>()?;
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + char::from(*digit).to_digit(16)?))
}

/// Copies the character that is not ASCII, or writes U+FFFD for its first byte.
fn multibyte(text: &[u8], out: &mut Vec<u8>, room: usize, rest: Rest) -> Step {
    let window = text.get(..4).unwrap_or(text);
    let valid = match std::str::from_utf8(window) {
        Ok(valid) => valid,
        Err(error) => {
            if error.valid_up_to() == 0 && error.error_len().is_none() && rest == Rest::Follows {
                return Step::Stop;
            }
            let (valid, _) = window.split_at_checked(error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
    };
    let (bytes, read) = match valid.chars().next() {
        Some(character) => {
            let (character, _) = window.split_at_checked(character.len_utf8()).unwrap_or_default();
            (character, character.len())
        }
        None => (REPLACEMENT, 1),
    };
    if bytes.len() > room {
        return Step::Stop;
    }
    out.extend_from_slice(bytes);
    Step::Took(read, bytes.len())
}

/// Writes an ASCII character, escaped where JSON wants it.
#[inline]
pub fn escape_ascii(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => return out.extend_from_slice(&[b'\\', byte]),
        b' '.. => return out.push(byte),
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0C => b'f',
        _ => {
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            return out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// What is written for a byte that is not UTF-8: three bytes, U+FFFD.
pub const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();
