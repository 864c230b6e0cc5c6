//! Which byte of a log lies where in which file.

use std::collections::VecDeque;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use crate::positions::{FileOf, FilePlace};

/// What tells files apart while they exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    pub device: u64,
    pub inode: u64,
    /// When it was made, in nanoseconds since 1970, where the filesystem knows: inodes are given away again.
    pub born: Option<u64>,
}

impl FileId {
    pub fn of(metadata: &Metadata) -> FileId {
        let born = metadata.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let born = born.and_then(|time| u64::try_from(time.as_nanos()).ok());
        FileId { device: metadata.dev(), inode: metadata.ino(), born }
    }

    /// Whether a place was noted in a file with this id, as far as can be told.
    pub fn is_of(&self, place: &FilePlace) -> bool {
        let same_age = self.born.is_none() || place.born.is_none() || self.born == place.born;
        self.inode == place.inode && self.device == place.device && same_age
    }
}

/// The offsets of a log, which go on from file to file, and where they lie. Shared by the reader, which
/// adds to it, and the keeper, which asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    pieces: Arc<Mutex<VecDeque<Piece>>>,
}

/// From `start` on the log lies in this file, until the next piece starts.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: u64,
    file: FileId,
    /// Where in the file `start` lies.
    from: u64,
}

impl Places {
    /// Says that what is read next, at `start`, lies in this file from `from` on.
    pub fn begin(&self, start: u64, file: FileId, from: u64) {
        let mut pieces = self.lock();
        while pieces.back().is_some_and(|piece| piece.start >= start) {
            pieces.pop_back();
        }
        if pieces.len() >= MOST {
            pieces.pop_front();
        }
        pieces.push_back(Piece { start, file, from });
    }

    /// Forgets where offsets before this one lie.
    fn forget_before(&self, offset: u64) {
        let mut pieces = self.lock();
        while pieces.get(1).is_some_and(|piece| piece.start <= offset) {
            pieces.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Piece>> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileOf for Places {
    /// An offset between two files lies at the beginning of the second: it lives longer.
    fn file_of(&self, offset: u64) -> Option<FilePlace> {
        let pieces = self.lock();
        let piece = pieces.iter().rev().find(|piece| piece.start <= offset)?;
        let FileId { device, inode, born } = piece.file;
        Some(FilePlace { device, inode, born, offset: piece.from + (offset - piece.start) })
    }

    fn accepted(&self, offset: u64) {
        self.forget_before(offset);
    }
}

/// So many files behind the reader the oldest place is forgotten: its file is long gone.
const MOST: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_go_on_from_file_to_file() {
        let file = |inode| FileId { device: 1, inode, born: None };
        let places = Places::default();
        places.begin(100, file(1), 40);
        places.begin(150, file(2), 0);
        let place = |offset| places.file_of(offset).map(|place| (place.inode, place.offset));
        assert_eq!(place(99), None);
        assert_eq!(place(149), Some((1, 89)));
        assert_eq!(place(150), Some((2, 0)));
        places.forget_before(149);
        assert_eq!(place(100), Some((1, 40)));
        places.forget_before(150);
        assert_eq!(place(100), None);
        // Nothing was read of the second file when the log was rotated again.
        places.begin(150, file(3), 0);
        assert_eq!(place(151), Some((3, 1)));
    }
}
