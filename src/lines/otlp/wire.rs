//! Protobuf's wire format: the fields of a message, as they stand in its bytes.

use std::ops::Range;

/// A message, as far as it has not been read: a part of a body.
pub type Message = Range<usize>;

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    /// Text, bytes, or a message.
    Bytes(Range<usize>),
}

/// The next field of a message: its number, and its value.
///
/// # Errors
/// For what is no field.
pub fn next(body: &[u8], message: &mut Message) -> Result<Option<(u64, Value)>, String> {
    if message.start >= message.end {
        return Ok(None);
    }
    let key = varint(body, message)?;
    let value = match key & 7 {
        0 => Value::Varint(varint(body, message)?),
        1 => Value::Fixed64(u64::from_le_bytes(fixed(body, message)?)),
        2 => {
            let length = varint(body, message)?;
            let length = usize::try_from(length).ok().filter(|length| *length <= message.len());
            let Some(length) = length else {
                return Err(format!("byte {}: a length beyond the end of the message", message.start));
            };
            let start = message.start;
            message.start += length;
            Value::Bytes(start..message.start)
        }
        5 => Value::Fixed32(u32::from_le_bytes(fixed(body, message)?)),
        kind => return Err(format!("byte {}: a field of the unknown type {kind}", message.start)),
    };
    match key >> 3 {
        0 => Err(format!("byte {}: a field without a number", message.start)),
        number => Ok(Some((number, value))),
    }
}

/// The bytes that a range stands for.
pub fn part<'a>(body: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    body.get(range.clone()).unwrap_or_default()
}

fn varint(body: &[u8], message: &mut Message) -> Result<u64, String> {
    let mut number = 0_u64;
    for shift in (0..70).step_by(7) {
        let Some(byte) = part(body, message).first() else { break };
        message.start += 1;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            break;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(format!("byte {}: a number without an end", message.start))
}

fn fixed<const LENGTH: usize>(body: &[u8], message: &mut Message) -> Result<[u8; LENGTH], String> {
    let Some(bytes) = part(body, message).first_chunk::<LENGTH>() else {
        return Err(format!("byte {}: a number beyond the end of the message", message.start));
    };
    message.start += LENGTH;
    Ok(*bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(body: &[u8]) -> Result<Vec<(u64, Value)>, String> {
        let mut message = 0..body.len();
        let mut fields = Vec::new();
        while let Some(field) = next(body, &mut message)? {
            fields.push(field);
        }
        Ok(fields)
    }

    #[test]
    fn fields_are_read_as_they_stand() {
        let body = b"\x08\x96\x01\x12\x02ab\x19\x01\0\0\0\0\0\0\0\x25\x02\0\0\0\x12\0";
        let expected = [
            (1, Value::Varint(150)),
            (2, Value::Bytes(5..7)),
            (3, Value::Fixed64(1)),
            (4, Value::Fixed32(2)),
            (2, Value::Bytes(23..23)),
        ];
        assert_eq!(fields(body).unwrap(), expected);
        let greatest = b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(fields(greatest).unwrap(), [(1, Value::Varint(u64::MAX))]);
    }

    #[test]
    fn what_is_no_field_is_refused_with_its_place() {
        for (body, said) in [
            (&b"\x08"[..], "byte 1: a number without an end"),
            (b"\x08\x80", "byte 2: a number without an end"),
            (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "a number without an end"),
            (b"\x12\x05ab", "byte 2: a length beyond the end"),
            (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "a length beyond the end"),
            (b"\x19\x01", "byte 1: a number beyond the end"),
            (b"\x0b", "byte 1: a field of the unknown type 3"),
            (b"\x00\x01", "a field without a number"),
        ] {
            let error = fields(body).unwrap_err();
            assert!(error.contains(said), "{body:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(body in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut message = 0..body.len();
            while let Ok(Some(_)) = next(&body, &mut message) {
                prop_assert!(message.start <= message.end);
            }
        }
    }
}
