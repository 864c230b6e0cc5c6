//! What happens in a world: drawn from the seed, within what a profile allows.

use std::fmt;
use std::str::FromStr;

use cloudspout::settings::WhenFull;

use crate::chance::Chance;

/// What kind of trouble a world has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// None.
    Calm,
    /// Of the network and of the service.
    Faults,
    /// The machine is killed and started again; connections to the source break off.
    Restarts,
    /// Events that the service refuses.
    Refusals,
    /// Lines longer than an event may be.
    Long,
    /// The clock is off, and stepped.
    Clock,
    /// One destination never works; the others must not notice.
    Isolation,
    /// More is logged than may be held while the service is away.
    Flood,
    /// The machine is told to stop, and started again.
    Stops,
    /// Several requests of a destination under way at a time.
    Parallel,
    /// More is logged than may be held, and some of it is dropped.
    Overflow,
    /// Events have several lines; the machine is killed, or nothing goes wrong at all.
    Multiline,
    /// Any of it together.
    Mixed,
}

/// A second, in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;
/// A millisecond, in nanoseconds.
pub const MILLI: u64 = 1_000_000;

impl Profile {
    pub const ALL: [Profile; 13] = [
        Profile::Calm,
        Profile::Faults,
        Profile::Restarts,
        Profile::Refusals,
        Profile::Long,
        Profile::Clock,
        Profile::Isolation,
        Profile::Flood,
        Profile::Stops,
        Profile::Parallel,
        Profile::Overflow,
        Profile::Multiline,
        Profile::Mixed,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Profile::Calm => "calm",
            Profile::Faults => "faults",
            Profile::Restarts => "restarts",
            Profile::Refusals => "refusals",
            Profile::Long => "long",
            Profile::Clock => "clock",
            Profile::Isolation => "isolation",
            Profile::Flood => "flood",
            Profile::Stops => "stops",
            Profile::Parallel => "parallel",
            Profile::Overflow => "overflow",
            Profile::Multiline => "multiline",
            Profile::Mixed => "mixed",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(name: &str) -> Result<Profile, String> {
        let known = || Profile::ALL.map(Profile::name).join(", ");
        let found = Profile::ALL.into_iter().find(|profile| profile.name() == name);
        found.ok_or_else(|| format!("no profile `{name}`; there are {}", known()))
    }
}

/// What happens in one world.
#[derive(Clone, Debug)]
pub struct Plan {
    pub containers: u64,
    /// For how long there is logging and trouble, in nanoseconds.
    pub active: u64,
    /// Moments at which a container writes.
    pub acts: u64,
    /// Lines at one such moment, at most.
    pub burst: u64,
    /// Whether network and service misbehave for a while.
    pub weather: bool,
    /// Whether groups and streams are deleted under way.
    pub deletions: bool,
    /// Whether credentials end and are revoked.
    pub credentials: bool,
    pub kills: u64,
    pub stops: u64,
    /// How often a connection to a source breaks off.
    pub interruptions: u64,
    /// Whether the host stores positions some time after they are acknowledged.
    pub late_store: bool,
    pub poison: bool,
    /// Whether containers log events too old or too new for the service.
    pub odd_times: bool,
    pub long_lines: bool,
    /// Length of a line that is not odd in any way, at most.
    pub usual_line: u64,
    /// Length of such a line, at least.
    pub least_line: u64,
    /// Whether nothing reaches the service until the trouble is over.
    pub outage: bool,
    /// How far the machine's clock is ahead of the service's, in nanoseconds, and how often it is stepped.
    pub clock_ahead: i64,
    pub steps: u64,
    /// A destination that never works.
    pub sick: bool,
    pub in_flight: u32,
    pub flush_after_ms: u64,
    pub buffer_bytes: u64,
    pub when_full: WhenFull,
    pub mark_gaps: bool,
    pub dead_letters: bool,
    /// Whether events have several lines.
    pub multiline: bool,
}

/// A read may find nothing for so long, in nanoseconds, although there is more.
const READING_MAY_TAKE: u64 = 1_500 * MILLI;

impl Plan {
    pub fn draw(profile: Profile, chance: &mut Chance) -> Plan {
        let mut plan = Plan {
            containers: chance.between(1, 4),
            active: chance.spread(5, 200) * SECOND,
            acts: chance.between(3, 25),
            burst: chance.pick(&[3, 10, 40]),
            weather: false,
            deletions: false,
            credentials: false,
            kills: 0,
            stops: 0,
            interruptions: 0,
            late_store: false,
            poison: false,
            odd_times: false,
            long_lines: false,
            usual_line: 200,
            least_line: 4,
            outage: false,
            clock_ahead: 0,
            steps: 0,
            sick: false,
            in_flight: 1,
            flush_after_ms: chance.spread(50, 5_000),
            buffer_bytes: 4 << 20,
            when_full: WhenFull::Wait,
            mark_gaps: false,
            dead_letters: false,
            multiline: false,
        };
        match profile {
            Profile::Calm => {}
            Profile::Faults => {
                plan.weather = true;
                plan.deletions = chance.percent(40);
                plan.credentials = chance.percent(40);
            }
            Profile::Restarts => plan.restarts(chance),
            Profile::Refusals => plan.refusals(chance),
            Profile::Long => plan.long(chance),
            Profile::Clock => plan.clock(chance),
            Profile::Isolation => {
                plan.sick = true;
                plan.containers = chance.between(2, 4);
                plan.usual_line = chance.pick(&[200, 20_000]);
            }
            Profile::Flood => plan.flood(chance),
            Profile::Overflow => {
                plan.flood(chance);
                plan.kills = chance.pick(&[0, 0, 2]);
                plan.when_full = chance.pick(&[WhenFull::DropOldest, WhenFull::DropNewest]);
            }
            Profile::Multiline => {
                if chance.percent(60) {
                    plan.restarts(chance);
                } else {
                    plan.flush_after_ms = chance.between(2_000, 8_000);
                    plan.long_lines = chance.percent(20);
                }
            }
            Profile::Stops => {
                plan.stops = chance.between(1, 3);
                plan.weather = chance.percent(50);
            }
            Profile::Parallel => {
                plan.in_flight = chance.between(2, 4) as u32;
                plan.weather = chance.percent(70);
                plan.burst = chance.pick(&[40, 400]);
                plan.usual_line = chance.pick(&[200, 20_000]);
                plan.kills = chance.below(3);
            }
            Profile::Mixed => {
                plan.weather = chance.percent(60);
                plan.deletions = chance.percent(30);
                plan.credentials = chance.percent(30);
                plan.stops = chance.pick(&[0, 0, 1]);
                if chance.percent(60) {
                    plan.restarts(chance);
                }
                if chance.percent(30) {
                    plan.refusals(chance);
                }
                if chance.percent(15) {
                    plan.long(chance);
                }
                if chance.percent(25) {
                    plan.clock(chance);
                }
                if chance.percent(8) {
                    plan.flood(chance);
                }
                if chance.percent(25) {
                    plan.in_flight = chance.between(2, 3) as u32;
                }
                plan.sick = chance.percent(10);
            }
        }
        // Drawn apart: a world without them is the same whether they are there to be chosen or not.
        let mut apart = chance.clone().fork();
        if matches!(profile, Profile::Refusals | Profile::Overflow | Profile::Mixed) {
            plan.mark_gaps = apart.percent(50);
            plan.dead_letters = apart.percent(50);
        }
        // Of what is refused or dropped the model would have to know which lines were one event.
        let told_apart =
            plan.poison || plan.mark_gaps || plan.dead_letters || plan.when_full != WhenFull::Wait;
        plan.multiline = profile == Profile::Multiline || profile == Profile::Mixed && !told_apart;
        if plan.long_lines {
            // Megabytes each: a few will do.
            plan.acts = plan.acts.min(10);
            plan.burst = plan.burst.min(6);
        }
        plan
    }

