//! Patterns in Go's syntax, which is the one that Docker's users write, on the `regex` crate.
//!
//! Both are linear in the length of a line, and both know RE2's syntax; this is the list of what they
//! understand differently, each carried over as Go has it: `\d`, `\s`, `\w`, `\b` know ASCII alone; `{` and `[`
//! that begin nothing stand for themselves (`^{`, `a{02}`, `[[0-9]`), as do `&&`, `--`, `~~` in a class and `\<`,
//! `\>`; `\Q…\E` quotes; `\123` is octal; `\p{^L}` negates; two groups may have one name.

use std::fmt;

use regex::bytes::{Regex, RegexBuilder};

/// A pattern that can be looked for.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
}

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    pattern: String,
    problem: String,
}

/// The longest pattern, in bytes.
const LONGEST: usize = 16 << 10;
/// What a compiled pattern may take, and what looking for it may take besides, in bytes.
const MOST_MEMORY: usize = 2 << 20;

impl Pattern {
    /// # Errors
    /// It is no pattern, or one that takes too much memory.
    pub fn parse(pattern: &str) -> Result<Pattern, PatternError> {
        let wrong = |problem: String| PatternError { pattern: shown(pattern), problem };
        if pattern.len() > LONGEST {
            return Err(wrong(format!("longer than {LONGEST} bytes")));
        }
        let translated = Translator::of(pattern).translate();
        let regex = RegexBuilder::new(&translated)
            .size_limit(MOST_MEMORY)
            .dfa_size_limit(MOST_MEMORY)
            .build()
            .map_err(|error| wrong(problem_of(&error)))?;
        Ok(Pattern { regex })
    }

    pub(super) fn into_regex(self) -> Regex {
        self.regex
    }

    /// Whether it is found anywhere in a text, which has to be UTF-8 to be understood as Go does.
    pub fn is_in(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }
}

/// As far as people want to see it.
fn shown(pattern: &str) -> String {
    const LENGTH: usize = 120;
    match pattern.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", pattern.get(..end).unwrap_or_default()),
        None => pattern.to_owned(),
    }
}

fn problem_of(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            format!("takes more than {} MiB once compiled; repeat less", MOST_MEMORY >> 20)
        }
        // The pattern is drawn there, with a mark below; what is wrong stands in the last line.
        other => {
            let text = other.to_string();
            let last = text.lines().next_back().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "pattern `{}`: {}", self.pattern, self.problem)
    }
}

impl std::error::Error for PatternError {}

const DIGITS: &str = "0-9";
const SPACES: &str = r"\t\n\f\r ";
const WORDS: &str = "0-9A-Za-z_";

/// Writes a pattern of Go's as one of the crate's that means the same.
struct Translator<'a> {
    rest: &'a str,
    out: String,
    /// Groups that have had their names.
    names: Vec<&'a str>,
}

impl<'a> Translator<'a> {
    fn of(pattern: &'a str) -> Translator<'a> {
        Translator { rest: pattern, out: String::with_capacity(pattern.len()), names: Vec::new() }
    }

    fn translate(mut self) -> String {
        while let Some(character) = self.next() {
            match character {
                '\\' => self.escape(),
                '[' => self.class(),
                '(' => self.group(),
                '{' => self.brace(),
                '}' => self.out.push_str(r"\}"),
                ']' => self.out.push_str(r"\]"),
                other => self.out.push(other),
            }
        }
        self.out
    }

    fn next(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.skip(character.len_utf8());
        Some(character)
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn take(&mut self, prefix: &str) -> bool {
        let begins = self.rest.starts_with(prefix);
        if begins {
            self.skip(prefix.len());
        }
        begins
    }

    /// Behind a `(`. Of groups with a name that another one has, or that the crate does not take for one, only
    /// what they match counts.
    fn group(&mut self) {
        let name = self.rest.strip_prefix("?P<").or_else(|| self.rest.strip_prefix("?<"));
        let name = name.and_then(|rest| rest.split_once('>')).filter(|(name, _)| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        });
        self.out.push('(');
        let Some((name, behind)) = name else { return };
        if !name.starts_with(|first: char| first.is_ascii_digit()) && !self.names.contains(&name) {
            self.names.push(name);
            self.out.extend(["?P<", name, ">"]);
        }
        self.rest = behind;
    }

    /// Behind a `{`, which begins a repetition (`2}`, `2,}`, `2,3}`) or stands for itself.
    fn brace(&mut self) {
        let is_number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits && (text == "0" || !text.starts_with('0'))
        };
        let repeats = |inside: &str| match inside.split_once(',') {
            Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
            None => is_number(inside),
        };
        match self.rest.split_once('}').filter(|(inside, _)| repeats(inside)) {
            Some((inside, behind)) => {
                self.out.extend(["{", inside, "}"]);
                self.rest = behind;
            }
            None => self.out.push_str(r"\{"),
        }
    }

    fn literal(&mut self, character: char) {
        if character.is_ascii_punctuation() && !matches!(character, '<' | '>') {
            self.out.push('\\');
        }
        self.out.push(character);
    }

