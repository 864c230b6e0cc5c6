//! Stands where patterns do, for a host whose events come whole: built without the feature `patterns`.

use std::convert::Infallible;
use std::fmt;

/// There are none.
#[derive(Clone, Debug)]
pub struct Pattern(Infallible);

/// None can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError(());

impl Pattern {
    /// # Errors
    /// Always.
    pub fn parse(_pattern: &str) -> Result<Pattern, PatternError> {
        Err(PatternError(()))
    }

    pub fn is_in(&self, _text: &[u8]) -> bool {
        match self.0 {}
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("this was built without patterns")
    }
}

impl std::error::Error for PatternError {}
