//! The database file under the state directory.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::DirBuilder;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::backends::InMemoryBackend;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageBackend, StorageError,
    TableDefinition,
};

use super::record::Record;

/// The database, while it can be used.
pub(super) struct Disk {
    path: PathBuf,
    /// `None` after a failure: an open database that failed once refuses everything.
    database: Option<Database>,
}

/// What was in the database.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub records: BTreeMap<String, Record>,
    pub last_running: Option<u64>,
}

/// Changes to be written together: a record, or `None` for one to be removed.
#[derive(Default)]
pub(super) struct Changes {
    pub records: BTreeMap<String, Option<Record>>,
    pub last_running: Option<u64>,
}

impl Disk {
    pub fn open(directory: &Path) -> Result<(Disk, Found), OpenError> {
        let refuse = |kind| OpenError { path: directory.to_owned(), kind };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|error| refuse(Kind::Unusable(error)))?;
        let path = directory.join(FILE_NAME);
        let damage = match load(&path) {
            Ok((database, found)) => return Ok((Disk { path, database: Some(database) }, found)),
            Err(Trouble::Damaged(damage)) => damage,
            Err(Trouble::Fatal(Kind::Unusable(error))) if is_passing(&error) => {
                let found = look(&path).unwrap_or_default();
                tracing::error!(
                    "the store of positions {} can only be read: {error}; it is tried again while logs are shipped",
                    path.display()
                );
                return Ok((Disk { path, database: None }, found));
            }
            Err(Trouble::Fatal(kind)) => return Err(OpenError { path, kind }),
        };
        let aside = aside(&path).map_err(|error| refuse(Kind::Unusable(error)))?;
        tracing::error!(
            "the store of positions {} is damaged ({damage}); it was moved to {} and a new one begun: what \
             running containers have logged is read again from the beginning, and will be in CloudWatch twice \
             as far as it had been delivered before",
            path.display(),
            aside.display()
        );
        match load(&path) {
            Ok((database, found)) => Ok((Disk { path, database: Some(database) }, found)),
            Err(Trouble::Damaged(damage)) => Err(OpenError { path, kind: Kind::Other(damage) }),
            Err(Trouble::Fatal(kind)) => Err(OpenError { path, kind }),
        }
    }

    /// One that has failed, and is tried again with the next write.
    #[cfg(test)]
    pub fn failed(path: PathBuf) -> Disk {
        Disk { path, database: None }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes changes, all or none of them, and returns once they are on disk.
    pub fn write(&mut self, changes: &Changes) -> Result<(), String> {
        // The database asserts that what it finds on disk makes sense.
        let result = catch_unwind(AssertUnwindSafe(|| {
            let database = match self.database.take() {
                Some(database) => database,
                None => create(&self.path).map_err(|error| error.to_string())?,
            };
            commit(&database, changes).map_err(|error| error.to_string())?;
            self.database = Some(database);
            Ok(())
        }));
        result.unwrap_or_else(|_panic| Err("the database is damaged".to_owned()))
    }
}

/// Whether a disk may take writes again without anybody changing the program's options.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem)
}

/// Opens a database, or makes one. One that cannot be made whole, for lack of room, leaves nothing behind
/// that would be taken for a damaged one.
fn create(path: &Path) -> Result<Database, DatabaseError> {
    let is_new = std::fs::metadata(path).map_or(true, |found| found.len() == 0);
    let made = Builder::new().set_cache_size(CACHE).create(path);
    if is_new && matches!(made, Err(DatabaseError::Storage(_))) {
        // Should it stay, the next attempt says so.
        let _ = std::fs::remove_file(path);
    }
    made
}

/// Opens a database and reads all that is in it.
fn load(path: &Path) -> Result<(Database, Found), Trouble> {
    // The database asserts that what it finds on disk makes sense.
    let result = catch_unwind(AssertUnwindSafe(|| {
        let database = create(path)?;
        commit(&database, &Changes::default())?;
        let found = read(&database)?;
        Ok((database, found))
    }));
    result.unwrap_or_else(|_panic| Err(Trouble::Damaged("it makes no sense".to_owned())))
}

/// Reads what can be read of a database that cannot be written: from a copy, which can be mended if the
/// program that wrote it was killed.
pub(super) fn look(path: &Path) -> Option<Found> {
    let bytes = std::fs::read(path).ok()?;
    let result = catch_unwind(|| {
        let copy = InMemoryBackend::new();
        copy.set_len(bytes.len() as u64).ok()?;
        copy.write(0, &bytes).ok()?;
        read(&Builder::new().set_cache_size(CACHE).create_with_backend(copy).ok()?).ok()
    });
    result.unwrap_or_default()
}

