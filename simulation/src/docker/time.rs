//! Times as Docker writes them.

/// RFC 3339 with nine digits, as the Engine API writes it.
pub fn fixed(nanos: u64) -> String {
    let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days as i64);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:09}Z")
}

/// RFC 3339 without zeros at the end of the fraction, as `json-file` writes it.
pub fn trimmed(nanos: u64) -> String {
    let fixed = fixed(nanos);
    let digits = fixed.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
    format!("{digits}Z")
}

/// Year, month and day of so many days after 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let mut left = days;
    let mut year = 1970;
    while left >= 365 + i64::from(leap(year)) {
        left -= 365 + i64::from(leap(year));
        year += 1;
    }
    let mut month = 0;
    let lengths = [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    (year, month as i64 + 1, left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_docker_does() {
        assert_eq!(fixed(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(fixed(1_800_000_005_000_000_700), "2027-01-15T08:00:05.000000700Z");
        assert_eq!(trimmed(1_800_000_005_000_000_700), "2027-01-15T08:00:05.0000007Z");
        assert_eq!(trimmed(1_800_000_000_000_000_000), "2027-01-15T08:00:00Z");
        assert_eq!(fixed(951_782_400_000_000_000), "2000-02-29T00:00:00.000000000Z");
    }
}
