//! The functions a template can call: which there are, what they take, and what they do.
//!
//! `and`, `or` and `call` do nothing in [`call`]: what they do hangs on how their arguments are
//! written, so the renderer carries them out.

mod compare;
mod contents;
mod docker;
mod escape;
mod failure;
mod json;

pub use failure::Failure;

use crate::template::format::Printer;
use crate::template::value::{Signature, Type, Value};

/// Which functions a template knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionSet {
    /// Those of Go's `text/template`.
    Go,
    /// And those Docker adds for log tags.
    Docker,
}

impl FunctionSet {
    pub fn find(self, name: &str) -> Option<Function> {
        let docker = match self {
            Self::Go => &[],
            Self::Docker => DOCKER,
        };
        let known = GO.iter().chain(docker);
        known.copied().find(|function| function.name() == name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    And,
    Call,
    Eq,
    Ge,
    Gt,
    Html,
    Index,
    Js,
    Le,
    Len,
    Lt,
    Ne,
    Not,
    Or,
    Print,
    Printf,
    Println,
    Slice,
    UrlQuery,
    Join,
    Json,
    Lower,
    Pad,
    Split,
    Title,
    Truncate,
    Upper,
}

impl Function {
    pub fn name(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Call => "call",
            Self::Eq => "eq",
            Self::Ge => "ge",
            Self::Gt => "gt",
            Self::Html => "html",
            Self::Index => "index",
            Self::Js => "js",
            Self::Le => "le",
            Self::Len => "len",
            Self::Lt => "lt",
            Self::Ne => "ne",
            Self::Not => "not",
            Self::Or => "or",
            Self::Print => "print",
            Self::Printf => "printf",
            Self::Println => "println",
            Self::Slice => "slice",
            Self::UrlQuery => "urlquery",
            Self::Join => "join",
            Self::Json => "json",
            Self::Lower => "lower",
            Self::Pad => "pad",
            Self::Split => "split",
            Self::Title => "title",
            Self::Truncate => "truncate",
            Self::Upper => "upper",
        }
    }

    pub fn signature(self) -> Signature {
        match self {
            Self::And | Self::Or | Self::Call | Self::Eq | Self::Index | Self::Slice => {
                Signature::variadic(&[Type::Reflected], Type::Reflected)
            }
            Self::Ge | Self::Gt | Self::Le | Self::Lt | Self::Ne => {
                Signature::of(&[Type::Reflected, Type::Reflected])
            }
            Self::Len | Self::Not => Signature::of(&[Type::Reflected]),
            Self::Html | Self::Js | Self::UrlQuery | Self::Print | Self::Println => {
                Signature::variadic(&[], Type::Any)
            }
            Self::Printf => Signature::variadic(&[Type::String], Type::Any),
            Self::Join => Signature::of(&[Type::List(&Type::String), Type::String]),
            Self::Json => Signature::of(&[Type::Any]),
            Self::Lower | Self::Title | Self::Upper => Signature::of(&[Type::String]),
            Self::Pad => Signature::of(&[Type::String, Type::Int, Type::Int]),
            Self::Split => Signature::of(&[Type::String, Type::String]),
            Self::Truncate => Signature::of(&[Type::String, Type::Int]),
        }
    }
}

/// Calls a function with arguments of the types it takes; what it makes stays within `limit`
/// bytes.
pub fn call(function: Function, arguments: &[Value], limit: usize) -> Result<Value, Failure> {
    let nothing = Value::Nil;
    let argument = |index: usize| arguments.get(index).unwrap_or(&nothing);
    let first = argument(0);
    let rest = arguments.get(1..).unwrap_or_default();
    Ok(match function {
        Function::And | Function::Or | Function::Call => Value::Nil,
        Function::Eq => Value::Bool(compare::equal(first, rest)?),
        Function::Ne => Value::Bool(!compare::equal(first, rest)?),
        Function::Lt => Value::Bool(compare::less(first, argument(1))?),
        Function::Le => Value::Bool(compare::less_or_equal(first, argument(1))?),
        Function::Gt => Value::Bool(!compare::less_or_equal(first, argument(1))?),
        Function::Ge => Value::Bool(!compare::less(first, argument(1))?),
        Function::Not => Value::Bool(!first.truth()),
        Function::Index => contents::index(first, rest)?,
        Function::Slice => contents::slice(first, rest)?,
        Function::Len => Value::Int(contents::length(first)?),
        Function::Html => Value::string(escape::html(&escape::text(arguments, limit)?, limit)?),
        Function::Js => Value::string(escape::js(&escape::text(arguments, limit)?, limit)?),
        Function::UrlQuery => Value::string(escape::url_query(&escape::text(arguments, limit)?, limit)?),
        Function::Print => {
            let mut printer = Printer::new(limit);
            printer.print(arguments)?;
            Value::string(printer.into_bytes())
        }
        Function::Println => {
            let mut printer = Printer::new(limit);
            printer.println(arguments)?;
            Value::string(printer.into_bytes())
        }
        Function::Printf => {
            let mut printer = Printer::new(limit);
            printer.printf(docker::bytes(first), rest)?;
            Value::string(printer.into_bytes())
        }
        Function::Join => Value::string(docker::join(first, docker::bytes(argument(1)), limit)?),
        Function::Json => Value::string(json::encode(first, limit)?),
        Function::Lower => Value::string(docker::lower(docker::bytes(first), limit)?),
        Function::Upper => Value::string(docker::upper(docker::bytes(first), limit)?),
        Function::Title => Value::string(docker::title(docker::bytes(first), limit)?),
        Function::Pad => Value::string(docker::pad(
            docker::bytes(first),
            docker::int(argument(1)),
            docker::int(argument(2)),
            limit,
        )?),
        Function::Split => docker::split(docker::bytes(first), docker::bytes(argument(1))),
        Function::Truncate => {
            Value::string(docker::truncate(docker::bytes(first), docker::int(argument(1)))?)
        }
    })
}

const GO: &[Function] = &[
    Function::And,
    Function::Call,
    Function::Eq,
    Function::Ge,
    Function::Gt,
    Function::Html,
    Function::Index,
    Function::Js,
    Function::Le,
    Function::Len,
    Function::Lt,
    Function::Ne,
    Function::Not,
    Function::Or,
    Function::Print,
    Function::Printf,
    Function::Println,
    Function::Slice,
    Function::UrlQuery,
];

const DOCKER: &[Function] = &[
    Function::Join,
    Function::Json,
    Function::Lower,
    Function::Pad,
    Function::Split,
    Function::Title,
    Function::Truncate,
    Function::Upper,
];
