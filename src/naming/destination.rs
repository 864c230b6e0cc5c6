//! A log group and a log stream, by names that the service accepts.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::Site;
use crate::cloudwatch::limits::MAX_NAME_BYTES;
use crate::cloudwatch::write_string;

/// Where events go. Its names are such as the service accepts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    group: String,
    stream: String,
    /// None: the operator's.
    site: Option<Arc<Site>>,
}

/// Which of its two names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Group,
    Stream,
}

impl Destination {
    /// A destination of these names, each changed as far as the service wants it.
    pub fn new(group: &str, stream: &str) -> Destination {
        Destination {
            group: clean(Kind::Group, group).into_owned(),
            stream: clean(Kind::Stream, stream).into_owned(),
            site: None,
        }
    }

    /// The destination of the same names at another site.
    pub fn at(self, site: Option<Arc<Site>>) -> Destination {
        Destination { site, ..self }
    }

    /// The destination beside it that carries a mark of its own, for one who must not share it.
    pub fn marked(&self, mark: &str) -> Destination {
        let mut stream = self.stream.clone();
        while stream.len() + mark.len() + 1 > MAX_NAME_BYTES && stream.pop().is_some() {}
        Destination::new(&self.group, &format!("{stream}-{mark}")).at(self.site.clone())
    }

    /// Stands for where a log stream goes of which each event says so; nothing is ever sent there.
    pub fn of_each_event() -> Destination {
        Destination::new("each event's", "own")
    }

    #[cfg(test)]
    pub fn for_tests(group: &str, stream: &str) -> Destination {
        Destination { group: group.to_owned(), stream: stream.to_owned(), site: None }
    }

    pub fn group(&self) -> &str {
        &self.group
    }

    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// Where it is, if that is not the operator's site.
    pub fn site(&self) -> Option<&Arc<Site>> {
        self.site.as_ref()
    }

    /// Writes the beginning of a `PutLogEvents` body, up to its first event.
    pub fn write_head(&self, body: &mut Vec<u8>) {
        body.extend_from_slice(b"{\"logGroupName\":");
        write_string(&self.group, body);
        body.extend_from_slice(b",\"logStreamName\":");
        write_string(&self.stream, body);
        body.extend_from_slice(b",\"logEvents\":[");
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "log group {}, log stream {}", self.group, self.stream)?;
        self.site.as_ref().map_or(Ok(()), |site| write!(out, ", Region {}", site.region.as_str()))
    }
}

/// What an empty name becomes.
const UNNAMED: &str = "unnamed";
/// Names of log groups must not begin so; `/aws/…` is fine.
const RESERVED: &str = "aws/";

/// A name that the service accepts: what it does not take becomes `_`, what is too long is cut.
///
/// Log groups: letters, digits and `_-/.#`. Log streams: all but `:` and `*`. We leave control characters
/// out of both. Neither is empty, nor longer than 512.
pub fn clean(kind: Kind, name: &str) -> Cow<'_, str> {
    let accepts = |character: char| match kind {
        Kind::Group => character.is_ascii_alphanumeric() || "_-/.#".contains(character),
        Kind::Stream => !matches!(character, ':' | '*') && !character.is_control(),
    };
    let reserved = kind == Kind::Group && name.starts_with(RESERVED);
    if name.is_empty() {
        return UNNAMED.into();
    }
    if name.chars().all(accepts) && name.len() <= MAX_NAME_BYTES && !reserved {
        return name.into();
    }
    let mut cleaned = String::with_capacity(name.len().min(MAX_NAME_BYTES));
    if reserved {
        cleaned.push('_');
    }
    for character in name.chars() {
        let character = if accepts(character) { character } else { '_' };
        if cleaned.len() + character.len_utf8() > MAX_NAME_BYTES {
            break;
        }
        cleaned.push(character);
    }
    cleaned.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_become_such_as_the_service_accepts() {
        for (kind, name, cleaned) in [
            (Kind::Group, "/ecs/my-app_1.0#x", "/ecs/my-app_1.0#x"),
            (Kind::Group, "my app: ünïcode", "my_app___n_code"),
            (Kind::Group, "aws/lambda", "_aws/lambda"),
            (Kind::Group, "/aws/lambda", "/aws/lambda"),
            (Kind::Group, "", "unnamed"),
            (Kind::Stream, "a:b*c d é", "a_b_c d é"),
            (Kind::Stream, "aws/x", "aws/x"),
            (Kind::Stream, "line\nend", "line_end"),
            (Kind::Stream, "", "unnamed"),
        ] {
            assert_eq!(clean(kind, name), cleaned, "{name}");
        }
        assert_eq!(clean(Kind::Group, &"x".repeat(600)).len(), 512);
        assert_eq!(clean(Kind::Stream, &"€".repeat(600)).len(), 510);
    }

    #[test]
    fn a_mark_fits_behind_any_name() {
        let marked = |stream: &str| Destination::new("g", stream).marked("0123456789ab");
        assert_eq!(marked("web"), Destination::for_tests("g", "web-0123456789ab"));
        let long = marked(&"€".repeat(170));
        assert!(long.stream().len() <= MAX_NAME_BYTES && long.stream().ends_with("€-0123456789ab"), "{long}");
    }

    proptest! {
        #[test]
        fn a_clean_name_is_clean(name in "(?s).{0,700}", group in any::<bool>()) {
            let kind = if group { Kind::Group } else { Kind::Stream };
            let once = clean(kind, &name).into_owned();
            prop_assert!((1..=MAX_NAME_BYTES).contains(&once.len()));
            prop_assert_eq!(clean(kind, &once), once.as_str());
        }
    }
}
