//! Names, and which batches hold what: the part of the store that is always in memory.

use std::collections::{BTreeMap, VecDeque};
use std::error::Error;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::merge::{Span, Window};
use crate::clock::Timestamp;

/// All groups, and the order in which batches came.
#[derive(Default)]
pub struct Index {
    pub groups: BTreeMap<String, Group>,
    newest_batch: u64,
    /// Every batch in order of arrival, with its size; some of deleted streams may still be among them.
    arrivals: VecDeque<Arrival>,
    /// How many those are.
    stale: usize,
    size: u64,
}

struct Arrival {
    number: u64,
    size: u64,
    group: Arc<str>,
    stream: Arc<str>,
}

/// A log group's settings and streams.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    pub created: i64,
    pub retention: Option<u32>,
    pub class: String,
    pub kms_key: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub delete_protected: bool,
    #[serde(skip)]
    pub streams: BTreeMap<String, Stream>,
}

#[derive(Clone, Debug, Default)]
pub struct Stream {
    pub created: i64,
    /// In order of arrival.
    pub batches: VecDeque<Placed>,
    message_bytes: u64,
    /// These three remember batches that had to go.
    first: Option<i64>,
    last: Option<i64>,
    last_ingested: Option<i64>,
}

/// A batch and what readers need to know without opening it.
#[derive(Clone, Debug)]
pub struct Placed {
    pub number: u64,
    pub first: i64,
    pub last: i64,
    pub events: u32,
    pub message_bytes: u64,
    /// As stored.
    pub size: u64,
    pub ingested: i64,
    /// Present if batches are kept in memory.
    pub bytes: Option<Bytes>,
}

/// A group as it is described.
pub struct GroupView {
    pub name: String,
    pub settings: Group,
    pub stored_bytes: u64,
}

/// A stream as it is described.
pub struct StreamView {
    pub name: String,
    pub created: i64,
    pub first: Option<i64>,
    pub last: Option<i64>,
    pub last_ingested: Option<i64>,
}

/// Which streams of a group to read.
#[derive(Clone, Debug)]
pub enum Streams {
    All,
    Named(Vec<String>),
    Prefixed(String),
}

impl Index {
    pub fn group(&self, name: &str) -> Result<&Group, StoreError> {
        self.groups.get(name).ok_or(StoreError::NoGroup)
    }

    pub fn group_mut(&mut self, name: &str) -> Result<&mut Group, StoreError> {
        self.groups.get_mut(name).ok_or(StoreError::NoGroup)
    }

    pub fn stream(&self, group: &str, name: &str) -> Result<&Stream, StoreError> {
        self.group(group)?.streams.get(name).ok_or(StoreError::NoStream)
    }

    pub fn add_stream(&mut self, group: &str, name: &str, created: Timestamp) {
        if let Some(group) = self.groups.get_mut(group) {
            let stream = Stream { created: created.0, ..Stream::default() };
            group.streams.insert(name.to_owned(), stream);
        }
    }

    pub fn remove_group(&mut self, name: &str) {
        if let Some(group) = self.groups.remove(name) {
            for stream in group.streams.into_values() {
                self.forget(&stream);
            }
        }
    }

    pub fn remove_stream(&mut self, group: &str, name: &str) {
        let stream = self.groups.get_mut(group).and_then(|group| group.streams.remove(name));
        if let Some(stream) = stream {
            self.forget(&stream);
        }
    }

    fn forget(&mut self, stream: &Stream) {
        let size: u64 = stream.batches.iter().map(|placed| placed.size).sum();
        self.size = self.size.saturating_sub(size);
        self.stale += stream.batches.len();
        // Not each time: a purge looks at every batch there is.
        if self.stale * 2 > self.arrivals.len() {
            let Index { groups, arrivals, .. } = self;
            arrivals.retain(|arrival| arrival.is_in(groups));
            self.stale = 0;
        }
    }

    pub fn next_batch(&mut self) -> u64 {
        self.newest_batch += 1;
        self.newest_batch
    }

    /// The oldest batches whose going leaves at most `allowed` bytes.
    pub fn crowded_out(&self, allowed: u64) -> Vec<u64> {
        let mut size = self.size;
        self.arrivals
            .iter()
            .filter(|arrival| arrival.is_in(&self.groups))
            .take_while(|arrival| {
                let goes = size > allowed;
                size = size.saturating_sub(arrival.size);
                goes
            })
            .map(|arrival| arrival.number)
            .collect()
    }

    /// Lets all batches up to this one go and answers how many events they held.
    pub fn evict(&mut self, newest: u64) -> u64 {
        let mut events = 0;
        while let Some(arrival) = self.arrivals.pop_front_if(|arrival| arrival.number <= newest) {
            let stream = self
                .groups
                .get_mut(&*arrival.group)
                .and_then(|group| group.streams.get_mut(&*arrival.stream));
            let gone = stream.and_then(|stream| stream.pop(arrival.number));
            match gone {
                Some(placed) => {
                    self.size = self.size.saturating_sub(placed.size);
                    events += u64::from(placed.events);
                }
                None => self.stale = self.stale.saturating_sub(1),
            }
        }
        events
    }