    /// The shortest silence between two lines, in nanoseconds, that may end an event of several; `None` where there
    /// are other ends.
    pub fn silence(&self) -> Option<u64> {
        let calm = self.interruptions == 0 && !self.long_lines && !self.outage && !self.sick;
        (self.flush_after_ms * MILLI).checked_sub(READING_MAY_TAKE).filter(|_| self.multiline && calm)
    }

    fn restarts(&mut self, chance: &mut Chance) {
        self.kills = chance.between(0, 6);
        self.interruptions = chance.between(if self.kills == 0 { 1 } else { 0 }, 8);
        self.late_store = chance.percent(25);
        self.weather |= chance.percent(30);
        self.long_lines |= chance.percent(20);
    }

    fn refusals(&mut self, chance: &mut Chance) {
        self.poison = chance.percent(70);
        self.odd_times = !self.poison || chance.percent(50);
        self.kills = self.kills.max(chance.pick(&[0, 0, 2]));
    }

    fn long(&mut self, chance: &mut Chance) {
        self.long_lines = true;
        self.kills = self.kills.max(chance.below(4));
        self.interruptions = self.interruptions.max(chance.below(4));
    }

    fn clock(&mut self, chance: &mut Chance) {
        const HOUR: i64 = 3_600 * SECOND as i64;
        self.clock_ahead = chance.pick(&[0, 0, -HOUR, HOUR, 400 * SECOND as i64, -24 * HOUR, 3 * HOUR]);
        self.steps = chance.between(0, 3);
        self.kills = self.kills.max(chance.pick(&[0, 0, 2]));
        self.weather |= chance.percent(30);
    }

    fn flood(&mut self, chance: &mut Chance) {
        self.weather = true;
        self.acts = 20;
        self.burst = 40;
        self.usual_line = 60_000;
        self.least_line = 30_000;
        self.outage = chance.percent(50);
        self.active = self.active.max(60 * SECOND);
    }
}
