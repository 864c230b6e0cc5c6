//! Reads a template into its tree, or says as Go would why it is none.

use std::collections::BTreeMap;

use super::function::FunctionSet;
use super::lexer::{Kind, Token};
use super::pipelines::Pipelines;
use super::quote::{Shown, quote};
use super::syntax::{Branch, Call, List, Node};
use super::tokens::{ParseError, Tokens};

/// Reads a template and all it defines, by name; the template itself is under its own name.
pub fn parse(name: &str, text: &str, functions: FunctionSet) -> Result<BTreeMap<String, List>, ParseError> {
    let mut parser =
        Parser { pipelines: Pipelines::new(Tokens::new(name, text), functions), trees: BTreeMap::new() };
    if text.len() > MAX_BYTES {
        return Err(parser.pipelines.tokens.error(&format!("more than {MAX_BYTES} bytes")));
    }
    let root = parser.root()?;
    parser.add(name.to_owned(), root)?;
    Ok(parser.trees)
}

struct Parser<'a> {
    pipelines: Pipelines<'a>,
    trees: BTreeMap<String, List>,
}

/// What ends a list of nodes.
enum Ending {
    End,
    /// An `else`, with where the list behind it begins.
    Else(usize),
}

enum Item {
    Node(Node),
    Ending(Ending),
}

/// Which of the three branches is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    If,
    With,
    Range,
}

