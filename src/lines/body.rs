//! Bodies of requests: understood as a whole or not at all, then taken apart as there is room.

use super::decoder::Output;
use super::json_event::JsonEvent;
use super::objects::{self, Objects};
use super::otlp::{JsonRecords, ProtobufRecords};
use super::{End, Malformed, Piece, Side, Sink};
use crate::time::Timestamp;

/// A body, as far as it has come.
#[derive(Debug)]
pub struct Body {
    pub event: JsonEvent,
    kind: Kind,
    stage: Stage,
    /// Room for an event that does not stand in the body as it is.
    room: Vec<u8>,
}

/// What a body is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// JSON objects.
    Objects,
    /// OTLP's records, in protobuf.
    OtlpProtobuf,
    /// OTLP's records, in JSON.
    OtlpJson,
}

#[derive(Debug)]
enum Stage {
    /// There is more to come.
    Arriving,
    /// It is longer than may be: what comes is passed over.
    TooLong,
    /// All of it is there, and has been understood.
    Leaving(Events),
}

/// The events of a body that have not been taken.
#[derive(Clone, Debug)]
enum Events {
    Objects(Objects),
    Protobuf(ProtobufRecords),
    Json(JsonRecords),
}

/// The next of them, and where it ends in the body.
struct Next<'a> {
    text: &'a [u8],
    time: Option<Timestamp>,
    end: usize,
}

/// More than this is no body, in bytes: whoever sends bodies has a limit far lower.
const LONGEST_BODY: usize = 256 << 20;
/// The events of a body may come to so much, in bytes: each record of OTLP's brings its resource along, and so
/// a short body could be without end.
const MOST_EVENTS: usize = 256 << 20;
/// How much of a body is taken apart at a time, in bytes: as much as is read of other log streams.
const SLICE: usize = 256 << 10;
/// What an event takes in a request beside its text, about, in bytes.
const BESIDE_TEXT: usize = 64;

impl Body {
    pub fn new(kind: Kind) -> Body {
        Body { event: JsonEvent::default(), kind, stage: Stage::Arriving, room: Vec::new() }
    }

    pub fn read(&mut self, bytes: &[u8], body: &mut Vec<u8>) {
        match self.stage {
            Stage::Arriving if body.len() + bytes.len() <= LONGEST_BODY => body.extend_from_slice(bytes),
            Stage::Arriving | Stage::TooLong | Stage::Leaving(_) => {
                self.stage = Stage::TooLong;
                *body = Vec::new();
            }
        }
    }

    /// Nothing more will come. What is not understood is forgotten.
    pub fn finish<S: Sink>(&mut self, body: &mut Vec<u8>, out: &mut Output<'_, S>) {
        let understood = match self.stage {
            Stage::Arriving => Events::check(self.kind, body, &mut self.room),
            Stage::TooLong => Err(format!("it is longer than {LONGEST_BODY} bytes")),
            Stage::Leaving(_) => return,
        };
        match understood {
            Ok(events) => self.stage = Stage::Leaving(events),
            Err(problem) => {
                *body = Vec::new();
                out.malformed(Malformed::Body(problem));
            }
        }
    }

    /// Makes events of what comes next. `offset` is where the body begins until all of it has been taken
    /// apart, then where it ends.
    pub fn go_on<S: Sink>(
        &mut self,
        offset: &mut u64,
        body: &mut Vec<u8>,
        now: Timestamp,
        out: &mut Output<'_, S>,
    ) {
        let Body { event, stage, room, .. } = self;
        let Stage::Leaving(events) = stage else { return };
        let mut taken = 0;
        while taken < SLICE {
            // It was understood before.
            let Ok(Some(Next { text, time, end })) = events.next(body, room) else {
                *offset += body.len() as u64;
                *body = Vec::new();
                *stage = Stage::Arriving;
                return;
            };
            taken += text.len() + BESIDE_TEXT;
            let (named, text) = event.read(text);
            event.describe(out);
            out.piece(Piece {
                side: Side::Stdout,
                time: named.or(time).unwrap_or(now),
                text,
                end: End::Line,
                same_frame: false,
                offset: *offset + end as u64,
            });
        }
    }

    /// Whether something is left to be taken apart.
    pub fn has_more(&self) -> bool {
        matches!(self.stage, Stage::Leaving(_))
    }

    pub fn restart(&mut self) {
        self.stage = Stage::Arriving;
    }
}

impl Events {
    /// The events of a body, if it can be understood.
    fn check(kind: Kind, body: &[u8], room: &mut Vec<u8>) -> Result<Events, String> {
        let events = match kind {
            Kind::Objects => {
                objects::check(body)?;
                return Ok(Events::Objects(Objects::default()));
            }
            Kind::OtlpProtobuf => Events::Protobuf(ProtobufRecords::new(body)),
            Kind::OtlpJson => Events::Json(JsonRecords::check(body)?),
        };
        let mut tried = events.clone();
        let mut bytes = 0;
        while let Some(Next { text, .. }) = tried.next(body, room)? {
            bytes += text.len();
            if bytes > MOST_EVENTS {
                return Err(format!(
                    "its records come to more than {MOST_EVENTS} bytes, each with its resource"
                ));
            }
        }
        Ok(events)
    }

    fn next<'a>(&mut self, body: &'a [u8], room: &'a mut Vec<u8>) -> Result<Option<Next<'a>>, String> {
        room.clear();
        let record = match self {
            Events::Objects(objects) => {
                return Ok(objects.next(body).map(|(text, end)| Next { text, time: None, end }));
            }
            Events::Protobuf(records) => records.next(body, room)?,
            Events::Json(records) => records.next(body, room)?,
        };
        Ok(record.map(|record| Next { text: room, time: record.time, end: record.end }))
    }
}
