//! Go's quoted strings and characters, written and read.

use super::characters::{Characters, decode, is_print};

/// Which characters a quoted string may show as themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Printable,
    AsciiOnly,
}

/// Writes a string in double quotes, as Go's `%q` does.
pub fn quote(bytes: &[u8], shown: Shown) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for character in Characters::of(bytes) {
        if character.valid {
            escape(&mut text, character.value, '"', shown);
        } else {
            for byte in character.bytes {
                text.push_str(&format!("\\x{byte:02x}"));
            }
        }
    }
    text.push('"');
    text
}

/// Writes a character in single quotes, as Go's `%q` does for numbers.
pub fn quote_character(character: char, shown: Shown) -> String {
    let mut text = String::from("'");
    escape(&mut text, character, '\'', shown);
    text.push('\'');
    text
}

/// Whether a string can stand between backquotes unchanged.
pub fn can_backquote(bytes: &[u8]) -> bool {
    Characters::of(bytes).all(|character| {
        character.valid
            && match character.value {
                '\t' => true,
                '\0'..='\x1f' | '`' | '\x7f' | '\u{feff}' => false,
                _ => true,
            }
    })
}

/// A literal that is not one.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidSyntax;

/// Reads a literal in double quotes or backquotes.
pub fn unquote(literal: &str) -> Result<Vec<u8>, InvalidSyntax> {
    if let Some(raw) = literal.strip_prefix('`') {
        let raw = raw.strip_suffix('`').ok_or(InvalidSyntax)?;
        if raw.contains('`') {
            return Err(InvalidSyntax);
        }
        return Ok(raw.bytes().filter(|&byte| byte != b'\r').collect());
    }
    let mut rest = literal.strip_prefix('"').ok_or(InvalidSyntax)?.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while rest != b"\"" {
        if rest.first() == Some(&b'\n') {
            return Err(InvalidSyntax);
        }
        let (unit, after) = unquote_unit(rest, b'"')?;
        match unit {
            Unit::Byte(byte) => bytes.push(byte),
            Unit::Character(character) => {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        rest = after;
    }
    Ok(bytes)
}

/// What one escape stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Written `\x..` or `\...`: a byte of a string, or a small number.
    Byte(u8),
    Character(char),
}

/// Reads one character or escape from within quotes, and returns what follows it.
pub fn unquote_unit(text: &[u8], quote: u8) -> Result<(Unit, &[u8]), InvalidSyntax> {
    let &first = text.first().ok_or(InvalidSyntax)?;
    if first == quote {
        return Err(InvalidSyntax);
    }
    if first != b'\\' {
        let (character, width) = decode(text);
        return Ok((Unit::Character(character), text.get(width..).unwrap_or(&[])));
    }
    let (&[_, kind], rest) = text.split_first_chunk::<2>().ok_or(InvalidSyntax)?;
    let simple = |character| Ok((Unit::Character(character), rest));
    match kind {
        b'a' => simple('\x07'),
        b'b' => simple('\x08'),
        b'f' => simple('\x0c'),
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'v' => simple('\x0b'),
        b'\\' => simple('\\'),
        b'\'' | b'"' if kind == quote => simple(char::from(kind)),
        b'x' => {
            let (value, rest) = digits(rest, 2, 16)?;
            Ok((Unit::Byte(u8::try_from(value).map_err(|_| InvalidSyntax)?), rest))
        }
        b'u' | b'U' => {
            let (value, rest) = digits(rest, if kind == b'u' { 4 } else { 8 }, 16)?;
            let character = char::from_u32(value).ok_or(InvalidSyntax)?;
            Ok((Unit::Character(character), rest))
        }
        b'0'..=b'7' => {
            let (value, rest) = digits(text.get(1..).unwrap_or(&[]), 3, 8)?;
            Ok((Unit::Byte(u8::try_from(value).map_err(|_| InvalidSyntax)?), rest))
        }
        _ => Err(InvalidSyntax),
    }
}

fn digits(text: &[u8], count: usize, base: u32) -> Result<(u32, &[u8]), InvalidSyntax> {
    let (digits, rest) = text.split_at_checked(count).ok_or(InvalidSyntax)?;
    let mut value = 0_u32;
    for &digit in digits {
        let digit = char::from(digit).to_digit(base).ok_or(InvalidSyntax)?;
        value = value.checked_mul(base).and_then(|value| value.checked_add(digit)).ok_or(InvalidSyntax)?;
    }
    Ok((value, rest))
}

fn escape(text: &mut String, character: char, quote: char, shown: Shown) {
    if character == quote || character == '\\' {
        text.push('\\');
        text.push(character);
        return;
    }
    if is_print(character) && (shown == Shown::Printable || character.is_ascii()) {
        text.push(character);
        return;
    }
    match character {
        '\x07' => text.push_str("\\a"),
        '\x08' => text.push_str("\\b"),
        '\x0c' => text.push_str("\\f"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        '\x0b' => text.push_str("\\v"),
        '\0'..='\x1f' | '\x7f' => text.push_str(&format!("\\x{:02x}", u32::from(character))),
        '\u{80}'..='\u{ffff}' => text.push_str(&format!("\\u{:04x}", u32::from(character))),
        _ => text.push_str(&format!("\\U{:08x}", u32::from(character))),
    }
}
