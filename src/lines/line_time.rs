//! The time that a line says of itself, by a format of dates and times.

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp as Moment, ToSpan};
use regex::bytes::{CaptureLocations, Regex};

use super::datetime::{self, Field, FormatError};
use super::pattern::{Pattern, PatternError};
use crate::cloudwatch::limits::{MAX_AGE, MAX_AHEAD};
use crate::time::Timestamp;

/// How the times of lines are read.
#[derive(Clone, Debug)]
pub struct LineTime {
    regex: Regex,
    /// What the format's tokens say, and the groups of the pattern that hold them.
    fields: Vec<(Field, usize)>,
    /// Where the clocks stood that lines without an offset were written by.
    zone: TimeZone,
}

/// Why times cannot be read so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineTimeError {
    Format(FormatError),
    Pattern(PatternError),
    Zone(String),
}

/// Room for where the parts of a time stand in a line.
#[derive(Clone, Debug)]
pub struct Places(CaptureLocations);

/// What a line says, as far as it does.
#[derive(Debug, Default)]
struct Said<'a> {
    epoch: Option<i64>,
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    day_of_year: Option<i16>,
    hour: i8,
    /// Of twelve hours; and whether they are those after noon.
    hour_of_half: Option<i8>,
    afternoon: bool,
    minute: i8,
    second: i8,
    nanos: i32,
    offset: Option<Offset>,
    zone: &'a str,
}

impl LineTime {
    /// `zone` is a name of the time zone database, or an offset; `None` for UTC.
    ///
    /// # Errors
    /// The format does not say a time, or the zone is not known.
    pub fn parse(format: &str, zone: Option<&str>) -> Result<LineTime, LineTimeError> {
        let (pattern, fields) = datetime::fields_of(format).map_err(LineTimeError::Format)?;
        let regex = Pattern::parse(&pattern).map_err(LineTimeError::Pattern)?.into_regex();
        let places = regex.capture_names().enumerate();
        let fields = places.filter_map(|(place, name)| {
            let number: usize = name?.strip_prefix(datetime::GROUP)?.parse().ok()?;
            Some((*fields.get(number)?, place))
        });
        Ok(LineTime { fields: fields.collect(), regex, zone: zone_of(zone.unwrap_or("UTC"))? })
    }

    pub fn places(&self) -> Places {
        Places(self.regex.capture_locations())
    }

    /// The time that a line says; `None` where it says none, or one that is out of reach of `noted`, the time at
    /// which the line was taken down. That also tells the year, or the day, where a line does not.
    pub fn of(&self, line: &[u8], noted: Timestamp, places: &mut Places) -> Option<Timestamp> {
        self.regex.captures_read(&mut places.0, line)?;
        let mut said = Said::default();
        for (field, place) in &self.fields {
            if let Some((begin, end)) = places.0.get(*place) {
                said.hear(*field, std::str::from_utf8(line.get(begin..end)?).ok()?)?;
            }
        }
        let noted_moment = Moment::from_nanosecond(noted.nanos().into()).ok()?;
        let moment = said.moment(&self.zone, noted_moment)?;
        let time = Timestamp::from_nanos(u64::try_from(moment.as_nanosecond()).ok()?);
        let believed = time <= noted + MAX_AHEAD && time + MAX_AGE >= noted;
        believed.then_some(time)
    }
}

fn zone_of(text: &str) -> Result<TimeZone, LineTimeError> {
    let fixed = offset_of(text).map(TimeZone::fixed);
    match fixed {
        Some(zone) => Ok(zone),
        None => TimeZone::get(text).map_err(|_| LineTimeError::Zone(text.to_owned())),
    }
}

/// `+0200`, `+02:00`, `Z`.
fn offset_of(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("Z", "") => return Some(Offset::UTC),
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
    let number =
        |text: &str| text.parse::<i32>().ok().filter(|_| text.len() == 2 && !text.starts_with(['+', '-']));
    let hours = number(hours).filter(|hours| *hours < 24)?;
    let minutes = number(minutes).filter(|minutes| *minutes < 60)?;
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()
}

impl<'a> Said<'a> {
    /// Notes what a token stands for.
    fn hear(&mut self, field: Field, text: &'a str) -> Option<()> {
        match field {
            Field::Year => self.year = Some(text.parse().ok()?),
            Field::ShortYear => {
                let year: i16 = text.parse().ok()?;
                // As POSIX has it.
                self.year = Some(if year < 69 { 2_000 + year } else { 1_900 + year });
            }
            Field::Month => self.month = Some(text.parse().ok()?),
            Field::MonthName => self.month = Some(month_of(text)?),
            Field::Day => self.day = Some(text.trim_ascii_start().parse().ok()?),
            Field::DayOfYear => self.day_of_year = Some(text.parse().ok()?),
            Field::Hour => self.hour = text.parse().ok()?,
            Field::HourOfHalf => self.hour_of_half = Some(text.parse().ok()?),
            Field::Half => self.afternoon = text.starts_with(['P', 'p']),
            Field::Minute => self.minute = text.parse().ok()?,
            Field::Second => self.second = text.parse().ok()?,
            Field::Fraction => {
                let digits = text.trim_start_matches(['.', ',']);
                let number: i32 = digits.parse().ok()?;
                self.nanos = number * 10_i32.pow(9_u32.checked_sub(digits.len() as u32)?);
            }
            Field::Offset => self.offset = Some(offset_of(text)?),
            Field::Zone => self.zone = text,
            Field::Epoch => self.epoch = Some(text.parse().ok()?),
        }
        Some(())
    }

