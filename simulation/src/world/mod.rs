//! One world: the machine, its containers, host, network and service, in simulated time.
//!
//! Everything that will happen stands in a queue by its time. The world takes what comes next, hands it to
//! whom it concerns, and lets the machine do what it wants to do. Nothing else moves time.

mod events;
mod letters;
mod life;
mod machine;
mod network;
mod weather;

use std::collections::{BTreeMap, VecDeque};

use cloudspout::batch::SourceId;
use cloudspout::delivery::Answer;
use cloudspout::settings::WhenFull;
use cloudspout::shipper::{KeepId, Positions, RequestId, Shipper};

use crate::chance::{Chance, mix};
use crate::docker::Container;
use crate::host::Feed;
use crate::model::{Ledger, Letter, Rules};
use crate::outcome::{Summary, Violation};
use crate::plan::{MILLI, Plan, Profile, SECOND};
use crate::sabotage::Sabotage;
use crate::service::Service;
use network::{Flight, FlightId};
use weather::Weather;

/// A world under way.
pub struct World {
    plan: Plan,
    chance: Chance,
    /// Nanoseconds since the beginning.
    now: u64,
    /// The machine's clock is so many nanoseconds ahead of the service's.
    ahead: i64,
    queue: BTreeMap<(u64, u64), Happening>,
    queued: u64,
    containers: Vec<Container>,
    /// Where a container's events go: the number of the stream's name.
    destinations: Vec<usize>,
    /// Whether a log group is made for each stream.
    group_each: bool,
    opened: Vec<Opened>,
    stored: Vec<Positions>,
    ledger: Ledger,
    service: Service,
    weather: Weather,
    /// A destination that does not work, until the trouble is over.
    sick: Option<usize>,
    was_sick: Option<usize>,
    flights: BTreeMap<FlightId, Flight>,
    /// Failures in a row by destination, and when the first was.
    strikes: BTreeMap<usize, (u64, u64)>,
    /// Requests that the service refused because they were signed with a wrong time.
    clock_refusals: u64,
    machine: Option<Machine>,
    life: u32,
    last_source: u32,
    last_key: u64,
    sabotage: Option<Sabotage>,
    occasions: u64,
    trace: Option<VecDeque<String>>,
    summary: Summary,
}

/// A container as far as the host has seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opened {
    NotYet,
    Begun,
    Released,
}

/// The machine while it lives.
struct Machine {
    shipper: Shipper,
    feeds: BTreeMap<SourceId, Feed>,
    flights: BTreeMap<RequestId, FlightId>,
    /// The machine is killed after so many further outputs.
    doomed: Option<u64>,
    stopping: Option<u64>,
    finishing: bool,
    /// Which of its wishes to be woken counts.
    wish: u64,
}

/// What happens.
#[derive(Debug)]
enum Happening {
    Start(usize),
    Act(usize),
    Stop(usize, bool),
    Restart(usize),
    Interrupt(usize),
    Thaw(SourceId),
    Boot,
    Kill,
    TellToStop,
    Weather,
    Step,
    Delete,
    Calm,
    Finish,
    Wake(u64),
    Arrive(FlightId),
    Answer(FlightId, Answer, bool),
    Credentials(u32, bool),
    Kept(u32, KeepId, Vec<Letter>),
    KeyEnds(u64),
    Store(u32, usize, Positions),
}

/// When the world begins, in seconds since 1970.
const BEGIN: u64 = 1_800_000_000;
/// After the last trouble everything has to be delivered within so long.
const PATIENCE: u64 = 400 * SECOND;

impl World {
    /// Lives through the world of a seed.
    ///
    /// # Errors
    /// For a promise that is broken.
    pub fn run(seed: u64, profile: Profile) -> Result<Summary, Violation> {
        World::run_with(seed, profile, None, false).map_err(|(violation, _)| violation)
    }

    /// As [`World::run`], with a planted fault; keeps a trace on demand.
    ///
    /// # Errors
    /// As there, with the trace.
    pub fn run_with(
        seed: u64,
        profile: Profile,
        sabotage: Option<Sabotage>,
        trace: bool,
    ) -> Result<Summary, (Violation, Vec<String>)> {
        let mut world = World::new(seed, profile, sabotage, trace);
        match world.live() {
            Ok(()) => Ok(world.summary),
            Err(what) => {
                let trace = world.trace.take().unwrap_or_default().into();
                Err((Violation { seed, profile, at: world.now, what }, trace))
            }
        }
    }

