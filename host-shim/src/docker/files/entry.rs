//! The times that Docker writes into a log file: they tell whether a file is the one that is looked for.

use crate::docker::instant::nanoseconds;

/// The time of the entry that ends with these bytes, in nanoseconds; `None` if none does. Docker writes an
/// entry's time last, so [`LONGEST_TIME`] bytes do.
pub(super) fn last_time_in(bytes: &[u8]) -> Option<u64> {
    if bytes.ends_with(b"}\n") { time_in(bytes) } else { None }
}

/// The time of the first entry of these bytes, of which [`LONGEST_ENTRY`] do.
pub(super) fn first_time_in(bytes: &[u8]) -> Option<u64> {
    bytes.split_inclusive(|byte| *byte == b'\n').next().and_then(time_in)
}

fn time_in(entry: &[u8]) -> Option<u64> {
    let tail = entry.get(entry.len().saturating_sub(LONGEST_TIME)..)?;
    let text = String::from_utf8_lossy(tail);
    let (_, time) = text.rsplit_once("\"time\":\"")?;
    nanoseconds(time.split('"').next()?)
}

/// Bytes in which an entry's time and the end of the entry fit.
pub(super) const LONGEST_TIME: usize = 64;
/// An entry of 16 KiB whose every byte is escaped, and its attributes.
pub(super) const LONGEST_ENTRY: usize = 128 << 10;
