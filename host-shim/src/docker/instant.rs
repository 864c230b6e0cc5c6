//! Points in time as the Engine API writes them, and as it wants them.

/// Nanoseconds since 1970 of a time in RFC 3339; `None` for Go's zero time and for what is no time.
pub fn nanoseconds(text: &str) -> Option<u64> {
    let (date, rest) = text.split_once(['T', 't'])?;
    let mut date = date.splitn(3, '-').map(number);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at_checked(zone)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut clock = clock.splitn(3, ':').map(number);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset(zone)?;
    u64::try_from(seconds).ok()?.checked_mul(NANOS)?.checked_add(nanos_of(fraction)?)
}

/// What the parameter `since` takes: seconds and nanoseconds since 1970.
pub fn since(nanoseconds: u64) -> String {
    format!("{}.{:09}", nanoseconds / NANOS, nanoseconds % NANOS)
}

/// A point in time in RFC 3339, from nanoseconds since 1970.
pub fn text(nanoseconds: u64) -> String {
    let (seconds, nanos) = (nanoseconds / NANOS, nanoseconds % NANOS);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let fraction = if nanos == 0 { String::new() } else { format!(".{nanos:09}") };
    let fraction = fraction.trim_end_matches('0');
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// The machine's own clock, in nanoseconds since 1970.
pub fn now() -> u64 {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX)
}

fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn nanos_of(fraction: &str) -> Option<u64> {
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<9}").parse().ok()
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    Some(sign * (number(hours)? * 3_600 + number(minutes)? * 60))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, with years that begin in March, so that the
/// leap day is a year's last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let since_march = (month + 9) % 12;
    let day_of_year = (153 * since_march + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

/// The date so many days after 1970-01-01; the other way around than [`days`].
fn date(days: u64) -> (u64, u64, u64) {
    let since_march_0 = days + 719_468;
    let (era, day_of_era) = (since_march_0 / 146_097, since_march_0 % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let since_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * since_march + 2) / 5 + 1;
    let month = if since_march < 10 { since_march + 3 } else { since_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

const NANOS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(nanoseconds(text), expected, "{text}");
    }

    #[test]
    fn times_are_read_to_the_nanosecond() {
        check("1970-01-01T00:00:00Z", Some(0));
        check("2026-11-21T02:38:02.123456789Z", Some(1_795_228_682_123_456_789));
        check("2026-11-21T04:38:02.1+02:00", Some(1_795_228_682_100_000_000));
        check("2026-11-20T20:08:02-06:30", Some(1_795_228_682_000_000_000));
        check("2024-02-29T00:00:00Z", Some(1_709_164_800_000_000_000));
    }

    #[test]
    fn times_are_written_as_they_are_read() {
        for time in [0, 1, 951_782_399_500_000_000, 951_782_400_000_000_000, 1_709_164_800_000_000_000] {
            assert_eq!(nanoseconds(&text(time)), Some(time), "{}", text(time));
        }
        assert_eq!(text(1_795_228_682_120_000_000), "2026-11-21T02:38:02.12Z");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in
            ["", "0001-01-01T00:00:00Z", "2026-11-21", "2026-13-01T00:00:00Z", "2026-11-21T00:00:00", "x"]
        {
            check(text, None);
        }
    }

    #[test]
    fn since_keeps_leading_zeros_of_the_fraction() {
        assert_eq!(since(1_700_000_000_000_000_042), "1700000000.000000042");
        assert_eq!(since(0), "0.000000000");
    }
}