    /// Behind a backslash, outside of a class.
    fn escape(&mut self) {
        match self.next() {
            Some('Q') => self.quoted(),
            Some('d') => self.out.extend(["[", DIGITS, "]"]),
            Some('D') => self.out.extend(["[^", DIGITS, "]"]),
            Some('s') => self.out.extend(["[", SPACES, "]"]),
            Some('S') => self.out.extend(["[^", SPACES, "]"]),
            Some('w') => self.out.extend(["[", WORDS, "]"]),
            Some('W') => self.out.extend(["[^", WORDS, "]"]),
            Some('b') => self.out.push_str(r"(?-u:\b)"),
            Some('B') => self.out.push_str(r"(?-u:\B)"),
            other => self.single(other),
        }
    }

    /// Behind a backslash, what stands for one character, or for a class of Unicode's.
    fn single(&mut self, escaped: Option<char>) {
        match escaped {
            Some(digit @ '0'..='7') => self.octal(digit),
            Some('p') => self.property('p', 'P'),
            Some('P') => self.property('P', 'p'),
            Some('x') => self.hexadecimal(),
            Some(punctuation) if punctuation.is_ascii_punctuation() => self.literal(punctuation),
            Some(other) => self.out.extend(['\\', other]),
            None => self.out.push('\\'),
        }
    }

    /// `\0`, `\12`, `\123`. A single digit would refer back to a group, which neither can do.
    fn octal(&mut self, first: char) {
        let more = self.rest.bytes().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
        if first != '0' && more == 0 {
            return self.out.extend(['\\', first]);
        }
        let digits = format!("{first}{}", self.rest.get(..more).unwrap_or_default());
        self.skip(more);
        let code = u32::from_str_radix(&digits, 8).unwrap_or_default();
        self.out.push_str(&format!("\\x{{{code:x}}}"));
    }

    /// `\x7f`, `\x{e9}`.
    fn hexadecimal(&mut self) {
        self.out.push_str("\\x");
        // The braces of a number are no repetition.
        let braced = self.rest.split_once('}').filter(|(digits, _)| digits.starts_with('{'));
        if let Some((digits, behind)) = braced {
            self.out.extend([digits, "}"]);
            self.rest = behind;
        }
    }

    fn property(&mut self, name: char, other: char) {
        let negated = self.take("{^");
        self.out.extend(['\\', if negated { other } else { name }]);
        if negated {
            self.out.push('{');
        }
        // The braces of a name are no repetition.
        match self.rest.split_once('}').filter(|_| negated || self.rest.starts_with('{')) {
            Some((inside, behind)) => {
                self.out.extend([inside, "}"]);
                self.rest = behind;
            }
            None => {
                let letter = self.next();
                self.out.extend(letter);
            }
        }
    }

    fn quoted(&mut self) {
        let (inside, behind) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
        self.rest = behind;
        inside.chars().for_each(|character| self.literal(character));
    }

    /// Behind the `[` of a class, up to its `]`.
    fn class(&mut self) {
        self.out.push('[');
        if self.take("^") {
            self.out.push('^');
        }
        let mut first = true;
        while let Some(character) = self.next() {
            match character {
                ']' if !first => return self.out.push(']'),
                '[' if self.named_class() => {}
                '\\' if self.escaped_class() => {}
                other => self.range(other),
            }
            first = false;
        }
    }

    /// Behind a backslash within a class, what stands for several characters; whether it does.
    fn escaped_class(&mut self) -> bool {
        match self.rest.chars().next() {
            Some('d') => self.out.push_str(DIGITS),
            Some('s') => self.out.push_str(SPACES),
            Some('w') => self.out.push_str(WORDS),
            Some('D') => self.out.extend(["[^", DIGITS, "]"]),
            Some('S') => self.out.extend(["[^", SPACES, "]"]),
            Some('W') => self.out.extend(["[^", WORDS, "]"]),
            Some(name @ ('p' | 'P')) => {
                self.skip(name.len_utf8());
                self.single(Some(name));
                return true;
            }
            _ => return false,
        }
        self.skip(1);
        true
    }

    /// A character within a class, and those up to another if a `-` stands between them.
    fn range(&mut self, first: char) {
        self.member(first);
        if self.rest.starts_with('-') && !self.rest.starts_with("-]") {
            self.skip(1);
            self.out.push('-');
            if let Some(last) = self.next() {
                self.member(last);
            }
        }
    }

    fn member(&mut self, character: char) {
        if character == '\\' {
            let escaped = self.next();
            self.single(escaped);
        } else {
            self.literal(character);
        }
    }

