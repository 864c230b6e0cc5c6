//! What every operation is given and gives back.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Timestamp;
use crate::print::PrintMode;
use crate::refusal::Refusal;
use crate::store::{Store, StoreError};

/// What an operation may use besides its input.
pub struct Context<'a> {
    pub store: &'a Store,
    pub now: Timestamp,
    pub region: &'a str,
    pub account: &'a str,
    pub put_faults: &'a PutFaults,
    pub print: PrintMode,
}

/// What a call came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Empty for operations without output, as the service answers them.
    pub body: Vec<u8>,
    /// What PutLogEvents took and left.
    pub accepted: Option<Accepted>,
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    pub events: u64,
    /// Bytes of the accepted messages.
    pub bytes: u64,
    pub too_old: u64,
    pub expired: u64,
    pub too_new: u64,
    /// Events that had to leave the store to make room.
    pub evicted: u64,
    /// The entity was not taken; the events were.
    pub entity_refused: bool,
}

/// Faults of the batch's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutFaults {
    /// A batch with one of these in any message is refused whole.
    pub poison: Vec<String>,
    /// So many events at the start count as too old, or as past the retention.
    pub too_old: usize,
    pub expired: usize,
    /// So many events at the end count as too new.
    pub too_new: usize,
}

impl Outcome {
    pub fn empty() -> Result<Outcome, Refusal> {
        Ok(Outcome::default())
    }

    pub fn json(output: &impl Serialize) -> Result<Outcome, Refusal> {
        let body = serde_json::to_vec(output).map_err(|_| Refusal::internal())?;
        Ok(Outcome { body, accepted: None })
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        match error {
            StoreError::NoGroup => Refusal::no_group(),
            StoreError::NoStream => Refusal::no_stream(),
            StoreError::GroupExists => {
                Refusal::new("ResourceAlreadyExistsException", "The specified log group already exists")
            }
            StoreError::StreamExists => {
                Refusal::new("ResourceAlreadyExistsException", "The specified log stream already exists")
            }
            StoreError::Disk(error) => {
                tracing::error!(error, "the store failed");
                Refusal::internal()
            }
        }
    }
}

/// Reads an operation's input.
pub fn input<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    parsed(serde_json::from_slice(body))
}

/// The service's words for JSON that it cannot read are seldom of use; the parser's are.
pub fn parsed<T>(result: Result<T, serde_json::Error>) -> Result<T, Refusal> {
    result.map_err(|error| Refusal::serialization(error.to_string()))
}
