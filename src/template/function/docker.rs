//! `split`, `join`, `title`, `lower`, `upper`, `pad` and `truncate`, as Docker defines them.

use super::failure::Failure;
use crate::template::characters::{Characters, is_digit, is_letter, is_space, to_lower, to_title, to_upper};
use crate::template::format::{Buffer, Limited};
use crate::template::value::Value;

/// A string argument's bytes; the renderer has seen to the type.
pub fn bytes(argument: &Value) -> &[u8] {
    match argument.concrete() {
        Value::String(bytes) => bytes,
        _ => &[],
    }
}

/// An `int` argument; the renderer has seen to the type.
pub fn int(argument: &Value) -> i64 {
    match argument.concrete() {
        Value::Int(value) => *value,
        _ => 0,
    }
}

/// Go's `strings.Split`: with no separator, into characters.
pub fn split(text: &[u8], separator: &[u8]) -> Value {
    if separator.is_empty() {
        return Value::strings(Characters::of(text).map(|character| character.bytes));
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = find(rest, separator) {
        let (part, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        parts.push(part);
        rest = after.get(separator.len()..).unwrap_or_default();
    }
    parts.push(rest);
    Value::strings(parts)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

pub fn join(items: &Value, separator: &[u8], limit: usize) -> Result<Vec<u8>, Limited> {
    let mut out = Buffer::new(limit);
    if let Value::List(list) = items.concrete() {
        for (index, item) in list.items().iter().enumerate() {
            if index > 0 {
                out.push(separator)?;
            }
            out.push(bytes(item))?;
        }
    }
    Ok(out.into_bytes())
}

pub fn lower(text: &[u8], limit: usize) -> Result<Vec<u8>, Limited> {
    mapped(text, limit, to_lower)
}

pub fn upper(text: &[u8], limit: usize) -> Result<Vec<u8>, Limited> {
    mapped(text, limit, to_upper)
}

/// Go's `strings.Title`: what follows a blank, or ASCII punctuation but `_`, begins a word.
pub fn title(text: &[u8], limit: usize) -> Result<Vec<u8>, Limited> {
    let mut begins = true;
    mapped(text, limit, |character| {
        let mapped = if begins { to_title(character) } else { character };
        begins = match character {
            '_' => false,
            _ if character.is_ascii() => !character.is_ascii_alphanumeric(),
            _ => !is_letter(character) && !is_digit(character) && is_space(character),
        };
        mapped
    })
}

fn mapped(text: &[u8], limit: usize, mut map: impl FnMut(char) -> char) -> Result<Vec<u8>, Limited> {
    let mut out = Buffer::new(limit);
    for character in Characters::of(text) {
        out.push(map(character.value).encode_utf8(&mut [0; 4]))?;
    }
    Ok(out.into_bytes())
}

/// Puts spaces before and after a text, unless it is empty.
pub fn pad(text: &[u8], before: i64, after: i64, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut out = Buffer::new(limit);
    if !text.is_empty() {
        out.repeat(b' ', spaces(before)?)?;
        out.push(text)?;
        out.repeat(b' ', spaces(after)?)?;
    }
    Ok(out.into_bytes())
}

fn spaces(count: i64) -> Result<usize, Failure> {
    usize::try_from(count).map_err(|_| Failure::from("strings: negative Repeat count"))
}

/// The first bytes of a text; a character at the cut is cut too.
pub fn truncate(text: &[u8], length: i64) -> Result<Vec<u8>, Failure> {
    match usize::try_from(length) {
        Ok(length) => Ok(text.get(..length).unwrap_or(text).to_vec()),
        Err(_) => Err(Failure::Message(format!("runtime error: slice bounds out of range [:{length}]"))),
    }
}
