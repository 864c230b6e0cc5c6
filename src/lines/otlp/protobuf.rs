//! OTLP's records in protobuf, by the field numbers of `opentelemetry/proto/logs/v1/logs.proto`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::object::{Object, write_double, write_hex, write_text};
use super::wire::{Message, Value, next, part};
use super::{DEEPEST, Record, time_of};

/// Takes the records of a body, in order.
#[derive(Clone, Debug)]
pub struct ProtobufRecords {
    /// What is left of the body, of a resource's logs, and of a scope's.
    resources: Message,
    scopes: Message,
    records: Message,
    /// The resource and the scope of the next records, as JSON.
    resource: Vec<u8>,
    scope: Vec<u8>,
}

/// What a record holds beside its attributes.
#[derive(Default)]
struct Found {
    time: u64,
    observed: u64,
    severity: u64,
    severity_text: Message,
    body: Option<Message>,
    dropped: u64,
    flags: u64,
    trace: Message,
    span: Message,
    event: Message,
}

impl ProtobufRecords {
    pub fn new(body: &[u8]) -> ProtobufRecords {
        ProtobufRecords {
            resources: 0..body.len(),
            scopes: 0..0,
            records: 0..0,
            resource: Vec::new(),
            scope: Vec::new(),
        }
    }

    /// Writes the next record's event; `None` after the last.
    ///
    /// # Errors
    /// For what is no such request: where, and what is wrong.
    pub fn next(&mut self, body: &[u8], event: &mut Vec<u8>) -> Result<Option<Record>, String> {
        loop {
            if let Some(field) = next(body, &mut self.records)? {
                if let (2, Value::Bytes(record)) = field {
                    return self.record(body, record, event).map(Some);
                }
            } else if let Some(field) = next(body, &mut self.scopes)? {
                if let (2, Value::Bytes(scope)) = field {
                    self.scope.clear();
                    if let Some(scope) = message_of(body, &scope, 1)? {
                        write_scope(body, scope, &mut self.scope)?;
                    }
                    self.records = scope;
                }
            } else if let Some(field) = next(body, &mut self.resources)? {
                if let (1, Value::Bytes(resource)) = field {
                    self.resource.clear();
                    if let Some(resource) = message_of(body, &resource, 1)? {
                        write_resource(body, resource, &mut self.resource)?;
                    }
                    self.scopes = resource;
                }
            } else {
                return Ok(None);
            }
        }
    }

    fn record(&self, body: &[u8], record: Message, event: &mut Vec<u8>) -> Result<Record, String> {
        let found = found(body, record.clone())?;
        let mut object = Object::begin(event);
        if let Some(value) = found.body {
            write_value(body, value, 0, object.field("body"))?;
        }
        object.text("severityText", part(body, &found.severity_text));
        object.number("severityNumber", found.severity);
        object.text("eventName", part(body, &found.event));
        write_attributes(body, &record, 6, &mut object)?;
        object.number("droppedAttributesCount", found.dropped);
        for (name, id) in [("traceId", found.trace), ("spanId", found.span)] {
            let id = part(body, &id);
            if id.iter().any(|byte| *byte != 0) {
                write_hex(id, object.field(name));
            }
        }
        object.number("flags", found.flags);
        object.raw("resource", &self.resource);
        object.raw("scope", &self.scope);
        object.number("timeUnixNano", found.time);
        object.number("observedTimeUnixNano", found.observed);
        object.end();
        Ok(Record { time: time_of(found.time, found.observed), end: record.end })
    }
}

fn found(body: &[u8], mut record: Message) -> Result<Found, String> {
    let mut found = Found::default();
    while let Some(field) = next(body, &mut record)? {
        match field {
            (1, Value::Fixed64(time)) => found.time = time,
            (2, Value::Varint(severity)) => found.severity = severity,
            (3, Value::Bytes(text)) => found.severity_text = text,
            (5, Value::Bytes(value)) => found.body = Some(value),
            (7, Value::Varint(count)) => found.dropped = count,
            (8, Value::Fixed32(flags)) => found.flags = flags.into(),
            (9, Value::Bytes(id)) => found.trace = id,
            (10, Value::Bytes(id)) => found.span = id,
            (11, Value::Fixed64(time)) => found.observed = time,
            (12, Value::Bytes(name)) => found.event = name,
            _ => {}
        }
    }
    Ok(found)
}