    /// The moment that is meant: of several, the one next to `noted`.
    fn moment(&self, zone: &TimeZone, noted: Moment) -> Option<Moment> {
        if let Some(seconds) = self.epoch {
            return Moment::new(seconds, self.nanos).ok();
        }
        let named = matches!(self.zone, "UTC" | "GMT" | "UT" | "Z").then_some(Offset::UTC);
        let fixed = self.offset.or(named).map(TimeZone::fixed);
        let zone = fixed.as_ref().unwrap_or(zone);
        let hour = match self.hour_of_half {
            Some(hour) => hour % 12 + if self.afternoon { 12 } else { 0 },
            None => self.hour,
        };
        // A leap second is the first of the next minute, as everywhere in Unix time.
        let leap = SignedDuration::from_secs(i64::from(self.second / 60));
        let time = Time::new(hour, self.minute, self.second.min(59), self.nanos).ok()?;
        let moments = self.dates(zone.to_datetime(noted).date()).into_iter().flatten();
        let moments = moments.flat_map(|date| self.in_zone(date.to_datetime(time), zone)).flatten();
        let moments = moments.filter_map(|moment| moment.checked_add(leap).ok());
        moments.min_by_key(|moment| moment.duration_since(noted).abs())
    }

    /// The dates that may be meant, from where it was noted on `noted`.
    fn dates(&self, noted: Date) -> [Option<Date>; 3] {
        let years = match self.year {
            Some(year) => [Some(year), None, None],
            None => [-1, 0, 1].map(|step| Some(noted.year() + step)),
        };
        match (self.day_of_year, self.month, self.day) {
            (Some(day), ..) => years.map(|year| {
                let first = Date::new(year?, 1, 1).ok()?;
                first.with().day_of_year(day).build().ok()
            }),
            (None, Some(month), Some(day)) => years.map(|year| Date::new(year?, month, day).ok()),
            (None, ..) => [-1, 0, 1].map(|step| noted.checked_add(step.days()).ok()),
        }
    }

    /// The moments at which clocks of a zone show this: two while they are set back.
    fn in_zone(&self, shown: DateTime, zone: &TimeZone) -> [Option<Moment>; 2] {
        let at = |offset: Offset| offset.to_timestamp(shown).ok();
        match zone.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => [at(offset), None],
            AmbiguousOffset::Gap { before, .. } => [at(before), None],
            AmbiguousOffset::Fold { before, after } => {
                let named = |moment: &Moment| zone.to_offset_info(*moment).abbreviation() == self.zone;
                let moments = [at(before), at(after)];
                let meant = moments.map(|moment| moment.filter(named));
                if meant == [None, None] { moments } else { meant }
            }
        }
    }
}

fn month_of(name: &str) -> Option<i8> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let at = MONTHS.iter().position(|month| name.starts_with(month))?;
    i8::try_from(at + 1).ok()
}

impl fmt::Display for LineTimeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineTimeError::Format(error) => error.fmt(out),
            LineTimeError::Pattern(error) => error.fmt(out),
            LineTimeError::Zone(name) => {
                write!(out, "`{name}` is no time zone; write for example Europe/Berlin or +02:00")
            }
        }
    }
}

