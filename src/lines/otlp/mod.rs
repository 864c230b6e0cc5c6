//! Records of the OpenTelemetry protocol (OTLP), in protobuf and in JSON, as events.
//!
//! A body is an `ExportLogsServiceRequest`: resources, of each its scopes, of each its records. A record becomes
//! an object with the names of OTLP's JSON, but plain values: `{"body":"ready","severityText":"INFO",
//! "attributes":{"port":8080},"resource":{"attributes":{"service.name":"shop"}},…}`. What a record does not
//! have is left out. Its time is `timeUnixNano`, else `observedTimeUnixNano`.

mod json;
mod object;
mod protobuf;
mod wire;

pub use json::JsonRecords;
pub use protobuf::ProtobufRecords;

use crate::time::Timestamp;

/// A record on its way into an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// `None`: it has none.
    pub time: Option<Timestamp>,
    /// Where it ends in the body.
    pub end: usize,
}

/// Values within values, at most; whoever nests deeper means harm.
const DEEPEST: usize = 64;

/// The time of a record that has these two, in nanoseconds, where 0 is none.
fn time_of(time: u64, observed: u64) -> Option<Timestamp> {
    [time, observed].into_iter().find(|nanos| *nanos > 0).map(Timestamp::from_nanos)
}

#[cfg(test)]
mod tests;
