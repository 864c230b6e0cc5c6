//! The run loop: asks the host for what the machine wants, and waits when there is nothing to do.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use wasi::clocks::{monotonic_clock, wall_clock};
use wasi::io::poll::{Pollable, poll};

use super::bindings::Failure;
use super::bindings::cloudspout::host::{credentials, digest, lifecycle, logs, reports, settings};
use super::convert;
use super::http::Exchange;
use crate::batch::SourceId;
use crate::settings::Settings;
use crate::shipper::{Counts, Output, Shipper};
use crate::time::{Millis, Timestamp};

/// The machine and everything it has under way.
struct Driver {
    shipper: Shipper,
    streams: BTreeMap<SourceId, logs::LogStream>,
    exchanges: Vec<Exchange>,
    lookup: Option<credentials::Lookup>,
    counted: Counts,
    /// When the host was last told the counts.
    counted_at: Timestamp,
}

/// What became of a round of the loop.
enum Round {
    Waits(Option<Timestamp>),
    Ends(Result<(), crate::shipper::Failure>),
}

/// Happenings taken from the host at a time.
const MANY: u32 = 1024;
/// How often the host is told the counts.
const COUNT_EVERY: Millis = Millis(1_000);

/// See `run` in the WIT.
pub fn run() -> Result<(), Failure> {
    let options = convert::options(settings::get());
    let settings = Settings::of(&options).map_err(|error| Failure::Settings(error.to_string()))?;
    logs::keep_apart(&settings.event_fields);
    let mut driver = Driver {
        shipper: Shipper::new(settings, Box::new(sha256)),
        streams: BTreeMap::new(),
        exchanges: Vec::new(),
        lookup: None,
        counted: Counts::default(),
        counted_at: now(),
    };
    let news = logs::subscribe();
    loop {
        driver.take_news();
        driver.take_answers();
        match driver.round() {
            Round::Waits(until) => driver.wait(&news, until),
            Round::Ends(result) => {
                driver.count();
                return result.map_err(convert::failure);
            }
        }
    }
}

impl Driver {
    /// Hears what has happened at the host's end.
    fn take_news(&mut self) {
        let now = now();
        for stream in logs::accept(MANY) {
            let id = SourceId(stream.id());
            self.shipper.handle_opened(id, convert::opening(stream.open()));
            self.streams.insert(id, stream);
        }
        for id in logs::ready(MANY) {
            self.shipper.handle_readable(SourceId(id));
        }
        self.shipper.handle_phase(convert::phase(lifecycle::current_phase(), now), now);
    }

    /// Takes requests and lookups further.
    fn take_answers(&mut self) {
        let mut answers = Vec::new();
        self.exchanges.retain_mut(|exchange| match exchange.advance() {
            Some(answer) => {
                answers.push((exchange.id, answer));
                false
            }
            None => true,
        });
        let now = now();
        for (id, answer) in answers {
            self.shipper.handle_answer(id, &answer, now);
        }
        if let Some(found) = self.lookup.as_ref().and_then(|lookup| lookup.get()) {
            self.lookup = None;
            self.shipper.handle_credentials(convert::credentials(found), now);
        }
    }

    /// Does what the machine asks, until it has to wait.
    fn round(&mut self) -> Round {
        let mut now = now();
        loop {
            match self.shipper.poll_output(now) {
                Output::Read { source, max } => {
                    let read = self.streams.get(&source).map(|stream| stream.read(max));
                    now = self::now();
                    match read {
                        Some(Ok(bytes)) => self.shipper.handle_bytes(source, &bytes, now),
                        Some(Err(pause)) => self.shipper.handle_pause(source, convert::pause(pause), now),
                        None => self.shipper.handle_pause(source, crate::shipper::Pause::Ended, now),
                    }
                }
                Output::Resume { source, taken } => {
                    if let Some(stream) = self.streams.get(&source) {
                        let start = stream.resume(convert::positions_out(&taken));
                        self.shipper.handle_resumed(source, start);
                    }
                }
                Output::Acknowledge { source, accepted } => {
                    if let Some(stream) = self.streams.get(&source) {
                        stream.acknowledge(convert::positions_out(&accepted));
                    }
                }
                Output::Refused { source, events } => {
                    if let Some(stream) = self.streams.get(&source) {
                        stream.refuse(events);
                    }
                }
                Output::Release(source) => {
                    self.streams.remove(&source);
                }
                Output::Send(request) => {
                    let mut exchange = Exchange::start(&self.shipper.settings().endpoint, request);
                    let answer = exchange.advance();
                    now = self::now();
                    match answer {
                        Some(answer) => self.shipper.handle_answer(exchange.id, &answer, now),
                        None => self.exchanges.push(exchange),
                    }
                }
                Output::FetchCredentials { renew } => self.lookup = Some(credentials::fetch(renew)),
                Output::Tell(severity, text) => reports::tell(&convert::message(severity, text)),
                Output::Wait(until) => return Round::Waits(until),
                Output::Done(result) => return Round::Ends(result),
            }
        }
    }

    /// Waits for news, an answer, or a moment.
    fn wait(&mut self, news: &Pollable, until: Option<Timestamp>) {
        let now = now();
        let mut until = until;
        if self.counted != *self.shipper.counts() {
            let due = self.counted_at + COUNT_EVERY;
            if now >= due {
                self.count();
            } else {
                until = Some(until.map_or(due, |until| until.min(due)));
            }
        }
        let lookup = self.lookup.as_ref().map(|lookup| lookup.subscribe());
        let exchanges: Vec<_> = self.exchanges.iter().filter_map(Exchange::subscribe).collect();
        let timer = until.map(|until| monotonic_clock::subscribe_duration(until.since_exactly(now)));
        let mut pollables = vec![news];
        pollables.extend(&lookup);
        pollables.extend(&exchanges);
        pollables.extend(&timer);
        poll(&pollables);
    }

    fn count(&mut self) {
        self.counted = *self.shipper.counts();
        self.counted_at = now();
        reports::count(convert::counts(&self.counted));
    }
}

fn now() -> Timestamp {
    let now = wall_clock::now();
    let nanos = now.seconds.saturating_mul(1_000_000_000).saturating_add(now.nanoseconds.into());
    Timestamp::from_nanos(nanos)
}

/// The host's hash, or if it has none, our own.
fn sha256(data: &[u8]) -> [u8; 32] {
    let hosts = digest::sha256(data).and_then(|digest| <[u8; 32]>::try_from(digest).ok());
    hosts.unwrap_or_else(|| Sha256::digest(data).into())
}