fn read(database: &impl ReadableDatabase) -> Result<Found, Trouble> {
    let transaction = database.begin_read().map_err(redb::Error::from)?;
    let facts = transaction.open_table(FACTS).map_err(redb::Error::from)?;
    let fact = |name| -> Result<Option<u64>, Trouble> {
        Ok(facts.get(name).map_err(redb::Error::from)?.map(|value| value.value()))
    };
    let format = fact(FORMAT)?.unwrap_or(FORMAT_OF_NOW);
    if format > FORMAT_OF_NOW {
        return Err(Trouble::Fatal(Kind::Newer(format)));
    }
    let mut found = Found { records: BTreeMap::new(), last_running: fact(LAST_RUNNING)? };
    let records = transaction.open_table(RECORDS).map_err(redb::Error::from)?;
    for entry in records.iter().map_err(redb::Error::from)? {
        let (id, record) = entry.map_err(redb::Error::from)?;
        let record = serde_json::from_slice(record.value())
            .map_err(|error| Trouble::Damaged(format!("the entry of container {}: {error}", id.value())))?;
        found.records.insert(id.value().to_owned(), record);
    }
    Ok(found)
}

fn commit(database: &Database, changes: &Changes) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut facts = transaction.open_table(FACTS)?;
        if facts.get(FORMAT)?.is_none() {
            facts.insert(FORMAT, FORMAT_OF_NOW)?;
        }
        if let Some(last_running) = changes.last_running {
            facts.insert(LAST_RUNNING, last_running)?;
        }
        let mut records = transaction.open_table(RECORDS)?;
        for (id, record) in &changes.records {
            match record {
                Some(record) => {
                    let value = serde_json::to_vec(record).map_err(|error| redb::Error::Io(error.into()))?;
                    records.insert(id.as_str(), value.as_slice())?;
                }
                None => drop(records.remove(id.as_str())?),
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Moves a file aside, to a name that is free.
fn aside(path: &Path) -> io::Result<PathBuf> {
    for number in 1_u32.. {
        let aside = path.with_extension(format!("damaged-{number}"));
        if !aside.try_exists()? {
            std::fs::rename(path, &aside)?;
            return Ok(aside);
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Why a database was not opened.
enum Trouble {
    /// What is in it cannot be read.
    Damaged(String),
    Fatal(Kind),
}

impl From<DatabaseError> for Trouble {
    fn from(error: DatabaseError) -> Trouble {
        match error {
            DatabaseError::Storage(StorageError::Io(error)) => Trouble::of_io(error),
            DatabaseError::DatabaseAlreadyOpen => Trouble::Fatal(Kind::Taken),
            error => redb::Error::from(error).into(),
        }
    }
}

impl From<redb::Error> for Trouble {
    fn from(error: redb::Error) -> Trouble {
        match error {
            redb::Error::Io(error) => Trouble::of_io(error),
            redb::Error::Corrupted(_)
            | redb::Error::RepairAborted
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::UpgradeRequired(_)
            | redb::Error::TypeDefinitionChanged { .. } => Trouble::Damaged(error.to_string()),
            error => Trouble::Fatal(Kind::Other(error.to_string())),
        }
    }
}

impl Trouble {
    fn of_io(error: io::Error) -> Trouble {
        match error.kind() {
            // A file that is not a database, or one that was cut short.
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Trouble::Damaged(error.to_string()),
            _ => Trouble::Fatal(Kind::Unusable(error)),
        }
    }
}

/// Why the store cannot be used.
#[derive(Debug)]
pub struct OpenError {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Taken,
    Newer(u64),
    Unusable(io::Error),
    Other(String),
}

impl OpenError {
    pub(super) fn thread(error: io::Error) -> OpenError {
        OpenError {
            path: PathBuf::new(),
            kind: Kind::Other(format!("its thread cannot be started: {error}")),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            Kind::Taken => write!(
                f,
                "store of positions {path}: another cloudspout has it open; give each its own --state-dir"
            ),
            Kind::Newer(format) => write!(
                f,
                "store of positions {path}: a newer cloudspout wrote it (format {format}, this one knows \
                 {FORMAT_OF_NOW}); use that version, or another --state-dir"
            ),
            Kind::Unusable(error) => {
                write!(f, "store of positions {path}: {error}; --state-dir must name a directory to write in")
            }
            Kind::Other(problem) => write!(f, "store of positions {path}: {problem}"),
        }
    }
}

impl std::error::Error for OpenError {}

const FILE_NAME: &str = "positions.redb";
const CACHE: usize = 1 << 20;

/// By container id: a [`Record`] in JSON.
const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("containers");
/// Numbers by name.
const FACTS: TableDefinition<&str, u64> = TableDefinition::new("facts");
const FORMAT: &str = "format";
const LAST_RUNNING: &str = "last-running";
/// To be raised when an earlier version could no longer understand what is stored.
const FORMAT_OF_NOW: u64 = 1;
