//! Walks a template's tree and writes its output.

use std::collections::BTreeMap;

use super::evaluate::Evaluator;
use super::format::{Buffer, Limited, Printer, shown};
use super::limits::{Limits, RenderError};
use super::progress::Progress;
use super::quote::{Shown, quote};
use super::syntax::{Branch, Call, List, Node, Pipe};
use super::value::Value;

type Result<T> = std::result::Result<T, RenderError>;

/// Renders the tree of this name.
pub fn render(
    name: &str,
    text: &str,
    trees: &BTreeMap<String, List>,
    data: &Value,
    limits: Limits,
) -> Result<Vec<u8>> {
    let mut renderer = Renderer {
        trees,
        evaluator: Evaluator::new(Progress::new(name, text, limits), data.clone()),
        out: Buffer::new(limits.bytes),
        templates: 0,
    };
    if let Some(root) = trees.get(name) {
        renderer.list(data, root)?;
    }
    Ok(renderer.out.into_bytes())
}

struct Renderer<'a> {
    trees: &'a BTreeMap<String, List>,
    evaluator: Evaluator<'a>,
    out: Buffer,
    /// Templates under way within each other.
    templates: usize,
}

/// Where a node sends what follows it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

impl<'a> Renderer<'a> {
    fn list(&mut self, dot: &Value, list: &'a List) -> Result<Flow> {
        for node in &list.nodes {
            self.evaluator.progress.at(node);
            self.evaluator.progress.step()?;
            let flow = self.node(dot, node)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, dot: &Value, node: &'a Node) -> Result<Flow> {
        match node {
            Node::Text { text, .. } => self.write(text.as_bytes())?,
            Node::Action { pipe, .. } => {
                let value = self.evaluator.pipe(dot, pipe)?;
                if pipe.variables.is_empty() {
                    self.evaluator.progress.at(node);
                    self.print(&value)?;
                }
            }
            Node::If(branch) => return self.condition(dot, branch, false),
            Node::With(branch) => return self.condition(dot, branch, true),
            Node::Range(branch) => return self.range(dot, branch).map(|()| Flow::On),
            Node::Template(call) => self.template(dot, call)?,
            Node::Break { .. } => return Ok(Flow::Break),
            Node::Continue { .. } => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn print(&mut self, value: &Value) -> Result<()> {
        let value = match value {
            Value::Nil => return self.write(b"<no value>"),
            Value::String(bytes) => return self.write(bytes),
            Value::Object(object) if object.is_pointer() => Value::Object(object.target()),
            value => value.clone(),
        };
        let mut printer = Printer::new(self.evaluator.progress.limits.bytes);
        let printed = printer.print(std::slice::from_ref(&value));
        printed.map_err(|Limited| self.evaluator.progress.too_large())?;
        self.write(&printer.into_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.evaluator.progress.charge(bytes.len())?;
        let written = self.out.push(bytes);
        written.map_err(|Limited| self.evaluator.progress.too_large())
    }

    /// `if`, and `with`, which sets the dot.
    fn condition(&mut self, dot: &Value, branch: &'a Branch, sets_dot: bool) -> Result<Flow> {
        self.evaluator.progress.enter()?;
        let variables = self.evaluator.variables.len();
        let value = self.evaluator.pipe(dot, &branch.pipe)?;
        let flow = if value.truth() {
            let dot = if sets_dot { &value } else { dot };
            self.list(dot, &branch.list)?
        } else if let Some(otherwise) = &branch.otherwise {
            self.list(dot, otherwise)?
        } else {
            Flow::On
        };
        self.evaluator.variables.truncate(variables);
        self.evaluator.progress.leave();
        Ok(flow)
    }

    fn range(&mut self, dot: &Value, branch: &'a Branch) -> Result<()> {
        self.evaluator.progress.enter()?;
        let variables = self.evaluator.variables.len();
        let value = self.evaluator.pipe(dot, &branch.pipe)?;
        let any = self.iterate(&value, branch)?;
        if !any && let Some(otherwise) = &branch.otherwise {
            self.list(dot, otherwise)?;
        }
        self.evaluator.variables.truncate(variables);
        self.evaluator.progress.leave();
        Ok(())
    }

    /// Goes through a value; whether there was anything in it.
    fn iterate(&mut self, value: &Value, branch: &'a Branch) -> Result<bool> {
        let pipe = &branch.pipe;
        let count = match value {
            Value::Nil => return Ok(false),
            Value::Int(count) | Value::Int64(count) | Value::Named(_, count) => *count,
            Value::Byte(count) => i64::from(*count),
            Value::List(list) => {
                for index in 0..list.len() {
                    let element = list.get(index).unwrap_or_default();
                    let index = Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
                    if self.iteration(pipe, index, element, &branch.list)? == Flow::Break {
                        break;
                    }
                }
                return Ok(!list.is_empty());
            }
            Value::Map(map) => {
                for (key, element) in map.iter() {
                    let key = Value::string(key);
                    if self.iteration(pipe, key, element, &branch.list)? == Flow::Break {
                        break;
                    }
                }
                return Ok(!map.is_empty());
            }
            other => {
                let other = match other {
                    Value::Object(object) => Value::Object(object.target()),
                    other => other.clone(),
                };
                let shown = shown(&other, 'v');
                return Err(self.evaluator.progress.error(&format!("range can't iterate over {shown}")));
            }
        };
        if pipe.variables.len() > 1 {
            let shown = shown(value, 'v');
            let problem = format!("can't use {shown} to iterate over more than one variable");
            return Err(self.evaluator.progress.error(&problem));
        }
        for number in 0..count {
            let element = match value {
                Value::Int64(_) => Value::Int64(number),
                Value::Named(named, _) => Value::Named(*named, number),
                Value::Byte(_) => Value::Byte(u8::try_from(number).unwrap_or(u8::MAX)),
                _ => Value::Int(number),
            };
            if self.iteration(pipe, Value::Nil, element, &branch.list)? == Flow::Break {
                break;
            }
        }
        Ok(count > 0)
    }

    fn iteration(&mut self, pipe: &'a Pipe, index: Value, element: Value, list: &'a List) -> Result<Flow> {
        self.evaluator.progress.step()?;
        let variables = self.evaluator.variables.len();
        match (pipe.variables.as_slice(), pipe.assigns) {
            ([], _) => {}
            ([one], true) => self.evaluator.set(one, element.clone())?,
            ([one, two, ..], true) => {
                self.evaluator.set(one, index)?;
                self.evaluator.set(two, element.clone())?;
            }
            // The pipeline has declared them, last on the stack.
            (declared, false) => {
                let mut top = self.evaluator.variables.iter_mut().rev();
                if let Some((_, variable)) = top.next() {
                    *variable = element.clone();
                }
                if declared.len() > 1
                    && let Some((_, variable)) = top.next()
                {
                    *variable = index;
                }
            }
        }
        let flow = self.list(&element, list)?;
        self.evaluator.variables.truncate(variables);
        Ok(flow)
    }

    fn template(&mut self, dot: &Value, call: &'a Call) -> Result<()> {
        let Some((name, tree)) = self.trees.get_key_value(&call.name) else {
            let name = quote(call.name.as_bytes(), Shown::Printable);
            return Err(self.evaluator.progress.error(&format!("template {name} not defined")));
        };
        let most = self.evaluator.progress.limits.templates;
        if self.templates >= most {
            return Err(self.evaluator.progress.error(&format!("exceeded maximum template depth ({most})")));
        }
        let dot = match &call.pipe {
            Some(pipe) => self.evaluator.pipe(dot, pipe)?,
            None => Value::Nil,
        };
        self.evaluator.progress.enter()?;
        self.templates += 1;
        let place = self.evaluator.progress.place;
        let executing = std::mem::replace(&mut self.evaluator.progress.executing, name);
        let inner = vec![("$", dot.clone())];
        let variables = std::mem::replace(&mut self.evaluator.variables, inner);
        self.list(&dot, tree)?;
        self.evaluator.variables = variables;
        self.evaluator.progress.executing = executing;
        self.evaluator.progress.place = place;
        self.templates -= 1;
        self.evaluator.progress.leave();
        Ok(())
    }
}
