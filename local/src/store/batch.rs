//! The accepted events of one call, packed into one run of bytes: time, length, message, and the next.

use bytes::Bytes;

/// Packs events in the order they came, which is the order of time.
#[derive(Debug, Default)]
pub struct Packing {
    bytes: Vec<u8>,
    events: u32,
    first: i64,
    last: i64,
    message_bytes: u64,
}

impl Packing {
    /// Makes room for `events` whose messages have `message_bytes` together.
    pub fn with_capacity(events: usize, message_bytes: usize) -> Packing {
        Packing { bytes: Vec::with_capacity(events * HEADER + message_bytes), ..Packing::default() }
    }

    pub fn push(&mut self, timestamp: i64, message: &str) {
        if self.events == 0 {
            self.first = timestamp;
        }
        self.last = timestamp;
        self.events = self.events.saturating_add(1);
        self.message_bytes += message.len() as u64;
        // A message is far below 4 GiB: the request that brought it was bounded.
        let length = message.len() as u32;
        self.bytes.extend_from_slice(&timestamp.to_le_bytes());
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(message.as_bytes());
    }

    /// `None` if nothing was pushed.
    pub fn finish(self) -> Option<Packed> {
        (self.events > 0).then(|| Packed {
            bytes: Bytes::from(self.bytes),
            events: self.events,
            first: self.first,
            last: self.last,
            message_bytes: self.message_bytes,
        })
    }
}

/// A packed batch of at least one event.
#[derive(Clone, Debug)]
pub struct Packed {
    pub bytes: Bytes,
    pub events: u32,
    pub first: i64,
    pub last: i64,
    pub message_bytes: u64,
}

/// A packed batch opened for reading in any order.
#[derive(Debug)]
pub struct Opened {
    bytes: Bytes,
    /// Where each event begins.
    starts: Vec<u32>,
}

impl Opened {
    /// Finds the events; what is cut off at the end is left out.
    pub fn of(bytes: Bytes) -> Opened {
        let mut starts = Vec::new();
        let mut at = 0;
        while let Some((_, end)) = event_at(&bytes, at) {
            starts.push(u32::try_from(at).unwrap_or(u32::MAX));
            at = end;
        }
        Opened { bytes, starts }
    }

    pub fn len(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    /// Time and message of an event.
    pub fn event(&self, nth: u32) -> Option<(i64, Bytes)> {
        let start = *self.starts.get(nth as usize)? as usize;
        let (timestamp, end) = event_at(&self.bytes, start)?;
        Some((timestamp, self.bytes.slice(start + HEADER..end)))
    }

    pub fn timestamp(&self, nth: u32) -> Option<i64> {
        let start = *self.starts.get(nth as usize)? as usize;
        Some(event_at(&self.bytes, start)?.0)
    }
}

/// The time of the event that begins at `start`, and where it ends.
fn event_at(bytes: &[u8], start: usize) -> Option<(i64, usize)> {
    let (timestamp, rest) = bytes.get(start..)?.split_first_chunk::<8>()?;
    let (length, _) = rest.split_first_chunk::<4>()?;
    let end = start + HEADER + u32::from_le_bytes(*length) as usize;
    (end <= bytes.len()).then(|| (i64::from_le_bytes(*timestamp), end))
}

/// Eight bytes of time and four of length before each message.
const HEADER: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_and_opening_are_inverse() {
        let events = [(5, "one"), (5, "zwei"), (9, "δ")];
        let mut packing = Packing::with_capacity(3, 9);
        for (timestamp, message) in events {
            packing.push(timestamp, message);
        }
        let packed = packing.finish().unwrap();
        assert_eq!((packed.events, packed.first, packed.last, packed.message_bytes), (3, 5, 9, 9));
        let opened = Opened::of(packed.bytes);
        assert_eq!(opened.len(), 3);
        for (nth, (timestamp, message)) in (0..).zip(events) {
            assert_eq!(opened.event(nth), Some((timestamp, Bytes::from(message))));
        }
        assert_eq!(opened.event(3), None);
    }

    #[test]
    fn a_torn_batch_gives_what_is_whole() {
        let mut packing = Packing::default();
        packing.push(1, "whole");
        packing.push(2, "torn");
        let bytes = packing.finish().unwrap().bytes;
        assert_eq!(Opened::of(bytes.slice(..bytes.len() - 1)).len(), 1);
        assert!(Packing::default().finish().is_none());
    }
}