    fn new(seed: u64, profile: Profile, sabotage: Option<Sabotage>, trace: bool) -> World {
        let mut chance = Chance::new(seed);
        let plan = Plan::draw(profile, &mut chance);
        let disordered = plan.odd_times || plan.steps > 0;
        let steady = plan.kills + plan.stops == 0 && !plan.weather && plan.steps == 0;
        let rules = Rules {
            ordered: !disordered,
            gapless: !(plan.poison && disordered) && plan.when_full == WhenFull::Wait,
            prompt: plan.in_flight == 1 && !plan.poison && !plan.mark_gaps && !plan.dead_letters,
            dropping: plan.when_full != WhenFull::Wait,
            marking: plan.mark_gaps,
            keeping: plan.dead_letters,
            steady,
            multiline: plan.multiline,
            silence: plan.silence().filter(|_| steady),
        };
        let mut world = World {
            ahead: plan.clock_ahead,
            ledger: Ledger::new(rules),
            sick: None,
            was_sick: None,
            plan,
            chance,
            now: 0,
            queue: BTreeMap::new(),
            queued: 0,
            containers: Vec::new(),
            destinations: Vec::new(),
            group_each: false,
            opened: Vec::new(),
            stored: Vec::new(),
            service: Service::default(),
            weather: Weather::fine(),
            flights: BTreeMap::new(),
            strikes: BTreeMap::new(),
            clock_refusals: 0,
            machine: None,
            life: 0,
            last_source: 0,
            last_key: 0,
            sabotage,
            occasions: 0,
            trace: trace.then(VecDeque::new),
            summary: Summary { worlds: 1, ..Summary::default() },
        };
        world.set_up();
        world
    }

    fn live(&mut self) -> Result<(), String> {
        let end = self.plan.active + PATIENCE;
        while let Some(((at, _), happening)) = self.queue.pop_first() {
            if at > end {
                break;
            }
            self.now = at;
            let over = self.happen(happening)? || self.let_run()?;
            if over {
                return self.check_end();
            }
        }
        // What is missing says more than that it is not over.
        self.check_end()?;
        Err(format!("is not through {} s after the last trouble", PATIENCE / SECOND))
    }

    fn check_end(&mut self) -> Result<(), String> {
        let totals = self.ledger.check_end()?;
        self.summary.events = totals.events;
        self.summary.refused = totals.refused;
        self.summary.dropped = totals.dropped;
        self.summary.hidden = totals.hidden;
        self.summary.kept = totals.kept;
        self.summary.marked = self.ledger.marked.all;
        self.summary.doubled = self.ledger.doubled;
        self.summary.millis = self.now / MILLI;
        Ok(())
    }

    fn plan_for(&mut self, at: u64, happening: Happening) {
        self.queued += 1;
        self.queue.insert((at.max(self.now), self.queued), happening);
    }

    /// What the machine's clock shows, in nanoseconds since 1970.
    fn wall(&self) -> u64 {
        (BEGIN * SECOND + self.now).saturating_add_signed(self.ahead)
    }

    /// Notes what happens: for people if they asked, and as a number in any case.
    fn note(&mut self, text: impl FnOnce() -> String, number: u64) {
        self.summary.course = mix(self.summary.course ^ self.now ^ number.rotate_left(32));
        if let Some(trace) = &mut self.trace {
            trace.push_back(format!("{:12.6}  {}", self.now as f64 / 1e9, text()));
        }
    }

    /// Whether a planted fault of this kind strikes.
    fn strikes(&mut self, sabotage: Sabotage) -> bool {
        if self.sabotage != Some(sabotage) {
            return false;
        }
        self.occasions += 1;
        self.occasions.is_multiple_of(3)
    }

    fn names(&self, destination: usize) -> (String, String) {
        let stream = format!("s{destination}");
        let group = if self.group_each { format!("g/{stream}") } else { "g".to_owned() };
        (group, stream)
    }
}
