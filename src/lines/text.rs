//! Turns log text into the inside of a JSON string, in one pass, counting as CloudWatch counts.
//!
//! Two kinds of text come in: raw bytes, and the inside of a JSON string that Docker wrote (which is
//! carried over, not decoded and encoded again). What comes out is always valid: a byte that is not UTF-8
//! becomes U+FFFD, each byte one, as Go and so Docker's own drivers do it; half a surrogate pair does too.

use super::block::{BLOCK, special};

/// What is written for a byte that is not UTF-8: three bytes, U+FFFD.
const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();

/// Text on its way into an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// As a program wrote it.
    Raw(&'a [u8]),
    /// The inside of a JSON string.
    Json(&'a [u8]),
}

/// How far a piece of text was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Bytes read.
    pub read: usize,
    /// Bytes of UTF-8 they stand for, which is what CloudWatch counts.
    pub bytes: usize,
}

/// Whether more of the same line may follow a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    None,
    /// A character cut off at the end is left unread.
    Follows,
}

impl<'a> Text<'a> {
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn bytes(&self) -> &'a [u8] {
        let (Text::Raw(text) | Text::Json(text)) = self;
        text
    }

    /// The text behind its first `read` bytes.
    pub fn skip(self, read: usize) -> Self {
        match self {
            Text::Raw(text) => Text::Raw(text.get(read..).unwrap_or_default()),
            Text::Json(text) => Text::Json(text.get(read..).unwrap_or_default()),
        }
    }

    /// Whether this may be the beginning of a character, and no more than that.
    pub fn is_cut_character(&self) -> bool {
        let text = self.bytes();
        let cut = |error: std::str::Utf8Error| error.valid_up_to() == 0 && error.error_len().is_none();
        std::str::from_utf8(text).is_err_and(cut)
    }

    /// More than this text can ever come to, in bytes of UTF-8.
    pub fn bound(&self) -> usize {
        self.len().saturating_mul(REPLACEMENT.len())
    }

    /// Appends the text to `out`, up to `room` bytes of UTF-8; stops at the last character that fits.
    ///
    /// In JSON an unescaped quote ends the text: what follows is left unread, as is a broken escape.
    #[inline]
    pub fn append_to(&self, out: &mut Vec<u8>, room: usize, rest: Rest) -> Taken {
        match self {
            Text::Raw(text) => append(text, out, room, rest, raw_special),
            Text::Json(text) => append(text, out, room, rest, json_special),
        }
    }
}

/// What became of one special place in a text.
enum Step {
    /// So many bytes read, standing for so many bytes of UTF-8.
    Took(usize, usize),
    /// Nothing more can be taken: no room, a cut character, the end of a JSON string.
    Stop,
}

#[inline(always)]
fn append(
    text: &[u8],
    out: &mut Vec<u8>,
    room: usize,
    rest: Rest,
    step: impl Fn(&[u8], &mut Vec<u8>, usize, Rest) -> Step,
) -> Taken {
    let mut taken = Taken::default();
    let mut left = text;
    loop {
        while let Some((block, after)) = left.split_first_chunk::<BLOCK>() {
            if taken.bytes + BLOCK > room {
                break;
            }
            // The whole block is written, and cut where a special byte stands: a write of constant
            // length is a single instruction.
            let special = special(block);
            out.extend_from_slice(block);
            if special == 0 {
                taken.bytes += BLOCK;
                left = after;
                continue;
            }
            let plain = special.trailing_zeros() as usize;
            out.truncate(out.len() - (BLOCK - plain));
            taken.bytes += plain;
            left = left.get(plain..).unwrap_or_default();
            break;
        }
        let Some(byte) = left.first() else { break };
        if (b' '..0x80).contains(byte) && *byte != b'"' && *byte != b'\\' {
            if taken.bytes >= room {
                break;
            }
            out.push(*byte);
            taken.bytes += 1;
            left = left.get(1..).unwrap_or_default();
            continue;
        }
        match step(left, out, room - taken.bytes.min(room), rest) {
            Step::Took(read, bytes) => {
                taken.bytes += bytes;
                left = left.get(read..).unwrap_or_default();
            }
            Step::Stop => break,
        }
    }
    taken.read = text.len() - left.len();
    taken
}

