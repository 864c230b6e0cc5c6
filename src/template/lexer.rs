//! Cuts a template's text into tokens, as Go's scanner cuts it.
//!
//! After an error token come only end-of-input or further error tokens; the parser stops at the
//! first it meets.

use super::characters::{is_digit, is_letter, is_print};
use super::quote::{Shown, quote};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

#[derive(Clone, Debug)]
pub struct Token {
    pub kind: Kind,
    /// Byte offset in the template.
    pub position: usize,
    /// Line the token begins on, from 1; 0 in a token that was never read.
    pub line: usize,
    /// The token's text; for an error, what is wrong.
    pub text: String,
}

impl Token {
    pub fn unread() -> Self {
        Self { kind: Kind::Error, position: 0, line: 0, text: String::new() }
    }

    /// The token as an error message shows it.
    pub fn shown(&self) -> String {
        match self.kind {
            Kind::Eof => "EOF".to_owned(),
            Kind::Error => self.text.clone(),
            Kind::Block
            | Kind::Break
            | Kind::Continue
            | Kind::Dot
            | Kind::Define
            | Kind::Else
            | Kind::End
            | Kind::If
            | Kind::Nil
            | Kind::Range
            | Kind::Template
            | Kind::With => format!("<{}>", self.text),
            _ if self.text.len() > 10 => {
                let head: String = self.text.chars().take(10).collect();
                format!("{}...", quote(head.as_bytes(), Shown::Printable))
            }
            _ => quote(self.text.as_bytes(), Shown::Printable),
        }
    }
}

