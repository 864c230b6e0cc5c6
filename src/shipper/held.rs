//! Events that are held back until a filter has had its say, and whether what it says makes sense.

use super::filter::{FilterEvents, FilterOutcome};
use crate::cloudwatch::limits::MAX_MESSAGE_BYTES;
use crate::lines::{Event, EventText, Malformed, Position, Rest, Side, Sides, Sink, Text, unescape};
use crate::naming::{Destination, Names};
use crate::time::Timestamp;

/// Events as a filter is to see them, and what it is not told.
#[derive(Debug, Default)]
pub struct Held {
    pub events: FilterEvents,
    /// What is known of each.
    pub origins: Vec<Origin>,
    /// The fields of events that names depend on, as they changed.
    pub descriptions: Vec<Vec<u8>>,
    described: Option<usize>,
    /// Which sides are wanted, if not both; and the last event of one that is not.
    wanted: Option<Sides<bool>>,
    pub unwanted: Vec<(Side, Position)>,
    pub splits: u64,
    pub malformed: Vec<Malformed>,
    /// A text in its escaped form.
    escaped: Vec<u8>,
}

/// Where an event came from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub side: Side,
    pub time: Timestamp,
    pub position: Position,
    /// Which of the descriptions is its own.
    pub description: Option<usize>,
}

/// How much more may come out of a filter than went in: so many times as much, and so many bytes.
const MOST_GROWTH: usize = 4;
const MOST_BEYOND: usize = 4 << 20;
/// Destinations that one call may name.
const MOST_DESTINATIONS: usize = 256;

impl Held {
    pub fn new(wanted: Option<Sides<bool>>) -> Held {
        Held { wanted, ..Held::default() }
    }

    /// The outcome, if it is one.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn check(&self, outcome: FilterOutcome, names: &Names) -> Result<FilterOutcome, String> {
        let FilterOutcome { kept, texts, ends, destinations, elsewhere } = &outcome;
        if kept.len() != ends.len() {
            return Err(format!("it returned {} texts for {} events", ends.len(), kept.len()));
        }
        let most = self.events.texts.len().saturating_mul(MOST_GROWTH).saturating_add(MOST_BEYOND);
        if texts.len() > most {
            return Err(format!("it made {} bytes of {}", texts.len(), self.events.texts.len()));
        }
        if !ascends(kept.iter().copied())
            || kept.last().is_some_and(|last| *last as usize >= self.origins.len())
        {
            return Err("the numbers of the events that it keeps do not ascend, or are none".to_owned());
        }
        let texts =
            std::str::from_utf8(texts).map_err(|_| "it returned texts that are not UTF-8".to_owned())?;
        let mut begin = 0;
        for end in ends {
            let end = *end as usize;
            match texts.get(begin..end).map(str::len) {
                Some(length) if length <= MAX_MESSAGE_BYTES => begin = end,
                Some(length) => {
                    return Err(format!("it returned a text of {length} bytes, which no event may have"));
                }
                None => return Err("it returned ends of texts that are none".to_owned()),
            }
        }
        if begin != texts.len() {
            return Err("it returned more text than its events have".to_owned());
        }
        if destinations.len() > MOST_DESTINATIONS {
            return Err(format!("it named {} destinations at once", destinations.len()));
        }
        for group in destinations.iter().filter_map(|(group, _)| group.as_deref()) {
            let named = Destination::new(group, "any");
            names.admits(named.group()).map_err(|prefix| {
                format!(
                    "it chose log group {}, and only such as begin with {prefix} are allowed (--confine)",
                    named.group()
                )
            })?;
        }
        let mut of_kept = kept.iter();
        let sound = |(event, at): &(u32, u32)| {
            of_kept.any(|kept| kept == event) && (*at as usize) < destinations.len()
        };
        if !elsewhere.iter().all(sound) {
            return Err(
                "it sent events elsewhere that it does not keep, or to destinations that it does not name"
                    .to_owned(),
            );
        }
        Ok(outcome)
    }

    /// All events as they came. Takes their texts.
    pub fn as_they_are(&mut self) -> FilterOutcome {
        FilterOutcome {
            kept: (0..).take(self.origins.len()).collect(),
            texts: std::mem::take(&mut self.events.texts),
            ends: std::mem::take(&mut self.events.ends),
            ..FilterOutcome::default()
        }
    }

    /// Adds a text as it is before it is escaped.
    fn append(&mut self, text: EventText<'_>) {
        match text {
            EventText::Escaped(escaped, _) => unescape(escaped, &mut self.events.texts),
            EventText::Line(text) => {
                let plain = match text {
                    Text::Raw(raw) => Some(raw),
                    Text::Json(json) => Some(json).filter(|json| memchr::memchr(b'\\', json).is_none()),
                };
                if let Some(plain) = plain.filter(|plain| std::str::from_utf8(plain).is_ok()) {
                    return self.events.texts.extend_from_slice(plain);
                }
                self.escaped.clear();
                let taken = text.append_to(&mut self.escaped, usize::MAX, Rest::None);
                if taken.read < text.len() {
                    self.malformed.push(Malformed::Bytes((text.len() - taken.read) as u64));
                }
                unescape(&self.escaped, &mut self.events.texts);
            }
        }
    }
}

fn ascends(mut numbers: impl Iterator<Item = u32>) -> bool {
    let mut last = None;
    numbers.all(|number| last.replace(number).is_none_or(|last| last < number))
}

impl Sink for Held {
    fn event(&mut self, event: Event<'_>) {
        let Event { side, time, text, position } = event;
        if self.wanted.is_some_and(|wanted| !wanted.get(side)) {
            self.unwanted.retain(|(other, _)| *other != side);
            return self.unwanted.push((side, position));
        }
        self.append(text);
        // A piece of a log is far shorter than that.
        self.events.ends.push(u32::try_from(self.events.texts.len()).unwrap_or(u32::MAX));
        self.events.times.push(time.nanos());
        self.events.errors.push(side == Side::Stderr);
        self.origins.push(Origin { side, time, position, description: self.described });
    }

    fn split(&mut self) {
        self.splits += 1;
    }

    fn malformed(&mut self, malformed: Malformed) {
        self.malformed.push(malformed);
    }

    /// Dead letters come by no filter.
    fn addressed(&mut self, _group: &str, _stream: &str) {}

    fn described(&mut self, event: &[u8]) {
        if self.descriptions.last().is_none_or(|last| last != event) {
            self.descriptions.push(event.to_vec());
        }
        self.described = self.descriptions.len().checked_sub(1);
    }
}
