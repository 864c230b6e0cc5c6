//! Follows every event of a world, and checks what is done with it.

use std::collections::{BTreeMap, HashMap};

use cloudspout::lines::{Position, Side};
use cloudspout::shipper::{Counts, Positions};

use super::book::{Book, Fate, Item, Mark};
use super::missing::{Markers, Totals};
use super::sent::Found;
use crate::chance::fingerprint;

/// Everything that must arrive in a world.
pub struct Ledger {
    pub rules: Rules,
    pub(super) books: Vec<Book>,
    /// Which events have this text at this destination.
    pub(super) by_text: HashMap<(usize, u64), Vec<Found>>,
    /// The latest time in a container's log.
    latest: Vec<u64>,
    pub(super) life: u32,
    /// What the machine must have counted in this life.
    settled: Counts,
    /// Bytes the machine has read and does not yet know the fate of.
    held: u64,
    pub doubled: u64,
    /// As `doubled`, with joined events counted once.
    pub doubled_events: u64,
    /// What the machine dropped in this life, as far as it has acknowledged it.
    dropped: u64,
    pub marked: Markers,
    /// The longest that an event of a healthy destination took, from its end to its fate.
    pub slowest: u64,
}

/// What holds in a world.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Whether the times of a side never go back.
    pub ordered: bool,
    /// Whether requests hold stretches of a log without gaps.
    pub gapless: bool,
    /// Whether all that was accepted is acknowledged at once.
    pub prompt: bool,
    /// Whether events may be dropped.
    pub dropping: bool,
    /// Whether those that are missing are marked.
    pub marking: bool,
    /// Whether those that are refused are kept.
    pub keeping: bool,
    /// Whether the machine lives through the whole of it, and the service answers.
    pub steady: bool,
    /// Whether events have several lines; and the silence, in nanoseconds, that ends one early, where nothing else
    /// does.
    pub multiline: bool,
    pub silence: Option<u64>,
}

/// A line that begins.
pub struct Line {
    pub container: usize,
    pub side: Side,
    pub destination: usize,
    pub time: Option<u64>,
    pub parts: Vec<String>,
    pub poison: bool,
    pub joined: Option<String>,
    pub begins_event: bool,
}

impl Ledger {
    pub fn new(rules: Rules) -> Ledger {
        Ledger {
            rules,
            books: Vec::new(),
            by_text: HashMap::new(),
            latest: Vec::new(),
            life: 0,
            settled: Counts::default(),
            held: 0,
            doubled: 0,
            doubled_events: 0,
            dropped: 0,
            marked: Markers::default(),
            slowest: 0,
        }
    }

    pub fn add_container(&mut self, by_time: bool) {
        self.latest.push(0);
        self.books.extend([(); 2].map(|()| Book { by_time, ..Book::default() }));
    }

    /// The clock was stepped back: times no longer tell places in logs that are still written.
    pub fn clock_went_back(&mut self, container: usize) {
        for book in self.books.iter_mut().skip(2 * container).take(2) {
            book.lax |= book.by_time;
        }
    }

    pub fn begin_line(&mut self, line: Line) {
        let at = 2 * line.container + line.side as usize;
        let latest = &mut self.latest[line.container];
        let hidden = line.time.is_some_and(|time| time < *latest);
        *latest = (*latest).max(line.time.unwrap_or(0));
        let book = &mut self.books[at];
        let first = book.items.len();
        book.open = Some(first);
        let mut into_line = 0;
        for (number, part) in line.parts.iter().enumerate() {
            into_line += part.len() as u64;
            // An empty line arrives as a space.
            let text = if part.is_empty() { " " } else { part.as_str() };
            book.items.push(Item {
                bytes: text.len() as u64 + 26,
                time: line.time.map(|time| time / 1_000_000),
                begin: book.end,
                end: None,
                line_end: false,
                into_line,
                text: fingerprint(part.as_bytes()),
                with_before: None,
                begins_line: number == 0,
                begins_event: line.begins_event && number == 0,
                written: u64::MAX,
                poison: line.poison && number == 0,
                hidden: hidden && book.by_time,
                copies: 0,
                settled: 0,
                learnt: None,
                joined: false,
                kept: false,
                fate: None,
                request: None,
                held: false,
            });
            let texted = Found { book: at, first: first + number, count: 1 };
            let key = (line.destination, fingerprint(text.as_bytes()));
            self.by_text.entry(key).or_default().push(texted);
        }
        if let Some(joined) = line.joined {
            let texted = Found { book: at, first: first - 1, count: 2 };
            let text = fingerprint(joined.as_bytes());
            book.items[first].with_before = Some(text);
            let key = (line.destination, text);
            self.by_text.entry(key).or_default().push(texted);
        }
    }

    /// A container starts again: what it writes begins anew.
    pub fn begin_container(&mut self, container: usize) {
        for book in self.books.iter_mut().skip(2 * container).take(2) {
            book.firsts.insert(book.items.len());
        }
    }

