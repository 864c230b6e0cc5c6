//! What has arrived: groups, their streams, and batches of events, in memory or on disk.
//!
//! Names and an index of batches always live in memory. The batches themselves stay there too when no data
//! directory is given, and else in one file that holds whatever a restart needs. One lock guards the index and is
//! held for moments only; reading works on a snapshot of it.

pub mod batch;
mod disk;
mod index;
pub mod merge;
pub mod position;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::clock::Timestamp;
use batch::Packed;
use disk::{Disk, Record};
pub use disk::{DiskError, Sync};
pub use index::{Group, GroupView, StoreError, StreamView, Streams};
use index::{Index, Placed};
use merge::{Merge, Span, Window};
use position::Direction;

/// Everything the endpoint remembers.
pub struct Store {
    index: Mutex<Index>,
    disk: Option<Disk>,
    /// Bytes of batches kept before the oldest go.
    limit: u64,
}

impl Store {
    /// A store that forgets everything at its end.
    pub fn in_memory(limit: u64) -> Store {
        Store { index: Mutex::default(), disk: None, limit }
    }

    /// Opens or makes the store in a directory, which belongs to this process until the store is dropped.
    pub fn on_disk(directory: &Path, sync: Sync, limit: u64) -> Result<Store, DiskError> {
        let disk = Disk::open(directory, sync)?;
        let index = disk.index()?;
        Ok(Store { index: Mutex::new(index), disk: Some(disk), limit })
    }

    pub fn is_on_disk(&self) -> bool {
        self.disk.is_some()
    }

    pub fn create_group(&self, name: &str, group: Group) -> Result<(), StoreError> {
        let mut index = self.lock();
        if index.groups.contains_key(name) {
            return Err(StoreError::GroupExists);
        }
        self.record(&[Record::Group(name, &group)])?;
        index.groups.insert(name.to_owned(), group);
        Ok(())
    }

    /// Changes a group's settings; the closure's answer comes back.
    pub fn change_group<T>(&self, name: &str, change: impl FnOnce(&mut Group) -> T) -> Result<T, StoreError> {
        let mut index = self.lock();
        let group = index.group_mut(name)?;
        let answer = change(group);
        self.record(&[Record::Group(name, group)])?;
        Ok(answer)
    }

    pub fn read_group<T>(&self, name: &str, read: impl FnOnce(&Group) -> T) -> Result<T, StoreError> {
        Ok(read(self.lock().group(name)?))
    }

    pub fn delete_group(&self, name: &str) -> Result<(), StoreError> {
        let mut index = self.lock();
        let group = index.group(name)?;
        let mut records = vec![Record::NoGroup(name)];
        for (stream_name, stream) in &group.streams {
            records.push(Record::NoStream(name, stream_name));
            records.extend(stream.batches.iter().map(|placed| Record::NoBatch(placed.number)));
        }
        self.record(&records)?;
        index.remove_group(name);
        Ok(())
    }

    pub fn create_stream(&self, group: &str, stream: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut index = self.lock();
        if index.group(group)?.streams.contains_key(stream) {
            return Err(StoreError::StreamExists);
        }
        self.record(&[Record::Stream(group, stream, now)])?;
        index.add_stream(group, stream, now);
        Ok(())
    }

    pub fn delete_stream(&self, group: &str, stream: &str) -> Result<(), StoreError> {
        let mut index = self.lock();
        let mut records = vec![Record::NoStream(group, stream)];
        let batches = &index.stream(group, stream)?.batches;
        records.extend(batches.iter().map(|placed| Record::NoBatch(placed.number)));
        self.record(&records)?;
        index.remove_stream(group, stream);
        Ok(())
    }

    /// The retention of a stream's group in days, `None` for ever; an error if either does not exist.
    pub fn retention(&self, group: &str, stream: &str) -> Result<Option<u32>, StoreError> {
        let index = self.lock();
        index.stream(group, stream)?;
        Ok(index.group(group)?.retention)
    }

    /// Adds a batch to a stream and answers how many old events had to go to make room.
    pub fn append(
        &self,
        group: &str,
        stream: &str,
        packed: Packed,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut index = self.lock();
        index.stream(group, stream)?;
        let number = index.next_batch();
        let placed = Placed {
            number,
            first: packed.first,
            last: packed.last,
            events: packed.events,
            message_bytes: packed.message_bytes,
            size: packed.bytes.len() as u64 + BATCH_CHARGE,
            ingested: now.0,
            bytes: self.disk.is_none().then(|| packed.bytes.clone()),
        };
        let crowded_out = index.crowded_out(self.limit.saturating_sub(placed.size));
        let mut records = vec![Record::Batch(group, stream, &placed, &packed.bytes)];
        records.extend(crowded_out.iter().map(|number| Record::NoBatch(*number)));
        self.record(&records)?;
        let evicted = crowded_out.last().map_or(0, |newest| index.evict(*newest));
        index.place(group, stream, placed);
        Ok(evicted)
    }

    /// Groups in the order of their names, from just behind a name on.
    pub fn groups_after(
        &self,
        name: Option<&str>,
        limit: usize,
        fits: impl Fn(&str, &Group) -> bool,
    ) -> Vec<GroupView> {
        self.lock().groups_after(name, limit, fits)
    }

    pub fn streams(&self, group: &str) -> Result<Vec<StreamView>, StoreError> {
        self.lock().streams(group)
    }

    /// Reads the events of a window; `StoreError::NoStream` if a named stream does not exist.
    pub fn events(
        &self,
        group: &str,
        streams: &Streams,
        window: Window,
        direction: Direction,
    ) -> Result<Merge<impl FnMut(u64) -> Option<Bytes>>, StoreError> {
        let spans: Vec<Span> = self.lock().spans(group, streams, window)?;
        let load = |number| match self.disk.as_ref()?.batch(number) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(%error, number, "cannot read a batch; its events are left out");
                None
            }
        };
        Ok(Merge::new(spans, window, direction, load))
    }

    /// Groups, streams and bytes held.
    pub fn totals(&self) -> BTreeMap<&'static str, u64> {
        self.lock().totals()
    }

    /// Whether there is anything to make safe.
    pub fn is_unsettled(&self) -> bool {
        self.disk.as_ref().is_some_and(Disk::is_unsettled)
    }

    /// Makes safe what was stored since the last time.
    pub fn settle(&self) -> Result<(), StoreError> {
        match &self.disk {
            Some(disk) => disk.settle().map_err(StoreError::from),
            None => Ok(()),
        }
    }

    fn record(&self, records: &[Record<'_>]) -> Result<(), StoreError> {
        match &self.disk {
            Some(disk) => disk.record(records).map_err(StoreError::from),
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        // The index is consistent between statements, so a panic elsewhere does not spoil it.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<DiskError> for StoreError {
    fn from(error: DiskError) -> StoreError {
        let cause = error.source().map(|cause| format!(": {cause}"));
        StoreError::Disk(format!("{error}{}", cause.unwrap_or_default()))
    }
}

/// Counted for a batch besides its bytes, so that many small ones fill the store too.
const BATCH_CHARGE: u64 = 256;

#[cfg(test)]
mod tests;