impl std::error::Error for LineTimeError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Friday, 2026-11-27T20:15:00Z.
    const NOTED: Timestamp = Timestamp::from_millis(1_795_810_500_000);

    #[track_caller]
    fn check(format: &str, zone: &str, line: &str, expected: Option<&str>) {
        check_at(NOTED, format, zone, line, expected);
    }

    #[track_caller]
    fn check_at(noted: Timestamp, format: &str, zone: &str, line: &str, expected: Option<&str>) {
        let time = LineTime::parse(format, Some(zone)).unwrap();
        let found = time.of(line.as_bytes(), noted, &mut time.places()).map(Timestamp::to_rfc3339);
        assert_eq!(found.as_deref(), expected, "{format} in {zone}: {line}");
    }

    #[test]
    fn a_line_says_its_time() {
        for (format, line, expected) in [
            ("%Y-%m-%d %H:%M:%S", "x 2026-11-27 20:14:59 INFO", "2026-11-27T20:14:59.000Z"),
            ("%Y-%m-%dT%H:%M:%S%L", "2026-11-27T20:14:59.123Z", "2026-11-27T20:14:59.123Z"),
            ("%F %T,%f", "2026-11-27 20:14:59,5", "2026-11-27T20:14:59.500Z"),
            ("%F %T.%f%z", "2026-11-27 20:14:59.123456789+0200", "2026-11-27T18:14:59.123Z"),
            ("%F %T%z", "2026-11-27 20:14:59-01:30", "2026-11-27T21:44:59.000Z"),
            ("%F %T%z", "2026-11-27 20:14:59Z", "2026-11-27T20:14:59.000Z"),
            (r"\[%d/%b/%Y:%H:%M:%S %z\]", "[27/Nov/2026:20:14:59 +0100]", "2026-11-27T19:14:59.000Z"),
            ("%A, %B %e, %Y %I:%M %p", "Friday, November 27, 2026 08:14 PM", "2026-11-27T20:14:00.000Z"),
            ("%F %I:%M %p", "2026-11-27 12:14 am", "2026-11-27T00:14:00.000Z"),
            ("%D %R", "11/27/26 20:14", "2026-11-27T20:14:00.000Z"),
            ("%Y %j %H", "2026 331 20", "2026-11-27T20:00:00.000Z"),
            ("%s%L", "1795810499.250", "2026-11-27T20:14:59.250Z"),
            ("%F %T", "2026-11-27 19:59:60", "2026-11-27T20:00:00.000Z"),
        ] {
            check(format, "UTC", line, Some(expected));
        }
        check("%F %T", "UTC", "no time at all", None);
        check("%F %T", "UTC", "2026-02-30 20:14:59", None);
    }

    #[test]
    fn what_a_line_leaves_open_is_told_by_when_it_was_noted() {
        check("%b %d %H:%M:%S", "UTC", "Nov 27 20:14:59", Some("2026-11-27T20:14:59.000Z"));
        check("%H:%M:%S", "UTC", "20:14:59", Some("2026-11-27T20:14:59.000Z"));
        let new_year = Timestamp::from_millis(1_798_761_600_500);
        check_at(new_year, "%b %e %T", "UTC", "Dec 31 23:59:59", Some("2026-12-31T23:59:59.000Z"));
        check_at(new_year, "%T", "UTC", "23:59:59", Some("2026-12-31T23:59:59.000Z"));
        check_at(new_year, "%T", "+02:00", "01:59:59", Some("2026-12-31T23:59:59.000Z"));
        let leap_day = Timestamp::from_millis(1_835_481_600_000);
        check_at(leap_day, "%b %d %T", "UTC", "Feb 29 12:00:00", Some("2028-02-29T12:00:00.000Z"));
    }

    #[test]
    fn a_zone_says_where_the_clock_stood() {
        check("%F %T", "Europe/Berlin", "2026-11-27 21:14:59", Some("2026-11-27T20:14:59.000Z"));
        check("%F %T", "america/new_york", "2026-11-27 15:14:59", Some("2026-11-27T20:14:59.000Z"));
        check("%F %T", "-05:00", "2026-11-27 15:14:59", Some("2026-11-27T20:14:59.000Z"));
        // What the line says itself comes first.
        check("%F %T %Z", "Europe/Berlin", "2026-11-27 20:14:59 UTC", Some("2026-11-27T20:14:59.000Z"));
        check("%F %T%z", "Europe/Berlin", "2026-11-27 20:14:59+0000", Some("2026-11-27T20:14:59.000Z"));
        for zone in ["Mars/Base", "+25:00", "+1", ""] {
            let error = LineTime::parse("%T", Some(zone)).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains("is no time zone"), "{zone}: {error}");
        }
    }

    #[test]
    fn clocks_that_are_set_back_show_a_time_twice() {
        // 2026-10-25, at 01:00 UTC, Berlin's clocks went from 03:00 back to 02:00.
        let shown = "2026-10-25 02:30:00";
        for (noted, expected) in
            [(1_792_888_205_000, "2026-10-25T00:30:00.000Z"), (1_792_891_805_000, "2026-10-25T01:30:00.000Z")]
        {
            let noted = Timestamp::from_millis(noted);
            check_at(noted, "%F %T", "Europe/Berlin", shown, Some(expected));
            let named = format!("{shown} CEST");
            check_at(noted, "%F %T %Z", "Europe/Berlin", &named, Some("2026-10-25T00:30:00.000Z"));
        }
    }

    #[test]
    fn a_time_that_cannot_be_is_not_believed() {
        for (line, believed) in [
            ("2026-11-27 22:14:59", true),
            ("2026-11-27 22:15:01", false),
            ("2026-11-13 20:15:01", true),
            ("2026-11-13 20:14:59", false),
            ("1970-01-01 00:00:00", false),
            ("0000-01-01 00:00:00", false),
        ] {
            let time = LineTime::parse("%F %T", None).unwrap();
            let found = time.of(line.as_bytes(), NOTED, &mut time.places());
            assert_eq!(found.is_some(), believed, "{line}");
        }
    }
}
