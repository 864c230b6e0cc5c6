//! Events that are missing for good: what is kept of them, and what log streams say of them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Ledger;
use super::book::Fate;
use crate::chance::fingerprint;

/// A dead letter as it was written.
#[derive(Clone, Debug)]
pub struct Letter {
    pub destination: usize,
    pub time: u64,
    pub message: String,
    pub reason: String,
    pub source: String,
}

/// An event of the machine's own, which says that others are missing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    #[serde(rename = "cloudspout")]
    pub kind: String,
    pub reason: String,
    pub events: u64,
    pub from: String,
    pub to: String,
}

impl Marker {
    /// The marker in a message, if there is one.
    pub fn of(message: &str) -> Option<Marker> {
        serde_json::from_str(message).ok().filter(|marker: &Marker| marker.kind == "gap")
    }

    /// Whether it speaks of some events, and of times in order.
    pub fn makes_sense(&self) -> bool {
        self.events > 0 && self.from <= self.to && self.from.len() == 24
    }

    fn word(&self) -> String {
        let dropped = self.reason.starts_with("dropped-");
        if dropped { Fate::Dropped.word().to_owned() } else { self.reason.clone() }
    }
}

/// What markers say.
#[derive(Debug, Default)]
pub struct Markers {
    /// Markers accepted in this life of the machine, and in all.
    pub in_life: u64,
    pub all: u64,
    /// Events that are missing, by why; also of markers that the service refused.
    pub events: BTreeMap<String, u64>,
}

/// What became of all events of a world.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    pub events: u64,
    pub refused: u64,
    pub dropped: u64,
    /// Hidden by a clock that was stepped back.
    pub hidden: u64,
    /// Kept as dead letters.
    pub kept: u64,
}

impl Ledger {
    /// Everything that is missing is marked; once, if nothing came in between.
    pub(super) fn check_marks(&self, missing: &BTreeMap<&str, u64>) -> Result<(), String> {
        for (word, missing) in missing.iter().filter(|(word, _)| !word.is_empty()) {
            let marked = self.marked.events.get(*word).copied().unwrap_or(0);
            if marked < *missing || (self.rules.steady && marked > *missing) {
                return Err(format!("{missing} events are {word}, and {marked} are marked as such"));
            }
        }
        Ok(())
    }

    /// The machine hands out a dead letter, which is kept. Says why it should not be there, if so.
    pub fn keep(&mut self, letter: &Letter) -> Result<(), String> {
        let Letter { destination, time, message, reason, source } = letter;
        let known = self.by_text.get(&(*destination, fingerprint(message.as_bytes())));
        let mut right = false;
        for found in known.cloned().into_iter().flatten() {
            let life = self.life;
            for at in found.items() {
                let item = &mut self.books[found.book].items[at];
                let is_it = item.settled == life
                    && item.learnt.is_some_and(|fate| fate.is_refused() && fate.word() == reason)
                    && item.time.is_none_or(|right| right == *time)
                    && *source == format!("container s{destination}");
                item.kept |= is_it;
                right |= is_it;
            }
        }
        if right { Ok(()) } else { Err(format!("keeps a letter that is none: {letter:?}")) }
    }

    /// The machine has learnt that the service has a marker, or refuses it.
    pub fn mark(&mut self, marker: &Marker, accepted: bool) {
        self.marked.in_life += u64::from(accepted);
        self.marked.all += u64::from(accepted);
        *self.marked.events.entry(marker.word()).or_default() += marker.events;
    }
}