/// Writes the special character that raw text begins with.
fn raw_special(text: &[u8], out: &mut Vec<u8>, room: usize, rest: Rest) -> Step {
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

/// Carries over the special character that JSON text begins with.
fn json_special(text: &[u8], out: &mut Vec<u8>, room: usize, rest: Rest) -> Step {
    match text {
        [b'"', ..] => Step::Stop,
        [b'\\', b'u', digits @ ..] => unicode_escape(digits, out, room),
        [b'\\', name @ (b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't'), ..] if room > 0 => {
            out.extend_from_slice(&[b'\\', *name]);
            Step::Took(2, 1)
        }
        [b'\\', b'/', ..] if room > 0 => {
            out.push(b'/');
            Step::Took(2, 1)
        }
        [b'\\', ..] => Step::Stop,
        _ => raw_special(text, out, room, rest),
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
fn escape_ascii(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0C => b'f',
        b' '.. => return out.push(byte),
        _ => {
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            return out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Cuts an escaped character off the end of escaped text, if it ends in that one; whether it did.
pub fn cut_escape(name: u8, escaped: &mut Vec<u8>) -> bool {
    let kept = strip_escape(escaped, name).map(<[u8]>::len);
    if let Some(length) = kept {
        escaped.truncate(length);
    }
    kept.is_some()
}

/// JSON text without an escaped character at its end, if it ends in that one.
pub fn strip_escape(json: &[u8], name: u8) -> Option<&[u8]> {
    let before = json.strip_suffix(&[b'\\', name])?;
    let backslashes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
    // After an odd number, the backslash is itself escaped and the letter stands for itself.
    backslashes.is_multiple_of(2).then_some(before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn appended(text: Text) -> (String, Taken) {
        let mut out = Vec::new();
        let taken = text.append_to(&mut out, usize::MAX, Rest::None);
        (String::from_utf8(out).unwrap(), taken)
    }

    fn parsed(escaped: &str) -> String {
        serde_json::from_str(&format!("\"{escaped}\"")).unwrap()
    }

    /// Go's rule: one U+FFFD for each byte that is not UTF-8.
    fn as_go_reads(mut bytes: &[u8]) -> String {
        let mut text = String::new();
        while !bytes.is_empty() {
            match std::str::from_utf8(bytes) {
                Ok(valid) => {
                    text.push_str(valid);
                    break;
                }
                Err(error) => {
                    text.push_str(std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap());
                    text.push('\u{FFFD}');
                    bytes = &bytes[error.valid_up_to() + 1..];
                }
            }
        }
        text
    }

    #[test]
    fn raw_text_is_escaped() {
        for (raw, escaped) in [
            (&b""[..], ""),
            (b"plain", "plain"),
            (b"a\"b\\c", "a\\\"b\\\\c"),
            (b"\x00\x1f\x7f\t\r\n\x08\x0c", "\\u0000\\u001f\x7f\\t\\r\\n\\b\\f"),
            ("žluťoučký kůň 🐎".as_bytes(), "žluťoučký kůň 🐎"),
            (b"\xff", "\u{FFFD}"),
            (b"a\xF0\x9F\x99", "a\u{FFFD}\u{FFFD}\u{FFFD}"),
            (b"\xED\xA0\x80z", "\u{FFFD}\u{FFFD}\u{FFFD}z"),
            (b"0123456789abcdef\"0123456789abcdef0", "0123456789abcdef\\\"0123456789abcdef0"),
        ] {
            assert_eq!(appended(Text::Raw(raw)).0, escaped, "{raw:?}");
        }
    }

    #[test]
    fn json_text_is_carried_over() {
        for (json, escaped, bytes) in [
            ("plain", "plain", 5),
            ("\\u003ca\\u003e", "<a>", 3),
            ("tab\\tline\\n", "tab\\tline\\n", 9),
            ("\\u2028\\u0000", "\u{2028}\\u0000", 4),
            ("\\ud83d\\udc0e", "🐎", 4),
            ("\\ud83d", "\u{FFFD}", 3),
            ("\\ud83d\\u0041", "\u{FFFD}A", 4),
            ("\\udc0ex", "\u{FFFD}x", 4),
            ("a\\/b", "a/b", 3),
        ] {
            let (text, taken) = appended(Text::Json(json.as_bytes()));
            assert_eq!((text.as_str(), taken.bytes, taken.read), (escaped, bytes, json.len()), "{json}");
        }
    }

    #[test]
    fn broken_json_is_left_where_it_breaks() {
        for (json, read) in [("ab\"cd", 2), ("ab\\xcd", 2), ("ab\\u12g4", 2), ("ab\\", 2), ("ab\\u00", 2)] {
            assert_eq!(appended(Text::Json(json.as_bytes())).1.read, read, "{json}");
        }
    }

    #[test]
    fn a_character_cut_off_is_left_for_the_next_piece() {
        let mut out = Vec::new();
        let taken = Text::Raw(b"a\xF0\x9F\x90").append_to(&mut out, usize::MAX, Rest::Follows);
        assert_eq!((taken.read, out.as_slice()), (1, &b"a"[..]));
    }

    #[test]
    fn escapes_at_the_end_are_told_from_letters_after_backslashes() {
        for (json, stripped) in [
            ("a\\n", Some("a")),
            ("a\\\\n", None),
            ("a\\\\\\n", Some("a\\\\")),
            ("\\n", Some("")),
            ("n", None),
            ("", None),
        ] {
            assert_eq!(strip_escape(json.as_bytes(), b'n'), stripped.map(str::as_bytes), "{json}");
            let mut text = json.as_bytes().to_vec();
            assert_eq!(cut_escape(b'n', &mut text), stripped.is_some(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn raw_text_reads_back_as_go_would_write_it(raw in proptest::collection::vec(any::<u8>(), 0..80)) {
            let (escaped, taken) = appended(Text::Raw(&raw));
            let expected = as_go_reads(&raw);
            prop_assert_eq!(taken, Taken { read: raw.len(), bytes: expected.len() });
            prop_assert_eq!(parsed(&escaped), expected);
        }

        #[test]
        fn json_text_means_the_same_before_and_after(text in "(?s).{0,60}") {
            let json = serde_json::to_string(&text).unwrap();
            let (escaped, taken) = appended(Text::Json(&json.as_bytes()[1..json.len() - 1]));
            prop_assert_eq!(taken.bytes, text.len());
            prop_assert_eq!(parsed(&escaped), text);
        }

        #[test]
        fn pieces_within_any_room_join_to_the_whole(raw in proptest::collection::vec(any::<u8>(), 0..80), room in 4usize..40) {
            let mut left = raw.as_slice();
            let mut joined = String::new();
            while !left.is_empty() {
                let mut out = Vec::new();
                let taken = Text::Raw(left).append_to(&mut out, room, Rest::None);
                prop_assert!(taken.read > 0 && taken.bytes <= room);
                joined.push_str(&parsed(std::str::from_utf8(&out).unwrap()));
                left = &left[taken.read..];
            }
            prop_assert_eq!(joined, as_go_reads(&raw));
        }
    }
}