/// The last message of this number in another one.
fn message_of(body: &[u8], within: &Message, number: u64) -> Result<Option<Message>, String> {
    let mut within = within.clone();
    let mut found = None;
    while let Some(field) = next(body, &mut within)? {
        if let (known, Value::Bytes(message)) = field
            && known == number
        {
            found = Some(message);
        }
    }
    Ok(found)
}

fn write_resource(body: &[u8], resource: Message, out: &mut Vec<u8>) -> Result<(), String> {
    let mut object = Object::begin(out);
    write_attributes(body, &resource, 1, &mut object)?;
    object.end();
    Ok(())
}

fn write_scope(body: &[u8], scope: Message, out: &mut Vec<u8>) -> Result<(), String> {
    let mut object = Object::begin(out);
    for (number, name) in [(1, "name"), (2, "version")] {
        if let Some(text) = message_of(body, &scope, number)? {
            object.text(name, part(body, &text));
        }
    }
    write_attributes(body, &scope, 3, &mut object)?;
    object.end();
    Ok(())
}

/// Writes the fields of this number, `KeyValue`s, as an object; nothing if there are none.
fn write_attributes(body: &[u8], of: &Message, number: u64, object: &mut Object<'_>) -> Result<(), String> {
    if message_of(body, of, number)?.is_some() {
        write_pairs(body, of.clone(), number, 0, object.field("attributes"))?;
    }
    Ok(())
}

fn write_pairs(
    body: &[u8],
    mut of: Message,
    number: u64,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let mut object = Object::begin(out);
    while let Some(field) = next(body, &mut of)? {
        let (known, Value::Bytes(pair)) = field else { continue };
        if known != number {
            continue;
        }
        let key = message_of(body, &pair, 1)?.unwrap_or_default();
        let out = object.field(&String::from_utf8_lossy(part(body, &key)));
        match message_of(body, &pair, 2)? {
            Some(value) => write_value(body, value, depth, out)?,
            None => out.extend_from_slice(b"null"),
        }
    }
    object.end();
    Ok(())
}

/// Writes an `AnyValue`.
fn write_value(body: &[u8], value: Message, depth: usize, out: &mut Vec<u8>) -> Result<(), String> {
    if depth >= DEEPEST {
        return Err(format!("byte {}: values within values, more than {DEEPEST} deep", value.start));
    }
    let mut value = value;
    let mut last = None;
    while let Some(field) = next(body, &mut value)? {
        last = Some(field);
    }
    match last {
        Some((1, Value::Bytes(text))) => write_text(part(body, &text), out),
        Some((2, Value::Varint(truth))) => {
            out.extend_from_slice(if truth == 0 { b"false" } else { b"true" });
        }
        Some((3, Value::Varint(number))) => {
            out.extend_from_slice(number.cast_signed().to_string().as_bytes());
        }
        Some((4, Value::Fixed64(bits))) => write_double(f64::from_bits(bits), out),
        Some((5, Value::Bytes(mut values))) => {
            out.push(b'[');
            let mut first = true;
            while let Some(field) = next(body, &mut values)? {
                if let (1, Value::Bytes(value)) = field {
                    if !std::mem::take(&mut first) {
                        out.push(b',');
                    }
                    write_value(body, value, depth + 1, out)?;
                }
            }
            out.push(b']');
        }
        Some((6, Value::Bytes(pairs))) => write_pairs(body, pairs, 1, depth + 1, out)?,
        Some((7, Value::Bytes(bytes))) => write_text(STANDARD.encode(part(body, &bytes)).as_bytes(), out),
        _ => out.extend_from_slice(b"null"),
    }
    Ok(())
}
