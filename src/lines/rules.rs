//! How the lines of a log become events, by choice.

use std::fmt;

use super::datetime::{self, FormatError};
use super::pattern::{Pattern, PatternError};

/// What was chosen, as it was given; `settings.options` in the WIT says what each means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineOptions {
    pub multiline_pattern: Option<String>,
    pub datetime_format: Option<String>,
}

/// Rules that can be followed. Those of a container may be its own.
#[derive(Clone, Debug, Default)]
pub struct LineRules {
    /// What a line has to hold to begin an event; the others go on with the one before. `None`: each line is one.
    pub start: Option<Pattern>,
}

/// Why rules cannot be followed. The names are those of Docker's log options, with which a container chooses too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineError {
    TwoStarts,
    Pattern(&'static str, PatternError),
    Format(&'static str, FormatError),
}

const PATTERN: &str = "awslogs-multiline-pattern";
const FORMAT: &str = "awslogs-datetime-format";

impl LineRules {
    /// An empty pattern or format is none.
    ///
    /// # Errors
    /// For an option that cannot be used, or two that say the same thing.
    pub fn of(options: &LineOptions) -> Result<LineRules, LineError> {
        let given = |option: &Option<String>| option.clone().filter(|text| !text.is_empty());
        let start = match (given(&options.multiline_pattern), given(&options.datetime_format)) {
            (Some(_), Some(_)) => return Err(LineError::TwoStarts),
            (None, None) => None,
            (Some(pattern), None) => {
                Some(Pattern::parse(&pattern).map_err(|error| LineError::Pattern(PATTERN, error))?)
            }
            (None, Some(format)) => {
                let pattern =
                    datetime::pattern_of(&format).map_err(|error| LineError::Format(FORMAT, error))?;
                Some(Pattern::parse(&pattern).map_err(|error| LineError::Pattern(FORMAT, error))?)
            }
        };
        Ok(LineRules { start })
    }
}

impl fmt::Display for LineError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineError::TwoStarts => write!(
                out,
                "{FORMAT} and {PATTERN} cannot be given at the same time: each says where an event begins"
            ),
            LineError::Pattern(option, error) => write!(out, "{option}: {error}"),
            LineError::Format(option, error) => write!(out, "{option}: {error}"),
        }
    }
}

impl std::error::Error for LineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LineError::TwoStarts => None,
            LineError::Pattern(_, error) => Some(error),
            LineError::Format(_, error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: Option<&str>, format: Option<&str>) -> Result<LineRules, String> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let options = LineOptions { multiline_pattern: owned(pattern), datetime_format: owned(format) };
        LineRules::of(&options).map_err(|error| error.to_string())
    }

    #[test]
    fn a_pattern_or_a_format_says_where_events_begin() {
        for (pattern, format, begins) in [
            (Some("^INFO"), None, "INFO x"),
            (None, Some("%H:%M"), "at 12:30"),
            (Some(""), Some("%H:%M"), "at 12:30"),
        ] {
            let start = of(pattern, format).unwrap().start.unwrap();
            assert!(start.is_in(begins.as_bytes()), "{pattern:?} {format:?}");
            assert!(!start.is_in(b"  at java.lang.Thread"), "{pattern:?} {format:?}");
        }
        for (pattern, format) in [(None, None), (Some(""), None), (None, Some(""))] {
            assert!(of(pattern, format).unwrap().start.is_none(), "{pattern:?} {format:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (pattern, format, words) in [
            (Some("a"), Some("%H"), "awslogs-datetime-format and awslogs-multiline-pattern cannot be given"),
            (Some("("), None, "awslogs-multiline-pattern: pattern `(`: unclosed group"),
            (None, Some("%Q"), "awslogs-datetime-format: format `%Q`: %Q is not known"),
            (None, Some("%H("), "awslogs-datetime-format: pattern `"),
        ] {
            let error = of(pattern, format).map(|_| ()).unwrap_err();
            assert!(error.starts_with(words), "{error}");
        }
    }
}