pub struct Lexer<'a> {
    input: &'a str,
    /// Where the next character is read.
    at: usize,
    /// Where the token under way begins, and on which line.
    start: usize,
    line: usize,
    inside_action: bool,
    open_parens: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(input: &'a str) -> Self {
        Self { input, at: 0, start: 0, line: 1, inside_action: false, open_parens: 0 }
    }

    pub fn next_token(&mut self) -> Token {
        if self.inside_action { self.action() } else { self.text() }
    }

    fn text(&mut self) -> Token {
        loop {
            let Some(length) = self.rest().find(LEFT_DELIM) else {
                self.at = self.input.len();
                return if self.at > self.start { self.emit(Kind::Text) } else { self.emit(Kind::Eof) };
            };
            if length > 0 {
                let text = self.rest().get(..length).unwrap_or_default();
                let after = self.rest().get(length + LEFT_DELIM.len()..);
                let kept = if after.is_some_and(starts_with_trim_marker) {
                    text.trim_end_matches(is_blank).len()
                } else {
                    length
                };
                let trimmed = length - kept;
                self.at += kept;
                let token = self.emit(Kind::Text);
                self.at += trimmed;
                self.ignore();
                if !token.text.is_empty() {
                    return token;
                }
            }
            self.at += LEFT_DELIM.len();
            let marker = if starts_with_trim_marker(self.rest()) { TRIM_MARKER } else { 0 };
            let body = self.rest().get(marker..).unwrap_or_default();
            if body.starts_with(LEFT_COMMENT) {
                self.at += marker;
                self.ignore();
                if let Err(wrong) = self.comment() {
                    return self.error(wrong);
                }
                continue;
            }
            let token = self.emit(Kind::LeftDelim);
            self.inside_action = true;
            self.open_parens = 0;
            self.at += marker;
            self.ignore();
            return token;
        }
    }

    fn comment(&mut self) -> Result<(), String> {
        self.at += LEFT_COMMENT.len();
        let length = self.rest().find(RIGHT_COMMENT).ok_or_else(|| "unclosed comment".to_owned())?;
        self.at += length + RIGHT_COMMENT.len();
        let marker = self.right_delim().ok_or_else(|| "comment ends before closing delimiter".to_owned())?;
        self.at += marker + RIGHT_DELIM.len();
        self.trim(marker);
        Ok(())
    }

    /// At `}}`: the bytes of the trim marker before it.
    fn right_delim(&self) -> Option<usize> {
        let rest = self.rest();
        if rest.starts_with(RIGHT_DELIM) {
            return Some(0);
        }
        let mut characters = rest.chars();
        let marked = characters.next().is_some_and(is_blank)
            && characters.next() == Some('-')
            && characters.as_str().starts_with(RIGHT_DELIM);
        marked.then_some(TRIM_MARKER)
    }

    /// Passes the blanks behind a right delimiter if there was a marker before it.
    fn trim(&mut self, marker: usize) {
        if marker > 0 {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(is_blank).len();
        }
        self.ignore();
    }

    fn action(&mut self) -> Token {
        if let Some(marker) = self.right_delim() {
            if self.open_parens > 0 {
                return self.error("unclosed left paren".to_owned());
            }
            self.at += marker;
            self.ignore();
            self.at += RIGHT_DELIM.len();
            let token = self.emit(Kind::RightDelim);
            self.trim(marker);
            self.inside_action = false;
            return token;
        }
        let Some(first) = self.next() else {
            return self.error("unclosed action".to_owned());
        };
        match first {
            ' ' | '\t' | '\r' | '\n' => self.space(),
            '=' => self.emit(Kind::Assign),
            ':' => {
                if self.accept("=") {
                    self.emit(Kind::Declare)
                } else {
                    self.error("expected :=".to_owned())
                }
            }
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', "unterminated quoted string", Kind::String),
            '\'' => self.quoted('\'', "unterminated character constant", Kind::CharConstant),
            '`' => {
                while let Some(character) = self.next() {
                    if character == '`' {
                        return self.emit(Kind::RawString);
                    }
                }
                self.error("unterminated raw quoted string".to_owned())
            }
            '$' => self.word(Kind::Variable),
            '.' if self.peek().is_some_and(|next| !next.is_ascii_digit()) => self.word(Kind::Field),
            '.' | '+' | '-' | '0'..='9' => {
                self.at = self.start;
                self.number()
            }
            '(' => {
                self.open_parens += 1;
                self.emit(Kind::LeftParen)
            }
            ')' => match self.open_parens.checked_sub(1) {
                Some(open) => {
                    self.open_parens = open;
                    self.emit(Kind::RightParen)
                }
                None => self.error("unexpected right paren".to_owned()),
            },
            _ if is_alphanumeric(first) => self.word(Kind::Identifier),
            '!'..='~' => self.emit(Kind::Char),
            _ => self.error(format!("unrecognized character in action: {}", code_point(first))),
        }
    }

    fn space(&mut self) -> Token {
        while self.peek().is_some_and(is_blank) {
            self.next();
        }
        // The last blank may belong to a trim marker: ` -}}`.
        let last = self.at - 1;
        if self.input.get(last + 1..).is_some_and(|rest| rest.starts_with("-}}")) {
            self.at = last;
            if self.at == self.start {
                return self.action();
            }
        }
        self.emit(Kind::Space)
    }

    /// A field, variable or identifier, whose first character is read.
    fn word(&mut self, kind: Kind) -> Token {
        if kind != Kind::Identifier && self.at_terminator() {
            return self.emit(if kind == Kind::Field { Kind::Dot } else { kind });
        }
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
        if !self.at_terminator() {
            let bad = self.peek().map(code_point).unwrap_or_default();
            return self.error(format!("bad character {bad}"));
        }
        if kind != Kind::Identifier {
            return self.emit(kind);
        }
        let word = self.input.get(self.start..self.at).unwrap_or_default();
        self.emit(match word {
            "block" => Kind::Block,
            "break" => Kind::Break,
            "continue" => Kind::Continue,
            "define" => Kind::Define,
            "else" => Kind::Else,
            "end" => Kind::End,
            "if" => Kind::If,
            "nil" => Kind::Nil,
            "range" => Kind::Range,
            "template" => Kind::Template,
            "with" => Kind::With,
            "true" | "false" => Kind::Bool,
            _ => Kind::Identifier,
        })
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(next) => is_blank(next) || self.rest().starts_with(RIGHT_DELIM),
        }
    }

    fn quoted(&mut self, end: char, unterminated: &str, kind: Kind) -> Token {
        loop {
            match self.next() {
                None | Some('\n') => return self.error(unterminated.to_owned()),
                Some('\\') => {
                    if matches!(self.next(), None | Some('\n')) {
                        return self.error(unterminated.to_owned());
                    }
                }
                Some(character) if character == end => return self.emit(kind),
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> Token {
        let mut kind = Kind::Number;
        let mut good = self.scan_number();
        if good && matches!(self.peek(), Some('+' | '-')) {
            kind = Kind::Complex;
            good = self.scan_number() && self.input.get(..self.at).is_some_and(|read| read.ends_with('i'));
        }
        if good {
            return self.emit(kind);
        }
        let read = self.input.get(self.start..self.at).unwrap_or_default();
        let read = quote(read.as_bytes(), Shown::Printable);
        self.error(format!("bad number syntax: {read}"))
    }

    /// Passes what may be a number; only conversion tells whether it is one.
    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        let mut exponent = "eE";
        if self.accept("0") {
            if self.accept("xX") {
                (digits, exponent) = ("0123456789abcdefABCDEF_", "pP");
            } else if self.accept("oO") {
                (digits, exponent) = ("01234567_", "");
            } else if self.accept("bB") {
                (digits, exponent) = ("01_", "");
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        if self.accept(exponent) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }

    fn rest(&self) -> &'a str {
        self.input.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn accept(&mut self, set: &str) -> bool {
        let accepted = self.peek().is_some_and(|next| set.contains(next));
        if accepted {
            self.next();
        }
        accepted
    }

    fn accept_run(&mut self, set: &str) {
        while self.accept(set) {}
    }

    fn emit(&mut self, kind: Kind) -> Token {
        let text = self.input.get(self.start..self.at).unwrap_or_default();
        let token = Token { kind, position: self.start, line: self.line, text: text.to_owned() };
        self.ignore();
        token
    }

    fn ignore(&mut self) {
        let passed = self.input.get(self.start..self.at).unwrap_or_default();
        self.line += passed.matches('\n').count();
        self.start = self.at;
    }

    fn error(&mut self, wrong: String) -> Token {
        let token = Token { kind: Kind::Error, position: self.start, line: self.line, text: wrong };
        self.input = "";
        (self.at, self.start) = (0, 0);
        token
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(character: char) -> bool {
    character == '_' || is_letter(character) || is_digit(character)
}

fn starts_with_trim_marker(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| rest.starts_with(is_blank))
}

/// A character as Go's `%#U` writes it.
fn code_point(character: char) -> String {
    let code = u32::from(character);
    if is_print(character) {
        // Unlike `%q`, `%U` shows a quote without a backslash.
        format!("U+{code:04X} '{character}'")
    } else {
        format!("U+{code:04X}")
    }
}

const LEFT_DELIM: &str = "{{";
const RIGHT_DELIM: &str = "}}";
const LEFT_COMMENT: &str = "/*";
const RIGHT_COMMENT: &str = "*/";
/// A `-` and one blank.
const TRIM_MARKER: usize = 2;
