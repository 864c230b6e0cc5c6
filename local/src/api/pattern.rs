//! Filter patterns for unstructured text: terms, quoted phrases, `-exclude` and `?either`.

use memchr::memmem::Finder;

use crate::refusal::Refusal;

/// What a message has to hold, and must not.
#[derive(Debug, Default)]
pub struct Pattern {
    all: Vec<Finder<'static>>,
    any: Vec<Finder<'static>>,
    none: Vec<Finder<'static>>,
}

impl Pattern {
    /// Reads a pattern; those for JSON, for columns and for regular expressions are refused by name.
    pub fn parse(text: &str) -> Result<Pattern, Refusal> {
        let mut pattern = Pattern::default();
        let mut rest = text.trim();
        if let Some(kind) = unsupported(rest) {
            return Err(Refusal::invalid(format!(
                "Filter patterns for {kind} are not known to this local endpoint."
            )));
        }
        while !rest.is_empty() {
            let (list, term) = match rest.chars().next() {
                Some('-') => (&mut pattern.none, rest.get(1..).unwrap_or_default()),
                Some('?') => (&mut pattern.any, rest.get(1..).unwrap_or_default()),
                _ => (&mut pattern.all, rest),
            };
            let (term, after) = next_term(term)?;
            list.push(Finder::new(&term).into_owned());
            rest = after.trim_start();
        }
        // The service ignores optional terms beside required or excluded ones.
        if !(pattern.all.is_empty() && pattern.none.is_empty()) {
            pattern.any.clear();
        }
        Ok(pattern)
    }

    pub fn fits(&self, message: &[u8]) -> bool {
        let holds = |term: &Finder<'_>| term.find(message).is_some();
        self.all.iter().all(holds)
            && !self.none.iter().any(holds)
            && (self.any.is_empty() || self.any.iter().any(holds))
    }
}

fn unsupported(text: &str) -> Option<&'static str> {
    match text.chars().next()? {
        '{' => Some("JSON"),
        '[' => Some("space-delimited columns"),
        '%' => Some("regular expressions"),
        _ => None,
    }
}

/// One term and what follows it.
fn next_term(text: &str) -> Result<(String, &str), Refusal> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (term, after) = text.split_at(end);
        // Anything else has to stand in quotes.
        let plain = |c: char| c.is_alphanumeric() || c == '_';
        if term.is_empty() || !term.chars().all(plain) {
            return Err(Refusal::invalid(format!("Invalid character(s) in term '{term}'")));
        }
        return Ok((term.to_owned(), after));
    };
    let mut term = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let after = quoted.get(at + 1..).unwrap_or_default();
                return Ok((term, after));
            }
            '\\' => term.extend(chars.next().map(|(_, escaped)| escaped)),
            other => term.push(other),
        }
    }
    Err(Refusal::invalid("Invalid filter pattern: a quote is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_choose_messages() {
        for (pattern, message, fits) in [
            ("", "anything", true),
            ("ERROR", "[ERROR 400] BAD REQUEST", true),
            ("ERROR", "error", false),
            ("ERROR REQUEST", "[ERROR 400] BAD REQUEST", true),
            ("ERROR GOOD", "[ERROR 400] BAD REQUEST", false),
            ("\"BAD REQUEST\"", "[ERROR 400] BAD REQUEST", true),
            ("\"REQUEST BAD\"", "[ERROR 400] BAD REQUEST", false),
            (r#""say \"hi\"""#, r#"they say "hi""#, true),
            ("ERROR -\"400\"", "[ERROR 400] BAD REQUEST", false),
            ("-WARN", "[ERROR 400] BAD REQUEST", true),
            ("?WARN ?ERROR", "[ERROR 400] BAD REQUEST", true),
            ("?WARN ?INFO", "[ERROR 400] BAD REQUEST", false),
            ("?WARN ERROR", "[ERROR 400] BAD REQUEST", true),
            ("naïve", "so naïve", true),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            assert_eq!(parsed.fits(message.as_bytes()), fits, "{pattern} in {message}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_and_named() {
        for (pattern, words) in [
            ("{ $.level = \"x\" }", "JSON"),
            ("[ip, user]", "columns"),
            ("%a+%", "regular expressions"),
            ("a=b", "Invalid character(s) in term 'a=b'"),
            ("request-id", "Invalid character(s) in term 'request-id'"),
            ("\"open", "not closed"),
            ("-", "Invalid character(s)"),
        ] {
            let refusal = Pattern::parse(pattern).unwrap_err();
            assert_eq!(refusal.code, "InvalidParameterException");
            assert!(refusal.message.unwrap().contains(words), "{pattern}");
        }
    }
}
