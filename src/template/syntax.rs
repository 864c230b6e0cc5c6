//! The parsed form of a template, and how an error message shows each part of it.

use std::fmt::{self, Display, Formatter, Write as _};

use super::function::Function;
use super::number::Number;
use super::quote::{Shown, quote};

/// A part of a template an error can point at.
pub trait Place: Display {
    /// Byte offset in the template.
    fn position(&self) -> usize;
}

/// What stands between `{{if}}` and `{{end}}`, in a `{{define}}`, or in the whole template.
#[derive(Clone, Debug, Default)]
pub struct List {
    pub position: usize,
    pub nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
pub enum Node {
    Text { position: usize, text: String },
    Action { position: usize, pipe: Pipe },
    If(Branch),
    With(Branch),
    Range(Branch),
    Template(Call),
    Break { position: usize },
    Continue { position: usize },
}

/// `if`, `with` or `range`.
#[derive(Clone, Debug)]
pub struct Branch {
    pub position: usize,
    pub pipe: Pipe,
    pub list: List,
    pub otherwise: Option<List>,
}

/// `{{template "name" pipeline}}`, and what is left of a `{{block}}` once it is defined.
#[derive(Clone, Debug)]
pub struct Call {
    pub position: usize,
    pub name: String,
    pub pipe: Option<Pipe>,
}

/// `$a, $b := command | command`.
#[derive(Clone, Debug)]
pub struct Pipe {
    pub position: usize,
    /// True for `=`, false for `:=`.
    pub assigns: bool,
    pub variables: Vec<String>,
    pub commands: Vec<Command>,
}

/// A function, method or value, and its arguments.
#[derive(Clone, Debug)]
pub struct Command {
    pub position: usize,
    /// Never empty: the parser refuses an empty command.
    pub words: Vec<Word>,
}

/// One word of a command.
#[derive(Clone, Debug)]
pub struct Word {
    pub position: usize,
    pub kind: WordKind,
}

#[derive(Clone, Debug)]
pub enum WordKind {
    Bool(bool),
    Number {
        text: String,
        number: Number,
    },
    String {
        literal: String,
        bytes: Vec<u8>,
    },
    Nil,
    Dot,
    Function(Function),
    /// `.A.B`
    Field(Vec<String>),
    /// `$x.A.B`, the name with its dollar sign.
    Variable {
        name: String,
        fields: Vec<String>,
    },
    /// `(pipeline).A.B`
    Chain {
        of: Box<Word>,
        fields: Vec<String>,
    },
    Pipe(Pipe),
}

impl List {
    /// Whether there is nothing here but blanks.
    pub fn is_blank(&self) -> bool {
        self.nodes.iter().all(|node| match node {
            Node::Text { text, .. } => text.trim().is_empty(),
            _ => false,
        })
    }
}

impl Place for List {
    fn position(&self) -> usize {
        self.position
    }
}

impl Place for Node {
    fn position(&self) -> usize {
        match self {
            Self::Text { position, .. }
            | Self::Action { position, .. }
            | Self::Break { position }
            | Self::Continue { position } => *position,
            Self::If(branch) | Self::With(branch) | Self::Range(branch) => branch.position,
            Self::Template(call) => call.position,
        }
    }
}

impl Place for Pipe {
    fn position(&self) -> usize {
        self.position
    }
}

impl Place for Command {
    fn position(&self) -> usize {
        self.position
    }
}

impl Place for Word {
    fn position(&self) -> usize {
        self.position
    }
}

impl Display for List {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.nodes.iter().try_for_each(|node| node.fmt(formatter))
    }
}

impl Display for Node {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { text, .. } => formatter.write_str(text),
            Self::Action { pipe, .. } => write!(formatter, "{{{{{pipe}}}}}"),
            Self::If(branch) => write!(formatter, "{{{{if {branch}"),
            Self::With(branch) => write!(formatter, "{{{{with {branch}"),
            Self::Range(branch) => write!(formatter, "{{{{range {branch}"),
            Self::Template(call) => {
                let name = quote(call.name.as_bytes(), Shown::Printable);
                write!(formatter, "{{{{template {name}")?;
                if let Some(pipe) = &call.pipe {
                    write!(formatter, " {pipe}")?;
                }
                formatter.write_str("}}")
            }
            Self::Break { .. } => formatter.write_str("{{break}}"),
            Self::Continue { .. } => formatter.write_str("{{continue}}"),
        }
    }
}

impl Display for Branch {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}}}}}{}", self.pipe, self.list)?;
        if let Some(otherwise) = &self.otherwise {
            write!(formatter, "{{{{else}}}}{otherwise}")?;
        }
        formatter.write_str("{{end}}")
    }
}

impl Display for Pipe {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            formatter.write_str(&self.variables.join(", "))?;
            formatter.write_str(if self.assigns { " = " } else { " := " })?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" | ")?;
            }
            command.fmt(formatter)?;
        }
        Ok(())
    }
}

impl Display for Command {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (index, word) in self.words.iter().enumerate() {
            if index > 0 {
                formatter.write_char(' ')?;
            }
            if let WordKind::Pipe(pipe) = &word.kind {
                write!(formatter, "({pipe})")?;
            } else {
                word.fmt(formatter)?;
            }
        }
        Ok(())
    }
}

impl Display for Word {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            WordKind::Bool(value) => value.fmt(formatter),
            WordKind::Number { text, .. } => formatter.write_str(text),
            WordKind::String { literal, .. } => formatter.write_str(literal),
            WordKind::Nil => formatter.write_str("nil"),
            WordKind::Dot => formatter.write_char('.'),
            WordKind::Function(function) => formatter.write_str(function.name()),
            WordKind::Field(fields) => write_fields(formatter, fields),
            WordKind::Variable { name, fields } => {
                formatter.write_str(name)?;
                write_fields(formatter, fields)
            }
            WordKind::Chain { of, fields } => {
                if let WordKind::Pipe(pipe) = &of.kind {
                    write!(formatter, "({pipe})")?;
                } else {
                    of.fmt(formatter)?;
                }
                write_fields(formatter, fields)
            }
            // Parentheses belong to the command around it.
            WordKind::Pipe(pipe) => pipe.fmt(formatter),
        }
    }
}

fn write_fields(formatter: &mut Formatter<'_>, fields: &[String]) -> fmt::Result {
    fields.iter().try_for_each(|field| write!(formatter, ".{field}"))
}
