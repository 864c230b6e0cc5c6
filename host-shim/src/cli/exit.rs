//! How the program ends: one line for people, and a code for scripts.

use std::fmt;

use cloudspout_host::docker::EngineError;
use cloudspout_host::{Failure, RunError};

/// An end that is not a good one.
#[derive(Debug)]
pub struct Ending {
    pub code: u8,
    text: String,
}

/// The codes, as `--help` lists them.
const OTHER: u8 = 1;
const SETTINGS: u8 = 3;
const DOCKER: u8 = 4;
const CREDENTIALS: u8 = 5;
const DENIED: u8 = 6;
const ENDPOINT: u8 = 7;
const REJECTED: u8 = 8;
const UNFINISHED: u8 = 9;

impl Ending {
    pub fn other(text: impl fmt::Display) -> Ending {
        Ending { code: OTHER, text: text.to_string() }
    }

    pub fn unfinished(text: impl fmt::Display) -> Ending {
        Ending { code: UNFINISHED, text: text.to_string() }
    }

    pub fn settings(text: impl fmt::Display) -> Ending {
        Ending { code: SETTINGS, text: text.to_string() }
    }
}

impl From<RunError> for Ending {
    fn from(error: RunError) -> Ending {
        let code = match &error {
            RunError::Broken(_) | RunError::Failure(Failure::Other(_)) => OTHER,
            RunError::Failure(Failure::Settings(_)) => SETTINGS,
            RunError::Failure(Failure::Credentials(_)) => CREDENTIALS,
            RunError::Failure(Failure::Denied(_)) => DENIED,
            RunError::Failure(Failure::Endpoint(_)) => ENDPOINT,
            RunError::Failure(Failure::Rejected(_)) => REJECTED,
            RunError::Failure(Failure::Unfinished(_)) => UNFINISHED,
        };
        Ending { code, text: error.to_string() }
    }
}

impl From<EngineError> for Ending {
    fn from(error: EngineError) -> Ending {
        Ending { code: DOCKER, text: error.to_string() }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}
