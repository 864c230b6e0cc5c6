//! Reads a template into its tree, or says as Go would why it is none.

use std::collections::BTreeMap;

use super::function::FunctionSet;
use super::lexer::{Kind, Token};
use super::quote::{Shown, quote};
use super::syntax::{Branch, Call, Command, List, Node, Pipe, Word, WordKind};
use super::tokens::{Ahead, ParseError, Tokens};

/// Reads a template and all it defines, by name; the template itself is under its own name.
pub fn parse(name: &str, text: &str, functions: FunctionSet) -> Result<BTreeMap<String, List>, ParseError> {
    let mut parser = Parser {
        functions,
        tokens: Tokens::new(name, text),
        scope: Scope::new(),
        depth: 0,
        trees: BTreeMap::new(),
    };
    if text.len() > MAX_BYTES {
        return Err(parser.tokens.error(&format!("more than {MAX_BYTES} bytes")));
    }
    let root = parser.root()?;
    parser.add(name.to_owned(), root)?;
    Ok(parser.trees)
}

struct Parser<'a> {
    functions: FunctionSet,
    tokens: Tokens<'a>,
    scope: Scope,
    /// Open parentheses and blocks, over all scopes.
    depth: usize,
    trees: BTreeMap<String, List>,
}

/// What a `{{define}}` or `{{block}}` begins afresh, besides its [`Ahead`].
struct Scope {
    variables: Vec<String>,
    ranges: usize,
    parens: usize,
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

impl Scope {
    fn new() -> Self {
        Self { variables: vec!["$".to_owned()], ranges: 0, parens: 0 }
    }
}

impl Parser<'_> {
    fn root(&mut self) -> Result<List, ParseError> {
        let mut list = List { position: self.tokens.peek().position, nodes: Vec::new() };
        while self.tokens.peek().kind != Kind::Eof {
            if self.tokens.peek().kind == Kind::LeftDelim {
                let delim = self.tokens.next();
                if self.tokens.next_nonspace().kind == Kind::Define {
                    self.definition()?;
                    continue;
                }
                self.tokens.put_back_two(delim);
            }
            match self.text_or_action()? {
                Item::Node(node) => list.nodes.push(node),
                Item::Ending(ending) => {
                    return Err(self.tokens.error(&format!("unexpected {}", ending.shown())));
                }
            }
        }
        Ok(list)
    }

    /// Reads from behind the word `define`.
    fn definition(&mut self) -> Result<(), ParseError> {
        let outer = self.open_scope();
        let token = self.tokens.next_nonspace();
        let name = self.template_name(&token, "define clause")?;
        self.tokens.expect(Kind::RightDelim, "define clause")?;
        let (list, ending) = self.list()?;
        if let Ending::Else(_) = ending {
            return Err(self.tokens.error("unexpected {{else}} in define clause"));
        }
        self.add(name, list)?;
        self.close_scope(outer);
        Ok(())
    }

    fn add(&mut self, name: String, list: List) -> Result<(), ParseError> {
        match self.trees.get(&name) {
            Some(known) if !known.is_blank() => {
                if !list.is_blank() {
                    let name = quote(name.as_bytes(), Shown::Printable);
                    return Err(self
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
        let mut list = List { position: self.tokens.peek_nonspace().position, nodes: Vec::new() };
        while self.tokens.peek_nonspace().kind != Kind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => list.nodes.push(node),
                Item::Ending(ending) => return Ok((list, ending)),
            }
        }
        Err(self.tokens.error("unexpected EOF"))
    }

    fn text_or_action(&mut self) -> Result<Item, ParseError> {
        let token = self.tokens.next_nonspace();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text { position: token.position, text: token.text })),
            Kind::LeftDelim => {
                self.tokens.ahead.action_line = token.line;
                let item = self.action()?;
                self.tokens.ahead.action_line = 0;
                Ok(item)
            }
            _ => Err(self.tokens.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Result<Item, ParseError> {
        let token = self.tokens.next_nonspace();
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
                self.tokens.expect(Kind::RightDelim, "end")?;
                return Ok(Item::Ending(Ending::End));
            }
            Kind::If => Node::If(self.branch(Control::If)?),
            Kind::Range => Node::Range(self.branch(Control::Range)?),
            Kind::With => Node::With(self.branch(Control::With)?),
            Kind::Template => {
                let token = self.tokens.next_nonspace();
                let name = self.template_name(&token, "template clause")?;
                let pipe = if self.tokens.next_nonspace().kind == Kind::RightDelim {
                    None
                } else {
                    self.tokens.put_back();
                    Some(self.pipe("template clause", Kind::RightDelim)?)
                };
                Node::Template(Call { position: token.position, name, pipe })
            }
            _ => {
                self.tokens.put_back();
                let position = self.tokens.peek().position;
                let pipe = self.pipe("command", Kind::RightDelim)?;
                Node::Action { position, pipe }
            }
        };
        Ok(Item::Node(node))
    }

