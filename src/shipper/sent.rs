//! Requests on their way.

use super::keyring::Generation;
use super::outlet::{OutletId, ParcelId};
use super::retention::RetentionId;
use crate::cloudwatch::Operation;
use crate::time::Timestamp;

/// A request whose answer has not come.
pub struct Sent {
    pub outlet: OutletId,
    pub what: What,
    pub signed: Timestamp,
    /// How far ahead the service's clock was taken to be.
    pub clock_ahead: i64,
    pub generation: Generation,
    /// Whether its destination failed the time before.
    pub probe: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// `marker`: it tells of missing events, and holds none.
    Put {
        parcel: ParcelId,
        events: usize,
        marker: bool,
    },
    Create(Operation),
    Retain(RetentionId),
}

impl Sent {
    /// When it was sent, by our own clock.
    pub fn sent(&self) -> Timestamp {
        self.signed.shifted(-self.clock_ahead)
    }
}

impl What {
    pub fn operation(self) -> Operation {
        match self {
            What::Put { .. } => Operation::PutLogEvents,
            What::Create(operation) => operation,
            What::Retain(_) => Operation::PutRetentionPolicy,
        }
    }

    /// What to go on creating once it is repeated.
    pub fn creating(self) -> Option<Operation> {
        match self {
            What::Put { .. } | What::Retain(_) => None,
            What::Create(operation) => Some(operation),
        }
    }
}
