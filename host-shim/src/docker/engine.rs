//! A client of Docker's Engine API: the few calls that following logs needs.

use std::fmt;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, StatusCode, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use super::address::Address;
use super::body::Body;
use super::instant;
use super::records::{Event, Info, Inspected, Listed, Message};

/// A daemon, by its Engine API. Every call opens a connection of its own: to a unix socket that costs
/// next to nothing, and a log that is followed keeps one anyway.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    address: Address,
    version: Mutex<Arc<str>>,
    /// Short calls under way: a start with a thousand containers is no storm on the daemon.
    calls: Semaphore,
}

/// Which part of a container's log is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What there is, and then what comes until the container stops.
    Follow,
    /// What there is.
    Stored,
}

impl Engine {
    pub fn new(address: Address) -> Engine {
        let version = Mutex::new(Arc::from(NEWEST_VERSION));
        Engine { shared: Arc::new(Shared { address, version, calls: Semaphore::new(CALLS) }) }
    }

    pub fn address(&self) -> &Address {
        &self.shared.address
    }

    /// Finds the daemon there, and the version of its API that both sides know. To be repeated after the
    /// daemon was away: another version may have come back.
    pub async fn negotiate(&self) -> Result<(), EngineError> {
        let response = tokio::time::timeout(ANSWER_WITHIN, self.request("/_ping"))
            .await
            .map_err(|_late| self.silent("/_ping"))??;
        let theirs = response.headers().get("api-version").and_then(|value| value.to_str().ok());
        let version = match theirs {
            Some(theirs) if number_of(theirs) < number_of(NEWEST_VERSION) => theirs,
            Some(_) => NEWEST_VERSION,
            None => {
                return Err(EngineError::Other {
                    doing: format!("asking {} for its version", self.address()),
                    problem: "what answers is not Docker's Engine API".to_owned(),
                });
            }
        };
        *self.shared.version.lock().unwrap_or_else(PoisonError::into_inner) = Arc::from(version);
        Ok(())
    }

    pub async fn info(&self) -> Result<Info, EngineError> {
        self.call("/info").await
    }

    /// Every container, running or not.
    pub async fn containers(&self) -> Result<Vec<Listed>, EngineError> {
        self.call("/containers/json?all=1").await
    }

    pub async fn inspect(&self, id: &str) -> Result<Inspected, EngineError> {
        self.call(&format!("/containers/{id}/json")).await
    }

    /// What happens to containers from `since` on (nanoseconds by the daemon's clock): that of the recent
    /// past first, then as it happens.
    pub async fn events(&self, since: Option<u64>) -> Result<Events, EngineError> {
        let since = since.map(|time| format!("&since={}", instant::since(time))).unwrap_or_default();
        let body = self.stream(&format!("/events?filters={EVENTS}{since}")).await?;
        Ok(Events { body, read: BytesMut::new(), engine: self.clone() })
    }

    /// A container's log with times, from `since` on, inclusive (nanoseconds; 0 for all).
    pub async fn logs(&self, id: &str, extent: Extent, since: u64) -> Result<Body, EngineError> {
        let part = match extent {
            Extent::Follow => "follow=1",
            Extent::Stored => "follow=0",
        };
        self.stream(&logs_path(id, part, since)).await
    }

    /// Follows a container's log from its last so many messages on.
    pub async fn follow_last(&self, id: &str, messages: u64) -> Result<Body, EngineError> {
        self.stream(&logs_path(id, &format!("follow=1&tail={messages}"), 0)).await
    }

    /// The same, of what is stored, if these are surely no more messages than the daemon finds by reading
    /// the log from its end; `None` if there may be more.
    pub async fn last_logs(&self, id: &str, since: u64) -> Result<Option<Bytes>, EngineError> {
        let path = logs_path(id, &format!("follow=0&tail={LAST_FEW}"), since);
        let bytes = self.answer(&path).await?;
        Ok((most_messages(&bytes) < LAST_FEW).then_some(bytes))
    }

