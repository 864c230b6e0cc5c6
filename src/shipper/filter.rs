//! Events on their way through a filter: what a component of the operator's leaves of them, and where they go.

use std::collections::BTreeMap;

use super::held::Held;
use super::intake::Chunk;
use super::outlet::OutletId;
use super::scatter::Scatterer;
use super::{Failure, Severity, Shipper};
use crate::batch::SourceId;
use crate::lines::{Event, EventText, Framing, Sink, Text};
use crate::naming::Container;
use crate::settings::FilterFailure;
use crate::time::Timestamp;

/// A filter, by whoever has one. Called once for each piece of a log that was read.
pub trait Filter {
    /// What goes on of these events, which are left as they are.
    ///
    /// # Errors
    /// The filter failed, for this reason.
    fn apply(&mut self, origin: &FilterOrigin, events: &mut FilterEvents) -> Result<FilterOutcome, String>;
}

/// Where events come from; `filtering.origin` in the WIT says what each field means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterOrigin {
    pub id: String,
    pub name: String,
    pub image_name: String,
    pub labels: Vec<(String, String)>,
}

/// Events of one log; `filtering.events` in the WIT says what each field means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterEvents {
    pub texts: Vec<u8>,
    pub ends: Vec<u32>,
    pub times: Vec<u64>,
    pub errors: Vec<bool>,
}

/// What goes on of them; `filtering.outcome` in the WIT says what each field means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterOutcome {
    pub kept: Vec<u32>,
    pub texts: Vec<u8>,
    pub ends: Vec<u32>,
    /// Log group and log stream.
    pub destinations: Vec<(Option<String>, Option<String>)>,
    pub elsewhere: Vec<(u32, u32)>,
}

impl Shipper {
    /// Has events go through a filter, where the settings ask for one.
    #[must_use]
    pub fn with_filter(mut self, filter: Box<dyn Filter>) -> Shipper {
        self.filter = Some(filter).filter(|_| self.settings.filter.is_some());
        self
    }

    /// What the filter is told of a log, if its events go through one. Dead letters have been through it.
    pub(super) fn filter_origin(&self, framing: Framing, container: &Container) -> Option<Box<FilterOrigin>> {
        let filters = self.filter.is_some() && framing != Framing::DeadLetters;
        filters.then(|| {
            Box::new(FilterOrigin {
                id: container.id.clone(),
                name: container.name.clone(),
                image_name: container.image_name.clone(),
                labels: container.labels.clone(),
            })
        })
    }

    /// Has a source's decoder make events, and the filter look at them; what it leaves joins batches.
    pub(super) fn filtered(&mut self, id: SourceId, now: Timestamp, chunk: &Chunk<'_>) -> Vec<String> {
        let Some(source) = self.sources.get_mut(&id) else { return Vec::new() };
        let mut held = Held::new(source.apart.map(|apart| apart.map(|outlet| outlet.is_some())));
        chunk.read(&mut source.decoder, now, &mut held);
        let Some(outcome) = self.outcome_of(id, &mut held) else {
            if let Some(source) = self.sources.get_mut(&id) {
                source.stuck = true;
            }
            return Vec::new();
        };
        self.counts.lines_split += held.splits;
        let left_out = (held.origins.len() - outcome.kept.len()) as u64;
        self.counts.events_read += left_out;
        self.counts.events_filtered += left_out;
        let (remarks, passed_over) =
            self.scattering(id, now, |scatterer| hand_on(&held, &outcome, scatterer));
        if passed_over {
            self.acknowledge(id);
        }
        remarks
    }

    /// What the filter leaves of events; `None` where it failed, and nothing may go on without it.
    fn outcome_of(&mut self, id: SourceId, held: &mut Held) -> Option<FilterOutcome> {
        if held.origins.is_empty() {
            return Some(FilterOutcome::default());
        }
        if self.broken.is_some() {
            return None;
        }
        let source = self.sources.get(&id)?;
        let (filter, origin) = (self.filter.as_mut()?, source.origin.as_deref()?);
        let outcome = filter.apply(origin, &mut held.events);
        let problem = match outcome.and_then(|outcome| held.check(outcome, &self.settings.names)) {
            Ok(outcome) => return Some(outcome),
            Err(problem) => problem,
        };
        let (called, events) = (source.called.clone(), held.origins.len() as u64);
        if self.settings.filter == Some(FilterFailure::Pass) {
            if self.counts.events_unfiltered == 0 {
                let text = format!(
                    "{called}: the filter failed, and {events} events go on as they are (counted from here on): {problem}"
                );
                self.tell(Severity::Warning, text);
            }
            self.counts.events_unfiltered += events;
            return Some(held.as_they_are());
        }
        let text = format!("{called}: the filter failed, and nothing goes on without it: {problem}");
        self.tell(Severity::Error, format!("{text}; what came before is delivered, and that is all"));
        self.broken = Some(Failure::Filter(text));
        self.stirred.extend((0..self.outlets.len()).map(OutletId));
        None
    }
}

/// Hands on what a filter left of events. What it left out counts as delivered once all before it is.
fn hand_on(held: &Held, outcome: &FilterOutcome, scatterer: &mut Scatterer<'_>) {
    let mut kept = outcome.kept.iter().zip(&outcome.ends).peekable();
    let mut elsewhere = outcome.elsewhere.iter().peekable();
    let mut known: BTreeMap<(u32, OutletId), OutletId> = BTreeMap::new();
    let mut begin = 0;
    for (number, origin) in (0_u32..).zip(&held.origins) {
        if let Some(description) = origin.description.and_then(|at| held.descriptions.get(at)) {
            scatterer.described(description);
        }
        let Some((_, end)) = kept.next_if(|(kept, _)| **kept == number) else {
            scatterer.pass_over(origin.side, origin.position);
            continue;
        };
        let end = *end as usize;
        let text = outcome.texts.get(begin..end).unwrap_or_default();
        begin = end;
        scatterer.elsewhere = elsewhere.next_if(|(event, _)| *event == number).and_then(|(_, at)| {
            let home = scatterer.home(origin.side)?;
            if let Some(known) = known.get(&(*at, home)) {
                return Some(*known);
            }
            let chosen = scatterer.beside(home, outcome.destinations.get(*at as usize)?)?;
            known.insert((*at, home), chosen);
            Some(chosen)
        });
        let text = EventText::Line(Text::Raw(text));
        scatterer.event(Event { side: origin.side, time: origin.time, text, position: origin.position });
    }
    scatterer.elsewhere = None;
    for (side, position) in &held.unwanted {
        scatterer.pass_over(*side, *position);
    }
    for malformed in &held.malformed {
        scatterer.malformed(malformed.clone());
    }
}
