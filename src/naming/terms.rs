//! What a container may choose beside its names: how its log stream is made and sent.

use super::Container;
use super::mode::{Key, Overrides};
use crate::cloudwatch::LogFormat;
use crate::size;
use crate::time::Millis;

/// What a container chooses; `None` is left to the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    pub create_group: Option<bool>,
    pub create_stream: Option<bool>,
    pub flush_after: Option<Millis>,
    pub format: Option<LogFormat>,
    /// What becomes of its events that there is no room for.
    pub when_full: Option<WhenFull>,
    /// How much of them may wait, in bytes, before they are dropped.
    pub most_waiting: Option<usize>,
}

/// What becomes of events that there is no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// They stay where they are: nothing more is read.
    #[default]
    Wait,
    DropOldest,
    DropNewest,
}

/// What may wait of a container that has its events dropped, unless it says so, and at least, in bytes: a batch that
/// is under way, and those behind it.
const MOST_WAITING: usize = 4 << 20;

impl Terms {
    /// What the container chooses, as far as it may; what cannot be is passed over and remarked on.
    pub(super) fn of(overrides: Overrides, container: &Container) -> (Terms, Vec<String>) {
        let mut remarks = Vec::new();
        if !overrides.any() {
            return (Terms::default(), remarks);
        }
        let mut chosen = |key, what: &str| {
            let (origin, text) = overrides.find(container, key)?;
            let value = read(key, text);
            if value.is_none() {
                remarks
                    .push(format!("{}: {origin} is passed over: `{text}` is not {what}", container.called()));
            }
            value
        };
        let truth = |value: Option<u64>| value.map(|value| value != 0);
        let most_waiting = chosen(Key::MaxBufferSize, "a size such as 4m");
        let when_full = chosen(Key::Mode, "blocking or non-blocking").map(|drops| match drops {
            0 => WhenFull::Wait,
            _ => WhenFull::DropNewest,
        });
        let drops = when_full == Some(WhenFull::DropNewest);
        chosen(Key::MaxBufferedEvents, "a positive number of events");
        let format = chosen(Key::Format, "json/emf, the only format there is to say").map(|_| LogFormat::Emf);
        let terms = Terms {
            format,
            when_full,
            most_waiting: drops.then(|| {
                let bytes = most_waiting.and_then(|bytes| usize::try_from(bytes).ok());
                bytes.unwrap_or_default().max(MOST_WAITING)
            }),
            create_group: truth(chosen(Key::CreateGroup, "true or false")),
            create_stream: truth(chosen(Key::CreateStream, "true or false")),
            flush_after: chosen(Key::FlushInterval, "a positive number of seconds")
                .map(|seconds| Millis(seconds.saturating_mul(1_000))),
        };
        if most_waiting.is_some() && !drops {
            remarks.push(format!(
                "{}: its label awslogs.max-buffer-size is passed over: it is for awslogs.mode=non-blocking",
                container.called()
            ));
        }
        remarks.extend(unknown(overrides, container).map(|label| {
            format!(
                "{}: its label {label} is passed over: only the operator can choose that",
                container.called()
            )
        }));
        (terms, remarks)
    }
}

/// A value as a number; of two values, 0 and 1. `None`: it is none that the option takes.
fn read(key: Key, text: &str) -> Option<u64> {
    match key {
        // What Go takes for a truth value, and so Docker.
        Key::CreateGroup | Key::CreateStream => match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(1),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(0),
            _ => None,
        },
        Key::Mode => match text {
            "blocking" => Some(0),
            "non-blocking" => Some(1),
            _ => None,
        },
        Key::MaxBufferSize => size::bytes(text).ok(),
        Key::Format => LogFormat::parse(text).ok().map(|_| 0),
        _ => text.parse::<u32>().ok().filter(|number| *number > 0).map(u64::from),
    }
}

/// Labels that look like options of Docker's driver, and are none that a container can choose.
fn unknown(overrides: Overrides, container: &Container) -> impl Iterator<Item = &str> {
    let keys = container.labels.iter().map(|(key, _)| key.as_str()).filter(move |_| overrides.labels);
    keys.filter(|key| key.starts_with("awslogs.") && !Key::ALL.iter().any(|known| known.label() == *key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(labels: &[(&str, &str)]) -> (Terms, String) {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let container = Container { name: "web".to_owned(), labels, ..Container::default() };
        let overrides = Overrides { labels: true, ..Overrides::NONE };
        let (terms, remarks) = Terms::of(overrides, &container);
        (terms, remarks.join("; "))
    }

    #[test]
    fn a_container_may_have_its_events_dropped_rather_than_wait() {
        for (labels, when_full, most_waiting) in [
            (&[("awslogs.mode", "non-blocking")][..], Some(WhenFull::DropNewest), Some(4 << 20)),
            (
                &[("awslogs.mode", "non-blocking"), ("awslogs.max-buffer-size", "1m")],
                Some(WhenFull::DropNewest),
                Some(4 << 20),
            ),
            (
                &[("awslogs.mode", "non-blocking"), ("awslogs.max-buffer-size", "10m")],
                Some(WhenFull::DropNewest),
                Some(10 << 20),
            ),
            (&[("awslogs.mode", "blocking")], Some(WhenFull::Wait), None),
            (&[], None, None),
        ] {
            let (terms, remarks) = of(labels);
            assert_eq!((terms.when_full, terms.most_waiting), (when_full, most_waiting), "{labels:?}");
            assert_eq!(remarks, "", "{labels:?}");
        }
    }

    #[test]
    fn what_a_container_chooses_and_cannot_be_is_passed_over_and_said() {
        for (key, value, words) in [
            ("awslogs.mode", "fast", "`fast` is not blocking or non-blocking"),
            ("awslogs.max-buffer-size", "much", "`much` is not a size such as 4m"),
            ("awslogs.max-buffer-size", "8m", "it is for awslogs.mode=non-blocking"),
            ("awslogs.max-buffered-events", "0", "is not a positive number of events"),
            ("awslogs.format", "json", "is not json/emf"),
            ("awslogs.credentials-endpoint", "/x", "only the operator can choose that"),
        ] {
            let (terms, remarks) = of(&[(key, value)]);
            assert_eq!(terms, Terms::default(), "{key}");
            assert!(remarks.contains(&format!("container web: its label {key} is passed over")), "{remarks}");
            assert!(remarks.contains(words), "{remarks}");
        }
        assert_eq!(of(&[("awslogs.max-buffered-events", "4096")]), (Terms::default(), String::new()));
        assert_eq!(of(&[("awslogs.format", "json/emf")]).0.format, Some(LogFormat::Emf));
    }
}