    pub fn place(&mut self, group: &str, name: &str, placed: Placed) {
        self.newest_batch = self.newest_batch.max(placed.number);
        let stream = self.groups.get_mut(group).and_then(|group| group.streams.get_mut(name));
        let Some(stream) = stream else { return };
        stream.first = Some(stream.first.map_or(placed.first, |first| first.min(placed.first)));
        stream.last = Some(stream.last.map_or(placed.last, |last| last.max(placed.last)));
        stream.last_ingested = Some(placed.ingested);
        self.size += placed.size;
        self.arrivals.push_back(Arrival {
            number: placed.number,
            size: placed.size,
            group: group.into(),
            stream: name.into(),
        });
        stream.message_bytes += placed.message_bytes;
        stream.batches.push_back(placed);
    }

    pub fn groups_after(
        &self,
        name: Option<&str>,
        limit: usize,
        fits: impl Fn(&str, &Group) -> bool,
    ) -> Vec<GroupView> {
        self.groups
            .iter()
            .filter(|(candidate, _)| name.is_none_or(|name| candidate.as_str() > name))
            .filter(|(candidate, group)| fits(candidate, group))
            .take(limit)
            .map(|(name, group)| GroupView {
                name: name.clone(),
                stored_bytes: group.stored_bytes(),
                settings: group.clone_settings(),
            })
            .collect()
    }

    pub fn streams(&self, group: &str) -> Result<Vec<StreamView>, StoreError> {
        let views = self.group(group)?.streams.iter().map(|(name, stream)| StreamView {
            name: name.clone(),
            created: stream.created,
            first: stream.first,
            last: stream.last,
            last_ingested: stream.last_ingested,
        });
        Ok(views.collect())
    }

    /// The batches that may hold events of a window.
    pub fn spans(&self, group: &str, streams: &Streams, window: Window) -> Result<Vec<Span>, StoreError> {
        let group = self.group(group)?;
        let mut spans = Vec::new();
        match streams {
            Streams::All => {
                for (name, stream) in &group.streams {
                    stream.push_spans(name, window, &mut spans);
                }
            }
            Streams::Prefixed(prefix) => {
                let bounds = (Bound::Included(prefix.as_str()), Bound::Unbounded);
                let from = group.streams.range::<str, _>(bounds);
                for (name, stream) in from.take_while(|(name, _)| name.starts_with(prefix)) {
                    stream.push_spans(name, window, &mut spans);
                }
            }
            Streams::Named(names) => {
                let mut names = names.clone();
                names.sort();
                names.dedup();
                for name in &names {
                    let stream = group.streams.get(name).ok_or(StoreError::NoStream)?;
                    stream.push_spans(name, window, &mut spans);
                }
            }
        }
        Ok(spans)
    }

    pub fn totals(&self) -> BTreeMap<&'static str, u64> {
        let streams = self.groups.values().map(|group| group.streams.len() as u64).sum();
        BTreeMap::from([("groups", self.groups.len() as u64), ("streams", streams), ("bytes", self.size)])
    }
}

impl Arrival {
    fn is_in(&self, groups: &BTreeMap<String, Group>) -> bool {
        groups.get(&*self.group).and_then(|group| group.streams.get(&*self.stream)).is_some_and(|stream| {
            stream.batches.binary_search_by_key(&self.number, |placed| placed.number).is_ok()
        })
    }
}

impl Group {
    fn stored_bytes(&self) -> u64 {
        self.streams.values().map(|stream| stream.message_bytes).sum()
    }

    /// The group without its streams, which can be many.
    fn clone_settings(&self) -> Group {
        Group {
            created: self.created,
            retention: self.retention,
            class: self.class.clone(),
            kms_key: self.kms_key.clone(),
            tags: self.tags.clone(),
            delete_protected: self.delete_protected,
            streams: BTreeMap::new(),
        }
    }
}

impl Stream {
    /// Takes the oldest batch out if it is this one.
    fn pop(&mut self, number: u64) -> Option<Placed> {
        let placed = self.batches.pop_front_if(|placed| placed.number == number)?;
        self.message_bytes = self.message_bytes.saturating_sub(placed.message_bytes);
        Some(placed)
    }

    fn push_spans(&self, name: &str, window: Window, spans: &mut Vec<Span>) {
        let name: Arc<str> = name.into();
        let overlapping = self
            .batches
            .iter()
            .filter(|placed| placed.last >= window.from.timestamp && placed.first <= window.until.timestamp);
        spans.extend(overlapping.map(|placed| Span {
            stream: Arc::clone(&name),
            number: placed.number,
            first: placed.first,
            last: placed.last,
            events: placed.events,
            ingested: placed.ingested,
            bytes: placed.bytes.clone(),
        }));
    }
}

/// Why the store did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    NoGroup,
    NoStream,
    GroupExists,
    StreamExists,
    /// The file could not be read or written; what was asked is not done.
    Disk(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StoreError::NoGroup => "no such log group",
            StoreError::NoStream => "no such log stream",
            StoreError::GroupExists => "the log group exists already",
            StoreError::StreamExists => "the log stream exists already",
            StoreError::Disk(error) => error,
        })
    }
}

impl Error for StoreError {}
