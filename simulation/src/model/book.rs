//! The events of one side of a container, in order, and how positions stand to them.

use std::collections::BTreeSet;

use cloudspout::lines::Position;

/// One event that must arrive.
#[derive(Debug)]
pub struct Item {
    /// Bytes as the service counts.
    pub bytes: u64,
    /// The time it must have, in milliseconds; `None` for a log without times.
    pub time: Option<u64>,
    /// Behind which place of the log its line begins, and where it ends; `None` while it does not.
    pub begin: Mark,
    pub end: Option<Mark>,
    /// Whether it ends with an LF, rather than with its container.
    pub line_end: bool,
    /// The line's bytes up to its end: a long line can be taken in parts.
    pub into_line: u64,
    /// What it says, as a number; and where nobody saw the end of the one before, both together.
    pub text: u64,
    pub with_before: Option<u64>,
    /// Whether it is the beginning of a line, and whether that begins an event where events have several lines.
    pub begins_line: bool,
    pub begins_event: bool,
    /// When its line was complete.
    pub written: u64,
    pub poison: bool,
    /// A clock that was stepped back hides it from whoever looks for it by time.
    pub hidden: bool,
    /// How often the service has taken it.
    pub copies: u32,
    /// The life in which the machine learnt what became of it.
    pub settled: u32,
    /// What the machine learnt then.
    pub learnt: Option<Fate>,
    /// Whether the machine took it for the rest of the one before, as it must where a container began again
    /// within a line and its log does not say so: both were one event then.
    pub joined: bool,
    /// Whether it is kept as a dead letter.
    pub kept: bool,
    pub fate: Option<Fate>,
    /// The request under way that holds it.
    pub request: Option<u64>,
    /// Whether the machine has it in memory.
    pub held: bool,
}

/// What becomes of an event for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Accepted,
    TooOld,
    Expired,
    TooNew,
    Invalid,
    /// By the machine, for want of room.
    Dropped,
}

impl Fate {
    /// Whether the service refused it for good.
    pub fn is_refused(self) -> bool {
        !matches!(self, Fate::Accepted | Fate::Dropped)
    }

    /// As markers and dead letters say it; both ways of dropping are one.
    pub fn word(self) -> &'static str {
        match self {
            Fate::Accepted => "accepted",
            Fate::TooOld => "too-old",
            Fate::Expired => "expired",
            Fate::TooNew => "too-new",
            Fate::Invalid => "invalid",
            Fate::Dropped => "dropped",
        }
    }
}

/// A place in a log, in both ways of counting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    pub offset: u64,
    pub time: u64,
    pub ordinal: u32,
}

/// One side of a container.
#[derive(Debug, Default)]
pub struct Book {
    pub by_time: bool,
    /// The clock was stepped back: places told by time are no longer in order.
    pub lax: bool,
    pub items: Vec<Item>,
    /// The end of the last line.
    pub end: Mark,
    /// Items from here on are parts of the line under way.
    pub open: Option<usize>,
    /// Items that are the first of a life of their container.
    pub firsts: BTreeSet<usize>,
    /// So many items were stored as taken when the machine was started.
    pub stored: usize,
    /// So many items are acknowledged.
    pub acknowledged: usize,
    pub position: Position,
    /// So many items have been read.
    pub read: usize,
    /// All items before are settled.
    pub floor: usize,
}

impl Book {
    /// How many items lie before a position.
    pub fn covered(&self, position: &Position) -> usize {
        self.items.partition_point(|item| self.covers(position, item))
    }

    fn covers(&self, position: &Position, item: &Item) -> bool {
        let place = (position.offset, position.time.nanos(), position.ordinal);
        let at_least = |mark: &Mark| match self.by_time {
            true => (place.1, place.2) >= (mark.time, mark.ordinal),
            false => place.0 >= mark.offset,
        };
        if item.end.as_ref().is_some_and(at_least) {
            return true;
        }
        item.into_line > 0 && at_least(&item.begin) && position.into_line >= item.into_line
    }

    /// Whether the machine need not send it (again).
    pub fn is_settled(&self, item: usize, life: u32) -> bool {
        item < self.stored || self.items[item].settled == life
    }

    /// Whether a position lies before an earlier one.
    pub fn goes_back(&self, position: &Position) -> bool {
        let (old, new) = (&self.position, position);
        match self.by_time {
            true => (new.time, new.ordinal) < (old.time, old.ordinal),
            false => new.offset < old.offset,
        }
    }
}
