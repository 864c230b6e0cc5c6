//! The world `shipper`: everything comes through the WIT's own interfaces.

mod bindings;
mod convert;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use wasi::io::poll::Pollable;

use bindings::cloudspout::host::{
    credentials, dead_letters, digest, filtering, lifecycle, logs, reports, settings,
};
use bindings::exports::cloudspout::host::names::{self, Guest as Names};
use bindings::{Failure, Guest};

use super::host::Host;
use super::run::{self, End};
use crate::batch::SourceId;
use crate::explain::explain;
use crate::settings::Settings;
use crate::shipper::{
    Counts, CredentialsError, Fate, Filter, FilterEvents, FilterOrigin, FilterOutcome, KeepId, Opening,
    Pause, Phase, Positions, Severity, Status,
};
use crate::sigv4::Credentials;
use crate::time::Timestamp;

struct Component;

impl Guest for Component {
    fn run() -> Result<(), Failure> {
        let options = convert::options(settings::get());
        run::run(&mut Imports::new(), &options).map_err(|end| match end {
            End::Settings(error) => Failure::Settings(error.to_string()),
            End::Failure(failure) => convert::failure(failure),
        })
    }
}

impl Names for Component {
    fn explain(
        containers: Vec<logs::Container>,
        template: Option<String>,
    ) -> Result<Vec<names::Explanation>, names::Failure> {
        let settings = Settings::of(&convert::options(settings::get()))
            .map_err(|error| names::Failure::Settings(error.to_string()))?;
        let containers: Vec<_> =
            containers.into_iter().map(|container| Arc::new(convert::container(container))).collect();
        let explained = explain(&settings, &containers, template.as_deref());
        Ok(explained.into_iter().map(convert::explanation).collect())
    }
}

bindings::export!(Component with_types_in bindings);

/// The WIT's interfaces, and what is held of them.
struct Imports {
    news: Pollable,
    streams: BTreeMap<SourceId, logs::LogStream>,
    accepted: VecDeque<logs::LogStream>,
    lookup: Option<Lookup>,
    keepings: Vec<Keeping>,
}

/// A lookup under way. Fields are dropped in order, and WASI wants children dropped before parents.
struct Lookup {
    ready: Pollable,
    lookup: credentials::Lookup,
}

/// Dead letters on their way. Fields are dropped in order, too.
struct Keeping {
    id: KeepId,
    ready: Pollable,
    keeping: dead_letters::Keeping,
}

/// Happenings taken from the host at a time.
const MANY: u32 = 1024;

impl Imports {
    fn new() -> Imports {
        Imports {
            news: logs::subscribe(),
            streams: BTreeMap::new(),
            accepted: VecDeque::new(),
            lookup: None,
            keepings: Vec::new(),
        }
    }
}

/// The filter that the host has.
struct HostsFilter;

impl Filter for HostsFilter {
    fn apply(&mut self, origin: &FilterOrigin, events: &mut FilterEvents) -> Result<FilterOutcome, String> {
        let origin = convert::filter_origin(origin);
        // There and back again: they are not copied, but lent.
        let theirs = convert::filter_events(std::mem::take(events));
        let returned = filtering::apply(&origin, &theirs);
        *events = convert::filter_events_back(theirs);
        convert::filtered(returned)
    }
}

impl Host for Imports {
    fn accept(&mut self) -> Option<(SourceId, Opening)> {
        if self.accepted.is_empty() {
            self.accepted.extend(logs::accept(MANY));
        }
        let stream = self.accepted.pop_front()?;
        let id = SourceId(stream.id());
        let opening = convert::opening(stream.open());
        self.streams.insert(id, stream);
        Some((id, opening))
    }

    fn ready(&mut self) -> Vec<SourceId> {
        logs::ready(MANY).into_iter().map(SourceId).collect()
    }

    fn phase(&mut self, now: Timestamp) -> Phase {
        convert::phase(lifecycle::current_phase(), now)
    }

    fn read(&mut self, source: SourceId, max: u32) -> Result<Vec<u8>, Pause> {
        let stream = self.streams.get(&source).ok_or(Pause::Ended)?;
        stream.read(max).map_err(convert::pause)
    }

    fn resume(&mut self, source: SourceId, taken: &Positions) -> Option<u64> {
        let stream = self.streams.get(&source)?;
        Some(stream.resume(convert::positions_out(taken)))
    }

    fn acknowledge(&mut self, source: SourceId, accepted: &Positions) {
        if let Some(stream) = self.streams.get(&source) {
            stream.acknowledge(convert::positions_out(accepted));
        }
    }

    fn refuse(&mut self, source: SourceId, events: u64) {
        if let Some(stream) = self.streams.get(&source) {
            stream.refuse(events);
        }
    }

    fn settle(&mut self, source: SourceId, fate: Fate) {
        if let Some(stream) = self.streams.get(&source) {
            stream.settle(&convert::fate(fate));
        }
    }

    fn release(&mut self, source: SourceId) {
        self.streams.remove(&source);
    }

    fn fetch_credentials(&mut self, renew: bool) {
        let lookup = credentials::fetch(renew);
        self.lookup = Some(Lookup { ready: lookup.subscribe(), lookup });
    }

    fn take_credentials(&mut self) -> Option<Result<Credentials, CredentialsError>> {
        let found = self.lookup.as_ref()?.lookup.get()?;
        self.lookup = None;
        Some(convert::credentials(found))
    }

    fn keep(&mut self, id: KeepId, lines: &[u8]) {
        let keeping = dead_letters::keep(lines);
        self.keepings.push(Keeping { id, ready: keeping.subscribe(), keeping });
    }

    fn take_kept(&mut self) -> Vec<(KeepId, Result<(), String>)> {
        let mut kept = Vec::new();
        self.keepings.retain(|Keeping { id, keeping, .. }| match keeping.get() {
            Some(result) => {
                kept.push((*id, convert::kept(result)));
                false
            }
            None => true,
        });
        kept
    }

    fn filter(&self) -> Option<Box<dyn Filter>> {
        Some(Box::new(HostsFilter))
    }

    fn tell(&mut self, severity: Severity, text: String) {
        reports::tell(&convert::message(severity, text));
    }

    fn count(&mut self, counts: &Counts, status: &Status) {
        reports::count(convert::counts(counts), &convert::status(status));
    }

    fn has_news(&self) -> bool {
        false
    }

    fn pollables(&self) -> Vec<&Pollable> {
        let lookup = self.lookup.as_ref().map(|lookup| &lookup.ready);
        let keepings = self.keepings.iter().map(|keeping| &keeping.ready);
        std::iter::once(&self.news).chain(lookup).chain(keepings).collect()
    }

    /// The host's hash, or if it has none, our own.
    fn sha256(data: &[u8]) -> [u8; 32] {
        let hosts = digest::sha256(data).and_then(|digest| <[u8; 32]>::try_from(digest).ok());
        hosts.unwrap_or_else(|| Sha256::digest(data).into())
    }
}
