//! Where an event stands among all others: by time, then by arrival, then by its place in its batch.

use std::fmt;

/// The order in which events are read, and the boundary between two of them that a paging token names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Milliseconds; never negative.
    pub timestamp: i64,
    /// The batch's number, rising with arrival.
    pub batch: u64,
    /// The event's place in its batch.
    pub nth: u32,
}

impl Position {
    /// The boundary just behind this event.
    pub fn after(self) -> Position {
        Position { nth: self.nth.saturating_add(1), ..self }
    }

    /// The boundary before the first event of a millisecond.
    pub fn at(timestamp: i64) -> Position {
        Position { timestamp, batch: 0, nth: 0 }
    }

    /// Reads the 56 digits that [`Display`](fmt::Display) writes.
    pub fn parse(digits: &str) -> Option<Position> {
        if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Position {
            timestamp: digits.get(..19)?.parse().ok()?,
            batch: digits.get(19..42)?.parse().ok()?,
            nth: digits.get(42..)?.parse().ok()?,
        })
    }
}

impl fmt::Display for Position {
    /// As many digits as the service's own event ids and tokens have.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:019}{:023}{:014}", self.timestamp.max(0), self.batch, self.nth)
    }
}

/// Which way a reader goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

const DIGITS: usize = 56;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_keep_the_order_and_survive_a_round_trip() {
        let positions = [
            Position::default(),
            Position::at(7),
            Position { timestamp: 7, batch: 2, nth: 0 },
            Position { timestamp: 7, batch: 2, nth: 9999 },
            Position { timestamp: i64::MAX, batch: u64::MAX, nth: u32::MAX },
        ];
        for pair in positions.windows(2) {
            assert!(pair[0] < pair[1] && pair[0].to_string() < pair[1].to_string());
        }
        for position in positions {
            assert_eq!(position.to_string().len(), DIGITS);
            assert_eq!(Position::parse(&position.to_string()), Some(position));
        }
        assert_eq!(Position::parse("12"), None);
    }
}