    async fn call<T: DeserializeOwned>(&self, path: &str) -> Result<T, EngineError> {
        let bytes = self.answer(path).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| self.other(path, &format!("the answer makes no sense: {error}")))
    }

    /// The whole of a short answer.
    async fn answer(&self, path: &str) -> Result<Bytes, EngineError> {
        // The semaphore is never closed.
        let _permit = self.shared.calls.acquire().await.ok();
        let answer = async {
            let body = self.stream(path).await?;
            self.whole(body, path).await
        };
        tokio::time::timeout(ANSWER_WITHIN, answer).await.map_err(|_late| self.silent(path))?
    }

    async fn stream(&self, path: &str) -> Result<Body, EngineError> {
        let version = Arc::clone(&self.shared.version.lock().unwrap_or_else(PoisonError::into_inner));
        let response = self.request(&format!("/v{version}{path}")).await?;
        let status = response.status();
        let body = response.into_body();
        if status.is_success() {
            return Ok(body);
        }
        let bytes = self.whole(body, path).await.unwrap_or_default();
        let message = match serde_json::from_slice::<Message>(&bytes) {
            Ok(Message { message }) if !message.is_empty() => message,
            _ => String::from_utf8_lossy(&bytes).trim().to_owned(),
        };
        Err(match status {
            StatusCode::NOT_FOUND => EngineError::Gone(message),
            StatusCode::CONFLICT => EngineError::Conflict(message),
            StatusCode::NOT_IMPLEMENTED => EngineError::Unreadable(message),
            // What drivers without a reader say in other words.
            _ if message.contains("does not support reading") => EngineError::Unreadable(message),
            _ => self.other(path, &format!("{status}: {message}")),
        })
    }

    async fn whole(&self, mut body: Body, path: &str) -> Result<Bytes, EngineError> {
        let mut whole = BytesMut::new();
        while let Some(bytes) = body.next(CHUNK).await {
            whole.extend_from_slice(&bytes.map_err(|error| self.broken(&error))?);
            if whole.len() > LONGEST_ANSWER {
                return Err(self.other(path, "the answer has no end"));
            }
        }
        Ok(whole.freeze())
    }

    async fn request(&self, path: &str) -> Result<http::Response<Body>, EngineError> {
        let wire = self.shared.address.connect().await.map_err(|error| self.unconnected(error))?;
        let (mut sender, mut connection) =
            http1::handshake(TokioIo::new(wire)).await.map_err(|error| self.broken(&error))?;
        let request = Request::get(path)
            .header(header::HOST, "docker")
            .header(header::USER_AGENT, concat!("cloudspout/", env!("CARGO_PKG_VERSION")))
            .body(Empty::<Bytes>::new())
            .map_err(|error| self.other(path, &error.to_string()))?;
        let mut answer = std::pin::pin!(sender.send_request(request));
        let (response, connection) = tokio::select! {
            biased;
            response = &mut answer => (response, Some(connection)),
            _ = &mut connection => (answer.await, None),
        };
        let response = response.map_err(|error| self.broken(&error))?;
        Ok(response.map(|incoming| Body::new(incoming, connection)))
    }

    fn unconnected(&self, error: std::io::Error) -> EngineError {
        let address = self.address().clone();
        match error.kind() {
            ErrorKind::PermissionDenied => EngineError::Forbidden { address },
            _ => EngineError::Unreachable { address, problem: error.to_string() },
        }
    }

    pub(super) fn broken(&self, error: &hyper::Error) -> EngineError {
        let mut problem = error.to_string();
        if let Some(source) = std::error::Error::source(error) {
            problem = format!("{problem}: {source}");
        }
        EngineError::Broken { address: self.address().clone(), problem }
    }

    fn silent(&self, path: &str) -> EngineError {
        let problem = format!("no answer to {path} within {} s", ANSWER_WITHIN.as_secs());
        EngineError::Broken { address: self.address().clone(), problem }
    }

    fn other(&self, path: &str, problem: &str) -> EngineError {
        EngineError::Other {
            doing: format!("asking Docker at {} for {path}", self.address()),
            problem: problem.to_owned(),
        }
    }
}

