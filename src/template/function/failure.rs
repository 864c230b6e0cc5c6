//! Why a function gave no value.

use crate::template::format::Limited;

#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// An error of the function's own, in Go's words.
    Message(String),
    /// What it would have made is larger than rendering may make.
    TooLarge,
}

impl From<Limited> for Failure {
    fn from(Limited: Limited) -> Self {
        Self::TooLarge
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Self::Message(message.to_owned())
    }
}
