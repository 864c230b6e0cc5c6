//! Moments and durations as values: the core never asks what time it is.

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

#[cfg(test)]
mod tests {
    use super::*;

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
