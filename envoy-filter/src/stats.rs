//! What Envoy's statistics say of us.

use cloudspout::shipper::Counts;

/// A statistic: its name in Envoy behind `wasmcustom.`, and how it follows from the counts.
pub struct Stat {
    pub name: &'static str,
    pub kind: Kind,
    of: fn(&Counts) -> u64,
}

/// Whether a statistic only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
}

const fn counter(name: &'static str, of: fn(&Counts) -> u64) -> Stat {
    Stat { name, kind: Kind::Counter, of }
}

/// The statistics, over all workers.
pub const STATS: [Stat; 16] = [
    counter("cloudspout.events_logged", |counts| counts.events_read),
    counter("cloudspout.events_accepted", |counts| counts.events_accepted),
    counter("cloudspout.events_rejected_too_old", |counts| counts.events_too_old),
    counter("cloudspout.events_rejected_too_new", |counts| counts.events_too_new),
    counter("cloudspout.events_rejected_expired", |counts| counts.events_expired),
    counter("cloudspout.events_rejected_invalid", |counts| counts.events_invalid),
    counter("cloudspout.events_dropped_oldest", |counts| counts.events_dropped_oldest),
    counter("cloudspout.events_dropped_newest", |counts| counts.events_dropped_newest),
    counter("cloudspout.events_possibly_doubled", |counts| counts.events_possibly_doubled),
    counter("cloudspout.lines_split", |counts| counts.lines_split),
    counter("cloudspout.requests_sent", |counts| counts.requests_sent),
    counter("cloudspout.requests_retried", |counts| counts.requests_retried),
    counter("cloudspout.requests_ambiguous", |counts| counts.requests_ambiguous),
    counter("cloudspout.bytes_sent", |counts| counts.bytes_sent),
    counter("cloudspout.gaps_marked", |counts| counts.gaps_marked),
    Stat { name: "cloudspout.events_pending", kind: Kind::Gauge, of: pending },
];

/// Events whose fate is not known.
pub fn pending(counts: &Counts) -> u64 {
    counts.events_read.saturating_sub(counts.events_accepted + counts.rejected() + counts.dropped())
}

impl Stat {
    /// By how much it differs between two counts.
    pub fn change(&self, before: &Counts, after: &Counts) -> i64 {
        let (before, after) = ((self.of)(before), (self.of)(after));
        after.wrapping_sub(before).cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pending_goes_up_and_down() {
        let before = Counts { events_read: 10, events_accepted: 2, ..Counts::default() };
        let after = Counts { events_read: 12, events_accepted: 8, events_invalid: 1, ..before };
        let change = |name: &str| {
            let stat = STATS.iter().find(|stat| stat.name.ends_with(name)).unwrap();
            stat.change(&before, &after)
        };
        assert_eq!((change("logged"), change("accepted"), change("pending")), (2, 6, -5));
    }
}
