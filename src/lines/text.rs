//! Turns log text into the inside of a JSON string, in one pass, counting as CloudWatch counts.
//!
//! Two kinds of text come in: raw bytes, and the inside of a JSON string that Docker wrote (which is
//! carried over, not decoded and encoded again). What comes out is always valid: a byte that is not UTF-8
//! becomes U+FFFD, each byte one, as Go and so Docker's own drivers do it; half a surrogate pair does too.

use super::block::{BLOCK, Block, WIDE, is_plain};
use super::character::{Form, Json, Place, Raw, Rest, Step, escape_ascii};

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

    /// Appends the text to `out`, up to `room` bytes of UTF-8; stops at the last character that fits.
    ///
    /// In JSON an unescaped quote ends the text: what follows is left unread, as is a broken escape.
    #[inline]
    pub fn append_to(&self, out: &mut Vec<u8>, room: usize, rest: Rest) -> Taken {
        match self {
            Text::Raw(text) => append::<Raw>(text, out, room, rest),
            Text::Json(text) => append::<Json>(text, out, room, rest),
        }
    }
}

#[inline(always)]
fn append<F: Form>(text: &[u8], out: &mut Vec<u8>, room: usize, rest: Rest) -> Taken {
    let mut hand = Hand { left: text, bytes: 0 };
    // A block is written as a whole, and cut where it cannot stay as it is: a write of constant length is a
    // single instruction.
    let mut calm = true;
    while hand.bytes + BLOCK <= room {
        // Where one block had nothing to mend, four at once seldom have.
        if calm
            && let Some((wide, after)) = hand.left.split_first_chunk::<WIDE>()
            && hand.bytes + WIDE <= room
            && is_plain(wide)
        {
            out.extend_from_slice(wide);
            hand = Hand { left: after, bytes: hand.bytes + WIDE };
            continue;
        }
        let more = if let Some((whole, after)) = hand.left.split_first_chunk::<BLOCK>() {
            out.extend_from_slice(whole);
            let block = Block::of(whole);
            let special = block.special();
            calm = special == 0;
            if calm {
                hand = Hand { left: after, bytes: hand.bytes + BLOCK };
                continue;
            }
            hand.mend::<F>(block, special, out, room, rest)
        } else if hand.left.is_empty() {
            break;
        } else {
            let block = Block::padded(hand.left);
            out.extend_from_slice(&block.bytes());
            hand.mend::<F>(block, block.special(), out, room, rest)
        };
        if !more {
            return hand.taken(text);
        }
    }
    while !hand.left.is_empty() && hand.step::<F>(out, room, rest) {}
    hand.taken(text)
}

/// Where in a text the writing of it stands.
struct Hand<'a> {
    left: &'a [u8],
    /// Bytes of UTF-8 written.
    bytes: usize,
}

impl Hand<'_> {
    fn taken(&self, text: &[u8]) -> Taken {
        Taken { read: text.len() - self.left.len(), bytes: self.bytes }
    }

    /// Mends what has been written of the block that stands at `left`, as far as that goes, and goes on
    /// behind it. `false`: nothing more can be taken.
    #[inline(always)]
    fn mend<F: Form>(
        &mut self,
        block: Block,
        mut special: u32,
        out: &mut Vec<u8>,
        room: usize,
        rest: Rest,
    ) -> bool {
        let foreign = block.foreign();
        let bytes = block.bytes();
        // The block's bytes from here on are the last that have been written.
        let mut begin = 0;
        let mut escapes = 0;
        let end = loop {
            let first = (special | (1 << BLOCK)).trailing_zeros();
            let at = if foreign >> first & 1 == 0 { first as usize } else { block.characters(special) };
            match F::place(bytes.get(at..self.left.len().min(BLOCK)).unwrap_or_default()) {
                Place::Stays => {
                    special &= !(0b11 << at);
                    escapes += 1;
                }
                Place::Escape(byte) => {
                    special &= !(1 << at);
                    out.truncate(out.len() - (BLOCK - (at - begin)));
                    escape_ascii(byte, out);
                    begin = at + 1;
                    let next = self.left.get(begin..).unwrap_or_default();
                    let next = next.first_chunk().map_or_else(|| Block::padded(next), Block::of);
                    out.extend_from_slice(&next.bytes());
                }
                Place::Other => break at,
            }
        };
        out.truncate(out.len() - (BLOCK - (end - begin)));
        self.bytes += end - escapes;
        self.left = self.left.get(end..).unwrap_or_default();
        match self.left.first() {
            None => false,
            // What a block begins with may be whole in the next one.
            Some(_) if end == BLOCK => true,
            Some(0x80..) if end > 0 => true,
            Some(_) => self.step::<F>(out, room, rest),
        }
    }

    /// Writes one character. `false`: it cannot be taken.
    #[inline(always)]
    fn step<F: Form>(&mut self, out: &mut Vec<u8>, room: usize, rest: Rest) -> bool {
        match F::step(self.left, out, room - self.bytes, rest) {
            Step::Took(read, bytes) => {
                self.bytes += bytes;
                self.left = self.left.get(read..).unwrap_or_default();
                true
            }
            Step::Stop => false,
        }
    }
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

/// Appends what escaped text says. It is text that was written here: no surrogates, no escapes but the usual.
pub fn unescape(mut escaped: &[u8], out: &mut Vec<u8>) {
    while let Some(at) = memchr::memchr(b'\\', escaped) {
        let (plain, rest) = escaped.split_at_checked(at).unwrap_or((escaped, &[]));
        out.extend_from_slice(plain);
        let (character, read) = match rest {
            [_, b'u', _, _, digits @ ..] => (hex2(digits), 6),
            [_, name, ..] => (named(*name), 2),
            _ => (b'\\', 1),
        };
        out.push(character);
        escaped = rest.get(read..).unwrap_or_default();
    }
    out.extend_from_slice(escaped);
}

fn named(name: u8) -> u8 {
    match name {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'f' => 0x0C,
        other => other,
    }
}

/// The control character that two hexadecimal digits name.
fn hex2(digits: &[u8]) -> u8 {
    let digit = |at: usize| digits.get(at).and_then(|digit| char::from(*digit).to_digit(16)).unwrap_or(0);
    (digit(0) << 4 | digit(1)) as u8
}

#[cfg(test)]
mod tests;
