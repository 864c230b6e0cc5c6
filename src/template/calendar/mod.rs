//! Go's `time.Time`, in UTC, with the methods that a template can use.
//!
//! Methods with more than one result, which no template can call, and those that need another time zone are
//! left out.

mod layout;

use super::named::Named;
use super::value::{Signature, Struct, Type, Value};
use crate::time::{civil_from_days, days_from_civil};

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z.
    seconds: i64,
    nanos: u32,
}

/// A date of the Gregorian calendar; months and days count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Civil {
    year: i64,
    month: u32,
    day: u32,
}

impl Time {
    /// Go's zero: midnight of the first day of the year 1.
    pub const ZERO: Time = Time { seconds: -YEAR_1, nanos: 0 };

    pub const fn new(seconds: i64, nanos: u32) -> Time {
        Time { seconds, nanos }
    }

    fn of(nanos: i128) -> Time {
        let seconds = i64::try_from(nanos.div_euclid(SECOND)).unwrap_or(-YEAR_1);
        Time { seconds, nanos: nanos.rem_euclid(SECOND) as u32 }
    }

    fn total(self) -> i128 {
        i128::from(self.seconds) * SECOND + i128::from(self.nanos)
    }

    fn civil(self) -> Civil {
        let (year, month, day) = civil_from_days(self.seconds.div_euclid(DAY));
        Civil { year, month, day }
    }

    fn clock(self) -> (i64, i64, i64) {
        let second = self.seconds.rem_euclid(DAY);
        (second / 3_600, second / 60 % 60, second % 60)
    }

    /// 0 is Sunday.
    fn weekday(self) -> i64 {
        // 1970 began on a Thursday.
        (self.seconds.div_euclid(DAY) + 4).rem_euclid(7)
    }

    fn year_day(self) -> i64 {
        self.seconds.div_euclid(DAY) - days_from_civil(self.civil().year, 1, 1) + 1
    }

    fn add_date(self, years: i64, months: i64, days: i64) -> Time {
        let civil = self.civil();
        // What no calendar has, Go wraps around somehow; here it ends at a million years.
        let bounded = |value: i64| value.clamp(-12_000_000, 12_000_000);
        let month = i64::from(civil.month) - 1 + bounded(months);
        let year = civil.year + bounded(years) + month.div_euclid(12);
        let first = days_from_civil(year, month.rem_euclid(12) as u32 + 1, 1);
        let day = first + i64::from(civil.day) - 1 + days.clamp(-366_000_000, 366_000_000);
        Time { seconds: day * DAY + self.seconds.rem_euclid(DAY), ..self }
    }

    /// How far it lies behind a multiple of the duration, counted from the year 1.
    fn beyond(self, duration: i64) -> i128 {
        (self.total() + i128::from(YEAR_1) * SECOND).rem_euclid(i128::from(duration))
    }

    fn truncate(self, duration: i64) -> Time {
        if duration <= 0 { self } else { Time::of(self.total() - self.beyond(duration)) }
    }

    fn round(self, duration: i64) -> Time {
        if duration <= 0 {
            return self;
        }
        let beyond = self.beyond(duration);
        let up = if beyond * 2 < i128::from(duration) { 0 } else { i128::from(duration) };
        Time::of(self.total() - beyond + up)
    }

    fn units(self, nanos: i128) -> Value {
        Value::Int64(self.total().div_euclid(nanos) as i64)
    }
}

impl Struct for Time {
    fn name(&self) -> &'static str {
        TIME
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn text(&self) -> Option<String> {
        Some(layout::format(self, "2006-01-02 15:04:05.999999999 -0700 MST"))
    }

    fn go_text(&self) -> Option<String> {
        let Civil { year, month, day } = self.civil();
        let (hour, minute, second) = self.clock();
        let month = Named::Month.text(month.into());
        let nanos = self.nanos;
        Some(format!("time.Date({year}, time.{month}, {day}, {hour}, {minute}, {second}, {nanos}, time.UTC)"))
    }

