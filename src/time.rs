//! Moments and durations as values: the core never asks what time it is.

use std::fmt::Write as _;
use std::ops::Add;

/// A moment, in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    nanos: u64,
}

/// A span of time, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

impl Timestamp {
    pub const fn from_nanos(nanos: u64) -> Timestamp {
        Timestamp { nanos }
    }

    pub const fn from_millis(millis: u64) -> Timestamp {
        Timestamp { nanos: millis.saturating_mul(1_000_000) }
    }

    pub const fn nanos(self) -> u64 {
        self.nanos
    }

    /// Whole milliseconds, as CloudWatch counts.
    pub const fn millis(self) -> u64 {
        self.nanos / 1_000_000
    }

    /// As RFC 3339 has it, in UTC, with milliseconds.
    pub fn to_rfc3339(self) -> String {
        let seconds = self.nanos / 1_000_000_000;
        let (year, month, day) = civil_from_days((seconds / 86_400) as i64);
        let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        let mut text = String::with_capacity(24);
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
            self.nanos / 1_000_000 % 1_000
        );
        text
    }

    /// How long ago `earlier` was; zero where it lies ahead, as after a step of the clock.
    pub const fn since(self, earlier: Timestamp) -> Millis {
        Millis(self.nanos.saturating_sub(earlier.nanos) / 1_000_000)
    }

    /// As [`Timestamp::since`], in nanoseconds.
    pub const fn since_exactly(self, earlier: Timestamp) -> u64 {
        self.nanos.saturating_sub(earlier.nanos)
    }

    /// The moment so many nanoseconds before.
    pub const fn back(self, nanos: u64) -> Timestamp {
        Timestamp { nanos: self.nanos.saturating_sub(nanos) }
    }

    /// The moment that lies so far away, ahead where positive.
    pub const fn shifted(self, millis: i64) -> Timestamp {
        let nanos = millis.saturating_mul(1_000_000);
        Timestamp { nanos: self.nanos.saturating_add_signed(nanos) }
    }
}

impl Add<Millis> for Timestamp {
    type Output = Timestamp;

    fn add(self, duration: Millis) -> Timestamp {
        Timestamp { nanos: self.nanos.saturating_add(duration.0.saturating_mul(1_000_000)) }
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
pub(crate) const fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    // Years run from March, so that the leap day comes last; an era is 400 years.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = ((month + 9) % 12) as i64;
    let day_of_year = (153 * month_from_march + 2) / 5 + day as i64 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date that lies so many days after 1970-01-01.
pub(crate) const fn civil_from_days(days: i64) -> (i64, u32, u32) {
    // As above: years from March, in eras of 400.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u32;
    let year = era * 400 + year_of_era + (month <= 2) as i64;
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_dates() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_001, "2000-02-29T00:00:00.001Z"),
            (1_800_000_005_120, "2027-01-15T08:00:05.120Z"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp::from_millis(millis).to_rfc3339(), text);
        }
        for day in 0..60_000 {
            let (year, month, date) = civil_from_days(day);
            assert_eq!(days_from_civil(year, month, date), day);
        }
    }

    #[test]
    fn dates_are_counted_from_1970() {
        for (year, month, day, days) in [
            (1970, 1, 1, 0),
            (1970, 3, 1, 59),
            (2000, 2, 29, 11_016),
            (2026, 11, 21, 20_778),
            (1969, 12, 31, -1),
        ] {
            assert_eq!(days_from_civil(year, month, day), days, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn a_step_back_of_the_clock_is_no_time_at_all() {
        let now = Timestamp::from_millis(1_000);
        assert_eq!(now.since(now + Millis(5)), Millis(0));
        assert_eq!((now + Millis(5)).since(now), Millis(5));
        assert_eq!(now.shifted(-400).millis(), 600);
    }
}
