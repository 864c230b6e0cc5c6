//! Constraints of single members, collected and reported as the service does: all of them in one message.

use super::limits;
use crate::refusal::Refusal;

/// The constraints that a request breaks.
#[derive(Debug, Default)]
pub struct Violations(Vec<String>);

impl Violations {
    /// Refuses the request if anything was wrong with it.
    pub fn finish(self) -> Result<(), Refusal> {
        let plural = match self.0.len() {
            0 => return Ok(()),
            1 => "",
            _ => "s",
        };
        Err(Refusal::invalid(format!(
            "{} validation error{plural} detected: {}",
            self.0.len(),
            self.0.join("; ")
        )))
    }

    pub fn push(&mut self, member: &str, value: impl std::fmt::Display, constraint: &str) {
        self.add(format!("Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"));
    }

    pub fn push_null(&mut self, member: &str) {
        self.0
            .push(format!("Value null at '{member}' failed to satisfy constraint: Member must not be null"));
    }

    fn add(&mut self, violation: String) {
        if self.0.len() < NAMED {
            self.0.push(violation);
        }
    }

    /// A required member's value; the empty default stands for a missing one, which fails at [`finish`](Self::finish).
    pub fn required<'a, T: ?Sized>(&mut self, member: &str, value: Option<&'a T>) -> &'a T
    where
        &'a T: Default,
    {
        value.unwrap_or_else(|| {
            self.push_null(member);
            Default::default()
        })
    }

    pub fn length(&mut self, member: &str, value: &str, min: usize, max: usize) {
        // The service counts as Java does.
        let length = value.encode_utf16().count();
        self.size(member, shown(value), length, min, max);
    }

    /// The bounds on a list or map of `length` elements.
    pub fn size(
        &mut self,
        member: &str,
        value: impl std::fmt::Display,
        length: usize,
        min: usize,
        max: usize,
    ) {
        if length < min {
            let constraint = format!("Member must have length greater than or equal to {min}");
            self.push(member, value, &constraint);
        } else if length > max {
            let constraint = format!("Member must have length less than or equal to {max}");
            self.push(member, value, &constraint);
        }
    }

    pub fn range(&mut self, member: &str, value: Option<i64>, min: i64, max: i64) {
        match value {
            Some(value) if value < min => {
                let constraint = format!("Member must have value greater than or equal to {min}");
                self.push(member, value, &constraint);
            }
            Some(value) if value > max => {
                let constraint = format!("Member must have value less than or equal to {max}");
                self.push(member, value, &constraint);
            }
            _ => {}
        }
    }

    pub fn pattern(&mut self, member: &str, value: &str, pattern: &str, fits: fn(char) -> bool) {
        if !value.chars().all(fits) {
            let constraint = format!("Member must satisfy regular expression pattern: {pattern}");
            self.push(member, shown(value), &constraint);
        }
    }

    pub fn one_of(&mut self, member: &str, value: Option<&str>, allowed: &[&str]) {
        if let Some(value) = value.filter(|value| !allowed.contains(value)) {
            let constraint = format!("Member must satisfy enum value set: [{}]", allowed.join(", "));
            self.push(member, shown(value), &constraint);
        }
    }

    /// A required `logGroupName`.
    pub fn group<'a>(&mut self, name: Option<&'a str>) -> &'a str {
        let required = self.required("logGroupName", name);
        if name.is_some() {
            self.group_name("logGroupName", required);
        }
        required
    }

    /// A required `logStreamName`.
    pub fn stream<'a>(&mut self, name: Option<&'a str>) -> &'a str {
        let required = self.required("logStreamName", name);
        if name.is_some() {
            self.stream_name("logStreamName", required);
        }
        required
    }

    pub fn group_name(&mut self, member: &str, name: &str) {
        self.length(member, name, 1, limits::NAME_LENGTH);
        self.pattern(member, name, r"[\.\-_/#A-Za-z0-9]+", |c| {
            c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '#')
        });
    }

    pub fn stream_name(&mut self, member: &str, name: &str) {
        self.length(member, name, 1, limits::NAME_LENGTH);
        self.pattern(member, name, "[^:*]*", |c| !matches!(c, ':' | '*'));
    }
}

/// A value short enough to stand in a message.
fn shown(value: &str) -> &str {
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => value.get(..end).unwrap_or_default(),
        None => value,
    }
}

/// The service stops counting at ten.
const NAMED: usize = 10;
const SHOWN: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_names_are_what_the_service_takes() {
        let long = "g".repeat(512);
        for name in ["a", "/aws/lambda/x", "a.b-c_d#e/f", long.as_str()] {
            assert_eq!(
                message(|v| {
                    v.group(Some(name));
                }),
                None,
                "{name}"
            );
        }
        check_group(
            "",
            "Value '' at 'logGroupName' failed to satisfy constraint: Member must have length greater than or equal to 1",
        );
        check_group(
            "a b",
            r"Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+",
        );
        let too_long = "g".repeat(513);
        check_group(&too_long, "Member must have length less than or equal to 512");
        assert_eq!(
            message(|v| {
                v.group(None);
            })
            .unwrap(),
            "1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null"
        );
    }

    fn check_group(name: &str, words: &str) {
        let text = message(|violations| {
            violations.group(Some(name));
        })
        .unwrap();
        assert!(text.contains(words), "{text}");
    }

    #[test]
    fn stream_names_are_what_the_service_takes() {
        let long = "s".repeat(512);
        for name in ["a b", "ü/[x]", long.as_str()] {
            assert_eq!(
                message(|v| {
                    v.stream(Some(name));
                }),
                None,
                "{name}"
            );
        }
        let too_long = "s".repeat(513);
        let astral = "🦀".repeat(257);
        for name in ["", "a:b", "a*b", too_long.as_str(), astral.as_str()] {
            assert!(
                message(|v| {
                    v.stream(Some(name));
                })
                .is_some(),
                "{name}"
            );
        }
    }

    #[test]
    fn several_violations_make_one_message() {
        let text = message(|violations| {
            violations.range("limit", Some(51), 1, 50);
            violations.one_of("orderBy", Some("Size"), &["LogStreamName", "LastEventTime"]);
        });
        assert_eq!(
            text.unwrap(),
            "2 validation errors detected: Value '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50; \
             Value 'Size' at 'orderBy' failed to satisfy constraint: Member must satisfy enum value set: [LogStreamName, LastEventTime]"
        );
    }

    fn message(check: impl FnOnce(&mut Violations)) -> Option<String> {
        let mut violations = Violations::default();
        check(&mut violations);
        violations.finish().err().and_then(|refusal| refusal.message)
    }
}
