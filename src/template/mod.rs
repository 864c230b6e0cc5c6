//! Go's `text/template`: what an operator may write for a group's or a stream's name.
//!
//! A [`Template`] is parsed once and rendered for each container, with the output, and the errors,
//! of Go's own implementation; `docs/TEMPLATES.md` lists where they differ. The text goes through
//! [`lexer`], [`parser`] and [`pipelines`] into the tree of [`syntax`]; [`render`] walks that tree and has
//! [`evaluate`] find each pipeline's value, which calls what is in [`function`]; [`format`] turns
//! values into text.
//!
//! Neither parsing nor rendering can hang, overflow the stack or fill the memory, whoever wrote
//! the template: depth, steps and bytes are bounded by [`Limits`].

mod limits;
mod named;
pub mod value;

mod calendar;

mod parser;
mod pipelines;
mod render;

mod evaluate;
mod fields;
mod format;
mod function;
mod lexer;
mod progress;
mod syntax;
mod tokens;

mod characters;
mod number;
mod quote;
mod unicode_tables;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use calendar::Time;
pub use fields::Taken;
pub use function::FunctionSet;
pub use limits::{Cause, Limits, RenderError};
pub use tokens::ParseError;
pub use value::Value;

/// A template that has been read and found well-formed.
#[derive(Clone, Debug)]
pub struct Template {
    parsed: Arc<Parsed>,
}

#[derive(Debug)]
struct Parsed {
    name: String,
    source: String,
    trees: BTreeMap<String, syntax::List>,
}

impl Template {
    /// Reads a template; `name` is what errors call it.
    pub fn parse(name: &str, source: &str, functions: FunctionSet) -> Result<Self, ParseError> {
        let trees = parser::parse(name, source, functions)?;
        Ok(Self { parsed: Arc::new(Parsed { name: name.to_owned(), source: source.to_owned(), trees }) })
    }

    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.parsed.source
    }

    /// Renders the template as text; bytes that are not UTF-8 become U+FFFD, one each.
    pub fn render(&self, data: &Value, limits: Limits) -> Result<String, RenderError> {
        let bytes = self.render_bytes(data, limits)?;
        Ok(String::from_utf8(bytes).unwrap_or_else(|error| characters::to_text(error.as_bytes())))
    }

    /// Renders the template as Go would: cutting a string may cut a character.
    pub fn render_bytes(&self, data: &Value, limits: Limits) -> Result<Vec<u8>, RenderError> {
        let Parsed { name, source, trees } = &*self.parsed;
        render::render(name, source, trees, data, limits)
    }
}

#[cfg(test)]
pub(crate) mod tests;
