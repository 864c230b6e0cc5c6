//! Finds the place where a log was left in an earlier life, whatever was rotated since.

use std::io;
use std::path::Path;

use super::directory::{Found, LogFile, open_all};
use super::entry::time_before;
use super::tail::{Missing, Tail};
use crate::positions::{FilePlace, Place, Record};

/// A log to go on with, and what is missing before it.
#[derive(Debug)]
pub(super) struct Resumed {
    pub tail: Tail,
    pub missing: Option<Missing>,
}

/// Opens a log where its record says that it was left; one without positions, at its beginning.
pub(super) fn resume(path: &Path, record: &Record) -> io::Result<Resumed> {
    let sides = [record.stdout, record.stderr];
    // A side of which nothing was taken is wanted from the beginning.
    let earliest = sides.iter().map(|side| side.map_or(0, |place| place.offset)).min().unwrap_or_default();
    let latest = sides.iter().flatten().map(|place| place.offset).max().unwrap_or_default();
    let Found { files: mut found, compressed } = open_all(path)?;
    let mut places: Vec<(Place, FilePlace, usize)> = sides
        .iter()
        .flatten()
        .filter_map(|place| {
            let file = place.file?;
            Some((*place, file, find(&found, place, &file)?))
        })
        .collect();
    places.sort_by_key(|(place, ..)| place.offset);
    match places.first() {
        Some(&(place, file, number)) if place.offset == earliest => {
            let files = found.split_off(number);
            let tail = Tail::from_files(path, files, file.offset, earliest)?;
            Ok(Resumed { tail, missing: None })
        }
        // Only the later of the two is there: the earlier goes on at the oldest byte there is.
        Some(&(place, file, number)) => {
            let mut before = file.offset;
            for log in found.iter().take(number) {
                before += log.file.metadata()?.len();
            }
            let (start, at) = (place.offset.saturating_sub(before), before.saturating_sub(place.offset));
            let mut tail = Tail::from_files(path, found, 0, start)?;
            tail.skip(at)?;
            let missing = start.checked_sub(earliest).filter(|missing| *missing > 0).map(Missing::Bytes);
            Ok(Resumed { tail, missing })
        }
        None => {
            let missing = match compressed.len() {
                0 => (latest > 0).then_some(Missing::Files),
                count => Some(Missing::Compressed(count)),
            };
            Ok(Resumed { tail: Tail::from_files(path, found, 0, latest)?, missing })
        }
    }
}

/// The file that a place lies in: the one of that number, or, should the files have been copied or the
/// number been given away, the one that has the entry with the place's time in front of the place.
fn find(files: &[LogFile], place: &Place, wanted: &FilePlace) -> Option<usize> {
    let same = |log: &LogFile| log.id.inode == wanted.inode && log.id.device == wanted.device;
    let fits = |log: &LogFile| {
        time_before(&log.file, wanted.offset).is_ok_and(|found| found.is_some() && found == Some(place.time))
    };
    if wanted.offset == 0 {
        return files.iter().position(same);
    }
    files.iter().position(|log| same(log) && fits(log)).or_else(|| files.iter().position(fits))
}