impl Parser<'_> {
    fn root(&mut self) -> Result<List, ParseError> {
        let mut list = List { position: self.pipelines.tokens.peek().position, nodes: Vec::new() };
        while self.pipelines.tokens.peek().kind != Kind::Eof {
            if self.pipelines.tokens.peek().kind == Kind::LeftDelim {
                let delim = self.pipelines.tokens.next();
                if self.pipelines.tokens.next_nonspace().kind == Kind::Define {
                    self.definition()?;
                    continue;
                }
                self.pipelines.tokens.put_back_two(delim);
            }
            match self.text_or_action()? {
                Item::Node(node) => list.nodes.push(node),
                Item::Ending(ending) => {
                    return Err(self.pipelines.tokens.error(&format!("unexpected {}", ending.shown())));
                }
            }
        }
        Ok(list)
    }

    /// Reads from behind the word `define`.
    fn definition(&mut self) -> Result<(), ParseError> {
        let outer = self.pipelines.open_scope();
        let token = self.pipelines.tokens.next_nonspace();
        let name = self.template_name(&token, "define clause")?;
        self.pipelines.tokens.expect(Kind::RightDelim, "define clause")?;
        let (list, ending) = self.list()?;
        if let Ending::Else(_) = ending {
            return Err(self.pipelines.tokens.error("unexpected {{else}} in define clause"));
        }
        self.add(name, list)?;
        self.pipelines.close_scope(outer);
        Ok(())
    }

    fn add(&mut self, name: String, list: List) -> Result<(), ParseError> {
        match self.trees.get(&name) {
            Some(known) if !known.is_blank() => {
                if !list.is_blank() {
                    let name = quote(name.as_bytes(), Shown::Printable);
                    return Err(self
                        .pipelines
                        .tokens
                        .error(&format!("template: multiple definition of template {name}")));
                }
            }
            _ => {
                self.trees.insert(name, list);
            }
        }
        Ok(())
    }

    /// Reads up to and over the `end` or `else` that closes the list.
    fn list(&mut self) -> Result<(List, Ending), ParseError> {
        let mut list = List { position: self.pipelines.tokens.peek_nonspace().position, nodes: Vec::new() };
        while self.pipelines.tokens.peek_nonspace().kind != Kind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => list.nodes.push(node),
                Item::Ending(ending) => return Ok((list, ending)),
            }
        }
        Err(self.pipelines.tokens.error("unexpected EOF"))
    }

    fn text_or_action(&mut self) -> Result<Item, ParseError> {
        let token = self.pipelines.tokens.next_nonspace();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text { position: token.position, text: token.text })),
            Kind::LeftDelim => {
                self.pipelines.tokens.ahead.action_line = token.line;
                let item = self.action()?;
                self.pipelines.tokens.ahead.action_line = 0;
                Ok(item)
            }
            _ => Err(self.pipelines.tokens.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Result<Item, ParseError> {
        let token = self.pipelines.tokens.next_nonspace();
        let position = token.position;
        let node = match token.kind {
            Kind::Block => self.block()?,
            Kind::Break => {
                self.leave_range("{{break}}")?;
                Node::Break { position }
            }
            Kind::Continue => {
                self.leave_range("{{continue}}")?;
                Node::Continue { position }
            }
            Kind::Else => return self.otherwise().map(Item::Ending),
            Kind::End => {
                self.pipelines.tokens.expect(Kind::RightDelim, "end")?;
                return Ok(Item::Ending(Ending::End));
            }
            Kind::If => Node::If(self.branch(Control::If)?),
            Kind::Range => Node::Range(self.branch(Control::Range)?),
            Kind::With => Node::With(self.branch(Control::With)?),
            Kind::Template => {
                let token = self.pipelines.tokens.next_nonspace();
                let name = self.template_name(&token, "template clause")?;
                let pipe = if self.pipelines.tokens.next_nonspace().kind == Kind::RightDelim {
                    None
                } else {
                    self.pipelines.tokens.put_back();
                    Some(self.pipelines.pipe("template clause", Kind::RightDelim)?)
                };
                Node::Template(Call { position: token.position, name, pipe })
            }
            _ => {
                self.pipelines.tokens.put_back();
                let position = self.pipelines.tokens.peek().position;
                let pipe = self.pipelines.pipe("command", Kind::RightDelim)?;
                Node::Action { position, pipe }
            }
        };
        Ok(Item::Node(node))
    }

    fn leave_range(&mut self, action: &str) -> Result<(), ParseError> {
        self.pipelines.tokens.expect(Kind::RightDelim, action)?;
        if self.pipelines.scope.ranges == 0 {
            return Err(self.pipelines.tokens.error(&format!("{action} outside {{{{range}}}}")));
        }
        Ok(())
    }

    /// Reads from behind the word `else`; of `else if` the `if` is left to be read.
    fn otherwise(&mut self) -> Result<Ending, ParseError> {
        let next = self.pipelines.tokens.peek_nonspace();
        if matches!(next.kind, Kind::If | Kind::With) {
            return Ok(Ending::Else(next.position));
        }
        let delim = self.pipelines.tokens.expect(Kind::RightDelim, "else")?;
        Ok(Ending::Else(delim.position))
    }

    fn branch(&mut self, control: Control) -> Result<Branch, ParseError> {
        self.pipelines.deepen()?;
        let variables = self.pipelines.scope.variables.len();
        let pipe = self.pipelines.pipe(control.word(), Kind::RightDelim)?;
        if control == Control::Range {
            self.pipelines.scope.ranges += 1;
        }
        let (list, ending) = self.list()?;
        if control == Control::Range {
            self.pipelines.scope.ranges -= 1;
        }
        let mut otherwise = None;
        if let Ending::Else(position) = ending {
            // `else if` is an `else` that holds an `if`, both ended by one `end`.
            let next = self.pipelines.tokens.peek().kind;
            let chained = match control {
                Control::If if next == Kind::If => Some(Control::If),
                Control::With if next == Kind::With => Some(Control::With),
                _ => None,
            };
            if let Some(chained) = chained {
                self.pipelines.tokens.next();
                let branch = self.branch(chained)?;
                let node = match chained {
                    Control::If => Node::If(branch),
                    Control::With => Node::With(branch),
                    Control::Range => Node::Range(branch),
                };
                otherwise = Some(List { position, nodes: vec![node] });
            } else {
                let (list, ending) = self.list()?;
                if let Ending::Else(_) = ending {
                    return Err(self.pipelines.tokens.error("expected end; found {{else}}"));
                }
                otherwise = Some(list);
            }
        }
        self.pipelines.scope.variables.truncate(variables);
        self.pipelines.rise();
        Ok(Branch { position: pipe.position, pipe, list, otherwise })
    }

    /// Reads from behind the word `block`: a definition, and its use in place.
    fn block(&mut self) -> Result<Node, ParseError> {
        self.pipelines.deepen()?;
        let token = self.pipelines.tokens.next_nonspace();
        let name = self.template_name(&token, "block clause")?;
        let pipe = self.pipelines.pipe("block clause", Kind::RightDelim)?;
        let outer = self.pipelines.open_scope();
        let (list, ending) = self.list()?;
        if let Ending::Else(_) = ending {
            self.pipelines.close_scope(outer);
            return Err(self.pipelines.tokens.error("unexpected {{else}} in block clause"));
        }
        self.add(name.clone(), list)?;
        self.pipelines.close_scope(outer);
        self.pipelines.rise();
        Ok(Node::Template(Call { position: token.position, name, pipe: Some(pipe) }))
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Result<String, ParseError> {
        match token.kind {
            Kind::String | Kind::RawString => {
                let name = self.pipelines.tokens.unquoted(token)?;
                Ok(super::characters::to_text(&name))
            }
            _ => Err(self.pipelines.tokens.unexpected(token, context)),
        }
    }
}

impl Ending {
    fn shown(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else(_) => "{{else}}",
        }
    }
}

impl Control {
    fn word(self) -> &'static str {
        match self {
            Self::If => "if",
            Self::With => "with",
            Self::Range => "range",
        }
    }
}

/// Bytes of a template: names are short, and what is read more than once stays cheap.
const MAX_BYTES: usize = 256 * 1024;
