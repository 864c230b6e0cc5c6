//! Writes JSON objects field by field.

use crate::cloudwatch::write_string;

/// An object that is being written at the end of `out`.
#[derive(Debug)]
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    pub fn begin(out: &'a mut Vec<u8>) -> Object<'a> {
        out.push(b'{');
        Object { out, empty: true }
    }

    /// Begins a field; whoever calls writes its value.
    pub fn field(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
        write_string(name, self.out);
        self.out.push(b':');
        self.out
    }

    /// A field of text; nothing if it is empty.
    pub fn text(&mut self, name: &str, text: &[u8]) {
        if !text.is_empty() {
            write_text(text, self.field(name));
        }
    }

    /// A field of a number; nothing if it is 0.
    pub fn number(&mut self, name: &str, number: u64) {
        if number > 0 {
            self.field(name).extend_from_slice(number.to_string().as_bytes());
        }
    }

    /// A field of a value that is JSON already; nothing if it is empty.
    pub fn raw(&mut self, name: &str, json: &[u8]) {
        if !json.is_empty() {
            self.field(name).extend_from_slice(json);
        }
    }

    pub fn end(self) {
        self.out.push(b'}');
    }
}

/// Text as a JSON string; what is not UTF-8 is replaced.
pub fn write_text(text: &[u8], out: &mut Vec<u8>) {
    write_string(&String::from_utf8_lossy(text), out);
}

/// A floating-point number; JSON has no infinities, so they are strings, as OTLP's own JSON has them.
pub fn write_double(number: f64, out: &mut Vec<u8>) {
    match serde_json::Number::from_f64(number) {
        Some(number) => out.extend_from_slice(number.to_string().as_bytes()),
        None if number.is_nan() => out.extend_from_slice(b"\"NaN\""),
        None if number > 0.0 => out.extend_from_slice(b"\"Infinity\""),
        None => out.extend_from_slice(b"\"-Infinity\""),
    }
}

/// Bytes as hexadecimal digits in a string.
pub fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
        }
    }
    out.push(b'"');
}
