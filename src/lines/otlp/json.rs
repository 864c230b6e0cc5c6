//! OTLP's records in JSON: lowerCamelCase names, 64-bit numbers as strings or numbers, ids in hexadecimal.

use std::ops::Range;

use super::super::json_object::{Fields, string, value_length};
use super::super::objects::said;
use super::object::Object;
use super::{DEEPEST, Record, time_of};

/// Takes the records of a body that has been [checked](JsonRecords::check), in order.
#[derive(Clone, Debug)]
pub struct JsonRecords {
    /// What is left of the arrays of resources, of a resource's scopes, and of a scope's records: from behind
    /// the last item on.
    resources: Items,
    scopes: Items,
    records: Items,
    /// The resource and the scope of the next records.
    resource: Vec<u8>,
    scope: Vec<u8>,
}

/// The rest of an array with its bracket, by its place in the body.
#[derive(Clone, Debug, Default)]
struct Items {
    left: Range<usize>,
}

impl JsonRecords {
    /// The records of a body of well-formed JSON.
    ///
    /// # Errors
    /// For what is not: where, and what is wrong.
    pub fn check(body: &[u8]) -> Result<JsonRecords, String> {
        serde_json::from_slice::<serde::de::IgnoredAny>(body).map_err(|error| said(&error))?;
        let text = body.trim_ascii();
        if !text.starts_with(b"{") {
            return Err(wrong(body, text, "is no object"));
        }
        let none = Items::default();
        let resources = items(body, field(text, "resourceLogs"))?;
        let records = JsonRecords {
            resources,
            scopes: none.clone(),
            records: none,
            resource: Vec::new(),
            scope: Vec::new(),
        };
        Ok(records)
    }

    /// Writes the next record's event; `None` after the last.
    ///
    /// # Errors
    /// For what is no such request: where, and what is wrong.
    pub fn next(&mut self, body: &[u8], event: &mut Vec<u8>) -> Result<Option<Record>, String> {
        loop {
            if let Some(record) = self.records.next(body) {
                return self.record(body, record, event).map(Some);
            }
            if let Some(scope) = self.scopes.next(body) {
                let scope = object_at(body, &scope)?;
                self.scope.clear();
                if let Some(scope) = field(scope, "scope") {
                    write_scope(body, scope, &mut self.scope)?;
                }
                self.records = items(body, field(scope, "logRecords"))?;
            } else if let Some(resource) = self.resources.next(body) {
                let resource = object_at(body, &resource)?;
                self.resource.clear();
                if let Some(resource) = field(resource, "resource") {
                    write_resource(body, resource, &mut self.resource)?;
                }
                self.scopes = items(body, field(resource, "scopeLogs"))?;
            } else {
                return Ok(None);
            }
        }
    }

    fn record(&self, body: &[u8], at: Range<usize>, event: &mut Vec<u8>) -> Result<Record, String> {
        let record = object_at(body, &at)?;
        let number = |name| field(record, name).map_or(Ok(0), |value| unsigned(body, value));
        let (time, observed) = (number("timeUnixNano")?, number("observedTimeUnixNano")?);
        let mut object = Object::begin(event);
        if let Some(value) = field(record, "body") {
            write_value(body, value, 0, object.field("body"))?;
        }
        copy_text(record, "severityText", &mut object);
        // Some write the name of the severity, which its text is for.
        if let Some(Ok(severity)) = field(record, "severityNumber").map(|value| unsigned(body, value)) {
            object.number("severityNumber", severity);
        }
        copy_text(record, "eventName", &mut object);
        write_attributes(body, record, &mut object)?;
        object.number("droppedAttributesCount", number("droppedAttributesCount")?);
        copy_text(record, "traceId", &mut object);
        copy_text(record, "spanId", &mut object);
        object.number("flags", number("flags")?);
        object.raw("resource", &self.resource);
        object.raw("scope", &self.scope);
        object.number("timeUnixNano", time);
        object.number("observedTimeUnixNano", observed);
        object.end();
        Ok(Record { time: time_of(time, observed), end: at.end })
    }
}

impl Items {
    fn next(&mut self, body: &[u8]) -> Option<Range<usize>> {
        let left = body.get(self.left.clone())?;
        let text = left.trim_ascii_start();
        let text = text.strip_prefix(b",").unwrap_or(text).trim_ascii_start();
        let length = value_length(text)?;
        let start = self.left.end - text.len();
        self.left.start = start + length;
        Some(start..start + length)
    }
}

/// The items of an array; none of what is not there.
fn items(body: &[u8], array: Option<&[u8]>) -> Result<Items, String> {
    let Some(array) = array else { return Ok(Items::default()) };
    match array.strip_prefix(b"[").filter(|rest| rest.ends_with(b"]")) {
        Some(rest) => Ok(Items { left: place_of(body, rest) }),
        None => Err(wrong(body, array, "is no array")),
    }
}

/// A field of an object, unless it is null.
fn field<'a>(object: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut fields = Fields::of(object).into_iter().flatten();
    fields
        .find(|(known, _)| *known == name.as_bytes())
        .map(|(_, value)| value)
        .filter(|value| *value != b"null")
}

