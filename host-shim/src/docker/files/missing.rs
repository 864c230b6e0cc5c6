//! What is missing of a log, and what people are told of it.

use crate::docker::instant;

/// What is known of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub why: Why,
    /// How much of the log is missing, where that can be told.
    pub bytes: Option<u64>,
    /// The time of the last entry before the gap, and of the first behind it, in nanoseconds.
    pub after: Option<u64>,
    pub before: Option<u64>,
}

/// Where the missing part went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Docker removed it before it could be read.
    Removed,
    /// Files may have come and gone between two looks.
    Unseen,
    /// The file was truncated, perhaps before all of it was read.
    Truncated,
    /// A compressed file ends too early.
    CutOff,
}

impl Missing {
    /// In one sentence: what is missing of this container's log, why, and what to do.
    pub fn text(&self, container: &str) -> String {
        let how_much = match (self.bytes, self.why) {
            (Some(bytes), _) => format!("{bytes} bytes of the log of container {container} are missing"),
            (None, Why::Unseen | Why::Truncated) => {
                format!("part of the log of container {container} may be missing")
            }
            (None, _) => format!("part of the log of container {container} is missing"),
        };
        let between = match (self.after.map(instant::text), self.before.map(instant::text)) {
            (Some(after), Some(before)) => format!(", between {after} and {before}"),
            (Some(after), None) => format!(", from after {after} on"),
            (None, Some(before)) => format!(", before {before}"),
            (None, None) => String::new(),
        };
        let why = match self.why {
            Why::Removed => {
                "Docker removed the files before they could be read; a larger max-size or max-file of its log \
                 gives more time"
            }
            Why::Unseen => {
                "Docker rotated it further than it could be followed; a larger max-size or max-file of its log \
                 gives more time"
            }
            Why::Truncated => {
                "its file was truncated, perhaps before all of it was read; Docker itself need not do so with \
                 max-file of 2 or more"
            }
            Why::CutOff => {
                "a rotated file was not compressed to its end, as when the Docker daemon is ended meanwhile"
            }
        };
        format!("{how_much}{between}: {why}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_whose_log_it_is_how_much_is_missing_and_from_when_to_when() {
        let missing = Missing { why: Why::Removed, bytes: Some(7), after: Some(1_500_000_000), before: None };
        assert_eq!(
            missing.text("web"),
            "7 bytes of the log of container web are missing, from after 1970-01-01T00:00:01.5Z on: Docker \
             removed the files before they could be read; a larger max-size or max-file of its log gives more \
             time"
        );
        let missing = Missing { why: Why::Unseen, bytes: None, before: Some(2_000_000_000), ..missing };
        let text = missing.text("web");
        assert!(
            text.starts_with(
                "part of the log of container web may be missing, between 1970-01-01T00:00:01.5Z and \
                 1970-01-01T00:00:02Z: "
            ),
            "{text}"
        );
    }
}
