//! What a log group is made with: how long it keeps events, and its tags, key and class.

use std::fmt;

use super::limits::{LOG_GROUP_CLASSES, MAX_KMS_KEY_BYTES, MAX_TAG_CHARS, MAX_TAGS, RETENTION_DAYS};
use super::operation::write_string;

/// What was chosen, as it was given; `settings.options` in the WIT says what each means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupOptions {
    pub retention_days: Option<u32>,
    pub retain_existing: bool,
    /// `KEY=VALUE`.
    pub tags: Vec<String>,
    pub kms_key: Option<String>,
    pub class: Option<String>,
}

/// What the service will take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewGroup {
    /// Days that events are kept; `None` for ever, as the service does it.
    pub retention: Option<u32>,
    /// Whether log groups that exist are told so too.
    pub retain_existing: bool,
    /// Pairs of key and value.
    tags: Vec<(String, String)>,
    kms_key: Option<String>,
    class: Option<String>,
}

/// Why a log group cannot be made so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupError {
    Retention(u32),
    /// There is nothing that existing log groups could be told.
    NoRetention,
    Tag {
        key: String,
        problem: &'static str,
    },
    TooManyTags(usize),
    KmsKey(String),
    Class(String),
}

impl NewGroup {
    /// # Errors
    /// For what the service would refuse.
    pub fn of(options: &GroupOptions) -> Result<NewGroup, GroupError> {
        let GroupOptions { retention_days, retain_existing, tags, kms_key, class } = options;
        if let Some(days) = retention_days.filter(|days| !RETENTION_DAYS.contains(days)) {
            return Err(GroupError::Retention(days));
        }
        if *retain_existing && retention_days.is_none() {
            return Err(GroupError::NoRetention);
        }
        if tags.len() > MAX_TAGS {
            return Err(GroupError::TooManyTags(tags.len()));
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for tag in tags {
            let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
            let twice = pairs.iter().any(|(other, _)| other == key);
            let alone = !tag.contains('=');
            let problem = problem_of(key, value).or(twice.then_some("is given twice"));
            if let Some(problem) = problem.or(alone.then_some("has no value: write KEY=VALUE")) {
                return Err(GroupError::Tag { key: key.to_owned(), problem });
            }
            pairs.push((key.to_owned(), value.to_owned()));
        }
        let usable = |key: &String| key.starts_with("arn:") && key.len() <= MAX_KMS_KEY_BYTES;
        if let Some(key) = kms_key.as_ref().filter(|key| !usable(key)) {
            return Err(GroupError::KmsKey(key.clone()));
        }
        if let Some(class) = class.as_ref().filter(|class| !LOG_GROUP_CLASSES.contains(&class.as_str())) {
            return Err(GroupError::Class(class.clone()));
        }
        Ok(NewGroup {
            retention: *retention_days,
            retain_existing: *retain_existing,
            tags: pairs,
            kms_key: kms_key.clone(),
            class: class.clone(),
        })
    }

    pub fn has_tags(&self) -> bool {
        !self.tags.is_empty()
    }

    /// The body of a request that makes a log group.
    pub fn body(&self, group: &str, tags: Tags) -> Vec<u8> {
        let mut body = b"{\"logGroupName\":".to_vec();
        write_string(group, &mut body);
        for (key, value) in [("kmsKeyId", &self.kms_key), ("logGroupClass", &self.class)] {
            if let Some(value) = value {
                body.push(b',');
                write_string(key, &mut body);
                body.push(b':');
                write_string(value, &mut body);
            }
        }
        if tags == Tags::With && self.has_tags() {
            body.extend_from_slice(b",\"tags\":{");
            for (at, (key, value)) in self.tags.iter().enumerate() {
                if at > 0 {
                    body.push(b',');
                }
                write_string(key, &mut body);
                body.push(b':');
                write_string(value, &mut body);
            }
            body.push(b'}');
        }
        body.push(b'}');
        body
    }
}

/// Whether a log group is made with its tags: where they are refused, it is made without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tags {
    With,
    Without,
}

/// The body of a request that says how long a log group keeps events.
pub fn retention_body(group: &str, days: u32) -> Vec<u8> {
    let mut body = b"{\"logGroupName\":".to_vec();
    write_string(group, &mut body);
    body.extend_from_slice(format!(",\"retentionInDays\":{days}}}").as_bytes());
    body
}

