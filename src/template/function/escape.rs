//! `html`, `js` and `urlquery`.

use super::failure::Failure;
use crate::template::characters::{Characters, is_print};
use crate::template::format::{Buffer, Limited, Printer};
use crate::template::value::Value;

/// The arguments as `print` would print them, but for a missing value.
pub fn text(arguments: &[Value], limit: usize) -> Result<Vec<u8>, Failure> {
    let shown: Vec<Value> = arguments
        .iter()
        .map(|argument| match argument.concrete() {
            Value::Nil => Value::from("<no value>"),
            Value::Object(object) if object.is_pointer() => Value::Object(object.target()),
            other => other.clone(),
        })
        .collect();
    let mut printer = Printer::new(limit);
    printer.print(&shown)?;
    Ok(printer.into_bytes())
}

pub fn html(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Limited> {
    let mut out = Buffer::new(limit);
    for &byte in bytes {
        match byte {
            0 => out.push("\u{fffd}")?,
            b'"' => out.push("&#34;")?,
            b'\'' => out.push("&#39;")?,
            b'&' => out.push("&amp;")?,
            b'<' => out.push("&lt;")?,
            b'>' => out.push("&gt;")?,
            _ => out.push([byte])?,
        }
    }
    Ok(out.into_bytes())
}

pub fn js(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Limited> {
    let mut out = Buffer::new(limit);
    for character in Characters::of(bytes) {
        match character.value {
            '\\' => out.push("\\\\")?,
            '\'' => out.push("\\'")?,
            '"' => out.push("\\\"")?,
            '<' => out.push("\\u003C")?,
            '>' => out.push("\\u003E")?,
            '&' => out.push("\\u0026")?,
            '=' => out.push("\\u003D")?,
            '\0'..='\x1f' => out.push(format!("\\u{:04X}", u32::from(character.value)))?,
            // A stray byte prints as U+FFFD does: as it is.
            value if value.is_ascii() || is_print(value) => out.push(character.bytes)?,
            value => out.push(format!("\\u{:04X}", u32::from(value)))?,
        }
    }
    Ok(out.into_bytes())
}

pub fn url_query(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Limited> {
    let mut out = Buffer::new(limit);
    for &byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push([byte])?;
            }
            b' ' => out.push("+")?,
            _ => out.push(format!("%{byte:02X}"))?,
        }
    }
    Ok(out.into_bytes())
}
