//! Reads the files of a log in order, while they are written, rotated, truncated and removed.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::directory::{LogFile, id_of, open_all};
use super::entry::{first_time, time_before};
use super::places::{FileId, Places};

/// A log on its way through its files.
#[derive(Debug)]
pub(super) struct Tail {
    /// Where the file is that is written to.
    path: PathBuf,
    /// Those still to be read, held open whatever becomes of their names; the first is being read.
    files: VecDeque<Pending>,
    /// What is read next of the first.
    at: u64,
    /// The bytes before `at`, as far as they are remembered: if they change, the file was truncated.
    before: Vec<u8>,
    /// The offset in the log of what is read next.
    offset: u64,
    places: Places,
    rotation: Rotation,
}

#[derive(Debug)]
struct Pending {
    log: LogFile,
    /// What is missing between the file before it and this one.
    missing: Option<Missing>,
}

/// When Docker rotates the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rotation {
    /// The size from which on a file is not written to any more; `None`: never.
    pub size: Option<u64>,
    /// How many files there are, at most.
    pub files: u64,
}

/// What is next of a log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Bytes(Bytes),
    /// All that has been written was read.
    End,
    /// Part of the log is gone; reading goes on behind it.
    Gap(Missing),
}

/// What is known of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// So many bytes of the log.
    Bytes(u64),
    /// Files may have come and gone between two looks.
    Files,
    /// So many rotated files, which are compressed.
    Compressed(usize),
    /// The file was truncated before all of it was read.
    Truncated,
}

impl Tail {
    /// A log to be read from these files on, the first of them from `at`, which is `offset` in the log.
    pub fn from_files(path: &Path, files: Vec<LogFile>, at: u64, offset: u64) -> io::Result<Tail> {
        let files = files.into_iter().map(|log| Pending { log, missing: None }).collect();
        let places = Places::default();
        let mut tail = Tail {
            path: path.to_owned(),
            files,
            at,
            before: Vec::new(),
            offset,
            places,
            rotation: Rotation::default(),
        };
        tail.recall()?;
        tail.begin();
        Ok(tail)
    }

    /// Says when Docker rotates the log.
    pub fn rotates(&mut self, rotation: Rotation) {
        self.rotation = rotation;
    }

    /// The offset in the log of what is read next.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Bytes from here to the end as it is now.
    pub fn left(&self) -> io::Result<u64> {
        let mut left = 0;
        for pending in &self.files {
            left += pending.log.file.metadata()?.len();
        }
        Ok(left.saturating_sub(self.at))
    }

    /// Passes over so many bytes, without counting them.
    pub fn skip(&mut self, mut count: u64) -> io::Result<()> {
        while let Some(file) = self.first() {
            let size = file.metadata()?.len();
            if self.files.len() == 1 || self.at + count < size {
                self.at = (self.at + count).min(size);
                break;
            }
            count -= size.saturating_sub(self.at);
            self.at = 0;
            self.files.pop_front();
        }
        self.recall()?;
        self.begin();
        Ok(())
    }

    /// Remembers what stands before the place to read.
    fn recall(&mut self) -> io::Result<()> {
        let known = self.at.min(REMEMBERED as u64);
        let mut room = vec![0; usize::try_from(known).unwrap_or_default()];
        let Some(file) = self.first() else { return Ok(()) };
        // A file that is shorter was truncated; that is found when it is read.
        let count = read_at(file, &mut room, self.at - known)?;
        self.before = if count == room.len() { room } else { Vec::new() };
        Ok(())
    }

    /// Counts what is read next as `offset` of the log.
    pub fn go_on_at(&mut self, offset: u64) {
        self.offset = offset;
        self.begin();
    }

    fn begin(&self) {
        if let Some(pending) = self.files.front() {
            self.places.begin(self.offset, pending.log.id, self.at);
        }
    }

    fn first(&self) -> Option<&File> {
        self.files.front().map(|pending| &pending.log.file)
    }

    /// Whether there is nothing new, at the cost of one look at one name.
    pub fn is_quiet(&self) -> bool {
        let [pending] = self.files.as_slices().0 else { return false };
        self.files.len() == 1
            && std::fs::metadata(&self.path)
                .is_ok_and(|metadata| metadata.len() == self.at && FileId::of(&metadata) == pending.log.id)
    }

    /// Looks whether the log was rotated, and takes hold of files that are new. To be called often: a
    /// file that nobody holds is gone once it has been rotated away.
    pub fn look(&mut self) -> io::Result<()> {
        let newest = self.files.back().map(|pending| pending.log.id);
        // Without a name for a moment, or removed with its container: what is open stays readable.
        let Ok(now) = id_of(&self.path) else { return Ok(()) };
        if newest == Some(now) {
            return Ok(());
        }
        let mut found = open_all(&self.path)?.files;
        let known = found.iter().rposition(|log| Some(log.id) == newest);
        let unknown = found.split_off(known.map_or(0, |known| known + 1));
        for (number, log) in unknown.into_iter().enumerate() {
            let missing = (number == 0 && known.is_none() && newest.is_some()).then_some(Missing::Files);
            self.files.push_back(Pending { log, missing });
        }
        if newest.is_none() {
            self.begin();
        }
        self.let_go()
    }

