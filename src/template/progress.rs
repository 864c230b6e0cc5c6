//! Where a rendering is, how much it has done, and the errors that say so.

use super::limits::{Cause, Limits, RenderError};
use super::quote::{Shown, quote};
use super::syntax::Place;

type Result<T> = std::result::Result<T, RenderError>;

pub struct Progress<'a> {
    /// Name and text of what was parsed, for the position of errors.
    name: &'a str,
    text: &'a str,
    pub limits: Limits,
    /// The `{{define}}` under way, or the template itself.
    pub executing: &'a str,
    /// The part under way.
    pub place: Option<&'a dyn Place>,
    steps: u64,
    nesting: usize,
}

impl<'a> Progress<'a> {
    pub fn new(name: &'a str, text: &'a str, limits: Limits) -> Self {
        Self { name, text, limits, executing: name, place: None, steps: 0, nesting: 0 }
    }

    pub fn at(&mut self, place: &'a dyn Place) {
        self.place = Some(place);
    }

    pub fn error(&self, wrong: &str) -> RenderError {
        self.failed(wrong, Cause::Template)
    }

    pub fn too_large(&self) -> RenderError {
        let limit = self.limits.bytes;
        self.failed(&format!("more than {limit} bytes of text"), Cause::Limit)
    }

    fn failed(&self, wrong: &str, cause: Cause) -> RenderError {
        let Some(place) = self.place else {
            return RenderError::new(format!("template: {}: {wrong}", self.executing), cause);
        };
        let before = self.text.get(..place.position()).unwrap_or(self.text);
        let line = 1 + before.matches('\n').count();
        let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
        let executing = quote(self.executing.as_bytes(), Shown::Printable);
        let message =
            format!("template: {}:{line}:{column}: executing {executing} at <{place}>: {wrong}", self.name);
        RenderError::new(message, cause)
    }

    /// Counts a step.
    pub fn step(&mut self) -> Result<()> {
        self.steps += 1;
        if self.steps > self.limits.steps {
            let limit = self.limits.steps;
            return Err(self.failed(&format!("more than {limit} steps"), Cause::Limit));
        }
        Ok(())
    }

    /// Counts the steps that handling so many bytes takes.
    pub fn charge(&mut self, bytes: usize) -> Result<()> {
        let steps = u64::try_from(bytes / BYTES_A_STEP).unwrap_or(u64::MAX);
        self.steps = self.steps.saturating_add(steps);
        self.step()
    }

    /// Goes one pipeline or block deeper; [`Self::leave`] comes back, unless there is an error.
    pub fn enter(&mut self) -> Result<()> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(self.failed(
                &format!("more than {MAX_NESTING} pipelines and blocks within each other"),
                Cause::Limit,
            ));
        }
        Ok(())
    }

    pub fn leave(&mut self) {
        self.nesting -= 1;
    }
}

const BYTES_A_STEP: usize = 64;
/// Pipelines, blocks and templates within each other: a bound of the stack, not of the work.
const MAX_NESTING: usize = 200;