fn object_at<'a>(body: &'a [u8], at: &Range<usize>) -> Result<&'a [u8], String> {
    let text = body.get(at.clone()).unwrap_or_default();
    if text.starts_with(b"{") { Ok(text) } else { Err(wrong(body, text, "is no object")) }
}

/// Where a part of a body stands.
fn place_of(body: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).wrapping_sub(body.as_ptr() as usize).min(body.len());
    start..(start + part.len()).min(body.len())
}

/// Says what is wrong, and in which line.
fn wrong(body: &[u8], part: &[u8], what: &str) -> String {
    let before = body.get(..place_of(body, part).start).unwrap_or_default();
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let shown = String::from_utf8_lossy(part.get(..SHOWN).unwrap_or(part)).into_owned();
    format!("line {line}: `{shown}` {what}")
}

/// As much of what is wrong is shown, in bytes.
const SHOWN: usize = 40;

/// What is inside quotes, or the value as it stands.
fn bare(value: &[u8]) -> &[u8] {
    string(value).map_or(value, |(inside, _)| inside)
}

fn unsigned(body: &[u8], value: &[u8]) -> Result<u64, String> {
    let number = std::str::from_utf8(bare(value)).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| wrong(body, value, "is no whole number"))
}

/// Copies a string that is not empty.
fn copy_text(from: &[u8], name: &str, object: &mut Object<'_>) {
    if let Some(text) = field(from, name).filter(|value| value.starts_with(b"\"") && *value != b"\"\"") {
        object.raw(name, text);
    }
}

fn write_resource(body: &[u8], resource: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let mut object = Object::begin(out);
    write_attributes(body, resource, &mut object)?;
    object.end();
    Ok(())
}

fn write_scope(body: &[u8], scope: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let mut object = Object::begin(out);
    copy_text(scope, "name", &mut object);
    copy_text(scope, "version", &mut object);
    write_attributes(body, scope, &mut object)?;
    object.end();
    Ok(())
}

/// Writes `attributes`, an array of pairs, as an object; nothing if there are none.
fn write_attributes(body: &[u8], of: &[u8], object: &mut Object<'_>) -> Result<(), String> {
    let Some(pairs) = field(of, "attributes") else { return Ok(()) };
    if items(body, Some(pairs))?.next(body).is_none() {
        return Ok(());
    }
    write_pairs(body, Some(pairs), 0, object.field("attributes"))
}

fn write_pairs(body: &[u8], pairs: Option<&[u8]>, depth: usize, out: &mut Vec<u8>) -> Result<(), String> {
    let mut pairs = items(body, pairs)?;
    out.push(b'{');
    let mut first = true;
    while let Some(pair) = pairs.next(body) {
        let pair = object_at(body, &pair)?;
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        let key = field(pair, "key").unwrap_or(b"\"\"");
        if !key.starts_with(b"\"") {
            return Err(wrong(body, key, "is no key"));
        }
        out.extend_from_slice(key);
        out.push(b':');
        match field(pair, "value") {
            Some(value) => write_value(body, value, depth, out)?,
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
    Ok(())
}

/// Writes an `AnyValue`.
fn write_value(body: &[u8], value: &[u8], depth: usize, out: &mut Vec<u8>) -> Result<(), String> {
    if depth >= DEEPEST {
        return Err(wrong(body, value, &format!("lies more than {DEEPEST} values deep")));
    }
    if !value.starts_with(b"{") {
        return Err(wrong(body, value, "is no value: {\"stringValue\":…} is one"));
    }
    let last = Fields::of(value).into_iter().flatten().last();
    match last {
        Some((b"stringValue" | b"bytesValue", text)) if text.starts_with(b"\"") => {
            out.extend_from_slice(text)
        }
        Some((b"boolValue", truth @ (b"true" | b"false"))) => out.extend_from_slice(truth),
        Some((b"intValue", number)) => {
            let text = std::str::from_utf8(bare(number)).ok();
            let Some(number) = text.and_then(|text| text.parse::<i64>().ok()) else {
                return Err(wrong(body, number, "is no whole number"));
            };
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Some((b"doubleValue", number)) if !number.starts_with(b"{") && !number.starts_with(b"[") => {
            out.extend_from_slice(number);
        }
        Some((b"arrayValue", array)) => {
            let mut values = items(body, field(array, "values"))?;
            out.push(b'[');
            let mut first = true;
            while let Some(value) = values.next(body) {
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                write_value(body, body.get(value).unwrap_or_default(), depth + 1, out)?;
            }
            out.push(b']');
        }
        Some((b"kvlistValue", list)) => write_pairs(body, field(list, "values"), depth + 1, out)?,
        Some((name, value)) if KINDS.contains(&name) && value != b"null" => {
            return Err(wrong(body, value, &format!("is no {}", String::from_utf8_lossy(name))));
        }
        Some(_) | None => out.extend_from_slice(b"null"),
    }
    Ok(())
}

const KINDS: [&[u8]; 4] = [b"stringValue", b"bytesValue", b"boolValue", b"doubleValue"];
