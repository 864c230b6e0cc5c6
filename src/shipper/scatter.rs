//! A source whose events go to several destinations: dead letters, of which each names where it was to go; a
//! container's log whose two sides go apart; events whose fields names depend on; and what a filter has seen.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::intake::Gatherer;
use super::outlet::OutletId;
use super::{Severity, Shipper};
use crate::batch::SourceId;
use crate::lines::{Event, Malformed, Position, Side, Sides, Sink};
use crate::naming::{Container, Destination};
use crate::time::Timestamp;

/// Puts the events of one source into the batches of many destinations.
pub struct Scatterer<'a> {
    shipper: &'a mut Shipper,
    id: SourceId,
    now: Timestamp,
    /// Where the next event goes.
    outlet: OutletId,
    /// Where the next event goes instead, if a filter chose.
    pub elsewhere: Option<OutletId>,
    /// Where the events of each side go, if that decides.
    apart: Option<Sides<Option<OutletId>>>,
    /// The fields that say so, once they have; and whether they say that it goes nowhere.
    description: Vec<u8>,
    nowhere: bool,
    /// Whether there was an event that goes nowhere.
    pub passed_over: bool,
    /// Where events have gone.
    pub touched: BTreeSet<OutletId>,
    pub remarks: Vec<String>,
}

impl<'a> Scatterer<'a> {
    pub fn new(
        shipper: &'a mut Shipper,
        id: SourceId,
        now: Timestamp,
        outlet: OutletId,
        apart: Option<Sides<Option<OutletId>>>,
    ) -> Scatterer<'a> {
        Scatterer {
            shipper,
            id,
            now,
            outlet,
            elsewhere: None,
            apart,
            description: Vec::new(),
            nowhere: false,
            passed_over: false,
            touched: BTreeSet::new(),
            remarks: Vec::new(),
        }
    }

    /// Takes up to where an event stands as taken, once all before it is delivered.
    pub fn pass_over(&mut self, side: Side, position: Position) {
        if let Some(source) = self.shipper.sources.get_mut(&self.id) {
            source.progress.pass_over(side, position);
            self.passed_over = true;
        }
    }

    /// Passes over an event that may not go where its fields say; whoever sent it hears of that.
    fn refuse(&mut self, event: Event<'_>) {
        if let Some(source) = self.shipper.sources.get_mut(&self.id) {
            source.events += 1;
            source.refused += 1;
        }
        self.pass_over(event.side, event.position);
    }

    /// Where an event of this side goes unless a filter chooses; `None` for nowhere.
    pub fn home(&mut self, side: Side) -> Option<OutletId> {
        if let Some(apart) = self.apart {
            self.outlet = (*apart.get(side))?;
        }
        (!self.nowhere).then_some(self.outlet)
    }

    /// The destination beside another that is named so far.
    pub fn beside(&mut self, home: OutletId, names: &(Option<String>, Option<String>)) -> Option<OutletId> {
        let home = self.shipper.outlets.get(home.0)?;
        let group = names.0.as_deref().unwrap_or(home.destination.group());
        let stream = names.1.as_deref().unwrap_or(home.destination.stream());
        let destination = Destination::new(group, stream).at(home.destination.site().cloned());
        let terms = home.terms.clone();
        if let Some(known) = self.shipper.by_destination.get(&destination) {
            return Some(*known);
        }
        let id = self.shipper.outlet_of(destination);
        self.shipper.outlets.get_mut(id.0)?.terms = terms;
        Some(id)
    }

    fn gatherer(&mut self, to: OutletId) -> Option<Gatherer<'_>> {
        let dropping = self.shipper.drops_newest(to);
        let marking = self.shipper.marking();
        let Shipper { sources, outlets, spare, counts, .. } = &mut *self.shipper;
        let (source, outlet) = (sources.get_mut(&self.id)?, outlets.get_mut(to.0)?);
        if dropping {
            outlet.close();
        }
        Some(Gatherer {
            id: self.id,
            progress: &mut source.progress,
            unreadable: &mut source.unreadable,
            outlet,
            spare,
            counts,
            now: self.now,
            dropping,
            marking,
            remarks: &mut self.remarks,
        })
    }
}

impl Sink for Scatterer<'_> {
    fn event(&mut self, event: Event<'_>) {
        let home = self.home(event.side);
        let outlet = match self.elsewhere.or(home) {
            Some(outlet) => outlet,
            None if self.nowhere => return self.refuse(event),
            None => return self.pass_over(event.side, event.position),
        };
        if let Some(mut gatherer) = self.gatherer(outlet) {
            gatherer.event(event);
            let number = gatherer.outlet.newest();
            gatherer.progress.scatter(outlet, number);
        }
        self.touched.insert(outlet);
    }

    fn split(&mut self) {
        self.shipper.counts.lines_split += 1;
    }

    fn malformed(&mut self, malformed: Malformed) {
        if let Some(mut gatherer) = self.gatherer(self.outlet) {
            gatherer.malformed(malformed);
        }
    }

    fn addressed(&mut self, group: &str, stream: &str) {
        let Some(source) = self.shipper.sources.get(&self.id) else { return };
        let settings = &self.shipper.settings;
        let group = if settings.own_group { group } else { source.named.group() };
        let stream = if settings.own_stream { stream } else { source.named.stream() };
        let destination = Destination::new(group, stream);
        if !self.shipper.by_destination.contains_key(&destination) {
            let text = format!("{}: goes to {destination}", source.called);
            self.shipper.tell(Severity::Debug, text);
        }
        self.outlet = self.shipper.outlet_of(destination);
    }

    fn described(&mut self, event: &[u8]) {
        if self.description == event {
            return;
        }
        self.description.clear();
        self.description.extend_from_slice(event);
        let Some(source) = self.shipper.sources.get(&self.id) else { return };
        let Some(container) = &source.container else { return };
        let container =
            Container { event: String::from_utf8_lossy(event).into_owned(), ..(**container).clone() };
        let destinations = self.shipper.destinations_of(&Arc::new(container));
        self.nowhere = destinations.is_err();
        if let Ok(destinations) = destinations {
            self.outlet = self.shipper.outlet_of(destinations.stdout);
        }
    }
}
