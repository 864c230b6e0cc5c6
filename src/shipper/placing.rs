//! Which destinations a container's log goes to, and what becomes of two that would share one.

use std::sync::Arc;

use super::outlet::{Outlet, OutletId};
use super::source::{Source, Stage};
use super::{Severity, Shipper};
use crate::lines::{Framing, Side, Sides};
use crate::naming::{Container, Destination, Terms};

/// Where the two sides of a log go.
pub(super) struct Place {
    /// Of standard output, or of the only side that is wanted.
    pub named: Destination,
    pub outlet: OutletId,
    /// Where each side goes, unless both go to `outlet`.
    pub apart: Option<Sides<Option<OutletId>>>,
    /// What the container chose beside its names.
    pub terms: Terms,
}

impl Shipper {
    /// Finds where a log stream goes.
    ///
    /// # Errors
    /// It may go nowhere, for this reason.
    pub(super) fn place_of(&mut self, framing: Framing, container: &Arc<Container>) -> Result<Place, String> {
        if !self.names_by_event(framing, container) {
            return self.place(container);
        }
        let named = Destination::of_each_event();
        let outlet = self.outlet_of(named.clone());
        Ok(Place { named, outlet, apart: None, terms: Terms::default() })
    }

    /// Whether each event of a log stream is to be looked at to know where it goes.
    pub(super) fn names_by_event(&self, framing: Framing, container: &Container) -> bool {
        let has_fields = framing == Framing::JsonLines || framing.is_body();
        has_fields && container.event.is_empty() && !self.settings.event_fields.is_empty()
    }

    /// Finds where a container's log goes, and tells people what they should know of it.
    fn place(&mut self, container: &Arc<Container>) -> Result<Place, String> {
        let Sides { stdout, stderr } = self.destinations_of(container)?;
        let (terms, remarks) = self.settings.names.terms_of(container);
        for remark in remarks {
            self.tell(Severity::Warning, remark);
        }
        let (stdout, stderr) = match self.settings.only {
            None if stdout == stderr => {
                let named = self.own(container, stdout);
                let outlet = self.outlet_of(named.clone());
                return Ok(Place { named, outlet, apart: None, terms });
            }
            None => (Some(stdout), Some(stderr)),
            Some(Side::Stdout) => (Some(stdout), None),
            Some(Side::Stderr) => (None, Some(stderr)),
        };
        let stdout = stdout.map(|destination| self.own(container, destination));
        let stderr = stderr.map(|destination| self.own(container, destination));
        let named = stdout.clone().or_else(|| stderr.clone());
        let apart = Sides {
            stdout: stdout.map(|destination| self.outlet_of(destination)),
            stderr: stderr.map(|destination| self.outlet_of(destination)),
        };
        match (named, apart.stdout.or(apart.stderr)) {
            (Some(named), Some(outlet)) => Ok(Place { named, outlet, apart: Some(apart), terms }),
            (None, _) | (_, None) => Err(format!("{}: no side of it is wanted", container.called())),
        }
    }

    /// The destination, or one beside it where another container has it and sharing is not wanted.
    fn own(&mut self, container: &Container, destination: Destination) -> Destination {
        // What is no container (standard input, events) shares as a matter of course.
        if container.id.is_empty() {
            return destination;
        }
        let called = container.called();
        let destination = match self.holder_of(&destination, container) {
            Some(other) => {
                let resolved = self.settings.collisions.resolve(destination.clone(), container);
                if resolved == destination {
                    self.tell_shared(&destination, &called, &other);
                } else {
                    let text =
                        format!("{called}: {destination} is {other}'s; it goes to {}", resolved.stream());
                    self.tell(Severity::Info, text);
                }
                resolved
            }
            None => destination,
        };
        if self.settings.fail_fast {
            self.firsts.entry(destination.clone()).or_insert_with(|| called.clone());
        }
        self.tell(Severity::Debug, format!("{called}: goes to {destination}"));
        destination
    }

    /// Another container that goes there, and may go on doing so.
    fn holder_of(&self, destination: &Destination, container: &Container) -> Option<String> {
        let called = container.called();
        if let Some(first) = self.firsts.get(destination).filter(|first| **first != called) {
            return Some(first.clone());
        }
        let id = *self.by_destination.get(destination)?;
        let shares = |source: &&Source| {
            source.outlets().any(|outlet| outlet == id)
                && source.stage != Stage::Ended
                && source.called != called
        };
        self.sources.values().find(shares).map(|source| source.called.clone())
    }

    /// Once a destination is enough for people.
    fn tell_shared(&mut self, destination: &Destination, called: &str, other: &str) {
        let id = self.outlet_of(destination.clone());
        let Some(outlet) = self.outlets.get_mut(id.0) else { return };
        if !std::mem::replace(&mut outlet.shared, true) {
            let text = format!(
                "{called} and {other} share {destination}; give each a name of its own, for example with \
                 {{{{.ID}}}}, or use --on-collision distinct"
            );
            self.tell(Severity::Warning, text);
        }
    }

    pub(super) fn outlet_of(&mut self, destination: Destination) -> OutletId {
        if let Some(id) = self.by_destination.get(&destination) {
            return *id;
        }
        let outlet = Outlet::new(destination.clone());
        let id = match self.vacant.pop() {
            Some(id) => id,
            None => OutletId(self.outlets.len()),
        };
        match self.outlets.get_mut(id.0) {
            Some(vacant) => *vacant = outlet,
            None => self.outlets.push(outlet),
        }
        self.by_destination.insert(destination, id);
        id
    }

    /// Forgets the destination of an outlet that no source goes to and that has nothing on its way: with
    /// names that come from events there may be any number of them over time.
    pub(super) fn vacate(&mut self, id: OutletId) {
        let Some(outlet) = self.outlets.get(id.0).filter(|outlet| outlet.is_idle()) else { return };
        if self.under_way.values().any(|sent| sent.outlet == id) {
            return;
        }
        if self.by_destination.remove(&outlet.destination).is_some() {
            self.vacant.push(id);
            self.tell_all_losses_of(id);
        }
    }
}
