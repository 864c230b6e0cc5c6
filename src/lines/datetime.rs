//! Formats of dates and times (`%Y-%m-%d %H:%M:%S`), as patterns that find them in a line.
//!
//! The tokens are those of Docker's `awslogs-datetime-format` and a few more; what stands between them is a
//! pattern, as it is there (`\[%b %d, %Y %H:%M:%S\]`).

use std::fmt;

/// One token: the letter behind its `%`, how what it stands for is found, and what that says of a time.
struct Token {
    letter: char,
    pattern: &'static str,
    field: Option<Field>,
}

/// What a part of a date or time says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Year,
    /// Without its century.
    ShortYear,
    Month,
    MonthName,
    Day,
    DayOfYear,
    Hour,
    /// Of twelve.
    HourOfHalf,
    /// Before or after noon.
    Half,
    Minute,
    Second,
    /// Of a second, in as many digits as there are.
    Fraction,
    Offset,
    Zone,
    /// Seconds since 1970.
    Epoch,
}

const fn token(letter: char, pattern: &'static str, field: Field) -> Token {
    Token { letter, pattern, field: Some(field) }
}

const fn other(letter: char, pattern: &'static str) -> Token {
    Token { letter, pattern, field: None }
}

/// Docker's first, in the order of its documentation. docs/LINES.md says where they differ from Docker's.
const TOKENS: [Token; 27] = [
    other('a', "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"),
    other('A', "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"),
    other('w', "[0-6]"),
    token('d', "(?:0[1-9]|[12][0-9]|3[01])", Field::Day),
    token('b', "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)", Field::MonthName),
    token(
        'B',
        "(?:January|February|March|April|May|June|July|August|September|October|November|December)",
        Field::MonthName,
    ),
    token('m', "(?:0[1-9]|1[0-2])", Field::Month),
    token('Y', "[0-9]{4}", Field::Year),
    token('y', "[0-9]{2}", Field::ShortYear),
    token('H', "(?:[01][0-9]|2[0-3])", Field::Hour),
    token('I', "(?:0[1-9]|1[0-2])", Field::HourOfHalf),
    token('p', "(?:[AP]M|[ap]m)", Field::Half),
    token('M', "[0-5][0-9]", Field::Minute),
    token('S', "(?:[0-5][0-9]|60)", Field::Second),
    token('f', "[0-9]{1,9}", Field::Fraction),
    token('z', "(?:[+-][0-9]{2}:?[0-9]{2}|Z)", Field::Offset),
    token('Z', "[A-Z]{1,5}", Field::Zone),
    token('j', "(?:00[1-9]|0[1-9][0-9]|[12][0-9][0-9]|3[0-5][0-9]|36[0-6])", Field::DayOfYear),
    token('L', "[.,]?[0-9]{3}", Field::Fraction),
    token('e', "(?: [1-9]|0[1-9]|[12][0-9]|3[01])", Field::Day),
    token('h', "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)", Field::MonthName),
    token('s', "[0-9]{9,11}", Field::Epoch),
    other('F', "%Y-%m-%d"),
    other('T', "%H:%M:%S"),
    other('R', "%H:%M"),
    other('D', "%m/%d/%y"),
    other('%', "%"),
];

/// Why a format cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// It has no token for this letter.
    Unknown { format: String, letter: char },
    /// It does not say a time, for want of this.
    NoTime { format: String, missing: &'static str },
}

/// Groups that hold fields have this name, and a number.
pub const GROUP: &str = "field";

/// The pattern, in Go's syntax, that finds what a format describes.
///
/// # Errors
/// The format has a token that is not known.
pub fn pattern_of(format: &str) -> Result<String, FormatError> {
    let mut writer = Writer { pattern: String::with_capacity(4 * format.len()), fields: None };
    writer.write(format)?;
    Ok(writer.pattern)
}

