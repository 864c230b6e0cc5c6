//! How the lines of a log become events, by choice.

use std::fmt;

use super::datetime::{self, FormatError};
use super::line_time::{LineTime, LineTimeError};
use super::pattern::{Pattern, PatternError};
use super::wrap::{self, Wrap, WrapError};

/// What was chosen, as it was given; `settings.options` in the WIT says what each means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineOptions {
    pub multiline_pattern: Option<String>,
    pub datetime_format: Option<String>,
    pub time_format: Option<String>,
    pub time_zone: Option<String>,
    pub wrap: wrap::Form,
    pub wrap_fields: Vec<String>,
}

/// Rules that can be followed. Those of a container may be its own.
#[derive(Clone, Debug, Default)]
pub struct LineRules {
    /// What a line has to hold to begin an event; the others go on with the one before. `None`: each line is one.
    pub start: Option<Pattern>,
    /// How a line says its time. `None`: it is not asked.
    pub time: Option<LineTime>,
    /// What an event is wrapped with. `None`: it is not.
    pub wrap: Option<Wrap>,
}

/// Why rules cannot be followed. The names are those of Docker's log options, with which a container chooses too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineError {
    TwoStarts,
    Pattern(&'static str, PatternError),
    Format(&'static str, FormatError),
    Time(&'static str, LineTimeError),
    /// A zone is for times that are read.
    ZoneAlone,
    Wrap(WrapError),
}

const PATTERN: &str = "awslogs-multiline-pattern";
const FORMAT: &str = "awslogs-datetime-format";
const TIME: &str = "time-format";
const ZONE: &str = "time-zone";
const WRAP: &str = "wrap-fields";

impl LineRules {
    /// An empty pattern or format is none.
    ///
    /// # Errors
    /// For an option that cannot be used, or two that say the same thing.
    pub fn of(options: &LineOptions) -> Result<LineRules, LineError> {
        Ok(LineRules {
            start: start_of(given(&options.multiline_pattern), given(&options.datetime_format))?,
            time: time_of(given(&options.time_format), given(&options.time_zone))?,
            wrap: Wrap::of(options.wrap, &options.wrap_fields).map_err(LineError::Wrap)?,
        })
    }

    /// The same rules, but for where events begin: that a container says itself.
    ///
    /// # Errors
    /// As for [`LineRules::of`].
    pub fn beginning(&self, pattern: Option<&str>, format: Option<&str>) -> Result<LineRules, LineError> {
        let start =
            start_of(pattern.filter(|text| !text.is_empty()), format.filter(|text| !text.is_empty()))?;
        Ok(LineRules { start, ..self.clone() })
    }
}

fn given(option: &Option<String>) -> Option<&str> {
    option.as_deref().filter(|text| !text.is_empty())
}

fn start_of(pattern: Option<&str>, format: Option<&str>) -> Result<Option<Pattern>, LineError> {
    let (option, pattern) = match (pattern, format) {
        (Some(_), Some(_)) => return Err(LineError::TwoStarts),
        (None, None) => return Ok(None),
        (Some(pattern), None) => (PATTERN, pattern.to_owned()),
        (None, Some(format)) => {
            let pattern = datetime::pattern_of(format).map_err(|error| LineError::Format(FORMAT, error))?;
            (FORMAT, pattern)
        }
    };
    let pattern = Pattern::parse(&pattern).map_err(|error| LineError::Pattern(option, error))?;
    Ok(Some(pattern))
}

fn time_of(format: Option<&str>, zone: Option<&str>) -> Result<Option<LineTime>, LineError> {
    let Some(format) = format else {
        return if zone.is_some() { Err(LineError::ZoneAlone) } else { Ok(None) };
    };
    let time = LineTime::parse(format, zone).map_err(|error| {
        let option = if matches!(error, LineTimeError::Zone(_)) { ZONE } else { TIME };
        LineError::Time(option, error)
    })?;
    Ok(Some(time))
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
            LineError::Time(option, error) => write!(out, "{option}: {error}"),
            LineError::ZoneAlone => {
                write!(out, "{ZONE} is for times that are read from lines: give {TIME} too")
            }
            LineError::Wrap(error) => write!(out, "{WRAP}: {error}"),
        }
    }
}

impl std::error::Error for LineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LineError::TwoStarts | LineError::ZoneAlone => None,
            LineError::Pattern(_, error) => Some(error),
            LineError::Format(_, error) => Some(error),
            LineError::Time(_, error) => Some(error),
            LineError::Wrap(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: Option<&str>, format: Option<&str>) -> Result<LineRules, String> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let options = LineOptions {
            multiline_pattern: owned(pattern),
            datetime_format: owned(format),
            ..LineOptions::default()
        };
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
    fn what_is_no_time_zone_or_field_is_named() {
        let text = |text: &str| Some(text.to_owned());
        let none = LineOptions::default;
        for (options, words) in [
            (LineOptions { time_format: text("%F"), ..none() }, "time-format: format `%F` says no time"),
            (LineOptions { time_zone: text("UTC"), ..none() }, "time-zone is for times that are read"),
            (
                LineOptions { time_format: text("%T"), time_zone: text("Mars"), ..none() },
                "time-zone: `Mars` is no time zone",
            ),
            (LineOptions { wrap_fields: vec!["id".into()], ..none() }, "wrap-fields: fields are for wrapped"),
            (
                LineOptions { wrap: wrap::Form::Json, wrap_fields: vec!["labels.".into()], ..none() },
                "wrap-fields: `labels.` is no field; there are stream, name, id,",
            ),
        ] {
            let error = LineRules::of(&options).map(|_| ()).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }

    #[test]
    fn a_container_may_say_where_its_events_begin() {
        let options = LineOptions { time_format: Some("%T".into()), ..LineOptions::default() };
        let rules = LineRules::of(&options).unwrap();
        let own = rules.beginning(Some("^A"), Some("")).unwrap();
        assert!(own.start.is_some_and(|start| start.is_in(b"A")) && own.time.is_some());
        assert!(own_error(&rules).starts_with("awslogs-datetime-format and awslogs-multiline-pattern"));
    }

    fn own_error(rules: &LineRules) -> String {
        rules.beginning(Some("a"), Some("%H")).map(|_| ()).unwrap_err().to_string()
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
