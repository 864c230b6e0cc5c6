//! Reads the files of a log in order, while they are written, rotated, compressed, truncated and removed.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::directory::{id_of, open_all};
use super::entry::{LONGEST_TIME, last_time_in};
use super::file::LogFile;
use super::missing::{Missing, Why};
use super::places::{FileId, Places};
use super::rotation::Rotation;
use crate::positions::{FileOf, Place};

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
    /// Where to end: a file, and a place in it.
    until: Option<(FileId, u64)>,
    places: Places,
    rotation: Rotation,
}

#[derive(Debug)]
struct Pending {
    log: LogFile,
    /// Why something is missing between the file before it and this one, and how many bytes.
    missing: Option<(Why, Option<u64>)>,
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

/// What is next of a file.
enum Piece {
    Bytes(Bytes),
    End,
    /// It is not as it was: it was truncated.
    Changed,
}

impl Tail {
    /// A log to be read from these files on, the first of them from `at`, which is `offset` in the log.
    pub fn from_files(path: &Path, files: Vec<LogFile>, at: u64, offset: u64) -> io::Result<Tail> {
        let files = files.into_iter().map(|log| Pending { log, missing: None }).collect();
        let mut tail = Tail {
            path: path.to_owned(),
            files,
            at,
            before: Vec::new(),
            offset,
            until: None,
            places: Places::default(),
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

    /// Where it is, as it is found again.
    pub fn place(&self) -> Option<Place> {
        let file = self.places.file_of(self.offset)?;
        let time = last_time_in(&self.before).unwrap_or_default();
        Some(Place { offset: self.offset, time, file: Some(file), ..Place::default() })
    }

    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Gives its files away, and where the one is that is written to.
    pub fn take(&mut self) -> (PathBuf, Vec<LogFile>) {
        (self.path.clone(), self.files.drain(..).map(|pending| pending.log).collect())
    }

    /// Where the file is that is written to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends where the log ends now, whatever is written meanwhile.
    pub fn end_here(&mut self) -> io::Result<()> {
        if let Some(newest) = self.files.back_mut() {
            self.until = Some((newest.log.id, newest.log.length()?));
        }
        Ok(())
    }

    /// Passes over all there is, without counting it.
    pub fn skip_all(&mut self) -> io::Result<()> {
        self.files.drain(..self.files.len().saturating_sub(1));
        if let Some(newest) = self.files.front_mut() {
            self.at = newest.log.length()?;
        }
        self.recall()?;
        self.begin();
        Ok(())
    }

    /// Passes over all but the last so many entries, without counting it. Files that were compressed are passed
    /// over whole: they can only be read from front to back.
    pub fn keep_last(&mut self, entries: u64) -> io::Result<()> {
        let mut wanted = entries;
        let mut begin = (self.files.len(), 0);
        for (number, pending) in self.files.iter_mut().enumerate().rev() {
            if pending.log.is_compressed() {
                break;
            }
            let (start, found) = pending.log.last_entries(wanted)?;
            begin = (number, start);
            wanted -= found;
            if wanted == 0 {
                break;
            }
        }
        let (number, start) = begin;
        if number == self.files.len() {
            return self.skip_all();
        }
        self.files.drain(..number);
        self.at = start;
        self.recall()?;
        self.begin();
        Ok(())
    }

    /// Passes over so many bytes, without counting them.
    pub fn skip(&mut self, mut count: u64) -> io::Result<()> {
        while let Some(first) = self.files.front_mut() {
            let length = first.log.length()?;
            if self.files.len() == 1 || self.at + count < length {
                self.at = (self.at + count).min(length);
                break;
            }
            count -= length.saturating_sub(self.at);
            self.at = 0;
            self.files.pop_front();
        }
        self.recall()?;
        self.begin();
        Ok(())
    }

    /// Remembers what stands before the place to read.
    fn recall(&mut self) -> io::Result<()> {
        let known = self.at.min(LONGEST_TIME as u64);
        let mut room = vec![0; usize::try_from(known).unwrap_or_default()];
        let Some(first) = self.files.front_mut() else { return Ok(()) };
        // A file that is shorter was truncated; that is found when it is read.
        let count = first.log.read_at(&mut room, self.at - known)?;
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
        // Without a name for a moment, or removed with its container: what is open stays readable.
        let Ok(now) = id_of(&self.path) else { return Ok(()) };
        if self.files.back().is_some_and(|newest| newest.log.id == now) {
            return Ok(());
        }
        let mut found = match open_all(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            found => found?,
        };
        let known = match self.files.back_mut() {
            Some(newest) => position(&found, &mut newest.log)?,
            None => None,
        };
        let unseen = known.is_none() && !self.files.is_empty();
        let unknown = found.split_off(known.map_or(0, |known| known + 1));
        for (number, log) in unknown.into_iter().enumerate() {
            let missing = (number == 0 && unseen).then_some((Why::Unseen, None));
            self.files.push_back(Pending { log, missing });
        }
        self.let_go()
    }

    /// Lets go of files that have been removed, if too much is held for a reader that is far behind.
    fn let_go(&mut self) -> io::Result<()> {
        let mut hidden = 0;
        for pending in self.files.iter().skip(1) {
            hidden += pending.log.hidden_bytes()?;
        }
        while hidden > MOST_HIDDEN {
            let Some(mut pending) = self.files.remove(1) else { break };
            hidden = hidden.saturating_sub(pending.log.hidden_bytes()?);
            let length = pending.log.length()?;
            if let Some(next) = self.files.get_mut(1) {
                next.missing = Some(match (pending.missing, next.missing) {
                    (None, None) => (Why::Removed, Some(length)),
                    (Some((Why::Removed, Some(before))), None) => (Why::Removed, Some(before + length)),
                    _ => (Why::Removed, None),
                });
            }
        }
        Ok(())
    }

    /// At most `most` bytes, or why there are none.
    pub fn next(&mut self, most: usize) -> io::Result<Next> {
        loop {
            match self.piece(most)? {
                Piece::Bytes(bytes) if bytes.is_empty() => {}
                Piece::Bytes(bytes) => return Ok(Next::Bytes(bytes)),
                Piece::Changed => {
                    if let Some(missing) = self.truncated()? {
                        return Ok(Next::Gap(missing));
                    }
                }
                // A file that has a successor is not written to any more.
                Piece::End if self.files.len() > 1 && !self.is_over() => {
                    if let Some(missing) = self.step()? {
                        return Ok(Next::Gap(missing));
                    }
                }
                Piece::End => return Ok(Next::End),
            }
        }
    }

    /// Whether the end was reached that was set.
    fn is_over(&self) -> bool {
        let first = self.files.front().map(|first| first.log.id);
        self.until.is_some_and(|(file, at)| first == Some(file) && self.at >= at)
    }

    fn piece(&mut self, most: usize) -> io::Result<Piece> {
        let Some(first) = self.files.front_mut() else { return Ok(Piece::End) };
        let mut end = self.at + most as u64;
        if let Some((_, at)) = self.until.filter(|(file, _)| *file == first.log.id) {
            end = end.min(at.max(self.at));
        }
        // What was compressed is not written to, and only read from front to back.
        let mut known = 0;
        if !first.log.is_compressed() {
            let size = first.log.length()?;
            if size < self.at {
                return Ok(Piece::Changed);
            }
            end = end.min(size);
            known = self.before.len();
        }
        if end == self.at {
            return Ok(Piece::End);
        }
        let mut room = vec![0; known + usize::try_from(end - self.at).unwrap_or_default()];
        let count = first.log.read_at(&mut room, self.at - known as u64)?;
        room.truncate(count);
        if !room.starts_with(self.before.get(..known).unwrap_or_default()) {
            return Ok(Piece::Changed);
        }
        if count == 0 {
            return Ok(Piece::End);
        }
        let bytes = Bytes::from(room).split_off(known);
        self.remember(&bytes);
        self.at += bytes.len() as u64;
        self.offset += bytes.len() as u64;
        Ok(Piece::Bytes(bytes))
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.before
            .extend_from_slice(bytes.get(bytes.len().saturating_sub(LONGEST_TIME)..).unwrap_or_default());
        self.before.drain(..self.before.len().saturating_sub(LONGEST_TIME));
    }

    /// Goes on to the next file, and says what is missing in front of it.
    fn step(&mut self) -> io::Result<Option<Missing>> {
        let after = last_time_in(&self.before);
        let cut_off = self.files.pop_front().is_some_and(|done| done.log.is_cut_off());
        self.at = 0;
        self.before.clear();
        self.begin();
        let Some(first) = self.files.front_mut() else { return Ok(None) };
        let missing = first.missing.take().or(cut_off.then_some((Why::CutOff, None)));
        let Some((why, bytes)) = missing else { return Ok(None) };
        let before = first.log.first_time()?;
        let adjoin = why == Why::Unseen && self.adjoin(after, before);
        Ok((!adjoin).then_some(Missing { why, bytes, after, before }))
    }

    /// Whether there was no time for a further file between two entries.
    fn adjoin(&self, one: Option<u64>, other: Option<u64>) -> bool {
        let between = other.zip(one).and_then(|(other, one)| other.checked_sub(one));
        between.zip(self.rotation.fastest()).is_some_and(|(between, fastest)| between < fastest)
    }

    /// Goes on at the beginning of the first file. Docker truncates a file once it has reached its size:
    /// if that much was read, nothing is missing.
    fn truncated(&mut self) -> io::Result<Option<Missing>> {
        let whole = self.rotation.size.is_some_and(|size| self.at >= size);
        let after = last_time_in(&self.before);
        self.at = 0;
        self.before.clear();
        self.begin();
        let before = match self.files.front() {
            Some(first) if !whole => first.log.first_time()?,
            _ => None,
        };
        Ok((!whole).then_some(Missing { why: Why::Truncated, bytes: None, after, before }))
    }
}

/// Which of the files is the one that is held, under whatever name and form.
fn position(files: &[LogFile], held: &mut LogFile) -> io::Result<Option<usize>> {
    if let Some(number) = files.iter().rposition(|file| file.id == held.id) {
        return Ok(Some(number));
    }
    for (number, file) in files.iter().enumerate().rev() {
        if file.was_made_from(held)? {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// Bytes of removed files that are held for a reader that is far behind: they take room on the disk that
/// nobody sees.
const MOST_HIDDEN: u64 = 256 << 20;
