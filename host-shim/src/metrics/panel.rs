//! What is known of one instance, or of a tenant's instances one after the other.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::totals::Totals;
use crate::reports::{Counts, Reporter, Severity, Status};
use crate::streams::Hub;
use crate::usage::Usage;

/// Whose instances they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// There is one, which is the whole program.
    Program,
    Tenant(String),
    /// A route's, by its place among the routes.
    Route(usize),
}

/// What is known of whoever ships for somebody.
pub struct Panel {
    owner: Owner,
    known: Mutex<Known>,
    /// Requests that the host did not let leave: not allowed; too many.
    refused: AtomicU64,
    held_back: AtomicU64,
}

#[derive(Default)]
struct Known {
    state: State,
    hub: Option<Hub>,
    restarts: u64,
    /// Of instances before this one.
    before: Totals,
    /// Of this one.
    counts: Option<Counts>,
    status: Option<Status>,
    usage: Arc<Usage>,
    problem: Option<Problem>,
}

/// What an instance is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It has not begun.
    #[default]
    Starting,
    Running,
    /// It broke down, for this reason, and is begun again then.
    Restarting {
        problem: String,
        next: SystemTime,
    },
    /// It ended; with a problem, if not as it should.
    Ended(Option<String>),
}

/// What people were told last that was not good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub text: String,
    pub is_error: bool,
    pub at: SystemTime,
}

/// All of it, at one moment.
#[derive(Debug)]
pub struct Look {
    pub owner: Owner,
    pub state: State,
    pub restarts: u64,
    pub totals: Totals,
    /// Nothing has been heard of an instance that has none.
    pub status: Option<Status>,
    /// Linear memory, in bytes.
    pub memory: usize,
    pub streams: usize,
    pub unread: usize,
    pub refused: u64,
    pub held_back: u64,
    pub problem: Option<Problem>,
}

impl Panel {
    pub(super) fn new(owner: Owner) -> Panel {
        Panel { owner, known: Mutex::default(), refused: AtomicU64::new(0), held_back: AtomicU64::new(0) }
    }

    /// An instance is about to run that reads from here.
    pub fn run(&self, hub: Hub) {
        let mut known = self.lock();
        known.state = State::Running;
        known.hub = Some(hub);
    }

    /// The instance broke down; another is begun after a while.
    pub fn restart(&self, problem: &str, after: Duration) {
        let mut known = self.lock();
        known.restarts += 1;
        let next = SystemTime::now() + after;
        known.state = State::Restarting { problem: problem.to_owned(), next };
    }

    /// It is over.
    pub fn end(&self, problem: Option<String>) {
        self.lock().state = State::Ended(problem);
    }