/// Such a pattern, with a group for each part of a time, and what each group says.
///
/// # Errors
/// As there; and the format does not say a time.
pub fn fields_of(format: &str) -> Result<(String, Vec<Field>), FormatError> {
    let mut writer = Writer { pattern: String::with_capacity(16 * format.len()), fields: Some(Vec::new()) };
    writer.write(format)?;
    let fields = writer.fields.unwrap_or_default();
    match missing(&fields) {
        Some(missing) => Err(FormatError::NoTime { format: format.to_owned(), missing }),
        None => Ok((writer.pattern, fields)),
    }
}

/// What of a time such fields leave open. The year, and the date as a whole, can be told from elsewhere.
fn missing(fields: &[Field]) -> Option<&'static str> {
    let has = |any: &[Field]| fields.iter().any(|field| any.contains(field));
    let (month, day) = (has(&[Field::Month, Field::MonthName]), has(&[Field::Day]));
    let (year, day_of_year) = (has(&[Field::Year, Field::ShortYear]), has(&[Field::DayOfYear]));
    let dated = day_of_year || (month && day);
    if has(&[Field::Epoch]) {
        None
    } else if !has(&[Field::Hour, Field::HourOfHalf]) {
        Some("the hour (%H, or %I and %p)")
    } else if has(&[Field::HourOfHalf]) && !has(&[Field::Hour, Field::Half]) {
        Some("whether it is before noon (%p)")
    } else if !dated && (month || day || year) {
        Some("the day (%d or %j) or the month (%m, %b or %B)")
    } else {
        None
    }
}

/// Writes a format as a pattern.
struct Writer {
    pattern: String,
    /// The fields that have groups, where they are to have them.
    fields: Option<Vec<Field>>,
}

impl Writer {
    fn write(&mut self, format: &str) -> Result<(), FormatError> {
        let mut rest = format;
        while let Some(character) = rest.chars().next() {
            let behind = rest.get(character.len_utf8()..).unwrap_or_default();
            rest = match (character, behind.chars().next()) {
                ('%', Some(letter)) => {
                    let token = TOKENS.iter().find(|token| token.letter == letter);
                    let unknown = || FormatError::Unknown { format: format.to_owned(), letter };
                    self.token(token.ok_or_else(unknown)?)?;
                    behind.get(letter.len_utf8()..).unwrap_or_default()
                }
                ('\\', Some(escaped)) => {
                    self.pattern.extend(['\\', escaped]);
                    behind.get(escaped.len_utf8()..).unwrap_or_default()
                }
                // A class of the letters of a date makes no sense: `[%H:%M]` means the brackets.
                ('[', _) if holds_token(behind) => {
                    self.pattern.push_str(r"\[");
                    behind
                }
                _ => {
                    self.pattern.push(character);
                    behind
                }
            };
        }
        Ok(())
    }

    fn token(&mut self, token: &Token) -> Result<(), FormatError> {
        match (token.field, &mut self.fields) {
            _ if token.letter == '%' => self.pattern.push('%'),
            // It stands for others.
            (None, _) if token.pattern.starts_with('%') => return self.write(token.pattern),
            (Some(field), Some(fields)) => {
                let group = format!("(?P<{GROUP}{}>{})", fields.len(), token.pattern);
                self.pattern.push_str(&group);
                fields.push(field);
            }
            (_, _) => self.pattern.push_str(token.pattern),
        }
        Ok(())
    }
}

/// Whether a token stands before the `]` that would end a class.
fn holds_token(behind: &str) -> bool {
    let end = behind.char_indices().skip(1).find(|(_, character)| *character == ']');
    let class = behind.get(..end.map_or(0, |(end, _)| end)).unwrap_or_default();
    let letters = class.split('%').skip(1).filter_map(|part| part.chars().next());
    letters.into_iter().any(|letter| letter.is_ascii_alphabetic())
}

impl fmt::Display for FormatError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FormatError::Unknown { format, letter } => {
                write!(out, "format `{format}`: %{letter} is not known; there are")?;
                TOKENS.iter().try_for_each(|token| write!(out, " %{}", token.letter))
            }
            FormatError::NoTime { format, missing } => {
                write!(out, "format `{format}` says no time: it lacks {missing}")
            }
        }
    }
}