    /// Lets go of files that have been removed, if too much is held for a reader that is far behind.
    fn let_go(&mut self) -> io::Result<()> {
        let mut removed = 0;
        for pending in self.files.iter().skip(1) {
            let metadata = pending.log.file.metadata()?;
            removed += if metadata.nlink() == 0 { metadata.len() } else { 0 };
        }
        while removed > MOST_REMOVED {
            let Some(pending) = self.files.remove(1) else { break };
            let length = pending.log.file.metadata()?.len();
            removed = removed.saturating_sub(length);
            if let Some(next) = self.files.get_mut(1) {
                next.missing = Some(match (pending.missing, next.missing) {
                    (None, None) => Missing::Bytes(length),
                    (Some(Missing::Bytes(before)), None) => Missing::Bytes(before + length),
                    _ => Missing::Files,
                });
            }
        }
        Ok(())
    }

    /// At most `most` bytes, or why there are none.
    pub fn next(&mut self, most: usize) -> io::Result<Next> {
        loop {
            let Some(file) = self.first() else { return Ok(Next::End) };
            let size = file.metadata()?.len();
            if size < self.at {
                if let Some(missing) = self.truncated() {
                    return Ok(Next::Gap(missing));
                }
            } else if size > self.at {
                let Some(bytes) = self.read(size, most)? else {
                    match self.truncated() {
                        Some(missing) => return Ok(Next::Gap(missing)),
                        None => continue,
                    }
                };
                if !bytes.is_empty() {
                    return Ok(Next::Bytes(bytes));
                }
            } else if self.files.len() > 1 {
                // A file that has a successor is not written to any more.
                let missing = self.step()?;
                if let Some(missing) = missing {
                    return Ok(Next::Gap(missing));
                }
            } else {
                return Ok(Next::End);
            }
        }
    }

    /// Goes on to the next file, and says what is missing in front of it.
    fn step(&mut self) -> io::Result<Option<Missing>> {
        let done = self.files.pop_front();
        self.at = 0;
        self.before.clear();
        self.begin();
        let missing = self.files.front_mut().and_then(|pending| pending.missing.take());
        match (missing, done, self.first()) {
            (Some(Missing::Files), Some(done), Some(file)) => {
                let adjoin = self.adjoin(&done.log.file, file)?;
                Ok((!adjoin).then_some(Missing::Files))
            }
            (missing, ..) => Ok(missing),
        }
    }

    /// Whether there was no time for a further file between two.
    fn adjoin(&self, one: &File, other: &File) -> io::Result<bool> {
        let last = time_before(one, one.metadata()?.len())?;
        let between = first_time(other)?.zip(last).and_then(|(first, last)| first.checked_sub(last));
        Ok(between.zip(self.rotation.fastest()).is_some_and(|(between, fastest)| between < fastest))
    }

    /// Bytes of the first file; `None` if it is not as it was.
    fn read(&mut self, size: u64, most: usize) -> io::Result<Option<Bytes>> {
        let Some(file) = self.first() else { return Ok(None) };
        let known = self.before.len();
        let wanted = usize::try_from(size - self.at).unwrap_or(usize::MAX).min(most);
        let mut room = vec![0; known + wanted];
        let count = read_at(file, &mut room, self.at - known as u64)?;
        room.truncate(count);
        if !room.starts_with(&self.before) {
            return Ok(None);
        }
        let bytes = Bytes::from(room).split_off(known);
        self.remember(&bytes);
        self.at += bytes.len() as u64;
        self.offset += bytes.len() as u64;
        Ok(Some(bytes))
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.before
            .extend_from_slice(bytes.get(bytes.len().saturating_sub(REMEMBERED)..).unwrap_or_default());
        self.before.drain(..self.before.len().saturating_sub(REMEMBERED));
    }

    /// Goes on at the beginning of the first file. Docker truncates a file once it has reached its size:
    /// if that much was read, nothing is missing.
    fn truncated(&mut self) -> Option<Missing> {
        let whole = self.rotation.size.is_some_and(|size| self.at >= size);
        self.at = 0;
        self.before.clear();
        self.begin();
        (!whole).then_some(Missing::Truncated)
    }
}

/// Reads until the room is full or the file is at its end.
pub(super) fn read_at(file: &File, room: &mut [u8], at: u64) -> io::Result<usize> {
    let mut count = 0;
    while let Some(left) = room.get_mut(count..).filter(|left| !left.is_empty()) {
        match file.read_at(left, at + count as u64) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// Enough to hold the time that ends every entry.
const REMEMBERED: usize = 64;
/// Bytes of removed files that are held for a reader that is far behind: they take room on the disk that
/// nobody sees.
const MOST_REMOVED: u64 = 256 << 20;
