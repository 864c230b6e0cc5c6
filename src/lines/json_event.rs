//! What the fields of a JSON object say of the event that it is: its time, its text, where it belongs.

use super::decoder::Output;
use super::json_object::{Fields, string};
use super::json_time::time_of;
use super::rfc3339::Clock;
use super::{Sink, Text};
use crate::cloudwatch::write_string;
use crate::time::Timestamp;

/// Which fields of an object say what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldNames {
    /// The event's time; `None`: the first of the [usual](USUAL_TIMES) ones that holds one.
    pub time: Option<String>,
    /// The event's text; `None`: the object as it stands.
    pub message: Option<String>,
}

/// Where programs put the time: Vector, Logstash and its like, Go's slog, zap, Fluent Bit.
const USUAL_TIMES: [&[u8]; 5] = [b"timestamp", b"@timestamp", b"time", b"ts", b"date"];

/// Reads objects, one after the other.
#[derive(Debug, Default)]
pub struct JsonEvent {
    names: FieldNames,
    clock: Clock,
    /// The fields that names of log groups and log streams depend on; with none, nobody is told of them.
    apart: Vec<String>,
    /// Those of the last object, as an object: null where it has none.
    description: Vec<u8>,
}

impl JsonEvent {
    pub fn name_fields(&mut self, names: &FieldNames, apart: &[String]) {
        self.names.clone_from(names);
        self.apart = apart.to_vec();
    }

    /// The time that an object holds, if it holds one, and its text. Of what is no object: the text as it
    /// stands.
    pub fn read<'a>(&mut self, object: &'a [u8]) -> (Option<Timestamp>, Text<'a>) {
        let JsonEvent { names, clock, apart, .. } = self;
        let mut time = None;
        let mut rank = usize::MAX;
        let mut text = None;
        for (name, value) in Fields::of(object).into_iter().flatten() {
            let own_rank = match &names.time {
                Some(time) => (time.as_bytes() == name).then_some(0),
                None => USUAL_TIMES.iter().position(|usual| *usual == name),
            };
            if let Some(own_rank) = own_rank.filter(|own_rank| *own_rank < rank)
                && let Some(found) = time_of(value, clock)
            {
                (time, rank) = (Some(found), own_rank);
            }
            if names.message.as_ref().is_some_and(|message| message.as_bytes() == name) {
                text = Some(string(value).map_or(Text::Raw(value), |(inside, _)| Text::Json(inside)));
            }
            if rank == 0 && (names.message.is_none() || text.is_some()) {
                break;
            }
        }
        if !apart.is_empty() {
            self.describe_as(object);
        }
        (time, text.unwrap_or(Text::Raw(object)))
    }

    /// Whether where an object goes depends on its fields.
    pub fn is_kept_apart(&self) -> bool {
        !self.apart.is_empty()
    }

    /// Has whoever sorts events by their fields know those of the last object.
    pub fn describe<S: Sink>(&self, out: &mut Output<'_, S>) {
        if !self.apart.is_empty() {
            out.described(&self.description);
        }
    }

    fn describe_as(&mut self, object: &[u8]) {
        let JsonEvent { apart, description, .. } = self;
        description.clear();
        for (number, name) in apart.iter().enumerate() {
            description.push(if number == 0 { b'{' } else { b',' });
            write_string(name, description);
            description.push(b':');
            let mut fields = Fields::of(object).into_iter().flatten();
            let found = fields.find(|(known, _)| *known == name.as_bytes());
            description.extend_from_slice(found.map_or(b"null", |(_, value)| value));
        }
        description.push(b'}');
    }
}
