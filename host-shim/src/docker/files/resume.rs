//! Finds the place where a log was left in an earlier life, whatever was rotated since.

use std::io;
use std::path::Path;

use super::directory::open_all;
use super::file::LogFile;
use super::missing::{Missing, Why};
use super::tail::Tail;
use crate::positions::{FilePlace, Place, Record};

/// A log to go on with, and what is missing before it.
#[derive(Debug)]
pub(super) struct Resumed {
    pub tail: Tail,
    pub missing: Option<Missing>,
}

/// Opens a log where its record says that it was left; one without positions, at its beginning.
pub(super) fn resume(path: &Path, record: &Record) -> io::Result<Resumed> {
    resume_in(path, open_all(path)?, record)
}

/// The same of a log whose files are open.
pub(super) fn resume_in(path: &Path, mut files: Vec<LogFile>, record: &Record) -> io::Result<Resumed> {
    let sides = [record.stdout, record.stderr];
    // A side of which nothing was taken is wanted from the beginning.
    let earliest = sides.iter().map(|side| side.map_or(0, |place| place.offset)).min().unwrap_or_default();
    let latest = sides.iter().flatten().max_by_key(|place| place.offset);
    let mut places: Vec<(Place, usize, u64)> = sides
        .iter()
        .flatten()
        .filter_map(|place| {
            let wanted = place.file?;
            let (number, at) = find(&mut files, place, &wanted)?;
            Some((*place, number, at))
        })
        .collect();
    places.sort_by_key(|(place, ..)| place.offset);
    match places.first() {
        Some(&(place, number, at)) if place.offset == earliest => {
            let files = files.split_off(number);
            Ok(Resumed { tail: Tail::from_files(path, files, at, earliest)?, missing: None })
        }
        // Only the later of the two is there: the earlier goes on at the oldest byte there is.
        Some(&(place, number, at)) => {
            let mut before = at;
            for file in files.iter_mut().take(number) {
                before += file.length()?;
            }
            let first_time = files.first().map(LogFile::first_time).transpose()?.flatten();
            let (start, at) = (place.offset.saturating_sub(before), before.saturating_sub(place.offset));
            let mut tail = Tail::from_files(path, files, 0, start)?;
            tail.skip(at)?;
            let earlier = sides.iter().flatten().find(|place| place.offset == earliest);
            let bytes = start.checked_sub(earliest).filter(|bytes| *bytes > 0);
            let missing = bytes.map(|bytes| Missing {
                why: Why::Removed,
                bytes: Some(bytes),
                after: earlier.map(|place| place.time),
                before: first_time,
            });
            Ok(Resumed { tail, missing })
        }
        None => {
            let missing = match latest.filter(|latest| latest.offset > 0) {
                Some(latest) => Some(Missing {
                    why: Why::Unseen,
                    bytes: None,
                    after: Some(latest.time),
                    before: files.first().map(LogFile::first_time).transpose()?.flatten(),
                }),
                None => None,
            };
            let offset = latest.map_or(0, |latest| latest.offset);
            Ok(Resumed { tail: Tail::from_files(path, files, 0, offset)?, missing })
        }
    }
}

/// The file that a place lies in, and where: the one of that number, or, should it have been compressed or
/// copied, or the number been given away, the one that has the entry with the place's time in front of it.
fn find(files: &mut [LogFile], place: &Place, wanted: &FilePlace) -> Option<(usize, u64)> {
    if wanted.offset == 0 {
        return find_beginning(files, place, wanted).map(|number| (number, 0));
    }
    let same = files.iter().position(|file| file.id.is_of(wanted));
    let others = (0..files.len()).filter(|number| Some(*number) != same);
    same.into_iter()
        .chain(others)
        .find(|number| files.get_mut(*number).is_some_and(|file| fits(file, place, wanted.offset)))
        .map(|number| (number, wanted.offset))
}

/// Whether the entry in front of an offset has the place's time.
fn fits(file: &mut LogFile, place: &Place, offset: u64) -> bool {
    // To read a compressed file that far takes a while: its ends tell for most that they do not fit.
    let may_fit = !file.is_compressed()
        || (file.last_time().is_ok_and(|last| last.is_some_and(|last| last + ABOUT >= place.time))
            && file.first_time().is_ok_and(|first| first.is_some_and(|first| first <= place.time + ABOUT)));
    let fits =
        may_fit && file.time_before(offset).is_ok_and(|time| time.is_some() && time == Some(place.time));
    if !fits {
        file.rest();
    }
    fits
}

/// The file at whose beginning a place lies. Only its age tells it from another that got its number; failing
/// that, it follows the one that ends with the place's time.
fn find_beginning(files: &mut [LogFile], place: &Place, wanted: &FilePlace) -> Option<usize> {
    let same = files.iter().position(|file| file.id.is_of(wanted) && wanted.born.is_some());
    same.or_else(|| {
        let before =
            files.iter_mut().position(|file| file.last_time().is_ok_and(|last| last == Some(place.time)));
        before.map(|before| before + 1).filter(|number| *number < files.len())
    })
}

/// How far times of one log may be out of order, in nanoseconds, so that a file is found by them.
const ABOUT: u64 = 60_000_000_000;
