//! `json`: a value as Go's `encoding/json` writes it, with `<`, `>` and `&` left as they are.

use super::failure::Failure;
use crate::template::characters::Characters;
use crate::template::format::{Buffer, Limited, Style, format_float};
use crate::template::value::{Struct, Value};

pub fn encode(value: &Value, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut out = Buffer::new(limit);
    write(&mut out, value)?;
    Ok(out.into_bytes())
}

fn write(out: &mut Buffer, value: &Value) -> Result<(), Limited> {
    match value {
        Value::Nil => out.push("null"),
        Value::Bool(value) => out.push(value.to_string()),
        Value::Int(value) | Value::Int64(value) | Value::Named(_, value) => out.push(value.to_string()),
        Value::Byte(value) => out.push(value.to_string()),
        Value::Float(value) => out.push(number(*value)),
        Value::String(bytes) => write_string(out, bytes),
        Value::List(_) | Value::Map(_) if value.is_nil() => out.push("null"),
        Value::List(list) => {
            out.push("[")?;
            for (index, item) in list.items().iter().enumerate() {
                if index > 0 {
                    out.push(",")?;
                }
                write(out, item)?;
            }
            out.push("]")
        }
        Value::Map(map) => {
            out.push("{")?;
            for (index, (key, item)) in map.entries().enumerate() {
                if index > 0 {
                    out.push(",")?;
                }
                write_string(out, key)?;
                out.push(":")?;
                write(out, item)?;
            }
            out.push("}")
        }
        Value::Object(object) => write_struct(out, object.body()),
        Value::Any(value) => write(out, value),
    }
}

fn write_struct(out: &mut Buffer, body: &dyn Struct) -> Result<(), Limited> {
    if let Some(json) = body.json() {
        return out.push(json);
    }
    out.push("{")?;
    for (index, (name, item)) in body.fields().iter().enumerate() {
        if index > 0 {
            out.push(",")?;
        }
        write_string(out, name.as_bytes())?;
        out.push(":")?;
        write(out, item)?;
    }
    out.push("}")
}

fn write_string(out: &mut Buffer, bytes: &[u8]) -> Result<(), Limited> {
    out.push("\"")?;
    for character in Characters::of(bytes) {
        match character.value {
            '"' => out.push("\\\"")?,
            '\\' => out.push("\\\\")?,
            '\x08' => out.push("\\b")?,
            '\x0c' => out.push("\\f")?,
            '\n' => out.push("\\n")?,
            '\r' => out.push("\\r")?,
            '\t' => out.push("\\t")?,
            '\0'..='\x1f' | '\u{2028}' | '\u{2029}' => {
                out.push(format!("\\u{:04x}", u32::from(character.value)))?;
            }
            // What is no character is U+FFFD here too.
            value => out.push(value.encode_utf8(&mut [0; 4]))?,
        }
    }
    out.push("\"")
}

/// A float as JavaScript would write it.
fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let text = format_float(value, Style::Exponent, None);
        // Go cuts the leading zero of a negative exponent only.
        match text.split_once("e-0") {
            Some((digits, exponent)) => format!("{digits}e-{exponent}"),
            None => text,
        }
    } else {
        format_float(value, Style::Fixed, None)
    }
}
