//! Whose a container is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, watch};

use super::confinement::Confinement;
use super::egress::Egress;
use super::rate::{Rate, Rates};
use super::said::Said;
use super::{Common, Tenant};
use crate::docker::{Assign, Candidate, Seat};
use crate::metrics::{Owner, Panel};
use crate::reports::Tracing;
use crate::streams::{Hub, Phase};

/// What becomes of a container that matches more than one tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// It is nobody's, until that is mended.
    Refuse,
    /// It is the first one's.
    First,
}

/// The tenants, in order. Clones are the same roster.
#[derive(Clone)]
pub struct Roster {
    shared: Arc<Shared>,
}

struct Shared {
    overlap: Overlap,
    /// Whether a container that is nobody's may become somebody's.
    waits: bool,
    /// Changes with every change of the members.
    version: watch::Sender<u64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    members: Vec<Arc<Member>>,
    /// Containers that are followed, by id.
    seated: BTreeMap<String, (Known, Arc<Member>)>,
    /// Containers of which it was said that they are nobody's.
    said: BTreeSet<String>,
    finishing: bool,
}

/// What is remembered of a container.
struct Known {
    name: String,
    labels: BTreeMap<String, String>,
    networks: Vec<String>,
}

/// A tenant, and what its instances one after the other have in common.
pub struct Member {
    tenant: Tenant,
    hub: Mutex<Hub>,
    room: Arc<Semaphore>,
    pub(super) egress: Arc<Egress>,
    pub(super) said: Arc<Said>,
    pub(super) told: Arc<Tracing>,
    pub(super) panel: Arc<Panel>,
}

/// Whose a container is.
enum Whose {
    One(Arc<Member>),
    Nobody,
    /// Of these tenants, and so of none.
    Many(Vec<String>),
}

impl Roster {
    pub(super) fn new(overlap: Overlap, waits: bool) -> Roster {
        let version = watch::channel(0).0;
        Roster { shared: Arc::new(Shared { overlap, waits, version, state: Mutex::default() }) }
    }

    pub(super) fn member(&self, name: &str) -> Option<Arc<Member>> {
        self.shared.lock().members.iter().find(|member| member.name() == name).cloned()
    }

    /// Members of now that have a container which these would give to somebody else.
    pub(super) fn losers(&self, members: &[Arc<Member>]) -> Vec<Arc<Member>> {
        let state = self.shared.lock();
        let mut losers: Vec<Arc<Member>> = Vec::new();
        for (id, (known, member)) in &state.seated {
            let stays = match self.shared.whose(members, &known.candidate(id)) {
                Whose::One(other) => Arc::ptr_eq(&other, member),
                Whose::Nobody | Whose::Many(_) => false,
            };
            if !stays && !losers.iter().any(|loser| Arc::ptr_eq(loser, member)) {
                losers.push(Arc::clone(member));
            }
        }
        losers
    }

    pub(super) fn replace(&self, members: Vec<Arc<Member>>) {
        let mut state = self.shared.lock();
        state.members = members;
        state.said.clear();
        if state.finishing {
            state.finish();
        }
        drop(state);
        self.shared.version.send_modify(|version| *version += 1);
    }

    /// How many containers of a tenant are followed.
    pub fn containers_of(&self, name: &str) -> usize {
        self.shared.lock().seated.values().filter(|(_, member)| member.name() == name).count()
    }
}

#[wasmtime_wasi::async_trait]
impl Assign for Roster {
    async fn assign(&self, candidate: &Candidate<'_>) -> Option<Seat> {
        let mut changes = self.shared.version.subscribe();
        loop {
            changes.mark_unchanged();
            match self.shared.whose_now(candidate) {
                Some(member) => {
                    let room = Arc::clone(&member.room);
                    if room.available_permits() == 0 {
                        member.said.warn(
                            "containers",
                            &format!(
                                "container {} waits, and maybe others: so many are followed already as the \
                                 tenant may have (max-containers)",
                                candidate.name
                            ),
                        );
                    }
                    tokio::select! {
                        // It is never closed.
                        Ok(permit) = room.acquire_owned() => {
                            let seated = self.shared.seat(candidate, &member);
                            let hub = member.hub();
                            return Some(Seat { hub, keep: Some(Box::new((permit, seated))) });
                        }
                        _ = changes.changed() => {}
                    }
                }
                None if self.shared.waits => {
                    // Its sender lives as long as this.
                    let _ = changes.changed().await;
                }
                None => return None,
            }
        }
    }

