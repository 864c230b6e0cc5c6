//! Go's integers with a type of their own, as far as a time has them.

use std::fmt::Write as _;

/// Such a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    Duration,
    Month,
    Weekday,
}

impl Named {
    pub fn name(self) -> &'static str {
        match self {
            Named::Duration => "time.Duration",
            Named::Month => "time.Month",
            Named::Weekday => "time.Weekday",
        }
    }

    /// What its `String` method returns.
    pub fn text(self, value: i64) -> String {
        let named = |names: &[&str], first: i64| {
            let at = value.checked_sub(first).and_then(|at| usize::try_from(at).ok());
            at.and_then(|at| names.get(at)).map(|name| (*name).to_owned())
        };
        match self {
            Named::Duration => duration(value),
            // Go counts on as unsigned where there is no such day or month.
            Named::Month => {
                named(&MONTHS, 1).unwrap_or_else(|| format!("%!Month({})", value.cast_unsigned()))
            }
            Named::Weekday => {
                named(&WEEKDAYS, 0).unwrap_or_else(|| format!("%!Weekday({})", value.cast_unsigned()))
            }
        }
    }
}

pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// `1h2m3.5s`; less than a second in the unit that leaves the fewest digits.
fn duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let fraction = |value: u64, unit: u64| {
        let digits = unit.ilog10() as usize;
        let text = format!("{}.{:0digits$}", value / unit, value % unit);
        match digits {
            0 => (value / unit).to_string(),
            _ => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        }
    };
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{nanos}ns"),
        1_000..1_000_000 => format!("{sign}{}\u{b5}s", fraction(nanos, 1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", fraction(nanos, 1_000_000)),
        _ => {
            let minutes = nanos / 60_000_000_000;
            let mut text = sign.to_owned();
            // Writing to a string cannot fail.
            if minutes >= 60 {
                let _ = write!(text, "{}h", minutes / 60);
            }
            if minutes > 0 {
                let _ = write!(text, "{}m", minutes % 60);
            }
            let _ = write!(text, "{}s", fraction(nanos % 60_000_000_000, 1_000_000_000));
            text
        }
    }
}
