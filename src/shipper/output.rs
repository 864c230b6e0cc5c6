//! What the machine asks of whoever drives it.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use crate::batch::{Frozen, SourceId};
use crate::cloudwatch::Operation;
use crate::lines::{Position, Sides};
use crate::naming::Site;
use crate::time::Timestamp;

/// How far both sides of a source have been taken; `None` for one of which nothing has.
pub type Positions = Sides<Option<Position>>;

/// One thing to do, in the order in which they are handed out.
#[derive(Debug)]
pub enum Output {
    /// Read at most so many bytes of a source, and hand them in.
    Read { source: SourceId, max: u32 },
    /// Have a source that broke off or stopped go on from here.
    Resume { source: SourceId, taken: Positions },
    /// Everything of a source up to here is delivered.
    Acknowledge { source: SourceId, accepted: Positions },
    /// So many events of a source were refused for good; comes before they are acknowledged.
    Refused { source: SourceId, events: u64 },
    /// What became of a source that has ended; comes before it is released.
    Settle { source: SourceId, fate: Fate },
    /// A source is through; forget it.
    Release(SourceId),
    /// Send a request, and hand in the answer.
    Send(Request),
    /// Get credentials, and hand them in. `renew`: those at hand were refused.
    FetchCredentials { renew: bool },
    /// Append dead letters to where they are kept, and hand in whether that was done.
    Keep { id: KeepId, lines: Rc<[u8]> },
    /// Tell people.
    Tell(Severity, String),
    /// Nothing to do until something is handed in, or until then.
    Wait(Option<Timestamp>),
    /// The end.
    Done(Result<(), Failure>),
}

/// What became of all that a source held; `fate` in the WIT says what each means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Settled { events: u64, refused: u64 },
    Unreadable(String),
}

/// A request on its way; its number comes back with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// Dead letters on their way to where they are kept; its number comes back with what became of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeepId(pub u64);

/// A POST to the endpoint, signed.
#[derive(Clone)]
pub struct Request {
    pub id: RequestId,
    pub operation: Operation,
    /// Where it goes, if that is not the operator's site.
    pub site: Option<Arc<Site>>,
    /// With the signature among them.
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The headers hold a signature, and perhaps a session token.
        out.debug_struct("Request")
            .field("id", &self.id)
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

/// The bytes of a request, which never change.
#[derive(Clone, Debug)]
pub enum Body {
    Batch(Rc<Frozen>),
    Bytes(Rc<[u8]>),
}

impl Body {
    pub fn bytes(&self) -> &[u8] {
        match self {
            Body::Batch(frozen) => frozen.body(),
            Body::Bytes(bytes) => bytes,
        }
    }
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Debug,
    Info,
    Warning,
    Error,
}

/// Why the machine gave up; `failure` in the WIT says what each means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    Settings(String),
    Credentials(String),
    Denied(String),
    Endpoint(String),
    DeadLetters(String),
    Rejected(u64),
    Unfinished(u64),
    Filter(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Settings(text)
            | Failure::Credentials(text)
            | Failure::Denied(text)
            | Failure::Endpoint(text)
            | Failure::Filter(text) => out.write_str(text),
            Failure::DeadLetters(text) => {
                write!(out, "events that CloudWatch refused cannot be kept: {text}")
            }
            Failure::Rejected(events) => write!(
                out,
                "all was sent, but {events} events are missing for good: refused by CloudWatch, or dropped (see above)"
            ),
            Failure::Unfinished(events) => write!(out, "ended with {events} events read and not delivered"),
        }
    }
}