    fn equals(&self, other: &dyn Struct) -> bool {
        self.go_text() == other.go_text()
    }

    fn json(&self) -> Option<String> {
        Some(layout::format(self, "\"2006-01-02T15:04:05.999999999Z07:00\""))
    }

    fn method(&self, name: &str) -> Option<Signature> {
        Some(Signature::of(match name {
            "Year" | "Month" | "Day" | "Weekday" | "YearDay" | "Hour" | "Minute" | "Second"
            | "Nanosecond" | "Unix" | "UnixMilli" | "UnixMicro" | "UnixNano" | "IsZero" | "IsDST" | "UTC"
            | "String" | "GoString" => &[],
            "Format" => &[Type::String],
            "Add" | "Round" | "Truncate" => &[Type::Named(Named::Duration)],
            "AddDate" => &[Type::Int, Type::Int, Type::Int],
            "After" | "Before" | "Compare" | "Equal" | "Sub" => &[Type::Struct(TIME)],
            _ => return None,
        }))
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        let Civil { year, month, day } = self.civil();
        let (hour, minute, second) = self.clock();
        let number = |index: usize| match arguments.get(index) {
            Some(Value::Int(number) | Value::Named(_, number)) => *number,
            _ => 0,
        };
        let other = || match arguments.first() {
            Some(Value::Object(object)) => moment(object.body()),
            _ => Time::ZERO,
        };
        Ok(match name {
            "Year" => Value::Int(year),
            "Month" => Value::Named(Named::Month, month.into()),
            "Day" => Value::Int(day.into()),
            "Weekday" => Value::Named(Named::Weekday, self.weekday()),
            "YearDay" => Value::Int(self.year_day()),
            "Hour" => Value::Int(hour),
            "Minute" => Value::Int(minute),
            "Second" => Value::Int(second),
            "Nanosecond" => Value::Int(self.nanos.into()),
            "Unix" => Value::Int64(self.seconds),
            "UnixMilli" => self.units(1_000_000),
            "UnixMicro" => self.units(1_000),
            "UnixNano" => self.units(1),
            "IsZero" => Value::Bool(*self == Time::ZERO),
            "IsDST" => Value::Bool(false),
            "UTC" => Value::object(*self),
            "String" => self.text().unwrap_or_default().into(),
            "GoString" => self.go_text().unwrap_or_default().into(),
            "Format" => match arguments.first() {
                Some(Value::String(layout)) => layout::format(self, &String::from_utf8_lossy(layout)).into(),
                _ => Value::Nil,
            },
            "Add" => Value::object(Time::of(self.total() + i128::from(number(0)))),
            "Round" => Value::object(self.round(number(0))),
            "Truncate" => Value::object(self.truncate(number(0))),
            "AddDate" => Value::object(self.add_date(number(0), number(1), number(2))),
            "After" => Value::Bool(*self > other()),
            "Before" => Value::Bool(*self < other()),
            "Equal" => Value::Bool(*self == other()),
            "Compare" => Value::Int(self.cmp(&other()) as i64),
            "Sub" => {
                let span = self.total() - other().total();
                Value::Named(Named::Duration, span.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
            }
            _ => Value::Nil,
        })
    }
}

/// The moment that another struct of this type stands for, by what it says itself.
fn moment(time: &dyn Struct) -> Time {
    let number = |method| match time.call(method, &[]) {
        Ok(Value::Int(number) | Value::Int64(number)) => number,
        _ => 0,
    };
    Time::new(number("Unix"), number("Nanosecond") as u32)
}

const TIME: &str = "time.Time";
const DAY: i64 = 86_400;
const SECOND: i128 = 1_000_000_000;
/// Seconds from the beginning of the year 1 to that of 1970.
const YEAR_1: i64 = 62_135_596_800;
