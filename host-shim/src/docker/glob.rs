//! Patterns for names, as Go's `path.Match` has them, and so logspout's filters.

/// A pattern: `*` is any text and `?` any character but `/`; `[a-z]` is one of a class, `[^a-z]` one that is
/// not of it; `\` takes the next character as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text,
    One(One),
}

/// What stands for one character.
#[derive(Clone, Debug, PartialEq, Eq)]
enum One {
    Any,
    Literal(char),
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Glob {
    /// # Errors
    /// For a class without its end, an empty one, and a `\` with nothing behind it.
    pub fn parse(pattern: &str) -> Result<Glob, String> {
        let mut characters = pattern.chars().peekable();
        let mut parts = Vec::new();
        while let Some(character) = characters.next() {
            parts.push(match character {
                '*' => Part::Text,
                '?' => Part::One(One::Any),
                '[' => Part::One(class(&mut characters).ok_or_else(|| wrong(pattern))?),
                '\\' => Part::One(One::Literal(characters.next().ok_or_else(|| wrong(pattern))?)),
                character => Part::One(One::Literal(character)),
            });
        }
        Ok(Glob { parts })
    }

    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        // Which beginnings of the text the parts so far can stand for.
        let mut reached = vec![false; text.len() + 1];
        if let Some(nothing) = reached.first_mut() {
            *nothing = true;
        }
        for part in &self.parts {
            let mut next = vec![false; text.len() + 1];
            let mut open = false;
            for (at, (from, to)) in reached.iter().zip(&mut next).enumerate() {
                match part {
                    Part::Text => {
                        let crossed = at.checked_sub(1).and_then(|before| text.get(before)) == Some(&'/');
                        open = (open && !crossed) || *from;
                        *to = open;
                    }
                    Part::One(one) => {
                        let Some(before) = at.checked_sub(1) else { continue };
                        let fits = text.get(before).is_some_and(|character| one.fits(*character));
                        *to = fits && reached.get(before) == Some(&true);
                    }
                }
            }
            reached = next;
        }
        reached.last() == Some(&true)
    }
}

impl One {
    fn fits(&self, character: char) -> bool {
        match self {
            One::Any => character != '/',
            One::Literal(literal) => character == *literal,
            One::Class { negated, ranges } => {
                let within = ranges.iter().any(|(low, high)| (*low..=*high).contains(&character));
                within != *negated
            }
        }
    }
}

fn class(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<One> {
    let negated = characters.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && characters.next_if_eq(&']').is_some() {
            return Some(One::Class { negated, ranges });
        }
        let low = class_member(characters)?;
        let high = if characters.next_if_eq(&'-').is_some() { class_member(characters)? } else { low };
        ranges.push((low, high));
    }
}

fn class_member(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match characters.next()? {
        '-' | ']' => None,
        '\\' => characters.next(),
        member => Some(member),
    }
}

fn wrong(pattern: &str) -> String {
    format!("`{pattern}` is no pattern: it ends within a class, or has an empty one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_go() {
        for (pattern, text, matches) in [
            ("", "", true),
            ("", "a", false),
            ("abc", "abc", true),
            ("*", "", true),
            ("*", "abc", true),
            ("*", "a/b", false),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("*_db", "shop_db", true),
            ("*_db", "shop_db_1", false),
            ("x*y*z", "xAyBz", true),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/ff", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("a?c", "aéc", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("[\\]a]", "]", true),
            ("[\\-x]", "-", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("*x", "xxx", true),
        ] {
            assert_eq!(Glob::parse(pattern).unwrap().matches(text), matches, "{pattern} {text}");
        }
        for pattern in ["[", "[a", "[]a]", "[-]", "[x-]", "[a-", "a\\", "[^bc"] {
            assert!(Glob::parse(pattern).is_err(), "{pattern}");
        }
    }
}
