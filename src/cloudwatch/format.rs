//! Formats of events that the service looks into.

use std::fmt;

/// What events are, as `x-amzn-logs-format` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Metrics are in them (the embedded metric format).
    Emf,
}

/// There is no such format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFormatError(String);

impl LogFormat {
    /// # Errors
    /// For any but `json/emf`, as in Docker's driver.
    pub fn parse(name: &str) -> Result<LogFormat, LogFormatError> {
        match name {
            "json/emf" => Ok(LogFormat::Emf),
            other => Err(LogFormatError(other.to_owned())),
        }
    }

    /// The header of a request that puts such events.
    pub fn header(self) -> (&'static str, String) {
        match self {
            LogFormat::Emf => ("x-amzn-logs-format", "json/emf".to_owned()),
        }
    }
}

impl fmt::Display for LogFormatError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "awslogs-format `{}`: the only format there is to say is json/emf", self.0)
    }
}

impl std::error::Error for LogFormatError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_emf() {
        let format = LogFormat::parse("json/emf").unwrap();
        assert_eq!(format.header(), ("x-amzn-logs-format", "json/emf".to_owned()));
        for name in ["", "json", "JSON/EMF", "text"] {
            let error = LogFormat::parse(name).unwrap_err().to_string();
            assert!(error.starts_with(&format!("awslogs-format `{name}`")), "{error}");
        }
    }
}