    pub fn end_line(&mut self, container: usize, side: Side, end: Mark, line_end: bool, now: u64) {
        let book = &mut self.books[2 * container + side as usize];
        let first = book.open.take().unwrap_or(book.items.len());
        for item in &mut book.items[first..] {
            item.end = Some(end);
            item.line_end = line_end;
            item.written = now;
        }
        book.end = end;
    }

    /// The machine starts, with these positions stored.
    pub fn begin_life(&mut self, stored: &[Positions]) {
        self.life += 1;
        self.dropped = 0;
        self.marked.in_life = 0;
        self.settled = Counts::default();
        self.held = 0;
        for (at, book) in self.books.iter_mut().enumerate() {
            let position = position_of(&stored[at / 2], at % 2);
            let taken = book.covered(&position);
            book.stored = if book.lax { 0 } else { taken };
            book.acknowledged = book.stored;
            book.floor = book.stored;
            book.position = position;
            book.read = book.stored;
            for item in &mut book.items {
                item.request = None;
                item.held = false;
            }
        }
    }

    /// The machine has read a container's log up to an offset.
    pub fn read(&mut self, container: usize, offset: u64) {
        for at in [2 * container, 2 * container + 1] {
            let life = self.life;
            let book = &mut self.books[at];
            while let Some(item) = book.items.get(book.read)
                && item.end.is_some_and(|end| end.offset <= offset)
            {
                if !book.lax && !book.is_settled(book.read, life) {
                    book.items[book.read].held = true;
                    self.held += book.items[book.read].bytes;
                }
                book.read += 1;
            }
        }
    }

    pub fn held(&self) -> u64 {
        self.held
    }

    /// The service has taken events, whoever learns of it.
    pub fn carry_out(&mut self, events: &[Found], fates: &[Fate]) {
        for (event, fate) in events.iter().zip(fates) {
            let copies = |item: usize| self.books[event.book].items[item].copies;
            self.doubled_events +=
                u64::from(*fate == Fate::Accepted && event.items().any(|item| copies(item) > 0));
            for item in event.items() {
                let item = &mut self.books[event.book].items[item];
                if *fate == Fate::Accepted {
                    item.copies += 1;
                    self.doubled += u64::from(item.copies > 1);
                }
                // What was accepted once is there.
                item.fate = item.fate.filter(|fate| *fate == Fate::Accepted).or(Some(*fate));
            }
        }
    }

    /// A request is no longer under way.
    pub fn drop_request(&mut self, request: u64, events: &[Found]) {
        for event in events {
            for item in event.items() {
                let under_way = &mut self.books[event.book].items[item].request;
                *under_way = under_way.filter(|known| *known != request);
            }
        }
    }

    /// The machine has learnt what became of events.
    pub fn settle(&mut self, events: &[Found], fates: &[Fate], now: u64, healthy: bool) {
        for (event, fate) in events.iter().zip(fates) {
            let counts = &mut self.settled;
            *match fate {
                Fate::Accepted => &mut counts.events_accepted,
                Fate::TooOld => &mut counts.events_too_old,
                Fate::Expired => &mut counts.events_expired,
                Fate::TooNew => &mut counts.events_too_new,
                Fate::Invalid => &mut counts.events_invalid,
                Fate::Dropped => unreachable!("the service drops nothing"),
            } += 1;
            let book = &mut self.books[event.book];
            for at in event.items() {
                let item = &mut book.items[at];
                item.settled = self.life;
                item.learnt = Some(*fate);
                item.joined = at > event.first;
                if item.held {
                    item.held = false;
                    self.held -= item.bytes;
                }
                if healthy {
                    self.slowest = self.slowest.max(now.saturating_sub(item.written));
                }
            }
            while book.floor < book.items.len() && book.is_settled(book.floor, self.life) {
                book.floor += 1;
            }
        }
    }

    /// The service refuses events as invalid, and the machine knows which: for good.
    pub fn refuse(&mut self, events: &[Found]) {
        self.carry_out(events, &[Fate::Invalid]);
    }

    /// Whether the service refuses this event as invalid.
    pub fn has_poison(&self, event: Found) -> bool {
        event.items().any(|item| self.books[event.book].items[item].poison)
    }