    fn finish(&self) {
        let mut state = self.shared.lock();
        state.finishing = true;
        state.finish();
    }
}

/// Forgets a container when its seat is given up.
struct Seated {
    shared: Arc<Shared>,
    id: String,
}

impl Drop for Seated {
    fn drop(&mut self) {
        self.shared.lock().seated.remove(&self.id);
    }
}

impl Shared {
    fn seat(self: &Arc<Shared>, candidate: &Candidate<'_>, member: &Arc<Member>) -> Seated {
        let known = Known {
            name: candidate.name.to_owned(),
            labels: candidate.labels.clone(),
            networks: candidate.networks.iter().map(|&network| network.to_owned()).collect(),
        };
        self.lock().seated.insert(candidate.id.to_owned(), (known, Arc::clone(member)));
        tracing::debug!(tenant = member.name(), container = candidate.name, "assigned");
        Seated { shared: Arc::clone(self), id: candidate.id.to_owned() }
    }

    fn whose(&self, members: &[Arc<Member>], candidate: &Candidate<'_>) -> Whose {
        let mut matching = members.iter().filter(|member| member.tenant.selection.matches(candidate));
        let Some(first) = matching.next() else {
            return match members.iter().find(|member| member.tenant.takes_rest) {
                Some(member) => Whose::One(Arc::clone(member)),
                None => Whose::Nobody,
            };
        };
        let others: Vec<_> = matching.map(|member| member.name().to_owned()).collect();
        if self.overlap == Overlap::First || others.is_empty() {
            return Whose::One(Arc::clone(first));
        }
        Whose::Many([vec![first.name().to_owned()], others].concat())
    }