    /// A request was not let out, because it is not allowed.
    pub fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// A request was not let out, because there are too many.
    pub fn hold_back(&self) {
        self.held_back.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn look(&self) -> Look {
        let known = self.lock();
        let mut totals = known.before.clone();
        totals.add(known.counts.as_ref(), known.status.as_ref(), &known.usage);
        let (streams, unread) = known.hub.as_ref().map(Hub::open_and_unread).unwrap_or_default();
        Look {
            owner: self.owner.clone(),
            state: known.state.clone(),
            restarts: known.restarts,
            totals,
            status: known.status.clone(),
            memory: known.usage.memory(),
            streams,
            unread,
            refused: self.refused.load(Ordering::Relaxed),
            held_back: self.held_back.load(Ordering::Relaxed),
            problem: known.problem.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // No code panics while it holds the lock; should one ever, what is known is still whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reporter for Panel {
    fn begin(&self, usage: &Arc<Usage>) {
        let mut known = self.lock();
        let Known { before, counts, status, usage: last, .. } = &mut *known;
        before.add(counts.take().as_ref(), status.take().as_ref(), last);
        *last = Arc::clone(usage);
    }

    fn tell(&self, severity: Severity, text: &str) {
        let is_error = match severity {
            Severity::Debug | Severity::Info => return,
            Severity::Warning => false,
            Severity::Error => true,
        };
        let problem = Problem { text: text.to_owned(), is_error, at: SystemTime::now() };
        self.lock().problem = Some(problem);
    }

    fn count(&self, counts: &Counts, status: &Status) {
        let mut known = self.lock();
        known.counts = Some(*counts);
        known.status = Some(status.clone());
    }
}

impl Look {
    /// How long the first event has waited that was read and is not in CloudWatch; nothing if there is none.
    pub fn waited(&self, now: SystemTime) -> Option<Duration> {
        Some(now.duration_since(moment(self.status.as_ref()?.pending_since?)).unwrap_or_default())
    }

    /// How old the earliest of those events is by its own time.
    pub fn age(&self, now: SystemTime) -> Option<Duration> {
        Some(now.duration_since(moment(self.status.as_ref()?.earliest_pending?)).unwrap_or_default())
    }

    /// How long the credentials at hand still serve.
    pub fn credentials_last(&self, now: SystemTime) -> Option<Duration> {
        let ends = moment(self.status.as_ref()?.credentials_expire?);
        Some(ends.duration_since(now).unwrap_or_default())
    }
}

fn moment(nanos: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)
}

/// As a sentence about them begins.
impl fmt::Display for Owner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::Program => Ok(()),
            Owner::Tenant(name) => write!(out, "tenant {name:?}: "),
            Owner::Route(number) => write!(out, "route {number}: "),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::reports::tests::NONE;
    use crate::reports::{Action, Answered, Bucket, Outcome};

    pub fn counts(read: u64, accepted: u64) -> Counts {
        Counts {
            bytes_read: 10 * read,
            events_read: read,
            requests_sent: 1,
            events_accepted: accepted,
            events_invalid: read - accepted,
            ..NONE
        }
    }

    pub fn status(pending_since: Option<SystemTime>) -> Status {
        let nanos = |moment: SystemTime| {
            u64::try_from(moment.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos()).unwrap()
        };
        Status {
            answered: vec![
                Answered { action: Action::PutLogEvents, outcome: Outcome::Ok, requests: 3 },
                Answered { action: Action::PutLogEvents, outcome: Outcome::Throttled, requests: 1 },
            ],
            latency: vec![Bucket { within: Some(5), answers: 3 }, Bucket { within: None, answers: 1 }],
            latency_sum: 40_000,
            in_flight: 1,
            bytes_held: 100,
            events_pending: u64::from(pending_since.is_some()),
            pending_since: pending_since.map(nanos),
            earliest_pending: pending_since.map(nanos),
            destinations: 2,
            destinations_failing: 1,
            credentials_found: 1,
            credentials_missed: 0,
            credentials_expire: None,
        }
    }

    #[test]
    fn counts_go_on_when_an_instance_is_begun_again() {
        let panel = Panel::new(Owner::Program);
        for _ in 0..2 {
            let usage = Arc::new(Usage::default());
            panel.begin(&usage);
            panel.run(Hub::default());
            usage.compute(Duration::from_nanos(500));
            usage.grow(70);
            panel.count(&counts(4, 1), &status(None));
            panel.count(&counts(10, 7), &status(None));
            panel.restart("it broke down", Duration::from_secs(1));
        }
        let look = panel.look();
        assert_eq!(look.totals.count("cloudspout_events_read", None), 20);
        assert_eq!(look.totals.count("cloudspout_events_rejected", Some("invalid")), 6);
        assert_eq!(look.totals.answered[&("PutLogEvents", "ok")], 6);
        assert_eq!(look.totals.latency.into_iter().collect::<Vec<_>>(), [(5, 6), (u32::MAX, 2)]);
        assert_eq!((look.totals.latency_sum, look.totals.computed.as_nanos()), (80_000, 1_000));
        assert_eq!((look.memory, look.restarts), (70, 2));
    }

    #[test]
    fn what_an_instance_says_of_itself_cannot_fill_the_page_or_overflow() {
        let panel = Panel::new(Owner::Program);
        for _ in 0..2 {
            panel.begin(&Arc::default());
            let buckets = (0..10_000).map(|within| Bucket { within: Some(within), answers: u64::MAX });
            let answered =
                Answered { action: Action::PutLogEvents, outcome: Outcome::Ok, requests: u64::MAX };
            let status = Status {
                latency: buckets.collect(),
                answered: vec![answered; 10_000],
                pending_since: Some(u64::MAX),
                credentials_expire: Some(u64::MAX),
                latency_sum: u64::MAX,
                ..status(None)
            };
            panel.count(&counts(u64::MAX / 10, 0), &status);
        }
        let look = panel.look();
        assert!(look.totals.latency.len() < 40 && look.totals.answered.len() == 1);
        assert_eq!(look.waited(SystemTime::now()), Some(Duration::ZERO));
    }

    #[test]
    fn the_last_thing_that_was_not_good_is_kept() {
        let panel = Panel::new(Owner::Program);
        panel.tell(Severity::Error, "no credentials");
        panel.tell(Severity::Warning, "cannot be reached");
        panel.tell(Severity::Info, "delivering again");
        let problem = panel.look().problem.unwrap();
        assert_eq!((problem.text.as_str(), problem.is_error), ("cannot be reached", false));
    }
}