impl std::error::Error for FormatError {}

#[cfg(test)]
mod tests {
    use super::super::pattern::Pattern;
    use super::*;

    #[track_caller]
    fn check(format: &str, matching: &[&str], others: &[&str]) {
        let pattern = Pattern::parse(&pattern_of(format).unwrap()).unwrap();
        for line in matching {
            assert!(pattern.is_in(line.as_bytes()), "{format} in {line:?}");
        }
        for line in others {
            assert!(!pattern.is_in(line.as_bytes()), "{format} not in {line:?}");
        }
    }

    #[test]
    fn formats_find_what_they_describe() {
        check(r"\[%b %d, %Y %H:%M:%S\]", &["[May 01, 2017 19:00:01] A message"], &["May 01, 2017 19:00:01"]);
        check("%d/%m/%y %a %H:%M:%S%L %Z", &["31/12/10 Mon 08:42:44.345 NZDT"], &["31/12/10 Mon 08:42:44"]);
        check(
            "%Y-%m-%d %A %I:%M:%S.%f%p%z",
            &["2007-12-04 Monday 08:42:44.123456AM+1200"],
            &["2007-12-04 Monday 13:42:44.123456AM+1200"],
        );
        check("Day of the week: %w, Day of the year: %j", &["Day of the week: 4, Day of the year: 091"], &[]);
        check("^%B %e", &["September  7", "May 31"], &["Sept 7"]);
        check("%T", &["at 23:59:60"], &["24:00:00"]);
        check("^%F %R", &["2026-11-27 20:15"], &["2026-13-27 20:15"]);
        check("^%D %h %s", &["11/27/26 Nov 1795227480"], &[]);
        check("100%% at %H", &["100% at 12"], &["100 at 12"]);
        check("%Y%", &["2026%"], &["2026"]);
    }

    #[test]
    fn what_dockers_tokens_get_wrong_is_mended() {
        check("^%j$", &["001", "010", "100", "366"], &["000", "367"]);
        check(r"^%Z\]", &["UTC]", "GMT]", "CEST]", "Z]"], &["utc]"]);
        check("^%d$", &["01", "29", "31"], &[",1", "3,", "00", "32"]);
        check("^%H$", &["00", "23"], &[",1", "24"]);
        check("^%I$", &["12"], &["00", "13"]);
        check("^%p$", &["AM", "pm"], &[",M"]);
        check("^%S%L$", &["01.345", "01,345"], &["01"]);
        check("^%S.%L$", &["01.345"], &[]);
        check("^%z$", &["+0200", "-05:00", "Z"], &["0200"]);
    }

    #[test]
    fn brackets_around_tokens_are_brackets() {
        check("^[%H:%M] ", &["[12:30] x"], &["12:30 x"]);
        check("^[ T]%H", &["T12"], &["[12"]);
        check(r"^\[%H[.:]%M\]", &["[12.30]", "[12:30]"], &["[12]"]);
    }

    #[test]
    fn what_says_no_time_is_refused_where_times_are_read() {
        for (format, lacking) in [
            ("%H:%M", None),
            ("%s", None),
            ("%j %I%p", None),
            ("%b %d %H", None),
            ("%Y-%m-%d", Some("the hour")),
            ("%d %I:%M", Some("whether it is before noon")),
            ("%Y %H", Some("the day")),
            ("%b %H", Some("the day")),
        ] {
            let error = fields_of(format).err().map(|error| error.to_string());
            match (&error, lacking) {
                (None, None) => {}
                (Some(error), Some(words)) => assert!(error.contains(words), "{error}"),
                _ => panic!("{format}: {error:?}"),
            }
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let error = pattern_of("%Y %Q").unwrap_err().to_string();
        assert!(error.starts_with("format `%Y %Q`: %Q is not known; there are %a %A %w"), "{error}");
    }
}
