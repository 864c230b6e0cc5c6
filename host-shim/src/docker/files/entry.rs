//! The times that Docker writes into a log file: they tell whether a file is the one that is looked for.

use std::fs::File;
use std::io;

use super::tail::read_at;
use crate::docker::instant::nanoseconds;

/// The time of the entry that ends at `end`, in nanoseconds; `None` if no entry ends there. Docker writes
/// an entry's time last.
pub(super) fn time_before(file: &File, end: u64) -> io::Result<Option<u64>> {
    let from = end.saturating_sub(LONGEST_TIME);
    let mut room = vec![0; usize::try_from(end - from).unwrap_or_default()];
    let whole = read_at(file, &mut room, from)? == room.len() && room.ends_with(b"}\n");
    Ok(if whole { time_in(&room) } else { None })
}

/// The time of a file's first entry.
pub(super) fn first_time(file: &File) -> io::Result<Option<u64>> {
    let mut room = vec![0; LONGEST_ENTRY];
    let count = read_at(file, &mut room, 0)?;
    Ok(room.get(..count).unwrap_or_default().split_inclusive(|byte| *byte == b'\n').next().and_then(time_in))
}

fn time_in(entry: &[u8]) -> Option<u64> {
    let tail = entry.get(entry.len().saturating_sub(LONGEST_TIME as usize)..)?;
    let text = String::from_utf8_lossy(tail);
    let (_, time) = text.rsplit_once("\"time\":\"")?;
    nanoseconds(time.split('"').next()?)
}

/// Bytes in which an entry's time and the end of the entry fit.
const LONGEST_TIME: u64 = 64;
/// An entry of 16 KiB whose every byte is escaped, and its attributes.
const LONGEST_ENTRY: usize = 128 << 10;
