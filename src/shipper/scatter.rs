//! A source whose events go to several destinations: dead letters, of which each names where it was to go; a
//! container's log whose two sides go apart; and events whose fields names depend on.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::intake::Gatherer;
use super::outlet::OutletId;
use super::{Severity, Shipper};
use crate::batch::SourceId;
use crate::lines::{Event, Malformed, Sides, Sink};
use crate::naming::{Container, Destination};
use crate::time::Timestamp;

/// Puts the events of one source into the batches of many destinations.
pub struct Scatterer<'a> {
    shipper: &'a mut Shipper,
    id: SourceId,
    now: Timestamp,
    /// Where the next event goes.
    outlet: OutletId,
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
            apart,
            description: Vec::new(),
            nowhere: false,
            passed_over: false,
            touched: BTreeSet::new(),
            remarks: Vec::new(),
        }
    }

    fn pass_over(&mut self, event: Event<'_>) {
        if let Some(source) = self.shipper.sources.get_mut(&self.id) {
            source.progress.pass_over(event.side, event.position);
            self.passed_over = true;
        }
    }

    /// Passes over an event that may not go where its fields say; whoever sent it hears of that.
    fn refuse(&mut self, event: Event<'_>) {
        if let Some(source) = self.shipper.sources.get_mut(&self.id) {
            source.events += 1;
            source.refused += 1;
        }
        self.pass_over(event);
    }

    fn gatherer(&mut self) -> Option<Gatherer<'_>> {
        let dropping = self.shipper.drops_newest(self.outlet);
        let marking = self.shipper.marking();
        let Shipper { sources, outlets, spare, counts, .. } = &mut *self.shipper;
        let (source, outlet) = (sources.get_mut(&self.id)?, outlets.get_mut(self.outlet.0)?);
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
        if let Some(apart) = self.apart {
            match *apart.get(event.side) {
                Some(outlet) => self.outlet = outlet,
                None => return self.pass_over(event),
            }
        }
        if self.nowhere {
            return self.refuse(event);
        }
        let outlet = self.outlet;
        if let Some(source) = self.shipper.sources.get_mut(&self.id) {
            source.progress.scatter(outlet, event.position);
        }
        if let Some(mut gatherer) = self.gatherer() {
            gatherer.event(event);
        }
        self.touched.insert(outlet);
    }

    fn split(&mut self) {
        self.shipper.counts.lines_split += 1;
    }

    fn malformed(&mut self, malformed: Malformed) {
        if let Some(mut gatherer) = self.gatherer() {
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
