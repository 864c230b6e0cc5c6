//! Formats of dates and times (`%Y-%m-%d %H:%M:%S`), as patterns that find them in a line.
//!
//! The tokens are those of Docker's `awslogs-datetime-format` and a few more; what stands between them is a
//! pattern, as it is there (`\[%b %d, %Y %H:%M:%S\]`).

use std::fmt;

/// One token: the letter behind its `%`, and how what it stands for is found.
struct Token {
    letter: char,
    pattern: &'static str,
}

const fn token(letter: char, pattern: &'static str) -> Token {
    Token { letter, pattern }
}

/// Docker's first, in the order of its documentation. docs/LINES.md says where they differ from Docker's.
const TOKENS: [Token; 27] = [
    token('a', "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"),
    token('A', "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"),
    token('w', "[0-6]"),
    token('d', "(?:0[1-9]|[12][0-9]|3[01])"),
    token('b', "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"),
    token('B', "(?:January|February|March|April|May|June|July|August|September|October|November|December)"),
    token('m', "(?:0[1-9]|1[0-2])"),
    token('Y', "[0-9]{4}"),
    token('y', "[0-9]{2}"),
    token('H', "(?:[01][0-9]|2[0-3])"),
    token('I', "(?:0[1-9]|1[0-2])"),
    token('p', "(?:[AP]M|[ap]m)"),
    token('M', "[0-5][0-9]"),
    token('S', "(?:[0-5][0-9]|60)"),
    token('f', "[0-9]{1,9}"),
    token('z', "(?:[+-][0-9]{2}:?[0-9]{2}|Z)"),
    token('Z', "[A-Z]{1,5}"),
    token('j', "(?:00[1-9]|0[1-9][0-9]|[12][0-9][0-9]|3[0-5][0-9]|36[0-6])"),
    token('L', "[.,]?[0-9]{3}"),
    token('e', "(?: [1-9]|0[1-9]|[12][0-9]|3[01])"),
    token('h', "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"),
    token('s', "[0-9]{9,11}"),
    token('F', "%Y-%m-%d"),
    token('T', "%H:%M:%S"),
    token('R', "%H:%M"),
    token('D', "%m/%d/%y"),
    token('%', "%"),
];

/// Why a format cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// It has no token for this letter.
    Unknown { format: String, letter: char },
}

/// The pattern, in Go's syntax, that finds what a format describes.
///
/// # Errors
/// The format has a token that is not known.
pub fn pattern_of(format: &str) -> Result<String, FormatError> {
    let mut pattern = String::with_capacity(4 * format.len());
    let mut rest = format;
    while let Some(character) = rest.chars().next() {
        let behind = rest.get(character.len_utf8()..).unwrap_or_default();
        let next = behind.chars().next();
        rest = match (character, next) {
            ('%', Some(letter)) => {
                write_token(letter, &mut pattern)
                    .ok_or_else(|| FormatError::Unknown { format: format.to_owned(), letter })?;
                behind.get(letter.len_utf8()..).unwrap_or_default()
            }
            ('\\', Some(escaped)) => {
                pattern.extend(['\\', escaped]);
                behind.get(escaped.len_utf8()..).unwrap_or_default()
            }
            // A class of the letters of a date makes no sense: `[%H:%M]` means the brackets.
            ('[', _) if holds_token(behind) => {
                pattern.push_str(r"\[");
                behind
            }
            _ => {
                pattern.push(character);
                behind
            }
        };
    }
    Ok(pattern)
}

fn write_token(letter: char, pattern: &mut String) -> Option<()> {
    let token = TOKENS.iter().find(|token| token.letter == letter)?;
    let mut parts = token.pattern.split('%');
    pattern.push_str(parts.next().unwrap_or_default());
    if letter == '%' {
        pattern.push('%');
        return Some(());
    }
    for part in parts {
        let mut characters = part.chars();
        write_token(characters.next()?, pattern)?;
        pattern.push_str(characters.as_str());
    }
    Some(())
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
        let FormatError::Unknown { format, letter } = self;
        write!(out, "format `{format}`: %{letter} is not known; there are")?;
        TOKENS.iter().try_for_each(|token| write!(out, " %{}", token.letter))
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
    fn what_is_no_token_is_refused() {
        let error = pattern_of("%Y %Q").unwrap_err().to_string();
        assert!(error.starts_with("format `%Y %Q`: %Q is not known; there are %a %A %w"), "{error}");
    }
}
