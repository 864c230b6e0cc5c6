//! Reads a template into its tree, or says as Go would why it is none.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Display, Formatter};

use super::function::FunctionSet;
use super::lexer::{Kind, Lexer, Token};
use super::number::Number;
use super::quote::{InvalidSyntax, Shown, Unit, quote, unquote, unquote_unit};
use super::syntax::{Branch, Call, Command, List, Node, Pipe, Word, WordKind};

/// Reads a template and all it defines, by name; the template itself is under its own name.
pub fn parse(name: &str, text: &str, functions: FunctionSet) -> Result<BTreeMap<String, List>, ParseError> {
    let mut parser = Parser {
        name,
        functions,
        lexer: Lexer::new(text),
        scope: Scope::new(),
        depth: 0,
        trees: BTreeMap::new(),
    };
    let root = parser.root()?;
    parser.add(name.to_owned(), root)?;
    Ok(parser.trees)
}

/// A template that cannot be read: `template: NAME:LINE: what is wrong`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    message: String,
}

impl Display for ParseError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for ParseError {}

struct Parser<'a> {
    name: &'a str,
    functions: FunctionSet,
    lexer: Lexer<'a>,
    scope: Scope,
    /// Open parentheses and blocks, over all scopes.
    depth: usize,
    trees: BTreeMap<String, List>,
}

/// What a `{{define}}` or `{{block}}` begins afresh.
struct Scope {
    /// Tokens put back, the last one first; the first one is also the newest read, whose line an
    /// error names.
    tokens: [Token; 3],
    put_back: usize,
    variables: Vec<String>,
    /// Line of the `{{` of the action being read; 0 between actions.
    action_line: usize,
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
        Self {
            tokens: [Token::unread(), Token::unread(), Token::unread()],
            put_back: 0,
            variables: vec!["$".to_owned()],
            action_line: 0,
            ranges: 0,
            parens: 0,
        }
    }
}

