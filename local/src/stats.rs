//! Counts of what the endpoint was asked and what it did.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::api::Accepted;

/// Counts since the start, shared by all connections.
#[derive(Debug, Default)]
pub struct Stats(Mutex<Counts>);

/// A copy of the counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub connections: u64,
    pub requests: u64,
    /// Bytes of request bodies as they came.
    pub body_bytes: u64,
    pub gzip_requests: u64,
    pub events_accepted: u64,
    /// Bytes of the accepted messages.
    pub bytes_accepted: u64,
    pub events_too_old: u64,
    pub events_expired: u64,
    pub events_too_new: u64,
    /// Events that left the store because it was full.
    pub events_evicted: u64,
    pub entities_refused: u64,
    /// Calls by operation, refused ones included.
    pub operations: BTreeMap<String, u64>,
    /// Refusals by code.
    pub errors: BTreeMap<String, u64>,
    /// Faults by rule, each time one struck.
    pub faults: BTreeMap<String, u64>,
    /// Values of `x-amzn-logs-format`.
    pub formats: BTreeMap<String, u64>,
}

impl Stats {
    pub fn change(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn counts(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Counts {
    pub fn add_batch(&mut self, accepted: &Accepted) {
        self.events_accepted += accepted.events;
        self.bytes_accepted += accepted.bytes;
        self.events_too_old += accepted.too_old;
        self.events_expired += accepted.expired;
        self.events_too_new += accepted.too_new;
        self.events_evicted += accepted.evicted;
        self.entities_refused += u64::from(accepted.entity_refused);
    }

    /// Counts one under a name; names beyond the bound, which only a caller's header can reach, are one.
    pub fn add(map: &mut BTreeMap<String, u64>, name: &str) {
        let bounded = map.len() < NAMES || map.contains_key(name);
        let name = if bounded { name } else { "(others)" };
        match map.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                map.insert(name.to_owned(), 1);
            }
        }
    }
}

const NAMES: usize = 100;
