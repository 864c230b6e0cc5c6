//! What is taken out of a line.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

/// Digits as cards have them: 13 to 19, with single spaces or hyphens between them.
static CARD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b[0-9](?:[ -]?[0-9]){12,18}\b").expect("a pattern"));
static TOKEN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\b(bearer|basic) [a-z0-9+/=._~-]{8,}").expect("a pattern"));

/// The line without card numbers (those whose check digit is right) and without tokens.
pub fn redacted(line: &str) -> Cow<'_, str> {
    let digits = line.bytes().filter(u8::is_ascii_digit).count();
    let cards = match digits >= 13 {
        true => CARD.replace_all(line, |found: &Captures<'_>| card(&found[0])),
        false => Cow::Borrowed(line),
    };
    // Looking for a word is a fraction of what a pattern costs, and most lines have neither.
    if !["bearer ", "basic "].iter().any(|scheme| mentions(&cards, scheme)) {
        return cards;
    }
    match TOKEN.replace_all(&cards, "$1 [redacted]") {
        Cow::Owned(line) => Cow::Owned(line),
        Cow::Borrowed(_) => cards,
    }
}

fn mentions(line: &str, word: &str) -> bool {
    line.as_bytes().windows(word.len()).any(|bytes| bytes.eq_ignore_ascii_case(word.as_bytes()))
}

/// The last four digits of a card; what is no card as it is.
fn card(text: &str) -> String {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(10)).collect();
    if !has_check_digit(&digits) {
        return text.to_owned();
    }
    let last: String = text.chars().rev().filter(char::is_ascii_digit).take(4).collect();
    format!("[card …{}]", last.chars().rev().collect::<String>())
}

/// ISO/IEC 7812-1, annex B.
fn has_check_digit(digits: &[u32]) -> bool {
    let weighed = digits.iter().rev().enumerate().map(|(at, digit)| match at % 2 {
        0 => *digit,
        _ => digit * 2 / 10 + digit * 2 % 10,
    });
    weighed.sum::<u32>() % 10 == 0
}
