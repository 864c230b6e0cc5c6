//! Standard input, as the only log stream there is.

use wasi::cli::stdin::get_stdin;
use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, StreamError};

/// Standard input. Fields are dropped in order, and WASI wants children dropped before parents.
pub struct StandardInput {
    ready: Pollable,
    stream: InputStream,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// The last read came back empty: `ready` tells when there is more.
    Idle,
    /// The component knows that there is something to read.
    Named,
    Ended,
    /// It cannot be read.
    Broken(String),
}

impl StandardInput {
    pub fn new() -> StandardInput {
        let stream = get_stdin();
        StandardInput { ready: stream.subscribe(), stream, state: State::Idle }
    }

    /// Whether there has come to be something to read since the last read came back empty.
    pub fn is_newly_ready(&mut self) -> bool {
        let newly = self.state == State::Idle && self.ready.ready();
        if newly {
            self.state = State::Named;
        }
        newly
    }

    /// At most `max` bytes, none if none are at hand; `None` when it has ended.
    pub fn read(&mut self, max: u32) -> Option<Vec<u8>> {
        match self.stream.read(max.into()) {
            Ok(bytes) => {
                if bytes.is_empty() {
                    self.state = State::Idle;
                }
                Some(bytes)
            }
            Err(StreamError::Closed) => {
                self.state = State::Ended;
                None
            }
            Err(StreamError::LastOperationFailed(error)) => {
                self.state = State::Broken(error.to_debug_string());
                None
            }
        }
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended | State::Broken(_))
    }

    /// Why it cannot be read, if it cannot.
    pub fn problem(&self) -> Option<&str> {
        match &self.state {
            State::Broken(problem) => Some(problem),
            State::Idle | State::Named | State::Ended => None,
        }
    }

    /// Ready when there is something to read; none while the component knows that there is.
    pub fn pollable(&self) -> Option<&Pollable> {
        (self.state == State::Idle).then_some(&self.ready)
    }
}
