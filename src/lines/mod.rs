//! From the bytes of a container's log to events.
//!
//! A [`Decoder`] cuts bytes into pieces, as the framing says: a whole line, or a part of one. A [`Lane`]
//! for each of standard output and standard error joins the parts and cuts what is longer than an event
//! may be. A whole line that fits, which is nearly every line, goes through both without being copied. Where
//! [`LineRules`] say so, a [`shaper`] behind them gives lines the times that they say, joins those of one event, and
//! wraps events in JSON.

/// What a [`Sink`] that stands before another one, its `sink`, leaves to that.
macro_rules! hand_on {
    () => {
        fn split(&mut self) {
            self.sink.split();
        }

        fn malformed(&mut self, malformed: super::Malformed) {
            self.sink.malformed(malformed);
        }

        fn addressed(&mut self, group: &str, stream: &str) {
            self.sink.addressed(group, stream);
        }

        fn described(&mut self, event: &[u8]) {
            self.sink.described(event);
        }
    };
}

mod block;
mod body;
mod character;
mod dater;
#[cfg_attr(not(feature = "patterns"), allow(dead_code))]
mod datetime;
mod decoder;
mod docker_frames;
mod joiner;
mod json_event;
mod json_file;
mod json_lines;
mod json_object;
mod json_time;
mod lane;
mod letter;
mod limit;
#[cfg_attr(not(feature = "patterns"), path = "no_line_time.rs")]
mod line_time;
mod objects;
mod otlp;
#[cfg_attr(not(feature = "patterns"), path = "no_pattern.rs")]
mod pattern;
mod plain;
mod rfc3339;
mod rules;
mod shaper;
mod text;
mod wrap;
mod wrapper;

pub use character::Rest;
pub use datetime::FormatError;
pub use decoder::{Decoder, Framing, Malformed};
pub use json_event::FieldNames;
pub use lane::{Lane, Order};
pub use letter::Letter;
pub use limit::Limit;
pub use line_time::LineTimeError;
pub use pattern::{Pattern, PatternError};
pub use rfc3339::Clock;
pub use rules::{LineError, LineOptions, LineRules};
pub use text::{Taken, Text, unescape};
pub use wrap::{Form as WrapForm, Origin as WrapOrigin, WrapError};

use crate::time::Timestamp;

/// Which of its two outputs a container wrote to. A terminal has only the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    Stdout,
    Stderr,
}

/// One value for each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides<T> {
    pub stdout: T,
    pub stderr: T,
}

impl<T> Sides<T> {
    /// The same of another kind.
    pub fn map<U>(self, change: impl Fn(T) -> U) -> Sides<U> {
        Sides { stdout: change(self.stdout), stderr: change(self.stderr) }
    }

    pub fn get(&self, side: Side) -> &T {
        match side {
            Side::Stdout => &self.stdout,
            Side::Stderr => &self.stderr,
        }
    }

    pub fn get_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Stdout => &mut self.stdout,
            Side::Stderr => &mut self.stderr,
        }
    }
}

/// How far one side of a log stream has been taken; `position` in the WIT says what each field means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub offset: u64,
    pub time: Timestamp,
    pub ordinal: u32,
    pub into_line: u64,
}

/// A line or a part of one, as it stands in a chunk of log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    pub side: Side,
    pub time: Timestamp,
    pub text: Text<'a>,
    pub end: End,
    /// Whether it is more of the frame that the side's last piece came from: a frame is handed on as it is
    /// read, however few bytes of it are at hand.
    pub same_frame: bool,
    /// The offset behind the piece's frame.
    pub offset: u64,
}

/// How a piece ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The line goes on in the next piece of the same side.
    Open,
    /// The line ends here; its LF is not part of the text.
    Line,
}

/// What becomes one event of CloudWatch: a line, or as much of one as fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    pub side: Side,
    pub time: Timestamp,
    pub text: EventText<'a>,
    /// Up to where its side has been taken once this event is accepted.
    pub position: Position,
}

/// The text of an event; it fits an event in either form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventText<'a> {
    /// Still to be escaped.
    Line(Text<'a>),
    /// Escaped, and so many bytes of UTF-8.
    Escaped(&'a [u8], usize),
}

/// Receives what is read. An implementation must take every event: what cannot wait is held back before
/// the bytes are read.
pub trait Sink {
    fn event(&mut self, event: Event<'_>);

    /// The next event is more of the line of the one before.
    fn rest_of_line(&mut self) {}

    /// A line was longer than an event may be.
    fn split(&mut self);

    /// Something could not be understood.
    fn malformed(&mut self, malformed: Malformed);

    /// The events that follow name where they were to go. Only dead letters do.
    fn addressed(&mut self, group: &str, stream: &str);

    /// The fields of the next event that names depend on, as a JSON object.
    fn described(&mut self, event: &[u8]);
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// Any value of JSON.
    pub fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "(?s).{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("(?s).{0,6}", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    /// Keeps what it is told, in order, as text.
    #[derive(Debug, Default, PartialEq, Eq)]
    pub struct Heard {
        pub events: Vec<(Side, u64, String)>,
        pub positions: Vec<Position>,
        pub splits: usize,
        pub malformed: Vec<Malformed>,
        pub addresses: Vec<(String, String)>,
        pub descriptions: Vec<String>,
    }

    impl Sink for Heard {
        fn event(&mut self, event: Event<'_>) {
            let escaped = match event.text {
                EventText::Escaped(text, _) => text.to_vec(),
                EventText::Line(text) => {
                    let mut out = Vec::new();
                    text.append_to(&mut out, usize::MAX, Rest::None);
                    out
                }
            };
            let json = format!("\"{}\"", String::from_utf8(escaped).unwrap());
            let text: String = serde_json::from_str(&json).unwrap();
            if let EventText::Escaped(_, bytes) = event.text {
                assert_eq!(bytes, text.len());
            }
            self.events.push((event.side, event.time.nanos(), text));
            self.positions.push(event.position);
        }

        fn split(&mut self) {
            self.splits += 1;
        }

        fn malformed(&mut self, malformed: Malformed) {
            self.malformed.push(malformed);
        }

        fn addressed(&mut self, group: &str, stream: &str) {
            self.addresses.push((group.to_owned(), stream.to_owned()));
        }

        fn described(&mut self, event: &[u8]) {
            self.descriptions.push(String::from_utf8_lossy(event).into_owned());
        }
    }
}