    fn leave_range(&mut self, action: &str) -> Result<(), ParseError> {
        self.tokens.expect(Kind::RightDelim, action)?;
        if self.scope.ranges == 0 {
            return Err(self.tokens.error(&format!("{action} outside {{{{range}}}}")));
        }
        Ok(())
    }

    /// Reads from behind the word `else`; of `else if` the `if` is left to be read.
    fn otherwise(&mut self) -> Result<Ending, ParseError> {
        let next = self.tokens.peek_nonspace();
        if matches!(next.kind, Kind::If | Kind::With) {
            return Ok(Ending::Else(next.position));
        }
        let delim = self.tokens.expect(Kind::RightDelim, "else")?;
        Ok(Ending::Else(delim.position))
    }

    fn branch(&mut self, control: Control) -> Result<Branch, ParseError> {
        self.deepen()?;
        let variables = self.scope.variables.len();
        let pipe = self.pipe(control.word(), Kind::RightDelim)?;
        if control == Control::Range {
            self.scope.ranges += 1;
        }
        let (list, ending) = self.list()?;
        if control == Control::Range {
            self.scope.ranges -= 1;
        }
        let mut otherwise = None;
        if let Ending::Else(position) = ending {
            // `else if` is an `else` that holds an `if`, both ended by one `end`.
            let next = self.tokens.peek().kind;
            let chained = match control {
                Control::If if next == Kind::If => Some(Control::If),
                Control::With if next == Kind::With => Some(Control::With),
                _ => None,
            };
            if let Some(chained) = chained {
                self.tokens.next();
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
                    return Err(self.tokens.error("expected end; found {{else}}"));
                }
                otherwise = Some(list);
            }
        }
        self.scope.variables.truncate(variables);
        self.depth -= 1;
        Ok(Branch { position: pipe.position, pipe, list, otherwise })
    }

    /// Reads from behind the word `block`: a definition, and its use in place.
    fn block(&mut self) -> Result<Node, ParseError> {
        self.deepen()?;
        let token = self.tokens.next_nonspace();
        let name = self.template_name(&token, "block clause")?;
        let pipe = self.pipe("block clause", Kind::RightDelim)?;
        let outer = self.open_scope();
        let (list, ending) = self.list()?;
        if let Ending::Else(_) = ending {
            self.close_scope(outer);
            return Err(self.tokens.error("unexpected {{else}} in block clause"));
        }
        self.add(name.clone(), list)?;
        self.close_scope(outer);
        self.depth -= 1;
        Ok(Node::Template(Call { position: token.position, name, pipe: Some(pipe) }))
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Result<String, ParseError> {
        match token.kind {
            Kind::String | Kind::RawString => {
                let name = self.tokens.unquoted(token)?;
                Ok(super::characters::to_text(&name))
            }
            _ => Err(self.tokens.unexpected(token, context)),
        }
    }

    fn pipe(&mut self, context: &str, end: Kind) -> Result<Pipe, ParseError> {
        let mut pipe = Pipe {
            position: self.tokens.peek_nonspace().position,
            assigns: false,
            variables: Vec::new(),
            commands: Vec::new(),
        };
        while self.tokens.peek_nonspace().kind == Kind::Variable {
            let variable = self.tokens.next();
            // A blank is a token, so `$x foo` takes three tokens to be told from `$x := foo`.
            let after = self.tokens.peek();
            let next = self.tokens.peek_nonspace();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.assigns = next.kind == Kind::Assign;
                    self.tokens.next_nonspace();
                    self.declare(&mut pipe, variable.text)?;
                }
                Kind::Char if next.text == "," => {
                    self.tokens.next_nonspace();
                    self.declare(&mut pipe, variable.text)?;
                    if context == "range" && pipe.variables.len() < 2 {
                        match self.tokens.peek_nonspace().kind {
                            Kind::Variable | Kind::RightDelim | Kind::RightParen => continue,
                            _ => return Err(self.tokens.error("range can only initialize variables")),
                        }
                    }
                    return Err(self.tokens.error(&format!("too many declarations in {context}")));
                }
                _ if after.kind == Kind::Space => self.tokens.put_back_three(variable, after),
                _ => self.tokens.put_back_two(variable),
            }
            break;
        }
        loop {
            let token = self.tokens.next_nonspace();
            match token.kind {
                kind if kind == end => {
                    self.check(&pipe, context)?;
                    return Ok(pipe);
                }
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.tokens.put_back();
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return Err(self.tokens.unexpected(&token, context)),
            }
        }
    }

    fn declare(&mut self, pipe: &mut Pipe, variable: String) -> Result<(), ParseError> {
        if self.scope.variables.len() > MAX_VARIABLES {
            return Err(self.tokens.error(&format!("more than {MAX_VARIABLES} variables")));
        }
        pipe.variables.push(variable.clone());
        self.scope.variables.push(variable);
        Ok(())
    }

    fn check(&self, pipe: &Pipe, context: &str) -> Result<(), ParseError> {
        if pipe.commands.is_empty() {
            return Err(self.tokens.error(&format!("missing value for {context}")));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            if let Some(Word {
                kind:
                    WordKind::Bool(_)
                    | WordKind::Dot
                    | WordKind::Nil
                    | WordKind::Number { .. }
                    | WordKind::String { .. },
                ..
            }) = command.words.first()
            {
                let stage = index + 1;
                return Err(self.tokens.error(&format!("non executable command in pipeline stage {stage}")));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<Command, ParseError> {
        let mut command = Command { position: self.tokens.peek_nonspace().position, words: Vec::new() };
        loop {
            self.tokens.peek_nonspace();
            if let Some(word) = self.operand()? {
                command.words.push(word);
            }
            let token = self.tokens.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelim | Kind::RightParen => self.tokens.put_back(),
                Kind::Pipe => {}
                _ => return Err(self.tokens.unexpected(&token, "operand")),
            }
            break;
        }
        if command.words.is_empty() {
            return Err(self.tokens.error("empty command"));
        }
        Ok(command)
    }

    /// A term and the fields behind it.
    fn operand(&mut self) -> Result<Option<Word>, ParseError> {
        let Some(mut word) = self.term()? else {
            return Ok(None);
        };
        let first = self.tokens.peek();
        if first.kind != Kind::Field {
            return Ok(Some(word));
        }
        let mut more = Vec::new();
        while self.tokens.peek().kind == Kind::Field {
            more.push(self.tokens.next().text.trim_start_matches('.').to_owned());
        }
        match &mut word.kind {
            WordKind::Field(fields) | WordKind::Variable { fields, .. } => {
                fields.append(&mut more);
                word.position = first.position;
            }
            WordKind::Bool(_)
            | WordKind::String { .. }
            | WordKind::Number { .. }
            | WordKind::Nil
            | WordKind::Dot => {
                let term = quote(word.to_string().as_bytes(), Shown::Printable);
                return Err(self.tokens.error(&format!("unexpected . after term {term}")));
            }
            WordKind::Function(_) | WordKind::Chain { .. } | WordKind::Pipe(_) => {
                word = Word {
                    position: first.position,
                    kind: WordKind::Chain { of: Box::new(word), fields: more },
                };
            }
        }
        Ok(Some(word))
    }

    fn term(&mut self) -> Result<Option<Word>, ParseError> {
        let token = self.tokens.next_nonspace();
        let position = token.position;
        let kind = match token.kind {
            Kind::Identifier => match self.functions.find(&token.text) {
                Some(function) => WordKind::Function(function),
                None => {
                    let name = quote(token.text.as_bytes(), Shown::Printable);
                    return Err(self.tokens.error(&format!("function {name} not defined")));
                }
            },
            Kind::Dot => WordKind::Dot,
            Kind::Nil => WordKind::Nil,
            Kind::Variable => {
                if !self.scope.variables.contains(&token.text) {
                    let name = quote(token.text.as_bytes(), Shown::Printable);
                    return Err(self.tokens.error(&format!("undefined variable {name}")));
                }
                WordKind::Variable { name: token.text, fields: Vec::new() }
            }
            Kind::Field => WordKind::Field(vec![token.text.trim_start_matches('.').to_owned()]),
            Kind::Bool => WordKind::Bool(token.text == "true"),
            Kind::CharConstant | Kind::Complex | Kind::Number => {
                WordKind::Number { number: self.tokens.number(&token)?, text: token.text }
            }
            Kind::LeftParen => {
                if self.scope.parens >= MAX_DEPTH {
                    return Err(self.tokens.error("max expression depth exceeded"));
                }
                self.deepen()?;
                self.scope.parens += 1;
                let pipe = self.pipe("parenthesized pipeline", Kind::RightParen)?;
                self.scope.parens -= 1;
                self.depth -= 1;
                WordKind::Pipe(pipe)
            }
            Kind::String | Kind::RawString => {
                WordKind::String { bytes: self.tokens.unquoted(&token)?, literal: token.text }
            }
            _ => {
                self.tokens.put_back();
                return Ok(None);
            }
        };
        Ok(Some(Word { position, kind }))
    }

    fn open_scope(&mut self) -> (Scope, Ahead) {
        (
            std::mem::replace(&mut self.scope, Scope::new()),
            std::mem::replace(&mut self.tokens.ahead, Ahead::new()),
        )
    }

    fn close_scope(&mut self, outer: (Scope, Ahead)) {
        (self.scope, self.tokens.ahead) = outer;
    }

    /// Goes one parenthesis or block deeper; the caller comes back up.
    fn deepen(&mut self) -> Result<(), ParseError> {
        if self.depth >= MAX_DEPTH {
            return Err(self.tokens.error("max nesting depth exceeded"));
        }
        self.depth += 1;
        Ok(())
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

/// Parentheses and blocks within each other; Go allows 10,000 parentheses and any number of
/// blocks, which would overflow the stack of a WebAssembly component.
const MAX_DEPTH: usize = 100;
/// Bytes of a template: names are short, and what is read more than once stays cheap.
const MAX_BYTES: usize = 256 * 1024;
/// Variables declared at any point; each use looks through them.
const MAX_VARIABLES: usize = 1000;
