//! Many tenants in one process, each in its own sandbox.
//!
//! A tenant has an instance of the component to itself, with its own memory, hub, credentials and way out. What
//! it is allowed is checked out here, in the host, so that it holds whatever the instance does: it sees the
//! logs of its own containers only ([`Roster`] assigns them), it reaches its own endpoint only, to do what it is
//! there for in its own log groups ([`egress`]), and it takes its share of memory and processors and no more
//! ([`Bounds`]). Should it break down or run into a bound, it alone is begun again, and goes on with what
//! CloudWatch has not accepted ([`life`]).

mod confinement;
mod egress;
mod life;
mod rate;
mod roster;
mod said;
mod selection;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use life::Pauses;
pub use roster::{Overlap, Roster};
pub use selection::{Patterns, Selection};

use crate::bounds::Bounds;
use crate::credentials::Provider;
use crate::dead_letters::DeadLetters;
use crate::driver::{Options, RunError, Runtime};
use crate::filtering::Filter;
use crate::metrics::{Board, Owner};
use crate::reports::Form;
use crate::transport::Transport;
use life::Life;
use roster::Member;

/// A tenant, as it was set up.
#[derive(Clone)]
pub struct Tenant {
    pub name: String,
    /// A runtime that is [shared](Runtime::shared).
    pub runtime: Runtime,
    pub selection: Selection,
    /// Whether containers are its own that are nobody else's.
    pub takes_rest: bool,
    /// With `confine` the host, too, sees to it that log groups begin with that.
    pub options: Options,
    pub credentials: Arc<dyn Provider>,
    pub dead_letters: Option<DeadLetters>,
    /// What its events go through, if `options.filter` asks for it.
    pub filter: Option<Filter>,
    pub limits: Limits,
    /// What it was set up from: as long as that is the same, the tenant is.
    pub origin: String,
}

/// What a tenant may take.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    pub bounds: Bounds,
    /// Requests and bytes that it may send a second.
    pub requests: Option<f64>,
    pub bytes: Option<f64>,
    /// Containers followed at a time.
    pub containers: Option<usize>,
}

/// What all tenants have in common.
pub struct Common {
    pub transport: Arc<dyn Transport>,
    /// How, and how often, counts are told.
    pub form: Form,
    pub report_every: Option<Duration>,
    /// How long a tenant may go on delivering when it is told to stop.
    pub stop_timeout: Duration,
    /// Whether an instance that breaks down is begun again.
    pub restarts: bool,
    /// And how soon.
    pub pauses: Pauses,
    /// Where it is seen how each of them stands.
    pub board: Board,
}

/// The tenants that there are.
pub struct Tenants {
    common: Arc<Common>,
    roster: Roster,
    lives: BTreeMap<String, Life>,
}

/// How a tenant ended.
pub type Ended = (String, Result<(), RunError>);

impl Tenants {
    /// None yet.
    pub fn new(common: Common, overlap: Overlap) -> Tenants {
        let waits = common.restarts;
        Tenants { common: Arc::new(common), roster: Roster::new(overlap, waits), lives: BTreeMap::new() }
    }

    /// Says whose a container is.
    pub fn roster(&self) -> Roster {
        self.roster.clone()
    }

    /// Has these tenants and no others. Those that are as they were are left alone, unless a container of theirs
    /// is somebody else's from here on. The others deliver what they have read and end, and what they had not
    /// delivered is read again by whoever has their containers now.
    ///
    /// # Errors
    /// A tenant that cannot be set up; nothing has changed then.
    pub async fn apply(&mut self, tenants: Vec<Tenant>) -> Result<Change, String> {
        let members = self.members_of(tenants);
        if members.is_err() {
            let board = &self.common.board;
            board.retain(|owner| matches!(owner, Owner::Tenant(name) if self.lives.contains_key(name)));
        }
        let members = members?;
        let stays = |life: &Life| members.iter().any(|member| Arc::ptr_eq(member, life.member()));
        let (staying, leaving): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.lives).into_iter().partition(|(_, life)| stays(life));
        self.lives = staying;
        let mut change = Change { kept: self.lives.len(), ..Change::default() };
        for life in leaving.values() {
            life.stop(self.common.stop_timeout);
        }
        let mut left = Vec::new();
        for (name, life) in leaving {
            change.ended.push(name);
            let (member, _told) = life.end().await;
            left.push(member);
        }
        self.roster.replace(members.clone());
        let stays = |name: &str| members.iter().any(|member| member.name() == name);
        self.common.board.retain(|owner| matches!(owner, Owner::Tenant(name) if stays(name)));
        for member in members {
            if !self.lives.contains_key(member.name()) {
                change.begun.push(member.name().to_owned());
                let life = Life::begin(member, Arc::clone(&self.common));
                self.lives.insert(life.member().name().to_owned(), life);
            }
        }
        // Their containers are assigned anew.
        for member in left {
            member.hub().close();
        }
        Ok(change)
    }

    /// Members for these tenants: those that there are, for who is as before.
    fn members_of(&self, tenants: Vec<Tenant>) -> Result<Vec<Arc<Member>>, String> {
        let mut members = Vec::new();
        for tenant in tenants {
            let same = self.roster.member(&tenant.name).filter(|member| member.origin() == tenant.origin);
            members.push(match same {
                Some(member) => member,
                None => Arc::new(Member::new(tenant, &self.common)?),
            });
        }
        // Whoever loses a container is begun again, so that it is read by one alone.
        for loser in self.roster.losers(&members) {
            if let Some(place) = members.iter_mut().find(|member| Arc::ptr_eq(member, &loser)) {
                *place = Arc::new(place.again(&self.common)?);
            }
        }
        Ok(members)
    }

    /// Has all of them deliver what they have read, and end.
    pub fn stop(&self) {
        for life in self.lives.values() {
            life.stop(self.common.stop_timeout);
        }
    }

    /// Waits until all have ended; says how each did that did not end well.
    pub async fn ended(&mut self) -> Vec<Ended> {
        let mut ended = Vec::new();
        while let Some((name, life)) = self.lives.pop_first() {
            let (_, result) = life.end().await;
            ended.push((name, result));
        }
        ended.retain(|(_, result)| result.is_err());
        ended
    }
}

/// What became of the tenants there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub begun: Vec<String>,
    pub ended: Vec<String>,
    pub kept: usize,
}
