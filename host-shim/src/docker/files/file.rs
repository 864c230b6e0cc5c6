//! A file of a log, compressed or not.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use super::compressed::Compressed;
use super::entry::{LONGEST_ENTRY, LONGEST_TIME, first_time_in, last_time_in};
use super::places::FileId;

/// A file of a log, open for reading.
#[derive(Debug)]
pub(super) struct LogFile {
    pub id: FileId,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Plain(File),
    Compressed(Compressed),
}

impl LogFile {
    pub fn open(path: &Path) -> io::Result<LogFile> {
        let file = File::open(path)?;
        let id = FileId::of(&file.metadata()?);
        Ok(LogFile { id, content: Content::Plain(file) })
    }

    pub fn open_compressed(path: &Path) -> io::Result<LogFile> {
        let file = File::open(path)?;
        let id = FileId::of(&file.metadata()?);
        Ok(LogFile { id, content: Content::Compressed(Compressed::new(file)) })
    }

    pub fn is_compressed(&self) -> bool {
        matches!(self.content, Content::Compressed(_))
    }

    /// Bytes of log in it. A compressed file is read to its end for that, unless it has been.
    pub fn length(&mut self) -> io::Result<u64> {
        match &mut self.content {
            Content::Plain(file) => Ok(file.metadata()?.len()),
            Content::Compressed(compressed) => Ok(compressed.end()?.length),
        }
    }

    /// Reads until the room is full or the file is at its end.
    pub fn read_at(&mut self, room: &mut [u8], at: u64) -> io::Result<usize> {
        match &mut self.content {
            Content::Plain(file) => read_plain_at(file, room, at),
            Content::Compressed(compressed) => compressed.read_at(room, at),
        }
    }

    /// Whether it was read to an end that is not the one Docker meant.
    pub fn is_cut_off(&self) -> bool {
        match &self.content {
            Content::Plain(_) => false,
            Content::Compressed(compressed) => compressed.known_end().is_some_and(|end| !end.whole),
        }
    }

    /// Bytes it takes on the disk although no name leads to it any more.
    pub fn hidden_bytes(&self) -> io::Result<u64> {
        let metadata = match &self.content {
            Content::Plain(file) => file.metadata()?,
            Content::Compressed(compressed) => compressed.file.metadata()?,
        };
        Ok(if metadata.nlink() == 0 { metadata.len() } else { 0 })
    }

    /// Where the last so many entries begin, or as many as there are, and how many those are. Of a file that is
    /// not compressed.
    pub fn last_entries(&mut self, wanted: u64) -> io::Result<(u64, u64)> {
        let mut end = self.length()?;
        let (mut begin, mut found) = (end, 0);
        let mut room = vec![0; BLOCK as usize];
        // The line end of the last entry begins none.
        let mut at_end = true;
        while end > 0 {
            let from = end.saturating_sub(BLOCK);
            let block = room.get_mut(..(end - from) as usize).unwrap_or_default();
            self.read_at(block, from)?;
            for at in memchr::memrchr_iter(b'\n', block) {
                if std::mem::take(&mut at_end) {
                    continue;
                }
                (begin, found) = (from + at as u64 + 1, found + 1);
                if found == wanted {
                    return Ok((begin, found));
                }
            }
            end = from;
        }
        Ok(if begin > 0 && !at_end { (0, found + 1) } else { (begin, found) })
    }

    /// The time of the entry that ends at `end`, in nanoseconds; `None` if no entry ends there.
    pub fn time_before(&mut self, end: u64) -> io::Result<Option<u64>> {
        let from = end.saturating_sub(LONGEST_TIME as u64);
        let mut room = vec![0; usize::try_from(end - from).unwrap_or_default()];
        let whole = self.read_at(&mut room, from)? == room.len();
        Ok(if whole { last_time_in(&room) } else { None })
    }

    /// The time of its first entry.
    pub fn first_time(&self) -> io::Result<Option<u64>> {
        let mut room = vec![0; LONGEST_ENTRY];
        let count = match &self.content {
            Content::Plain(file) => read_plain_at(file, &mut room, 0)?,
            Content::Compressed(compressed) => compressed.beginning(&mut room)?,
        };
        Ok(first_time_in(room.get(..count).unwrap_or_default()))
    }

    /// The time of its last entry.
    pub fn last_time(&mut self) -> io::Result<Option<u64>> {
        if let Content::Compressed(compressed) = &self.content
            && let Some(time) = compressed.last_time()
        {
            return Ok(Some(time));
        }
        let end = self.length()?;
        self.time_before(end)
    }

    /// Whether this is a compressed file, and `plain` is what it was made from.
    pub fn was_made_from(&self, plain: &mut LogFile) -> io::Result<bool> {
        let Content::Compressed(compressed) = &self.content else { return Ok(false) };
        let length = plain.length()?;
        if u64::from(compressed.noted_length()?) != length & u64::from(u32::MAX)
            || compressed
                .last_time()
                .is_some_and(|time| !matches!(plain.time_before(length), Ok(Some(last)) if last == time))
        {
            return Ok(false);
        }
        let (mut ours, mut theirs) = (vec![0; COMPARED], vec![0; COMPARED]);
        let (our, their) = (compressed.beginning(&mut ours)?, plain.read_at(&mut theirs, 0)?);
        Ok(ours.get(..our) == theirs.get(..their))
    }

    /// Gives back what reading it took, of a file that is not read on for the time being.
    pub fn rest(&mut self) {
        if let Content::Compressed(compressed) = &mut self.content {
            compressed.rest();
        }
    }
}

fn read_plain_at(file: &File, room: &mut [u8], at: u64) -> io::Result<usize> {
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

/// Bytes that are looked through at a time.
const BLOCK: u64 = 64 << 10;
/// Bytes by which two files are compared whose lengths and last times are the same.
const COMPARED: usize = 16 << 10;
