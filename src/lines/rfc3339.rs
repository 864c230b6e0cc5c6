//! Reads the times that Docker writes: RFC 3339, up to nine digits of a second.

use crate::time::{Timestamp, days_from_civil};

/// Reads times, faster where they share their date and minute with the one before.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    minute: [u8; MINUTE],
    nanos: u64,
}

/// The length of `2006-01-02T15:04:`.
const MINUTE: usize = 17;
const SECOND: u64 = 1_000_000_000;

impl Clock {
    /// The time that `text` begins with, and how many bytes it takes; `None` where there is none, or
    /// where it lies before 1970.
    pub fn read(&mut self, text: &[u8]) -> Option<(Timestamp, usize)> {
        let (minute, rest) = text.split_first_chunk::<MINUTE>()?;
        if *minute != self.minute {
            self.nanos = minute_of(minute)?;
            self.minute = *minute;
        }
        let (second, rest) = rest.split_first_chunk::<2>()?;
        // 60 is a leap second; it counts as the first of the next minute, as everywhere in Unix time.
        let second = number(second).filter(|second| *second <= 60)?;
        let (fraction, fraction_length) = fraction_of(rest)?;
        let rest = rest.get(fraction_length..)?;
        let (offset, zone_length) = zone_of(rest)?;
        let local = self.nanos + second * SECOND + fraction;
        let nanos = local.checked_add_signed(-offset)?;
        Some((Timestamp::from_nanos(nanos), MINUTE + 2 + fraction_length + zone_length))
    }
}

fn minute_of(text: &[u8; MINUTE]) -> Option<u64> {
    let [y0, y1, y2, y3, b'-', mo0, mo1, b'-', d0, d1, b'T' | b't', h0, h1, b':', mi0, mi1, b':'] = *text
    else {
        return None;
    };
    let year = number(&[y0, y1, y2, y3])?;
    let month = number(&[mo0, mo1]).filter(|month| (1..=12).contains(month))?;
    let day = number(&[d0, d1]).filter(|day| (1..=31).contains(day))?;
    let hour = number(&[h0, h1]).filter(|hour| *hour <= 23)?;
    let minute = number(&[mi0, mi1]).filter(|minute| *minute <= 59)?;
    let days = days_from_civil(i64::try_from(year).ok()?, month as u32, day as u32);
    let days = u64::try_from(days).ok()?;
    (days * 86_400 + hour * 3_600 + minute * 60).checked_mul(SECOND)
}

/// Nanoseconds of `.123…`, and the length of that text; both 0 where there is no point.
fn fraction_of(text: &[u8]) -> Option<(u64, usize)> {
    let Some((b'.', digits)) = text.split_first() else { return Some((0, 0)) };
    let eight = digits.first_chunk().copied().unwrap_or_else(|| {
        let mut eight = [0; 8];
        eight.iter_mut().zip(digits).for_each(|(to, digit)| *to = *digit);
        eight
    });
    let (count, number) = leading_number(eight);
    match (count, digits.get(8).map(|ninth| ninth.wrapping_sub(b'0'))) {
        (0, _) => None,
        (8, Some(ninth @ 0..=9)) => {
            let further = digits.iter().skip(9).take_while(|byte| byte.is_ascii_digit()).count();
            Some((number * 10 + u64::from(ninth), 10 + further))
        }
        (count, _) => Some((number * 10u64.pow(9 - count), count as usize + 1)),
    }
}

/// How many digits stand at the start of eight bytes, and the number they make: all at once.
fn leading_number(eight: [u8; 8]) -> (u32, u64) {
    let digits = u64::from_le_bytes(eight) ^ 0x3030_3030_3030_3030;
    // A carry out of a byte that is no digit falsifies only those behind it.
    let others = (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080;
    let count = others.trailing_zeros() / 8;
    // The last digit into the highest byte, zeros before the first.
    let digits = digits.unbounded_shl(64 - 8 * count);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    const EVERY_FOURTH: u64 = 0x0000_00FF_0000_00FF;
    let upper = (pairs & EVERY_FOURTH).wrapping_mul(100 + (1_000_000 << 32));
    let lower = ((pairs >> 16) & EVERY_FOURTH).wrapping_mul(1 + (10_000 << 32));
    (count, upper.wrapping_add(lower) >> 32)
}

/// Nanoseconds that a zone is ahead of UTC, and the length of its text.
fn zone_of(text: &[u8]) -> Option<(i64, usize)> {
    match text {
        [b'Z' | b'z', ..] => Some((0, 1)),
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1, ..] => {
            let minutes = number(&[*h0, *h1])? * 60 + number(&[*m0, *m1])?;
            let nanos = i64::try_from(minutes * 60 * SECOND).ok()?;
            Some((if *sign == b'-' { -nanos } else { nanos }, 6))
        }
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    digits
        .iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_read_to_the_nanosecond() {
        let mut clock = Clock::default();
        for (text, nanos, length) in [
            ("1970-01-01T00:00:00Z", 0, 20),
            ("2026-11-21T02:18:00.123456789Z rest", 1_795_227_480_123_456_789, 30),
            ("2026-11-21T02:18:01.5Z", 1_795_227_481_500_000_000, 22),
            ("2026-11-21T04:18:01.5+02:00", 1_795_227_481_500_000_000, 27),
            ("2026-11-20T21:18:01-05:00", 1_795_227_481_000_000_000, 25),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000, 20),
            ("2026-11-21T02:18:01.1234567891Z", 1_795_227_481_123_456_789, 31),
            ("2026-11-21T02:18:01.123456789123Z", 1_795_227_481_123_456_789, 33),
            ("2026-11-21T02:18:01.12345678+00:00", 1_795_227_481_123_456_780, 34),
            ("2026-11-21T02:18:01.000000001Z", 1_795_227_481_000_000_001, 30),
        ] {
            assert_eq!(clock.read(text.as_bytes()), Some((Timestamp::from_nanos(nanos), length)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026",
            "2026-11-21 02:18:00Z",
            "2026-13-21T02:18:00Z",
            "2026-11-21T24:18:00Z",
            "2026-11-21T02:18:61Z",
            "2026-11-21T02:18:00",
            "2026-11-21T02:18:00.Z",
            "2026-11-21T02:18:00.123/Z",
            "2026-11-21T02:18:00.12345678:Z",
            "2026-11-21T02:18:00.123\u{FF}Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+01:00",
            "x026-11-21T02:18:00Z",
            "2026-11-21T02:18:00+0200",
        ] {
            assert_eq!(Clock::default().read(text.as_bytes()), None, "{text}");
        }
    }
    /// A digit at a time.
    fn fraction(text: &str) -> (u64, usize) {
        let digits = text.bytes().take_while(u8::is_ascii_digit);
        let count = digits.clone().count();
        (digits.chain([b'0'; 9]).take(9).fold(0, |nanos, digit| nanos * 10 + u64::from(digit - b'0')), count)
    }

    proptest! {
        #[test]
        fn fractions_of_any_length_are_read(digits in "[0-9]{0,14}", behind in "[ -~\\PC]{0,9}") {
            let text = format!(".{digits}{behind}");
            let (nanos, count) = fraction(&text[1..]);
            let expected = (count > 0).then_some((nanos, count + 1));
            prop_assert_eq!(fraction_of(text.as_bytes()), expected);
        }
    }
}
