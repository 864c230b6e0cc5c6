//! The store's file: one embedded database, locked by the process that has it open.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};

use super::index::{Group, Index, Placed};
use crate::clock::Timestamp;

/// A change that has to survive a restart.
pub enum Record<'a> {
    Group(&'a str, &'a Group),
    NoGroup(&'a str),
    Stream(&'a str, &'a str, Timestamp),
    NoStream(&'a str, &'a str),
    Batch(&'a str, &'a str, &'a Placed, &'a [u8]),
    NoBatch(u64),
}

/// When what was stored is safe from a crash of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sync {
    /// Before the call is answered.
    EachCall,
    /// When [`Store::settle`](super::Store::settle) is called, which the endpoint does several times a second and at its end.
    #[default]
    Periodic,
}

pub struct Disk {
    database: Database,
    sync: Sync,
    unsettled: AtomicBool,
    settling: Mutex<()>,
}

impl Disk {
    /// Opens or makes the file; fails if another process has it.
    pub fn open(directory: &Path, sync: Sync) -> Result<Disk, DiskError> {
        let at = |doing| move |cause| DiskError::new(doing, directory, cause);
        std::fs::create_dir_all(directory)
            .map_err(|cause| DiskError::new("make the data directory", directory, redb::Error::Io(cause)))?;
        let database = Database::builder()
            .set_cache_size(CACHE)
            .create(directory.join(FILE))
            .map_err(|cause| at("open the store")(cause.into()))?;
        let disk = Disk { database, sync, unsettled: AtomicBool::new(false), settling: Mutex::new(()) };
        // Reading fails on tables that were never opened for writing.
        disk.write(Durability::Immediate, &[]).map_err(at("prepare the store"))?;
        Ok(disk)
    }

    /// Reads back what is needed to find everything.
    pub fn index(&self) -> Result<Index, DiskError> {
        self.read_index().map_err(|cause| DiskError::new("read the store", Path::new(FILE), cause))
    }

    pub fn batch(&self, number: u64) -> Result<Option<Bytes>, DiskError> {
        let read = || -> Result<Option<Bytes>, redb::Error> {
            let table = self.database.begin_read()?.open_table(BATCHES)?;
            let found = table.get(number)?;
            Ok(found.map(|bytes| Bytes::copy_from_slice(bytes.value())))
        };
        read().map_err(|cause| DiskError::new("read a batch", Path::new(FILE), cause))
    }

    /// Writes changes, all or none.
    pub fn record(&self, records: &[Record<'_>]) -> Result<(), DiskError> {
        let durability = match self.sync {
            Sync::EachCall => Durability::Immediate,
            Sync::Periodic => Durability::None,
        };
        self.write(durability, records)
            .inspect(|()| {
                if self.sync == Sync::Periodic {
                    self.unsettled.store(true, Ordering::Relaxed);
                }
            })
            .map_err(|cause| DiskError::new("write to the store", Path::new(FILE), cause))
    }

    pub fn is_unsettled(&self) -> bool {
        self.unsettled.load(Ordering::Relaxed)
    }

    pub fn settle(&self) -> Result<(), DiskError> {
        // Whoever settles takes along what all others wrote; two at a time would only queue.
        let Ok(_settling) = self.settling.try_lock() else {
            return Ok(());
        };
        if !self.unsettled.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        self.write(Durability::Immediate, &[])
            .inspect_err(|_| self.unsettled.store(true, Ordering::Relaxed))
            .map_err(|cause| DiskError::new("settle the store", Path::new(FILE), cause))
    }

    fn write(&self, durability: Durability, records: &[Record<'_>]) -> Result<(), redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(durability)?;
        {
            let mut groups = transaction.open_table(GROUPS)?;
            let mut streams = transaction.open_table(STREAMS)?;
            let mut placements = transaction.open_table(PLACEMENTS)?;
            let mut batches = transaction.open_table(BATCHES)?;
            for record in records {
                match record {
                    Record::Group(name, group) => {
                        let settings = serde_json::to_vec(group).unwrap_or_default();
                        groups.insert(*name, settings.as_slice())?;
                    }
                    Record::NoGroup(name) => {
                        groups.remove(*name)?;
                    }
                    Record::Stream(group, name, created) => {
                        streams.insert((*group, *name), created.0)?;
                    }
                    Record::NoStream(group, name) => {
                        streams.remove((*group, *name))?;
                    }
                    Record::Batch(group, stream, placed, bytes) => {
                        let counts = (placed.events, placed.message_bytes, placed.size);
                        let times = (placed.first, placed.last, placed.ingested);
                        placements.insert(placed.number, (*group, *stream, counts, times))?;
                        batches.insert(placed.number, *bytes)?;
                    }
                    Record::NoBatch(number) => {
                        placements.remove(*number)?;
                        batches.remove(*number)?;
                    }
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn read_index(&self) -> Result<Index, redb::Error> {
        let transaction = self.database.begin_read()?;
        let mut index = Index::default();
        for row in transaction.open_table(GROUPS)?.iter()? {
            let (name, settings) = row?;
            let group: Group = serde_json::from_slice(settings.value())
                .map_err(|cause| redb::Error::Corrupted(format!("log group {}: {cause}", name.value())))?;
            index.groups.insert(name.value().to_owned(), group);
        }
        for row in transaction.open_table(STREAMS)?.iter()? {
            let (name, created) = row?;
            let (group, stream) = name.value();
            index.add_stream(group, stream, Timestamp(created.value()));
        }
        for row in transaction.open_table(PLACEMENTS)?.iter()? {
            let (number, placement) = row?;
            let (group, stream, (events, message_bytes, size), (first, last, ingested)) = placement.value();
            let number = number.value();
            let placed = Placed { number, first, last, events, message_bytes, size, ingested, bytes: None };
            index.place(group, stream, placed);
        }
        Ok(index)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // For whoever lets go of the endpoint without waiting for its end.
        if let Err(error) = self.settle() {
            tracing::error!(%error, "the last events are not safe");
        }
    }
}

/// The store's file could not be used.
#[derive(Debug)]
pub struct DiskError {
    doing: &'static str,
    path: PathBuf,
    cause: Box<redb::Error>,
}

impl DiskError {
    fn new(doing: &'static str, path: &Path, cause: redb::Error) -> DiskError {
        DiskError { doing, path: path.to_owned(), cause: Box::new(cause) }
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} ({})", self.doing, self.path.display())
    }
}

impl std::error::Error for DiskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.cause)
    }
}

/// Settings of a group as JSON, by name.
const GROUPS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("groups");
/// When a stream was created, by group and name.
const STREAMS: TableDefinition<'_, (&str, &str), i64> = TableDefinition::new("streams");
/// Group, stream, (events, message bytes, stored bytes), (first, last, ingested) of a batch, by its number.
const PLACEMENTS: TableDefinition<'_, u64, Placement<'_>> = TableDefinition::new("placements");
/// The packed events of a batch, apart from its placement so that opening the store reads no events.
const BATCHES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("batches");

type Placement<'a> = (&'a str, &'a str, (u32, u64, u64), (i64, i64, i64));

const FILE: &str = "cloudspout-local.redb";
/// Bytes of the file that the database keeps in memory.
const CACHE: usize = 64 << 20;
