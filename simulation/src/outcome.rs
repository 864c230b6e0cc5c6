//! How a world ended: what was done in it, or what went wrong.

use std::fmt;

use crate::plan::Profile;

/// What was done in one world, or in many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub worlds: u64,
    /// Events that had to arrive.
    pub events: u64,
    /// Copies of events beyond the first, each of them excused.
    pub doubled: u64,
    /// Events that the service refused for good.
    pub refused: u64,
    /// Events that were dropped for want of room.
    pub dropped: u64,
    /// Events that say where others are missing.
    pub marked: u64,
    /// Events that were kept as dead letters.
    pub kept: u64,
    /// Events that nobody can find again: a clock that is stepped back hides them from `since`.
    pub hidden: u64,
    pub requests: u64,
    /// Requests that did not simply succeed.
    pub troubles: u64,
    pub kills: u64,
    pub resumes: u64,
    /// Simulated time, in milliseconds.
    pub millis: u64,
    /// The same for the same course of events.
    pub course: u64,
}

impl Summary {
    /// Adds another world's.
    pub fn add(&mut self, other: &Summary) {
        self.worlds += other.worlds;
        self.events += other.events;
        self.doubled += other.doubled;
        self.refused += other.refused;
        self.dropped += other.dropped;
        self.marked += other.marked;
        self.kept += other.kept;
        self.hidden += other.hidden;
        self.requests += other.requests;
        self.troubles += other.troubles;
        self.kills += other.kills;
        self.resumes += other.resumes;
        self.millis += other.millis;
        self.course = crate::chance::mix(self.course ^ other.course);
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} worlds, {} h simulated: {} events, {} doubled, {} refused, {} dropped, {} marked, {} kept, {} hidden; \
             {} requests, {} of them in \
             trouble; {} kills, {} resumes; course {:016x}",
            self.worlds,
            self.millis / 3_600_000,
            self.events,
            self.doubled,
            self.refused,
            self.dropped,
            self.marked,
            self.kept,
            self.hidden,
            self.requests,
            self.troubles,
            self.kills,
            self.resumes,
            self.course
        )
    }
}

/// A world in which something went wrong.
#[derive(Clone, Debug)]
pub struct Violation {
    pub seed: u64,
    pub profile: Profile,
    /// Simulated time since the beginning, in nanoseconds.
    pub at: u64,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { seed, profile, at, what } = self;
        let seconds = *at as f64 / 1e9;
        writeln!(out, "seed {seed}, profile {profile}, after {seconds:.6} s: {what}")?;
        write!(
            out,
            "replay: cargo run -p cloudspout-simulation --release -- --seed {seed} --profile {profile} --trace"
        )
    }
}

impl std::error::Error for Violation {}