/// Events of the daemon, as they happen.
pub struct Events {
    body: Body,
    read: BytesMut,
    engine: Engine,
}

impl Events {
    /// The next event; `None` when the daemon closed the stream.
    pub async fn next(&mut self) -> Option<Result<Event, EngineError>> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line = self.read.split_to(end + 1);
                match serde_json::from_slice(&line) {
                    Ok(event) => return Some(Ok(event)),
                    Err(error) => {
                        tracing::warn!("an event of Docker's makes no sense and is passed over: {error}")
                    }
                }
            } else {
                match self.body.next(CHUNK).await? {
                    Ok(bytes) => self.read.extend_from_slice(&bytes),
                    Err(error) => return Some(Err(self.engine.broken(&error))),
                }
                if self.read.len() > LONGEST_ANSWER {
                    return Some(Err(self.engine.other("/events", "an event has no end")));
                }
            }
        }
    }
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// Nobody listens there: it may come back.
    Unreachable { address: Address, problem: String },
    /// Somebody does, and the connection broke or fell silent: it may come back.
    Broken { address: Address, problem: String },
    /// The socket is there, and not for this user.
    Forbidden { address: Address },
    /// There is no such container (404).
    Gone(String),
    /// The container is dead or being removed (409).
    Conflict(String),
    /// The container's log driver keeps nothing that could be read (501).
    Unreadable(String),
    /// What was being done, and what was wrong.
    Other { doing: String, problem: String },
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::Unreachable { address, problem } => write!(
                f,
                "docker at {address} cannot be reached: {problem}; is the daemon running, and is this its \
                 address? (--docker-host or DOCKER_HOST says where it is)"
            ),
            EngineError::Broken { address, problem } => {
                write!(f, "the connection to docker at {address} broke: {problem}")
            }
            EngineError::Forbidden { address } => write!(
                f,
                "docker at {address}: permission denied; run as root or as a member of the group that owns \
                 the socket (usually `docker`)"
            ),
            EngineError::Gone(message) => write!(f, "docker knows no such container: {message}"),
            EngineError::Conflict(message) => write!(f, "docker cannot do that to the container: {message}"),
            EngineError::Unreadable(message) => write!(f, "the log driver cannot be read: {message}"),
            EngineError::Other { doing, problem } => write!(f, "{doing}: {problem}"),
        }
    }
}

impl std::error::Error for EngineError {}

fn logs_path(id: &str, part: &str, since: u64) -> String {
    let since = if since == 0 { String::new() } else { format!("&since={}", instant::since(since)) };
    format!("/containers/{id}/logs?{part}&stdout=1&stderr=1&timestamps=1{since}")
}

/// No fewer messages than these bytes of a log may be. One ends with its line, or is a full piece of a long
/// line, or such a line's last piece, behind which the `local` driver keeps no line end.
fn most_messages(bytes: &[u8]) -> usize {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    lines + 2 * (bytes.len() / PIECE) + 1
}

/// Minor numbers decide: there has been no other major version.
fn number_of(version: &str) -> u32 {
    let minor = version.strip_prefix("1.").unwrap_or(version);
    minor.parse().unwrap_or(u32::MAX)
}

/// The newest version of the API that this client was written against.
const NEWEST_VERSION: &str = "1.51";

/// `{"type":["container"],"event":["create","start","die","destroy"]}`, percent-encoded.
const EVENTS: &str = "%7B%22type%22%3A%5B%22container%22%5D%2C\
    %22event%22%3A%5B%22create%22%2C%22start%22%2C%22die%22%2C%22destroy%22%5D%7D";

/// Bytes of a log that are collected, if at hand, before they are passed on.
pub(super) const CHUNK: usize = 256 << 10;
/// Bytes of a long line that Docker makes a message of.
const PIECE: usize = 16 << 10;
/// Messages that are asked for when the last are wanted: far more than the daemon leaves out.
const LAST_FEW: usize = 128;
const LONGEST_ANSWER: usize = 64 << 20;
const CALLS: usize = 16;
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
