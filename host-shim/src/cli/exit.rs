//! How the program ends: one line for people, and a code for scripts.

use std::fmt;

use cloudspout_host::docker::EngineError;
use cloudspout_host::{Failure, RunError};

use super::code::Code;

/// An end that is not a good one.
#[derive(Debug)]
pub struct Ending {
    pub code: Code,
    text: String,
}

impl Ending {
    pub fn other(text: impl fmt::Display) -> Ending {
        Ending { code: Code::Other, text: text.to_string() }
    }

    pub fn unfinished(text: impl fmt::Display) -> Ending {
        Ending { code: Code::Unfinished, text: text.to_string() }
    }

    /// The command line is wrong.
    pub fn usage(text: impl fmt::Display) -> Ending {
        Ending { code: Code::Usage, text: text.to_string() }
    }

    /// The same, of one of many.
    pub fn of_tenant(self, name: &str) -> Ending {
        Ending { text: format!("tenant {name:?}: {self}"), ..self }
    }

    /// The same code, in other words.
    pub fn with_text(self, text: &str) -> Ending {
        Ending { text: text.to_owned(), ..self }
    }

    pub fn settings(text: impl fmt::Display) -> Ending {
        Ending { code: Code::Settings, text: text.to_string() }
    }
}

impl From<RunError> for Ending {
    fn from(error: RunError) -> Ending {
        let code = match &error {
            RunError::Broken(_) | RunError::Exceeded(_) | RunError::Failure(Failure::Other(_)) => Code::Other,
            RunError::Failure(Failure::Settings(_)) => Code::Settings,
            RunError::Failure(Failure::Credentials(_)) => Code::Credentials,
            RunError::Failure(Failure::Denied(_)) => Code::Denied,
            RunError::Failure(Failure::Endpoint(_)) => Code::Endpoint,
            RunError::Failure(Failure::Rejected(_)) => Code::Rejected,
            RunError::Failure(Failure::Unfinished(_)) => Code::Unfinished,
            RunError::Failure(Failure::Filter(_)) => Code::Filter,
        };
        Ending { code, text: error.to_string() }
    }
}

impl From<EngineError> for Ending {
    fn from(error: EngineError) -> Ending {
        Ending { code: Code::Docker, text: error.to_string() }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}
