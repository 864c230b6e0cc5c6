//! The tokens of a template as the parser wants them: with some put back, and errors with a line.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use super::lexer::{Kind, Lexer, Token};
use super::number::Number;
use super::quote::{InvalidSyntax, Shown, Unit, quote, unquote, unquote_unit};

pub struct Tokens<'a> {
    name: &'a str,
    lexer: Lexer<'a>,
    pub ahead: Ahead,
}

/// The tokens read last. A `{{define}}` or `{{block}}` begins with none, and so on line 0.
pub struct Ahead {
    /// Tokens put back, the last one first; the first one is also the newest read, whose line an
    /// error names.
    tokens: [Token; 3],
    put_back: usize,
    /// Line of the `{{` of the action being read; 0 between actions.
    pub action_line: usize,
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

impl Ahead {
    pub fn new() -> Self {
        Self { tokens: [Token::unread(), Token::unread(), Token::unread()], put_back: 0, action_line: 0 }
    }
}

impl<'a> Tokens<'a> {
    pub fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, lexer: Lexer::new(text), ahead: Ahead::new() }
    }

    pub fn next(&mut self) -> Token {
        match self.ahead.put_back.checked_sub(1) {
            Some(left) => self.ahead.put_back = left,
            None => self.read(),
        }
        self.current(self.ahead.put_back)
    }

    pub fn peek(&mut self) -> Token {
        match self.ahead.put_back.checked_sub(1) {
            Some(index) => self.current(index),
            None => {
                self.ahead.put_back = 1;
                self.read();
                self.current(0)
            }
        }
    }

    pub fn next_nonspace(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    pub fn peek_nonspace(&mut self) -> Token {
        let token = self.next_nonspace();
        self.put_back();
        token
    }

    fn read(&mut self) {
        let token = self.lexer.next_token();
        let [newest, ..] = &mut self.ahead.tokens;
        *newest = token;
    }

    fn current(&self, index: usize) -> Token {
        match self.ahead.tokens.get(index) {
            Some(token) => token.clone(),
            None => Token::unread(),
        }
    }

    pub fn put_back(&mut self) {
        self.ahead.put_back += 1;
    }

    /// Puts back the newest token and the one before it.
    pub fn put_back_two(&mut self, before: Token) {
        let [_, second, _] = &mut self.ahead.tokens;
        *second = before;
        self.ahead.put_back = 2;
    }

    /// Puts back the newest token and the two before it.
    pub fn put_back_three(&mut self, first: Token, then: Token) {
        let [_, second, third] = &mut self.ahead.tokens;
        *second = then;
        *third = first;
        self.ahead.put_back = 3;
    }

    pub fn expect(&mut self, kind: Kind, context: &str) -> Result<Token, ParseError> {
        let token = self.next_nonspace();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(&token, context)) }
    }

    pub fn unexpected(&self, token: &Token, context: &str) -> ParseError {
        if token.kind != Kind::Error {
            return self.error(&format!("unexpected {} in {context}", token.shown()));
        }
        let line = self.ahead.action_line;
        if line == 0 || line == token.line {
            return self.error(&token.text);
        }
        let action = if token.text.ends_with(" action") { "" } else { " in action" };
        self.error(&format!("{}{action} started at {}:{line}", token.text, self.name))
    }

    pub fn error(&self, wrong: &str) -> ParseError {
        let [newest, ..] = &self.ahead.tokens;
        ParseError { message: format!("template: {}:{}: {wrong}", self.name, newest.line) }
    }

    /// Reads a number or character literal.
    pub fn number(&self, token: &Token) -> Result<Number, ParseError> {
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

    /// Reads a string literal.
    pub fn unquoted(&self, token: &Token) -> Result<Vec<u8>, ParseError> {
        unquote(&token.text).map_err(|InvalidSyntax| self.error("invalid syntax"))
    }
}
