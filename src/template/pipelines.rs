//! Reads pipelines: what stands between `{{` and `}}`, behind the word that says what it is for.

use super::function::FunctionSet;
use super::lexer::Kind;
use super::quote::{Shown, quote};
use super::syntax::{Command, Pipe, Word, WordKind};
use super::tokens::{Ahead, ParseError, Tokens};

/// Reads pipelines, and knows the variables that they may name.
pub struct Pipelines<'a> {
    functions: FunctionSet,
    pub tokens: Tokens<'a>,
    pub scope: Scope,
    /// Open parentheses and blocks, over all scopes.
    depth: usize,
}

/// What a `{{define}}` or `{{block}}` begins afresh, besides its [`Ahead`].
pub struct Scope {
    pub variables: Vec<String>,
    /// Open `{{range}}`s.
    pub ranges: usize,
    parens: usize,
}

impl Scope {
    fn new() -> Self {
        Self { variables: vec!["$".to_owned()], ranges: 0, parens: 0 }
    }
}

impl<'a> Pipelines<'a> {
    pub fn new(tokens: Tokens<'a>, functions: FunctionSet) -> Self {
        Self { functions, tokens, scope: Scope::new(), depth: 0 }
    }

    /// A pipeline with its declarations, up to and over what ends it.
    pub fn pipe(&mut self, context: &str, end: Kind) -> Result<Pipe, ParseError> {
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
                self.rise();
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

    /// Begins afresh, for a template within the template.
    pub fn open_scope(&mut self) -> (Scope, Ahead) {
        (
            std::mem::replace(&mut self.scope, Scope::new()),
            std::mem::replace(&mut self.tokens.ahead, Ahead::new()),
        )
    }

    pub fn close_scope(&mut self, outer: (Scope, Ahead)) {
        (self.scope, self.tokens.ahead) = outer;
    }

    /// Goes one parenthesis or block deeper; the caller comes back up.
    pub fn deepen(&mut self) -> Result<(), ParseError> {
        if self.depth >= MAX_DEPTH {
            return Err(self.tokens.error("max nesting depth exceeded"));
        }
        self.depth += 1;
        Ok(())
    }

    /// Comes back up.
    pub fn rise(&mut self) {
        self.depth -= 1;
    }
}

/// Parentheses and blocks within each other; Go allows 10,000 parentheses and any number of
/// blocks, which would overflow the stack of a WebAssembly component.
const MAX_DEPTH: usize = 100;
/// Variables declared at any point; each use looks through them.
const MAX_VARIABLES: usize = 1000;
