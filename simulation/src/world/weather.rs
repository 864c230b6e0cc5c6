//! How network and service behave for a while.

use crate::chance::Chance;
use crate::plan::MILLI;

/// Chances in percent, unless they say otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// No connection.
    pub refused: u64,
    /// The request is lost on its way.
    pub lost: u64,
    /// It is carried out after the machine has given up on it.
    pub late: u64,
    /// It is carried out, and the answer is lost.
    pub answer_lost: u64,
    /// It is carried out, and something else than the service answers.
    pub garbled: u64,
    /// A proxy answers in the service's place: nothing is carried out.
    pub proxied: u64,
    pub throttled: u64,
    pub failing: u64,
    pub denied: u64,
    /// Time on the way, in nanoseconds.
    pub delay: (u64, u64),
}

impl Weather {
    pub fn fine() -> Weather {
        Weather { delay: (MILLI, 80 * MILLI), ..Weather::default() }
    }

    pub fn draw(chance: &mut Chance) -> Weather {
        let fine = Weather::fine();
        match chance.below(14) {
            0 => fine,
            1 => Weather { refused: 100, ..fine },
            2 => Weather { lost: 100, ..fine },
            3 => Weather { answer_lost: chance.pick(&[20, 100]), ..fine },
            4 => Weather { throttled: chance.pick(&[30, 100]), ..fine },
            5 => Weather { failing: chance.pick(&[30, 100]), ..fine },
            6 => Weather { denied: chance.pick(&[50, 100]), ..fine },
            7 => Weather { proxied: chance.pick(&[30, 100]), ..fine },
            8 => Weather { garbled: chance.pick(&[20, 60]), ..fine },
            9 => Weather { late: 40, ..fine },
            10 => Weather { delay: (MILLI, 9_000 * MILLI), ..fine },
            _ => Weather {
                refused: 8,
                lost: 8,
                late: 4,
                answer_lost: 10,
                garbled: 6,
                proxied: 6,
                throttled: 8,
                failing: 8,
                denied: 3,
                delay: (MILLI, 2_000 * MILLI),
            },
        }
    }

    pub fn way(&self, chance: &mut Chance) -> u64 {
        chance.spread(self.delay.0, self.delay.1)
    }
}
