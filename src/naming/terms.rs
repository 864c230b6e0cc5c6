//! What a container may choose beside its names: how its log stream is made and sent.

use super::Container;
use super::mode::{Key, Overrides};
use crate::time::Millis;

/// What a container chooses; `None` is left to the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    pub create_group: Option<bool>,
    pub create_stream: Option<bool>,
    pub flush_after: Option<Millis>,
}

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
        let terms = Terms {
            create_group: truth(chosen(Key::CreateGroup, "true or false")),
            create_stream: truth(chosen(Key::CreateStream, "true or false")),
            flush_after: chosen(Key::FlushInterval, "a positive number of seconds")
                .map(|seconds| Millis(seconds.saturating_mul(1_000))),
        };
        remarks.extend(unknown(overrides, container).map(|label| {
            format!(
                "{}: its label {label} is passed over: only the operator can choose that",
                container.called()
            )
        }));
        (terms, remarks)
    }
}

/// A value as a number; truth values are 1 and 0. `None`: it is none that the option takes.
fn read(key: Key, text: &str) -> Option<u64> {
    match key {
        // What Go takes for a truth value, and so Docker.
        Key::CreateGroup | Key::CreateStream => match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(1),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(0),
            _ => None,
        },
        _ => text.parse::<u32>().ok().filter(|number| *number > 0).map(u64::from),
    }
}

/// Labels that look like options of Docker's driver, and are none that a container can choose.
fn unknown(overrides: Overrides, container: &Container) -> impl Iterator<Item = &str> {
    let keys = container.labels.iter().map(|(key, _)| key.as_str()).filter(move |_| overrides.labels);
    keys.filter(|key| key.starts_with("awslogs.") && !Key::ALL.iter().any(|known| known.label() == *key))
}
