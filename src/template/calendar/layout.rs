//! `Time.Format`: a layout is the time `Mon Jan 2 15:04:05 MST 2006`, written as the text is wanted.

use super::Time;
use crate::template::named::{MONTHS, WEEKDAYS};

/// A part of a layout that stands for a part of the time, and how much of the layout it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    LongMonth,
    Month,
    NumberMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    Noon {
        upper: bool,
    },
    Zone,
    /// A number of digits with this before; those that say nothing at the end are left out, or kept.
    Fraction {
        separator: char,
        digits: usize,
        trim: bool,
    },
    /// The offset of UTC, as it is always written.
    Offset(&'static str),
}

/// The time as the layout has it. Text that is no part of a time stays as it is.
pub fn format(time: &Time, layout: &str) -> String {
    let mut out = String::with_capacity(layout.len() + 10);
    let mut rest = layout;
    while !rest.is_empty() {
        match part(rest) {
            Some((part, length)) => {
                write(&mut out, time, part);
                rest = rest.get(length..).unwrap_or_default();
            }
            None => {
                let mut characters = rest.chars();
                out.extend(characters.next());
                // `_2006` is a year with a line before it, not a day in two places.
                if let Some(year) = rest.strip_prefix("_2006") {
                    write(&mut out, time, Part::LongYear);
                    rest = year;
                } else {
                    rest = characters.as_str();
                }
            }
        }
    }
    out
}

/// The part that a layout begins with; the first that fits.
fn part(layout: &str) -> Option<(Part, usize)> {
    if layout.starts_with("_2006") {
        return None;
    }
    for (text, part) in PARTS {
        if let Some(rest) = layout.strip_prefix(text) {
            let word_goes_on = rest.starts_with(|next: char| next.is_ascii_lowercase());
            if matches!(part, Part::Month | Part::Weekday) && word_goes_on {
                continue;
            }
            return Some((part, text.len()));
        }
    }
    fraction(layout)
}

/// `.000` or `,999`: as many digits as it has, unless others follow.
fn fraction(layout: &str) -> Option<(Part, usize)> {
    let separator = layout.chars().next().filter(|first| matches!(first, '.' | ','))?;
    let digits = layout.get(1..)?;
    let digit = digits.chars().next().filter(|digit| matches!(digit, '0' | '9'))?;
    let rest = digits.trim_start_matches(digit);
    if rest.starts_with(|next: char| next.is_ascii_digit()) {
        return None;
    }
    let count = digits.len() - rest.len();
    Some((Part::Fraction { separator, digits: count, trim: digit == '9' }, count + 1))
}

fn write(out: &mut String, time: &Time, part: Part) {
    let civil = time.civil();
    let (hour, minute, second) = time.clock();
    let hour12 = if hour % 12 == 0 { 12 } else { hour % 12 };
    let year = civil.year;
    let month = || MONTHS.get(civil.month as usize - 1).copied().unwrap_or_default();
    let weekday = || WEEKDAYS.get(time.weekday() as usize).copied().unwrap_or_default();
    let text = match part {
        Part::LongMonth => month().to_owned(),
        Part::Month => month().get(..3).unwrap_or_default().to_owned(),
        Part::NumberMonth => civil.month.to_string(),
        Part::ZeroMonth => format!("{:02}", civil.month),
        Part::LongWeekday => weekday().to_owned(),
        Part::Weekday => weekday().get(..3).unwrap_or_default().to_owned(),
        Part::Day => civil.day.to_string(),
        Part::UnderDay => format!("{:2}", civil.day),
        Part::ZeroDay => format!("{:02}", civil.day),
        Part::UnderYearDay => format!("{:3}", time.year_day()),
        Part::ZeroYearDay => format!("{:03}", time.year_day()),
        Part::Hour => format!("{hour:02}"),
        Part::Hour12 => hour12.to_string(),
        Part::ZeroHour12 => format!("{hour12:02}"),
        Part::Minute => minute.to_string(),
        Part::ZeroMinute => format!("{minute:02}"),
        Part::Second => second.to_string(),
        Part::ZeroSecond => format!("{second:02}"),
        Part::LongYear if year < 0 => format!("-{:04}", -year),
        Part::LongYear => format!("{year:04}"),
        Part::Year => format!("{:02}", year.max(0) % 100),
        Part::Noon { upper } => match (hour >= 12, upper) {
            (true, true) => "PM".to_owned(),
            (true, false) => "pm".to_owned(),
            (false, true) => "AM".to_owned(),
            (false, false) => "am".to_owned(),
        },
        Part::Zone => "UTC".to_owned(),
        Part::Offset(text) => text.to_owned(),
        Part::Fraction { separator, digits, trim } => nanoseconds(time.nanos, separator, digits, trim),
    };
    out.push_str(&text);
}

fn nanoseconds(nanos: u32, separator: char, digits: usize, trim: bool) -> String {
    if trim && nanos == 0 {
        return String::new();
    }
    let text = format!("{separator}{nanos:09}");
    let text = text.get(..=digits.min(9)).unwrap_or(&text);
    if !trim {
        return text.to_owned();
    }
    text.trim_end_matches('0').trim_end_matches(separator).to_owned()
}

/// Where one begins like another, the longer stands first.
const PARTS: [(&str, Part); 33] = [
    ("January", Part::LongMonth),
    ("Jan", Part::Month),
    ("Monday", Part::LongWeekday),
    ("Mon", Part::Weekday),
    ("MST", Part::Zone),
    ("01", Part::ZeroMonth),
    ("002", Part::ZeroYearDay),
    ("02", Part::ZeroDay),
    ("03", Part::ZeroHour12),
    ("04", Part::ZeroMinute),
    ("05", Part::ZeroSecond),
    ("06", Part::Year),
    ("15", Part::Hour),
    ("1", Part::NumberMonth),
    ("2006", Part::LongYear),
    ("2", Part::Day),
    ("__2", Part::UnderYearDay),
    ("_2", Part::UnderDay),
    ("3", Part::Hour12),
    ("4", Part::Minute),
    ("5", Part::Second),
    ("PM", Part::Noon { upper: true }),
    ("pm", Part::Noon { upper: false }),
    ("-070000", Part::Offset("+000000")),
    ("-07:00:00", Part::Offset("+00:00:00")),
    ("-0700", Part::Offset("+0000")),
    ("-07:00", Part::Offset("+00:00")),
    ("-07", Part::Offset("+00")),
    ("Z070000", Part::Offset("Z")),
    ("Z07:00:00", Part::Offset("Z")),
    ("Z0700", Part::Offset("Z")),
    ("Z07:00", Part::Offset("Z")),
    ("Z07", Part::Offset("Z")),
];