impl Parser<'_> {
    fn root(&mut self) -> Result<List, ParseError> {
        let mut list = List { position: self.peek().position, nodes: Vec::new() };
        while self.peek().kind != Kind::Eof {
            if self.peek().kind == Kind::LeftDelim {
                let delim = self.next();
                if self.next_nonspace().kind == Kind::Define {
                    self.definition()?;
                    continue;
                }
                self.put_back_two(delim);
            }
            match self.text_or_action()? {
                Item::Node(node) => list.nodes.push(node),
                Item::Ending(ending) => {
                    return Err(self.error(&format!("unexpected {}", ending.shown())));
                }
            }
        }
        Ok(list)
    }

    /// Reads from behind the word `define`.
    fn definition(&mut self) -> Result<(), ParseError> {
        let outer = std::mem::replace(&mut self.scope, Scope::new());
        let token = self.next_nonspace();
        let name = self.template_name(&token, "define clause")?;
        self.expect(Kind::RightDelim, "define clause")?;
        let (list, ending) = self.list()?;
        if let Ending::Else(_) = ending {
            return Err(self.error("unexpected {{else}} in define clause"));
        }
        self.add(name, list)?;
        self.scope = outer;
        Ok(())
    }

    fn add(&mut self, name: String, list: List) -> Result<(), ParseError> {
        match self.trees.get(&name) {
            Some(known) if !known.is_blank() => {
                if !list.is_blank() {
                    let name = quote(name.as_bytes(), Shown::Printable);
                    return Err(self.error(&format!("template: multiple definition of template {name}")));
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
        let mut list = List { position: self.peek_nonspace().position, nodes: Vec::new() };
        while self.peek_nonspace().kind != Kind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => list.nodes.push(node),
                Item::Ending(ending) => return Ok((list, ending)),
            }
        }
        Err(self.error("unexpected EOF"))
    }

    fn text_or_action(&mut self) -> Result<Item, ParseError> {
        let token = self.next_nonspace();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text { position: token.position, text: token.text })),
            Kind::LeftDelim => {
                self.scope.action_line = token.line;
                let item = self.action()?;
                self.scope.action_line = 0;
                Ok(item)
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Result<Item, ParseError> {
        let token = self.next_nonspace();
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
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Item::Ending(Ending::End));
            }
            Kind::If => Node::If(self.branch(Control::If)?),
            Kind::Range => Node::Range(self.branch(Control::Range)?),
            Kind::With => Node::With(self.branch(Control::With)?),
            Kind::Template => {
                let token = self.next_nonspace();
                let name = self.template_name(&token, "template clause")?;
                let pipe = if self.next_nonspace().kind == Kind::RightDelim {
                    None
                } else {
                    self.put_back();
                    Some(self.pipe("template clause", Kind::RightDelim)?)
                };
                Node::Template(Call { position: token.position, name, pipe })
            }
            _ => {
                self.put_back();
                let position = self.peek().position;
                let pipe = self.pipe("command", Kind::RightDelim)?;
                Node::Action { position, pipe }
            }
        };
        Ok(Item::Node(node))
    }

    fn leave_range(&mut self, action: &str) -> Result<(), ParseError> {
        self.expect(Kind::RightDelim, action)?;
        if self.scope.ranges == 0 {
            return Err(self.error(&format!("{action} outside {{{{range}}}}")));
        }
        Ok(())
    }

    /// Reads from behind the word `else`; of `else if` the `if` is left to be read.
    fn otherwise(&mut self) -> Result<Ending, ParseError> {
        let next = self.peek_nonspace();
        if matches!(next.kind, Kind::If | Kind::With) {
            return Ok(Ending::Else(next.position));
        }
        let delim = self.expect(Kind::RightDelim, "else")?;
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
            let next = self.peek().kind;
            let chained = match control {
                Control::If if next == Kind::If => Some(Control::If),
                Control::With if next == Kind::With => Some(Control::With),
                _ => None,
            };
            if let Some(chained) = chained {
                self.next();
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
                    return Err(self.error("expected end; found {{else}}"));
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
        let token = self.next_nonspace();
        let name = self.template_name(&token, "block clause")?;
        let pipe = self.pipe("block clause", Kind::RightDelim)?;
        let outer = std::mem::replace(&mut self.scope, Scope::new());
        let (list, ending) = self.list()?;
        if let Ending::Else(_) = ending {
            self.scope = outer;
            return Err(self.error("unexpected {{else}} in block clause"));
        }
        self.add(name.clone(), list)?;
        self.scope = outer;
        self.depth -= 1;
        Ok(Node::Template(Call { position: token.position, name, pipe: Some(pipe) }))
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Result<String, ParseError> {
        match token.kind {
            Kind::String | Kind::RawString => {
                let name = self.unquoted(token)?;
                Ok(super::characters::to_text(&name))
            }
            _ => Err(self.unexpected(token, context)),
        }
    }

    fn pipe(&mut self, context: &str, end: Kind) -> Result<Pipe, ParseError> {
        let mut pipe = Pipe {
            position: self.peek_nonspace().position,
            assigns: false,
            variables: Vec::new(),
            commands: Vec::new(),
        };
        while self.peek_nonspace().kind == Kind::Variable {
            let variable = self.next();
            // A blank is a token, so `$x foo` takes three tokens to be told from `$x := foo`.
            let after = self.peek();
            let next = self.peek_nonspace();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.assigns = next.kind == Kind::Assign;
                    self.next_nonspace();
                    pipe.variables.push(variable.text.clone());
                    self.scope.variables.push(variable.text);
                }
                Kind::Char if next.text == "," => {
                    self.next_nonspace();
                    pipe.variables.push(variable.text.clone());
                    self.scope.variables.push(variable.text);
                    if context == "range" && pipe.variables.len() < 2 {
                        match self.peek_nonspace().kind {
                            Kind::Variable | Kind::RightDelim | Kind::RightParen => continue,
                            _ => return Err(self.error("range can only initialize variables")),
                        }
                    }
                    return Err(self.error(&format!("too many declarations in {context}")));
                }
                _ if after.kind == Kind::Space => self.put_back_three(variable, after),
                _ => self.put_back_two(variable),
            }
            break;
        }
        loop {
            let token = self.next_nonspace();
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
                    self.put_back();
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return Err(self.unexpected(&token, context)),
            }
        }
    }

    fn check(&self, pipe: &Pipe, context: &str) -> Result<(), ParseError> {
        if pipe.commands.is_empty() {
            return Err(self.error(&format!("missing value for {context}")));
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
                return Err(self.error(&format!("non executable command in pipeline stage {stage}")));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<Command, ParseError> {
        let mut command = Command { position: self.peek_nonspace().position, words: Vec::new() };
        loop {
            self.peek_nonspace();
            if let Some(word) = self.operand()? {
                command.words.push(word);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelim | Kind::RightParen => self.put_back(),
                Kind::Pipe => {}
                _ => return Err(self.unexpected(&token, "operand")),
            }
            break;
        }
        if command.words.is_empty() {
            return Err(self.error("empty command"));
        }
        Ok(command)
    }

    /// A term and the fields behind it.
    fn operand(&mut self) -> Result<Option<Word>, ParseError> {
        let Some(mut word) = self.term()? else {
            return Ok(None);
        };
        let first = self.peek();
        if first.kind != Kind::Field {
            return Ok(Some(word));
        }
        let mut more = Vec::new();
        while self.peek().kind == Kind::Field {
            more.push(self.next().text.trim_start_matches('.').to_owned());
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
                return Err(self.error(&format!("unexpected . after term {term}")));
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
        let token = self.next_nonspace();
        let position = token.position;
        let kind = match token.kind {
            Kind::Identifier => match self.functions.find(&token.text) {
                Some(function) => WordKind::Function(function),
                None => {
                    let name = quote(token.text.as_bytes(), Shown::Printable);
                    return Err(self.error(&format!("function {name} not defined")));
                }
            },
            Kind::Dot => WordKind::Dot,
            Kind::Nil => WordKind::Nil,
            Kind::Variable => {
                if !self.scope.variables.contains(&token.text) {
                    let name = quote(token.text.as_bytes(), Shown::Printable);
                    return Err(self.error(&format!("undefined variable {name}")));
                }
                WordKind::Variable { name: token.text, fields: Vec::new() }
            }
            Kind::Field => WordKind::Field(vec![token.text.trim_start_matches('.').to_owned()]),
            Kind::Bool => WordKind::Bool(token.text == "true"),
            Kind::CharConstant | Kind::Complex | Kind::Number => {
                WordKind::Number { number: self.number(&token)?, text: token.text }
            }
            Kind::LeftParen => {
                if self.scope.parens >= MAX_DEPTH {
                    return Err(self.error("max expression depth exceeded"));
                }
                self.deepen()?;
                self.scope.parens += 1;
                let pipe = self.pipe("parenthesized pipeline", Kind::RightParen)?;
                self.scope.parens -= 1;
                self.depth -= 1;
                WordKind::Pipe(pipe)
            }
            Kind::String | Kind::RawString => {
                WordKind::String { bytes: self.unquoted(&token)?, literal: token.text }
            }
            _ => {
                self.put_back();
                return Ok(None);
            }
        };
        Ok(Some(Word { position, kind }))
    }

    fn number(&self, token: &Token) -> Result<Number, ParseError> {
        if token.kind == Kind::CharConstant {
            let body = token.text.get(1..).unwrap_or_default().as_bytes();
            let (unit, rest) =
                unquote_unit(body, b'\'').map_err(|InvalidSyntax| self.error("invalid syntax"))?;
            if rest != b"'" {
                return Err(self.error(&format!("malformed character constant: {}", token.text)));
            }
            return Ok(Number::of_character(match unit {
                Unit::Byte(byte) => u32::from(byte),
                Unit::Character(character) => u32::from(character),
            }));
        }
        let text = quote(token.text.as_bytes(), Shown::Printable);
        if token.text.ends_with('i') {
            return Err(self.error(&format!("complex numbers are not supported: {text}")));
        }
        Number::parse(&token.text).map_err(|wrong| self.error(&format!("{wrong}: {text}")))
    }

    fn unquoted(&self, token: &Token) -> Result<Vec<u8>, ParseError> {
        unquote(&token.text).map_err(|InvalidSyntax| self.error("invalid syntax"))
    }

    /// Goes one parenthesis or block deeper; the caller comes back up.
    fn deepen(&mut self) -> Result<(), ParseError> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error("max nesting depth exceeded"));
        }
        self.depth += 1;
        Ok(())
    }

    fn next(&mut self) -> Token {
        match self.scope.put_back.checked_sub(1) {
            Some(left) => self.scope.put_back = left,
            None => self.read(),
        }
        self.current(self.scope.put_back)
    }

    fn peek(&mut self) -> Token {
        match self.scope.put_back.checked_sub(1) {
            Some(index) => self.current(index),
            None => {
                self.scope.put_back = 1;
                self.read();
                self.current(0)
            }
        }
    }

    fn next_nonspace(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_nonspace(&mut self) -> Token {
        let token = self.next_nonspace();
        self.put_back();
        token
    }

    fn read(&mut self) {
        let token = self.lexer.next_token();
        let [newest, ..] = &mut self.scope.tokens;
        *newest = token;
    }

    fn current(&self, index: usize) -> Token {
        match self.scope.tokens.get(index) {
            Some(token) => token.clone(),
            None => Token::unread(),
        }
    }

    fn put_back(&mut self) {
        self.scope.put_back += 1;
    }

    /// Puts back the newest token and the one before it.
    fn put_back_two(&mut self, before: Token) {
        let [_, second, _] = &mut self.scope.tokens;
        *second = before;
        self.scope.put_back = 2;
    }

    /// Puts back the newest token and the two before it.
    fn put_back_three(&mut self, first: Token, then: Token) {
        let [_, second, third] = &mut self.scope.tokens;
        *second = then;
        *third = first;
        self.scope.put_back = 3;
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Result<Token, ParseError> {
        let token = self.next_nonspace();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(&token, context)) }
    }

    fn unexpected(&self, token: &Token, context: &str) -> ParseError {
        if token.kind != Kind::Error {
            return self.error(&format!("unexpected {} in {context}", token.shown()));
        }
        let line = self.scope.action_line;
        if line == 0 || line == token.line {
            return self.error(&token.text);
        }
        let action = if token.text.ends_with(" action") { "" } else { " in action" };
        self.error(&format!("{}{action} started at {}:{line}", token.text, self.name))
    }

    fn error(&self, wrong: &str) -> ParseError {
        let [newest, ..] = &self.scope.tokens;
        ParseError { message: format!("template: {}:{}: {wrong}", self.name, newest.line) }
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
pub const MAX_DEPTH: usize = 100;