    /// The machine acknowledges.
    pub fn acknowledge(&mut self, container: usize, accepted: &Positions) -> Result<(), String> {
        for at in [2 * container, 2 * container + 1] {
            let position = position_of(accepted, at % 2);
            let name = self.name(at);
            let life = self.life;
            let book = &mut self.books[at];
            let covered = book.covered(&position);
            if book.lax {
                continue;
            }
            if book.goes_back(&position) || covered < book.acknowledged {
                return Err(format!(
                    "takes back what it acknowledged of {name}: {:?}, then {position:?}",
                    book.position
                ));
            }
            for at in book.acknowledged..covered {
                let settled = book.is_settled(at, life);
                let item = &mut book.items[at];
                if !settled && self.rules.dropping && item.request.is_none() {
                    // It can only have been dropped: whether as many were, the counts say.
                    self.dropped += 1;
                    item.settled = life;
                    item.learnt = Some(Fate::Dropped);
                    item.fate = item.fate.or(Some(Fate::Dropped));
                    if std::mem::take(&mut item.held) {
                        self.held -= item.bytes;
                    }
                } else if !settled {
                    return Err(format!(
                        "acknowledges of {name} what was not accepted: {position:?} covers {item:?}"
                    ));
                } else if self.rules.keeping
                    && item.settled == life
                    && item.learnt.is_some_and(Fate::is_refused)
                    && !item.kept
                {
                    return Err(format!("acknowledges of {name} what was refused and is not kept: {item:?}"));
                }
            }
            while book.floor < book.items.len() && book.is_settled(book.floor, life) {
                book.floor += 1;
            }
            book.acknowledged = covered;
            book.position = position;
        }
        Ok(())
    }

    /// The machine rests: what it knows to be accepted is acknowledged, and counted.
    pub fn check_rest(&self, counts: &Counts) -> Result<(), String> {
        for (at, book) in self.books.iter().enumerate().filter(|(_, book)| self.rules.prompt && !book.lax) {
            if book.acknowledged < book.floor {
                return Err(format!(
                    "does not acknowledge {} events of {} that were accepted, from event {} on",
                    book.floor - book.acknowledged,
                    self.name(at),
                    book.acknowledged
                ));
            }
        }
        let of = |counts: &Counts| {
            [
                counts.events_accepted,
                counts.events_too_old,
                counts.events_expired,
                counts.events_too_new,
                counts.events_invalid,
            ]
        };
        if self.dropped > counts.dropped() {
            return Err(format!(
                "acknowledges {} events that are nowhere, and says it dropped {}",
                self.dropped,
                counts.dropped()
            ));
        }
        if counts.gaps_marked != self.marked.in_life {
            return Err(format!("counts {} markers of {}", counts.gaps_marked, self.marked.in_life));
        }
        if of(counts) != of(&self.settled) {
            return Err(format!(
                "counts accepted, too old, expired, too new, invalid as {:?} rather than {:?}",
                of(counts),
                of(&self.settled)
            ));
        }
        Ok(())
    }

    /// The machine lets go of a container.
    pub fn release(&self, container: usize) -> Result<(), String> {
        for at in [2 * container, 2 * container + 1] {
            let book = &self.books[at];
            let unsettled = (book.floor..book.items.len()).find(|item| !book.is_settled(*item, self.life));
            if let Some(item) = unsettled.filter(|_| !book.lax) {
                return Err(format!("lets go of {} before event {item} is accepted", self.name(at)));
            }
        }
        Ok(())
    }

    /// So many events whose line ends were read are not accepted.
    pub fn unsettled_read(&self) -> u64 {
        let unsettled = |book: &Book| {
            (book.floor..book.read)
                .filter(|item| book.items[*item].line_end && !book.is_settled(*item, self.life))
                .count() as u64
        };
        self.books.iter().filter(|book| !book.lax).map(unsettled).sum()
    }

    /// At the end of the world: everything is where it belongs, and what is not is kept and marked.
    pub fn check_end(&self) -> Result<Totals, String> {
        let Totals { mut events, mut refused, mut dropped, mut hidden, mut kept } = Totals::default();
        let mut missing: BTreeMap<&str, u64> = BTreeMap::new();
        for (at, book) in self.books.iter().enumerate() {
            for (number, item) in book.items.iter().enumerate() {
                events += 1;
                match item.fate {
                    Some(Fate::Accepted) => {}
                    Some(Fate::Dropped) => dropped += 1,
                    Some(fate) if self.rules.keeping && !item.kept && !book.lax => {
                        return Err(format!("event {number} of {} is {fate:?}, and not kept", self.name(at)));
                    }
                    Some(_) => refused += 1,
                    None if item.hidden && book.lax => hidden += 1,
                    None => {
                        return Err(format!("event {number} of {} never arrived: {item:?}", self.name(at)));
                    }
                }
                kept += u64::from(item.kept);
                let fate = item.fate.filter(|fate| *fate != Fate::Accepted);
                *missing.entry(fate.map_or("", Fate::word)).or_default() += u64::from(!item.joined);
                let invalid = item.fate == Some(Fate::Invalid);
                if !matches!(item.fate, None | Some(Fate::Dropped)) && item.poison != invalid {
                    return Err(format!("event {number} of {} has a strange fate: {item:?}", self.name(at)));
                }
            }
        }
        if self.rules.marking {
            self.check_marks(&missing)?;
        }
        Ok(Totals { events, refused, dropped, hidden, kept })
    }

    pub(super) fn name(&self, book: usize) -> String {
        let side = if book.is_multiple_of(2) { "stdout" } else { "stderr" };
        format!("c{} {side}", book / 2)
    }
}

fn position_of(positions: &Positions, side: usize) -> Position {
    let side = if side == 0 { positions.stdout } else { positions.stderr };
    side.unwrap_or_default()
}
