//! Stands where times of lines do, for a host whose events bring theirs: built without the feature `patterns`.

use std::convert::Infallible;
use std::fmt;

use crate::time::Timestamp;

/// There are none.
#[derive(Clone, Debug)]
pub struct LineTime(Infallible);

/// Room for nothing.
#[derive(Clone, Debug)]
pub struct Places(Infallible);

/// None can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineTimeError {
    Absent,
    Zone(Infallible),
}

impl LineTime {
    /// # Errors
    /// Always.
    pub fn parse(_format: &str, _zone: Option<&str>) -> Result<LineTime, LineTimeError> {
        Err(LineTimeError::Absent)
    }

    pub fn places(&self) -> Places {
        match self.0 {}
    }

    pub fn of(&self, _line: &[u8], _noted: Timestamp, _places: &mut Places) -> Option<Timestamp> {
        match self.0 {}
    }
}

impl fmt::Display for LineTimeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineTimeError::Absent => out.write_str("this was built without times of lines"),
            LineTimeError::Zone(never) => match *never {},
        }
    }
}

impl std::error::Error for LineTimeError {}
