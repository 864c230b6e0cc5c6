//! Whose way of naming is followed, and who may choose names.

use std::fmt;

use super::{Container, Destination};

/// Whose way of naming is followed; `naming-mode` in the WIT says what each means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Own,
    /// Docker's log driver `awslogs`.
    Awslogs,
    /// logspout-cloudwatch.
    Logspout,
}

/// Which of a container's own words may choose its names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Its labels, such as `awslogs.group`.
    pub labels: bool,
    /// `LOGSPOUT_GROUP` and `LOGSPOUT_STREAM` in its environment.
    pub env: bool,
    /// The options of its log driver, such as `awslogs-group`.
    pub log_options: bool,
}

/// What becomes of a container whose destination another one has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Collisions {
    /// They share it.
    #[default]
    Share,
    /// The one that comes later gets its id behind the name of the log stream.
    Distinct,
}

impl Collisions {
    /// Where the one that comes later goes.
    pub fn resolve(self, destination: Destination, container: &Container) -> Destination {
        match self {
            Collisions::Share => destination,
            Collisions::Distinct => destination.marked(container.short_id()),
        }
    }
}

/// What a container, or the operator, may choose by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Group,
    Stream,
    /// Docker's `tag`, which names the log stream where nothing else does.
    Tag,
    CreateGroup,
    CreateStream,
    FlushInterval,
    /// The AWS Region, and the endpoint, that its events go to.
    Region,
    Endpoint,
    /// What events are, where the service is to be told.
    Format,
    /// What becomes of events that there is no room for, and how much may wait.
    Mode,
    MaxBufferSize,
    MaxBufferedEvents,
    /// No name, but where its events begin: a pattern, or a format of dates.
    MultilinePattern,
    DatetimeFormat,
}

/// Who chose a name, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A log option, label or variable of the container's.
    LogOption(&'static str),
    Label(&'static str),
    Variable(&'static str),
    Operator(Key),
    /// Nobody; it is what the mode has.
    Default,
}

impl Overrides {
    pub const NONE: Overrides = Overrides { labels: false, env: false, log_options: false };

    pub fn any(self) -> bool {
        self != Overrides::NONE
    }

    /// What the container chooses, if it may, and by what. Empty is not chosen.
    pub(super) fn find(self, container: &Container, key: Key) -> Option<(Origin, &str)> {
        let Words { log_option, label, variable } = key.words();
        if self.log_options
            && let Some(log_option) = log_option
            && let Some(value) = chosen(&container.log_options, log_option)
        {
            return Some((Origin::LogOption(log_option), value));
        }
        if self.labels
            && let Some(value) = chosen(&container.labels, label)
        {
            return Some((Origin::Label(label), value));
        }
        let variable = variable.filter(|_| self.env)?;
        // Of two, the last counts, as for the container itself.
        let mut pairs = container.env.iter().filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.rfind(|(name, _)| *name == variable)?;
        (!value.is_empty()).then_some((Origin::Variable(variable), value))
    }
}

fn chosen<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let (_, value) = pairs.iter().find(|(known, _)| known == name)?;
    (!value.is_empty()).then_some(value.as_str())
}

/// By what a container chooses.
struct Words {
    /// None where the option is one of the log driver that the container has, and says how that keeps lines.
    log_option: Option<&'static str>,
    label: &'static str,
    variable: Option<&'static str>,
}

impl Key {
    pub const ALL: [Key; 14] = [
        Key::Group,
        Key::Stream,
        Key::Tag,
        Key::CreateGroup,
        Key::CreateStream,
        Key::FlushInterval,
        Key::Region,
        Key::Endpoint,
        Key::Format,
        Key::Mode,
        Key::MaxBufferSize,
        Key::MaxBufferedEvents,
        Key::MultilinePattern,
        Key::DatetimeFormat,
    ];

    /// The label by which a container chooses it.
    pub fn label(self) -> &'static str {
        self.words().label
    }

    fn words(self) -> Words {
        let (log_option, label, variable) = match self {
            Key::Group => (Some("awslogs-group"), "awslogs.group", Some("LOGSPOUT_GROUP")),
            Key::Stream => (Some("awslogs-stream"), "awslogs.stream", Some("LOGSPOUT_STREAM")),
            Key::Tag => (Some("tag"), "awslogs.tag", None),
            Key::CreateGroup => (Some("awslogs-create-group"), "awslogs.create-group", None),
            Key::CreateStream => (Some("awslogs-create-stream"), "awslogs.create-stream", None),
            Key::FlushInterval => {
                (Some("awslogs-force-flush-interval-seconds"), "awslogs.force-flush-interval-seconds", None)
            }
            Key::Region => (Some("awslogs-region"), "awslogs.region", None),
            Key::Endpoint => (Some("awslogs-endpoint"), "awslogs.endpoint", None),
            Key::Format => (Some("awslogs-format"), "awslogs.format", None),
            Key::Mode => (None, "awslogs.mode", None),
            Key::MaxBufferSize => (None, "awslogs.max-buffer-size", None),
            Key::MaxBufferedEvents => {
                (Some("awslogs-max-buffered-events"), "awslogs.max-buffered-events", None)
            }
            Key::MultilinePattern => (Some("awslogs-multiline-pattern"), "awslogs.multiline-pattern", None),
            Key::DatetimeFormat => (Some("awslogs-datetime-format"), "awslogs.datetime-format", None),
        };
        Words { log_option, label, variable }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::LogOption(name) => write!(out, "its log option {name}"),
            Origin::Label(name) => write!(out, "its label {name}"),
            Origin::Variable(name) => write!(out, "its variable {name}"),
            Origin::Operator(Key::Tag) => write!(out, "the operator's tag"),
            Origin::Operator(_) => write!(out, "the operator's template"),
            Origin::Default => write!(out, "the default"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_chooses_by_what_is_allowed_and_the_nearest_word_wins() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let container = Container {
            log_options: vec![pair("awslogs-group", "by-option")],
            labels: vec![pair("awslogs.group", "by-label"), pair("awslogs.stream", "")],
            env: ["LOGSPOUT_GROUP=first", "LOGSPOUT_GROUP=by=env", "LOGSPOUT_STREAM="]
                .map(String::from)
                .into(),
            ..Container::default()
        };
        let allowed = |labels, env, log_options| Overrides { labels, env, log_options };
        for (overrides, found) in [
            (allowed(true, true, true), Some((Origin::LogOption("awslogs-group"), "by-option"))),
            (allowed(true, true, false), Some((Origin::Label("awslogs.group"), "by-label"))),
            (allowed(false, true, false), Some((Origin::Variable("LOGSPOUT_GROUP"), "by=env"))),
            (Overrides::NONE, None),
        ] {
            assert_eq!(overrides.find(&container, Key::Group), found, "{overrides:?}");
        }
        assert_eq!(allowed(true, true, true).find(&container, Key::Stream), None);
    }
}