/// What is wrong with a tag, if something is.
fn problem_of(key: &str, value: &str) -> Option<&'static str> {
    let usable = |character: char| {
        character.is_alphanumeric() || character.is_whitespace() || "_.:/=+-@".contains(character)
    };
    if key.is_empty() {
        Some("has no key")
    } else if key.chars().count() > MAX_TAG_CHARS.0 {
        Some("has a key of more than 128 characters")
    } else if value.chars().count() > MAX_TAG_CHARS.1 {
        Some("has a value of more than 256 characters")
    } else if key.to_ascii_lowercase().starts_with("aws:") {
        Some("begins with aws:, which is AWS's own")
    } else if !key.chars().chain(value.chars()).all(usable) {
        Some("has a character that is neither a letter, a digit, a blank, nor one of _.:/=+-@")
    } else {
        None
    }
}

impl fmt::Display for GroupError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupError::Retention(days) => {
                write!(out, "retention-days {days}: CloudWatch keeps events for one of")?;
                RETENTION_DAYS.iter().try_for_each(|days| write!(out, " {days}"))?;
                write!(out, " days, or for ever")
            }
            GroupError::NoRetention => {
                write!(out, "retain-existing says nothing without a number of days: give retention-days too")
            }
            GroupError::Tag { key, problem } => write!(out, "group-tags: tag `{key}` {problem}"),
            GroupError::TooManyTags(tags) => {
                write!(out, "group-tags: {tags} tags; a log group has {MAX_TAGS} at most")
            }
            GroupError::KmsKey(key) => write!(
                out,
                "kms-key-id `{key}`: not the ARN of a key, such as arn:aws:kms:eu-central-1:111122223333:key/…"
            ),
            GroupError::Class(class) => {
                write!(out, "log-group-class `{class}`: not one of {}", LOG_GROUP_CLASSES.join(", "))
            }
        }
    }
}

impl std::error::Error for GroupError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> GroupOptions {
        GroupOptions {
            retention_days: Some(30),
            retain_existing: false,
            tags: vec!["team=we\u{e9}=b".into(), "env=".into()],
            kms_key: Some("arn:aws:kms:eu-central-1:1:key/2".into()),
            class: Some("INFREQUENT_ACCESS".into()),
        }
    }

    #[test]
    fn a_group_is_made_with_what_was_chosen() {
        let group = NewGroup::of(&options()).unwrap();
        assert_eq!(
            String::from_utf8(group.body("a/\"b", Tags::With)).unwrap(),
            "{\"logGroupName\":\"a/\\\"b\",\"kmsKeyId\":\"arn:aws:kms:eu-central-1:1:key/2\",\
             \"logGroupClass\":\"INFREQUENT_ACCESS\",\"tags\":{\"team\":\"we\u{e9}=b\",\"env\":\"\"}}"
        );
        assert!(!group.body("g", Tags::Without).windows(4).any(|window| window == b"tags"));
        assert_eq!(NewGroup::default().body("g", Tags::With), br#"{"logGroupName":"g"}"#);
        assert_eq!(retention_body("g", 30), br#"{"logGroupName":"g","retentionInDays":30}"#);
    }

    #[test]
    fn what_the_service_would_refuse_is_refused_with_what_it_takes() {
        let tags = |key: &str, value: &str| vec![format!("{key}={value}")];
        let twice = [tags("a", "1"), tags("a", "2")].concat();
        let many = (0..51).map(|number| format!("t{number}=")).collect();
        for (options, words) in [
            (GroupOptions { retention_days: Some(31), ..options() }, "for one of 1 3 5 7 14 30 60"),
            (
                GroupOptions { retention_days: None, retain_existing: true, ..options() },
                "retain-existing says nothing",
            ),
            (GroupOptions { tags: tags("", "v"), ..options() }, "has no key"),
            (GroupOptions { tags: tags("aws:a", "v"), ..options() }, "begins with aws:"),
            (GroupOptions { tags: tags("a", "v;"), ..options() }, "tag `a` has a character"),
            (GroupOptions { tags: tags(&"k".repeat(129), ""), ..options() }, "128"),
            (GroupOptions { tags: tags("k", &"v".repeat(257)), ..options() }, "256"),
            (GroupOptions { tags: vec!["alone".into()], ..options() }, "tag `alone` has no value"),
            (GroupOptions { tags: twice, ..options() }, "tag `a` is given twice"),
            (GroupOptions { tags: many, ..options() }, "51 tags"),
            (GroupOptions { kms_key: Some("alias/x".into()), ..options() }, "not the ARN of a key"),
            (GroupOptions { class: Some("standard".into()), ..options() }, "not one of STANDARD, "),
        ] {
            let error = NewGroup::of(&options).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