    /// Whose it is; if it is nobody's, that is said once.
    fn whose_now(&self, candidate: &Candidate<'_>) -> Option<Arc<Member>> {
        let mut state = self.lock();
        let whose = self.whose(&state.members, candidate);
        let fresh = !matches!(whose, Whose::One(_)) && state.said.insert(candidate.id.to_owned());
        let known = state.said.len();
        drop(state);
        match whose {
            Whose::One(member) => return Some(member),
            Whose::Nobody if fresh && known == 1 => tracing::warn!(
                "container {} matches no tenant and is not shipped, nor will others be like it; a tenant with \
                 `default = true` would take them",
                candidate.name
            ),
            Whose::Nobody => tracing::debug!(container = candidate.name, "matches no tenant"),
            Whose::Many(names) if fresh => tracing::error!(
                "container {} matches several tenants ({}) and is not shipped: tell them apart, or say \
                 `on-overlap = \"first\"`",
                candidate.name,
                names.join(", ")
            ),
            Whose::Many(_) => {}
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock; should one ever, the state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn finish(&self) {
        for member in &self.members {
            member.hub().set_phase(Phase::Finishing);
        }
    }
}

impl Known {
    fn candidate<'a>(&'a self, id: &'a str) -> Candidate<'a> {
        let networks = self.networks.iter().map(String::as_str).collect();
        Candidate { id, name: &self.name, labels: &self.labels, networks }
    }
}

impl Member {
    /// # Errors
    /// Its endpoint is none.
    pub fn new(tenant: Tenant, common: &Common) -> Result<Member, String> {
        let said = Arc::new(Said::new(&tenant.name));
        let limits = &tenant.limits;
        let panel = common.board.panel(Owner::Tenant(tenant.name.clone()));
        let rates = Rates { requests: limits.requests.map(Rate::new), bytes: limits.bytes.map(Rate::new) };
        let egress = Egress::new(
            Arc::clone(&common.transport),
            &tenant.options,
            tenant.options.confine.as_deref().map(Confinement::new),
            rates,
            Arc::clone(&said),
            Arc::clone(&panel),
        );
        let egress = Arc::new(egress.map_err(|problem| format!("tenant {:?}: {problem}", tenant.name))?);
        let room = limits.containers.unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        let told = Tracing::new(common.form, common.report_every).of_tenant(&tenant.name);
        Ok(Member {
            hub: Mutex::default(),
            room: Arc::new(Semaphore::new(room)),
            egress,
            said,
            told: Arc::new(told),
            panel,
            tenant,
        })
    }

    /// The same tenant from the beginning.
    pub fn again(&self, common: &Common) -> Result<Member, String> {
        Member::new(self.tenant.clone(), common)
    }

    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    pub fn name(&self) -> &str {
        &self.tenant.name
    }

    pub fn origin(&self) -> &str {
        &self.tenant.origin
    }

    /// Where the logs of its containers go.
    pub fn hub(&self) -> Hub {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has its containers go to another hub, and be read again from what has been accepted.
    pub fn renew_hub(&self) {
        let old = {
            let mut hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *hub)
        };
        old.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenants::life::tests::{common, tenant};
    use crate::tenants::{Patterns, Selection};

    fn named(name: &str, patterns: &[&str]) -> Tenant {
        let names: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let selection = Selection::parse(&Patterns { names: &names, ..Patterns::default() }).unwrap();
        Tenant { selection, ..tenant(name) }
    }

    fn roster(overlap: Overlap, waits: bool, tenants: Vec<Tenant>) -> Roster {
        let common = common();
        let members = tenants.into_iter().map(|tenant| Arc::new(Member::new(tenant, &common).unwrap()));
        let roster = Roster::new(overlap, waits);
        roster.replace(members.collect());
        roster
    }

    async fn assigned(roster: &Roster, name: &str) -> Option<String> {
        let labels = BTreeMap::new();
        let candidate = Candidate { id: name, name, labels: &labels, networks: Vec::new() };
        let _seat = roster.assign(&candidate).await?;
        let state = roster.shared.lock();
        state.seated.get(name).map(|(_, member)| member.name().to_owned())
    }

    #[tokio::test]
    async fn a_container_is_one_tenants_or_nobodys() {
        for (overlap, both) in [(Overlap::Refuse, None), (Overlap::First, Some("one"))] {
            let tenants = vec![named("one", &["a*", "b"]), named("two", &["a1", "c"])];
            let roster = roster(overlap, false, tenants);
            assert_eq!(assigned(&roster, "b").await.as_deref(), Some("one"));
            assert_eq!(assigned(&roster, "c").await.as_deref(), Some("two"));
            assert_eq!(assigned(&roster, "a1").await.as_deref(), both);
            assert_eq!(assigned(&roster, "d").await, None);
        }
        let rest = Tenant { takes_rest: true, ..tenant("rest") };
        let roster = roster(Overlap::Refuse, false, vec![rest, named("one", &["a"])]);
        assert_eq!(assigned(&roster, "a").await.as_deref(), Some("one"));
        assert_eq!(assigned(&roster, "d").await.as_deref(), Some("rest"));
        assert_eq!(roster.containers_of("rest"), 0, "the seat was given up");
    }

    #[tokio::test]
    async fn who_is_nobodys_waits_for_a_change() {
        let waiting = roster(Overlap::Refuse, true, vec![named("one", &["a"])]);
        let later = waiting.clone();
        let task = tokio::spawn(async move { assigned(&later, "b").await });
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert!(!task.is_finished());
        let two = Arc::new(Member::new(named("two", &["b"]), &common()).unwrap());
        waiting.replace(vec![two]);
        assert_eq!(task.await.unwrap().as_deref(), Some("two"));
    }

    #[tokio::test]
    async fn only_so_many_containers_are_followed_at_a_time() {
        let mut one = named("one", &["*"]);
        one.limits.containers = Some(1);
        let roster = roster(Overlap::Refuse, true, vec![one]);
        let labels = BTreeMap::new();
        let candidate = |name| Candidate { id: name, name, labels: &labels, networks: Vec::new() };
        let first = roster.assign(&candidate("a")).await.unwrap();
        let other = candidate("b");
        let second = roster.assign(&other);
        tokio::pin!(second);
        let wait = std::time::Duration::from_millis(50);
        assert!(tokio::time::timeout(wait, &mut second).await.is_err());
        drop(first);
        assert!(second.await.is_some());
    }
}
