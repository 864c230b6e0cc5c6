//! How much a rendering may do, and the error when it fails.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

/// Bounds of one rendering.
///
/// Values a template makes on its way count like output: no string is longer than `bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Words evaluated, nodes walked, and bytes handled (64 to a step).
    pub steps: u64,
    /// Bytes of output, and of any string made on the way.
    pub bytes: usize,
    /// Templates within each other.
    pub templates: usize,
}

impl Default for Limits {
    /// Far more than a name needs, and milliseconds of work.
    fn default() -> Self {
        Self { steps: 100_000, bytes: 64 * 1024, templates: 100 }
    }
}

/// A template that could not be rendered:
/// `template: NAME:LINE:COLUMN: executing "NAME" at <PART>: what is wrong`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderError {
    message: String,
    cause: Cause,
}

/// Whether Go would have failed as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The template or its data are wrong.
    Template,
    /// A bound of [`Limits`] was reached.
    Limit,
}

impl RenderError {
    pub fn new(message: String, cause: Cause) -> Self {
        Self { message, cause }
    }

    pub fn cause(&self) -> Cause {
        self.cause
    }
}

impl Display for RenderError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for RenderError {}
