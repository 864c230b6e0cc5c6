//! Reads the times that programs write into JSON: RFC 3339 and what is nearly so, and numbers since 1970.

use super::json_object::string;
use super::rfc3339::Clock;
use crate::time::Timestamp;

/// The time that a JSON value stands for, if it stands for one.
///
/// Numbers, also in quotes, are seconds, milliseconds, microseconds or nanoseconds since 1970, by their
/// size: each unit reaches beyond the year 5000. Without a zone, a time is UTC.
pub fn time_of(value: &[u8], clock: &mut Clock) -> Option<Timestamp> {
    let Some((text, _)) = string(value) else { return number(value) };
    match clock.read(text) {
        Some((time, length)) if length == text.len() => Some(time),
        _ if text.first()?.is_ascii_digit() && text.get(4) == Some(&b'-') => lenient(text, clock),
        _ => number(text),
    }
}

/// The longest time there is, with what may be missing in it.
const LONGEST: usize = 40;

/// `2006-01-02 15:04:05.999` and `2006-01-02T15:04:05+0200`.
fn lenient(text: &[u8], clock: &mut Clock) -> Option<Timestamp> {
    const SECONDS_END: usize = 19;
    let mut full = Vec::with_capacity(LONGEST);
    full.extend_from_slice(text.get(..LONGEST - 2).unwrap_or(text));
    if let Some(between @ b' ') = full.get_mut(10) {
        *between = b'T';
    }
    match full.get(SECONDS_END..)?.iter().position(|byte| matches!(byte, b'+' | b'-')) {
        Some(zone) if full.len() - (SECONDS_END + zone) == 5 => full.insert(SECONDS_END + zone + 3, b':'),
        Some(_) => {}
        None if full.last().is_some_and(u8::is_ascii_digit) => full.push(b'Z'),
        None => {}
    }
    clock.read(&full).filter(|(_, length)| *length == full.len()).map(|(time, _)| time)
}

/// Digits, perhaps with a fraction.
fn number(text: &[u8]) -> Option<Timestamp> {
    let point = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
    let (whole, fraction) = text.split_at_checked(point)?;
    if whole.is_empty() {
        return None;
    }
    let whole = digits(whole)?;
    let unit: u64 = match whole {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    let mut nanos = whole.checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.get(1..).unwrap_or_default() {
        if !digit.is_ascii_digit() {
            return None;
        }
        place /= 10;
        nanos = nanos.checked_add(u64::from(digit - b'0') * place)?;
    }
    Some(Timestamp::from_nanos(nanos))
}

fn digits(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_usual_form() {
        const SECOND: u64 = 1_795_227_480;
        for (value, nanos) in [
            (r#""2026-11-21T02:18:00.123456789Z""#, SECOND * 1_000_000_000 + 123_456_789),
            (r#""2026-11-21T03:18:00+01:00""#, SECOND * 1_000_000_000),
            (r#""2026-11-21T03:18:00+0100""#, SECOND * 1_000_000_000),
            (r#""2026-11-21 02:18:00.000681""#, SECOND * 1_000_000_000 + 681_000),
            (r#""2026-11-21T02:18:00""#, SECOND * 1_000_000_000),
            ("1795227480", SECOND * 1_000_000_000),
            ("1795227480.5", SECOND * 1_000_000_000 + 500_000_000),
            ("1795227480.123456", SECOND * 1_000_000_000 + 123_456_000),
            ("1795227480123", SECOND * 1_000_000_000 + 123_000_000),
            ("1795227480123.25", SECOND * 1_000_000_000 + 123_250_000),
            ("1795227480123456", SECOND * 1_000_000_000 + 123_456_000),
            ("1795227480123456789", SECOND * 1_000_000_000 + 123_456_789),
            (r#""1795227480123456789""#, SECOND * 1_000_000_000 + 123_456_789),
        ] {
            let time = time_of(value.as_bytes(), &mut Clock::default());
            assert_eq!(time, Some(Timestamp::from_nanos(nanos)), "{value}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for value in [
            "null",
            "true",
            "{}",
            "[]",
            "\"\"",
            "-1",
            "1e9",
            ".5",
            "1.x",
            "\"yesterday\"",
            "\"2026-11-21\"",
            "\"2026-11-21 02:18\"",
            "\"12:18:00\"",
            "99999999999999999999",
            "",
        ] {
            assert_eq!(time_of(value.as_bytes(), &mut Clock::default()), None, "{value}");
        }
    }
}
