//! A request that is ready: its bytes never change again.

use super::{Entry, Marks, SourceId, TAIL};

/// The body of a `PutLogEvents` request, and what is in it.
#[derive(Debug)]
pub struct Frozen {
    body: Vec<u8>,
    head: usize,
    events: Vec<Entry>,
    bytes: usize,
    marks: Marks,
    /// Whether its sources have been taken up to its marks once it is delivered.
    completes: bool,
}

/// One event of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrozenEvent<'a> {
    /// Milliseconds, as sent.
    pub time: u64,
    /// Escaped, as sent.
    pub message: &'a [u8],
    pub source: SourceId,
}

impl Frozen {
    pub(super) fn new(body: Vec<u8>, head: usize, events: Vec<Entry>, bytes: usize, marks: Marks) -> Frozen {
        Frozen { body, head, events, bytes, marks, completes: true }
    }

    /// The same request, which takes its sources up to other marks.
    pub fn with_marks(self, marks: Marks) -> Frozen {
        Frozen { marks, completes: true, ..self }
    }

    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// How many events are in it.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// As CloudWatch counts.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How far its sources have been taken once it is delivered.
    pub fn marks(&self) -> Marks {
        if self.completes { self.marks.clone() } else { Marks::default() }
    }

    /// An event by its place.
    pub fn event(&self, at: usize) -> Option<FrozenEvent<'_>> {
        let entry = self.events.get(at)?;
        let before = at.checked_sub(1).and_then(|before| self.events.get(before));
        // Between two events stands a comma.
        let begin = before.map_or(self.head, |before| before.end as usize + 1);
        let message = message_of(self.body.get(begin..entry.end as usize)?);
        Some(FrozenEvent { time: entry.time, message, source: entry.source })
    }

    /// What it takes of memory, in bytes.
    pub fn held(&self) -> usize {
        self.body.capacity() + self.events.capacity() * size_of::<Entry>()
    }

    /// Two requests with the first and the second half of the events. The second carries the marks: until
    /// it is through, nothing of the whole counts as taken. `None` for a single event.
    pub fn halves(&self) -> Option<(Frozen, Frozen)> {
        let middle = self.events.len() / 2;
        if middle == 0 {
            return None;
        }
        let (first, second) = self.events.split_at_checked(middle)?;
        let border = first.last().map_or(self.head, |entry| entry.end as usize);
        let end = second.last().map_or(border, |entry| entry.end as usize);
        let half = |events: &[Entry], begin: usize, end: usize, completes: bool| {
            let mut body = self.body.get(..self.head).unwrap_or_default().to_vec();
            let moved = begin - self.head;
            body.extend_from_slice(self.body.get(begin..end).unwrap_or_default());
            body.extend_from_slice(TAIL);
            let entry = |entry: &Entry| Entry { end: entry.end - moved as u32, ..*entry };
            let events: Vec<_> = events.iter().map(entry).collect();
            Frozen { body, head: self.head, bytes: 0, events, marks: self.marks.clone(), completes }
        };
        let mut first = half(first, self.head, border, false);
        // Behind the border stands the comma between the two.
        let mut second = half(second, border + 1, end, self.completes);
        first.bytes = first.count_bytes();
        second.bytes = self.bytes - first.bytes;
        Some((first, second))
    }

    /// Room for the body of another batch.
    pub fn into_room(self) -> Vec<u8> {
        self.body
    }

    /// Counts the message bytes again, from the escaped text.
    fn count_bytes(&self) -> usize {
        use crate::cloudwatch::limits::EVENT_OVERHEAD;
        use crate::lines::{Rest, Text};

        let mut begin = self.head;
        let mut scratch = Vec::new();
        let mut total = 0;
        for entry in &self.events {
            let end = entry.end as usize;
            let event = self.body.get(begin..end).unwrap_or_default();
            begin = end + 1;
            scratch.clear();
            let text = Text::Json(message_of(event));
            total += text.append_to(&mut scratch, usize::MAX, Rest::None).bytes + EVENT_OVERHEAD;
        }
        total
    }
}

/// The escaped text of an event as a body holds it.
fn message_of(event: &[u8]) -> &[u8] {
    const MESSAGE: &[u8] = b"\"message\":\"";
    let begin = memchr::memmem::find(event, MESSAGE).map_or(event.len(), |at| at + MESSAGE.len());
    let text = event.get(begin..).unwrap_or_default();
    text.strip_suffix(b"\"}").unwrap_or(text)
}