    /// Behind a `[` within a class: `:alpha:]` and its like.
    fn named_class(&mut self) -> bool {
        let name = self.rest.strip_prefix(':').and_then(|rest| rest.split_once(":]"));
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'^')
        };
        let Some((name, _)) = name.filter(|(name, _)| is_name(name)) else { return false };
        self.out.extend(["[:", name, ":]"]);
        self.skip(name.len() + 3);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let parsed = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{error}"));
        for text in matching {
            assert!(parsed.is_in(text.as_bytes()), "{pattern} in {text:?}");
        }
        for text in others {
            assert!(!parsed.is_in(text.as_bytes()), "{pattern} not in {text:?}");
        }
    }

    #[test]
    fn what_stands_for_itself_in_go_does_here() {
        check("^{", &["{\"a\":1}"], &[" {"]);
        check("^a{,3}b", &["a{,3}b"], &["aab"]);
        check("^a{2}b}$", &["aab}"], &["ab}"]);
        check(r"^a{2,}$", &["aaaa"], &["a"]);
        check(r"\{\d+\}", &["{17}"], &["{}"]);
        check("{}", &["a{}"], &["{ }"]);
        check("x{1,2}}", &["xx}"], &["x"]);
        check("^a{02}$", &["a{02}"], &["aa"]);
        check("^a{1,02}$", &["a{1,02}"], &["aa"]);
        check("^[[0-9]+]", &["[12]"], &["12"]);
        check("^[]a]+$", &["]a]"], &["b"]);
        check("^[^]a]$", &["b"], &["]"]);
        check("^[a&&b]+$", &["a&b"], &["c"]);
        check("^[a~~b]+$", &["a~b"], &["c"]);
        check("^[+--]+$", &["+,-"], &["."]);
        check("^[a-]+$", &["a-"], &["b"]);
        check("^[-a]+$", &["a-"], &["b"]);
        check(r"^[\d-z]+$", &["1-z"], &["a"]);
        check(r"^[\pL--/]+$", &["a./-"], &["0"]);
        check(r"^[!-\]a]+$", &["A]a"], &["b"]);
        check(r"^\<\>\_$", &["<>_"], &["a"]);
        check(r"^[\]\[\-\\]+$", &[r"[]-\"], &["a"]);
        check("]", &["]"], &["["]);
    }

    #[test]
    fn classes_know_ascii_alone() {
        check(r"^\d$", &["7"], &["٣"]);
        check(r"^\w$", &["w", "_"], &["é"]);
        check(r"^\W$", &["é", "-"], &["w"]);
        check(r"^\s$", &["\t", "\r"], &["\u{A0}", "\u{B}"]);
        check(r"^[\d\s]+$", &["1 2"], &["a"]);
        check(r"^[\D]$", &["a", "٣"], &["1"]);
        check(r"^[^\w]$", &["é"], &["e"]);
        check(r"\bé", &["eé"], &["é"]);
        check("^[[:upper:]_]+$", &["A_B"], &["a"]);
        check("^[[:^digit:]]$", &["a"], &["1"]);
        check("^[:a]+$", &["a:"], &["b"]);
    }

    #[test]
    fn the_rest_of_the_syntax_is_gos() {
        check(r"^\Q[INFO] {a.b}\E!", &["[INFO] {a.b}!"], &["[INFO] {axb}!"]);
        check(r"\Q*", &["*"], &["a"]);
        check(r"^\x{e9}[\x{1F600}-\x{1F64F}]{2}\x7a$", &["é😀😀z"], &["é😀z"]);
        check("^(?P<a>x)(?<a>y)(?P<1>z)", &["xyz"], &["xy"]);
        check(r"^\101\x42\x{43}$", &["ABC"], &["101"]);
        check(r"^\pL\p{Lu}\p{^Lu}\P{^Greek}$", &["aAaα"], &["aaaα", "aAAα", "aAaa"]);
        check(r"^\p{Greek}{2}$", &["αβ"], &["α"]);
        check("(?i)^straße", &["STRAẞE"], &["strasse"]);
        check("^(?P<a>x)(?:y|z)+?", &["xz"], &["x"]);
        check("^.$", &["é", "\u{FFFD}"], &["éé", ""]);
        check("a$", &["ba"], &["ab"]);
        check("^$", &[""], &["a"]);
        check(r"^\a\f\t\r\v\z", &["\u{7}\u{C}\t\r\u{B}"], &["a"]);
    }

    #[test]
    fn what_is_no_pattern_is_refused_in_words() {
        for (pattern, problem) in [
            ("(a", "pattern `(a`: unclosed group"),
            ("a**(?=b)", "look-around, including look-ahead and look-behind, is not supported"),
            (r"(a)\1", "backreferences are not supported"),
            ("[z-a]", "invalid character class range"),
            ("[a", "unclosed character class"),
            ("*", "repetition operator missing expression"),
            (r"\", "incomplete escape sequence"),
            (".{1000}{1000}", "takes more than 2 MiB once compiled"),
        ] {
            let error = Pattern::parse(pattern).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(problem), "{pattern}: {error}");
        }
        let long = "x".repeat(LONGEST + 1);
        let error = Pattern::parse(&long).map(|_| ()).unwrap_err().to_string();
        assert!(error.len() < 300 && error.ends_with("longer than 16384 bytes"), "{error}");
    }
}
