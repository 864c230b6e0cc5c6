//! Who may send: names, each with a token that senders bear.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use ring::hmac;
use ring::rand::SystemRandom;

use super::FileProblem;

/// Tokens and whose they are.
///
/// They are kept and looked up as their digests under a key that nobody knows, so that how long a lookup takes
/// says nothing of them.
pub struct Tokens {
    key: hmac::Key,
    names: HashMap<Vec<u8>, String>,
}

/// A file of tokens that cannot be used. No token is ever part of it.
#[derive(Debug)]
pub struct TokensError(FileProblem);

/// A shorter token can be guessed, in bytes.
const SHORTEST: usize = 16;

impl Tokens {
    /// Reads a file: a name and a token a line, blanks between them; `#` begins a comment.
    ///
    /// # Errors
    /// For a file that cannot be read, and for a line that cannot be understood.
    pub fn read(path: &Path) -> Result<Tokens, TokensError> {
        let failed = |problem| TokensError(FileProblem { path: path.to_owned(), problem });
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        Tokens::parse(&text).map_err(failed)
    }

    fn parse(text: &str) -> Result<Tokens, String> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| "the system has no random numbers".to_owned())?;
        let mut tokens = Tokens { key, names: HashMap::new() };
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut words = line.split_whitespace();
            let (Some(name), Some(token), None) = (words.next(), words.next(), words.next()) else {
                return Err(format!("line {number} is not a name and a token"));
            };
            if token.len() < SHORTEST {
                return Err(format!(
                    "line {number}: the token of {name} is shorter than {SHORTEST} characters"
                ));
            }
            if let Some(other) = tokens.names.insert(tokens.digest(token), name.to_owned()) {
                return Err(format!("line {number}: the token of {name} is that of {other} too"));
            }
        }
        match tokens.names.is_empty() {
            true => Err("there is no token in it: nobody could send anything".to_owned()),
            false => Ok(tokens),
        }
    }

    /// Whose token a request bears: `Authorization: Bearer TOKEN`, or `Basic` with the name and the token.
    pub fn name_of(&self, headers: &HeaderMap) -> Option<&str> {
        let given = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, value) = given.split_once(' ')?;
        let value = value.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.owner_of(value);
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
        let (name, token) = decoded.split_once(':')?;
        self.owner_of(token).filter(|owner| *owner == name)
    }

    fn owner_of(&self, token: &str) -> Option<&str> {
        self.names.get(&self.digest(token)).map(String::as_str)
    }

    fn digest(&self, token: &str) -> Vec<u8> {
        hmac::sign(&self.key, token.as_bytes()).as_ref().to_vec()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Tokens of {} names", self.names.len())
    }
}

impl fmt::Display for TokensError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "tokens cannot be read from {}", self.0)
    }
}

impl std::error::Error for TokensError {}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "# who may send\n\nshop  0123456789abcdef\nbilling\tfedcba9876543210\nshop aaaaaaaaaaaaaaaaaaaa\n";

    fn name(tokens: &Tokens, authorization: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization.parse().unwrap());
        tokens.name_of(&headers).map(str::to_owned)
    }

    #[test]
    fn a_token_says_who_sends() {
        let tokens = Tokens::parse(FILE).unwrap();
        for (authorization, expected) in [
            ("Bearer 0123456789abcdef", Some("shop")),
            ("bearer fedcba9876543210", Some("billing")),
            ("Bearer aaaaaaaaaaaaaaaaaaaa", Some("shop")),
            ("Bearer 0123456789abcdeg", None),
            ("Bearer 0123456789abcde", None),
            ("Bearer", None),
            ("Bearer ", None),
            // shop:0123456789abcdef, billing:0123456789abcdef
            ("Basic c2hvcDowMTIzNDU2Nzg5YWJjZGVm", Some("shop")),
            ("Basic YmlsbGluZzowMTIzNDU2Nzg5YWJjZGVm", None),
            ("Basic !!", None),
            ("Digest 0123456789abcdef", None),
        ] {
            assert_eq!(name(&tokens, authorization).as_deref(), expected, "{authorization}");
        }
        assert_eq!(tokens.name_of(&HeaderMap::new()), None);
    }

    #[test]
    fn what_cannot_be_used_is_said_without_the_token() {
        for (file, said) in [
            ("", "there is no token"),
            ("shop\n", "line 1 is not a name and a token"),
            ("\nshop a b\n", "line 2 is not a name and a token"),
            ("shop short-one\n", "line 1: the token of shop is shorter than 16 characters"),
            ("a 0123456789abcdef\nb 0123456789abcdef\n", "line 2: the token of b is that of a too"),
        ] {
            let error = Tokens::parse(file).unwrap_err();
            assert!(error.contains(said), "{error}");
            assert!(!error.contains("short-one") && !error.contains("0123456789"), "{error}");
        }
    }
}
