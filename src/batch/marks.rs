//! How far a batch takes each of the sources whose events are in it.

use super::Origin;
use crate::lines::{Position, Side};

/// A log stream of the host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// Once the batch is delivered, this side of this source has been taken up to here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub source: SourceId,
    pub side: Side,
    pub position: Position,
}

/// A mark for each side of each source in a batch.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    marks: Vec<Mark>,
    /// The one set last, which is nearly always the next one too.
    last: usize,
}

impl Marks {
    /// Moves the mark of the origin's source and side on to its position.
    #[inline]
    pub fn set(&mut self, origin: Origin) {
        let same = |mark: &Mark| mark.source == origin.source && mark.side == origin.side;
        if !self.marks.get(self.last).is_some_and(same) {
            self.last = self.marks.iter().position(same).unwrap_or(self.marks.len());
        }
        let Origin { source, side, position } = origin;
        match self.marks.get_mut(self.last) {
            Some(mark) => mark.position = position,
            None => self.marks.push(Mark { source, side, position }),
        }
    }

    /// Moves marks on to where later ones stand.
    pub fn advance(&mut self, later: &Marks) {
        for Mark { source, side, position } in &later.marks {
            self.set(Origin { source: *source, side: *side, position: *position });
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Mark> {
        self.marks.iter()
    }
}
