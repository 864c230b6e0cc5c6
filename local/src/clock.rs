//! Times as the service writes them: milliseconds in events, compact UTC in signatures, RFC 1123 in `Date`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub fn now() -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    pub fn plus(self, millis: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(millis))
    }

    /// `20261121T093000Z`, as in `x-amz-date`.
    pub fn compact(self) -> String {
        let (year, month, day) = self.date();
        let (hour, minute, second) = self.time_of_day();
        format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }

    /// `20261121`, as in a credential scope.
    pub fn compact_date(self) -> String {
        let (year, month, day) = self.date();
        format!("{year:04}{month:02}{day:02}")
    }

    /// `2026-11-21T09:30:00.250Z`, for people.
    pub fn rfc3339(self) -> String {
        let (year, month, day) = self.date();
        let (hour, minute, second) = self.time_of_day();
        let millis = self.0.rem_euclid(1000);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }

    /// `Sat, 21 Nov 2026 09:30:00 GMT`, as in the `Date` header.
    pub fn http_date(self) -> String {
        // RFC 1123 dates end with the year 9999, and the formatter panics past it.
        let millis = u64::try_from(self.0).unwrap_or(0).min(LAST_HTTP_MILLIS);
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(millis))
    }

    /// Reads `20261121T093000Z`; `None` for anything else.
    pub fn parse_compact(text: &str) -> Option<Timestamp> {
        let bytes = text.as_bytes();
        if bytes.len() != 16 || bytes.get(8) != Some(&b'T') || bytes.get(15) != Some(&b'Z') {
            return None;
        }
        let number = |from: usize, to: usize| -> Option<i64> {
            let digits = text.get(from..to)?;
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            digits.parse().ok()
        };
        let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
        let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
        let in_range =
            (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
        if !in_range {
            return None;
        }
        let days = days_of(year, month, day);
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
        Some(Timestamp(seconds * 1000))
    }

    /// Reads a `Date` header.
    pub fn parse_http_date(text: &str) -> Option<Timestamp> {
        let time = httpdate::parse_http_date(text).ok()?;
        let since = time.duration_since(UNIX_EPOCH).ok()?;
        Some(Timestamp(i64::try_from(since.as_millis()).ok()?))
    }

    fn date(self) -> (i64, i64, i64) {
        civil_of(self.0.div_euclid(MILLIS_A_DAY))
    }

    fn time_of_day(self) -> (i64, i64, i64) {
        let seconds = self.0.rem_euclid(MILLIS_A_DAY) / 1000;
        (seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

/// Days since 1970 of a date in the Gregorian calendar; March-based years put the leap day last.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_of`]: year, month and day.
fn civil_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

pub const MILLIS_A_DAY: i64 = 86_400_000;
const LAST_HTTP_MILLIS: u64 = 253_402_300_799_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_times_survive_a_round_trip() {
        for text in [
            "19700101T000000Z",
            "20000229T235959Z",
            "20150830T123600Z",
            "20261121T093000Z",
            "21000301T000000Z",
        ] {
            let parsed = Timestamp::parse_compact(text).unwrap();
            assert_eq!(parsed.compact(), text);
            assert_eq!(Timestamp::parse_http_date(&parsed.http_date()), Some(parsed));
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "20150830", "20151330T123600Z", "2015-08-30T12:36Z", "+0150830T123600Z"] {
            assert_eq!(Timestamp::parse_compact(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_for_people_has_milliseconds() {
        assert_eq!(Timestamp(1_440_938_160_250).rfc3339(), "2015-08-30T12:36:00.250Z");
    }

    #[test]
    fn a_date_header_far_away_does_not_panic() {
        assert_eq!(Timestamp(i64::MAX).http_date(), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(Timestamp(-5).http_date(), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
