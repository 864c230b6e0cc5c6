//! The run loop: asks the host for what the machine wants, and waits when there is nothing to do.

use wasi::clocks::{monotonic_clock, wall_clock};
use wasi::io::poll::poll;

use super::host::Host;
use super::http::Exchange;
use crate::settings::{Options, Settings, SettingsError};
use crate::shipper::{Answers, Counts, Failure, Output, Shipper};
use crate::time::{Millis, Timestamp};

/// Why it gave up.
pub enum End {
    Settings(SettingsError),
    Failure(Failure),
}

/// The machine and everything it has under way.
struct Driver<'a, H> {
    host: &'a mut H,
    shipper: Shipper,
    exchanges: Vec<Exchange>,
    counted: Counts,
    answered: Answers,
    /// When the host was last told these.
    counted_at: Timestamp,
}

/// What became of a round of the loop.
enum Round {
    Waits(Option<Timestamp>),
    Ends(Result<(), Failure>),
}

/// How often the host is told the counts and the status, while they change.
const COUNT_EVERY: Millis = Millis(1_000);

/// Ships until the host's phase and the machine let it end.
///
/// # Errors
/// An option cannot be used, or the machine gave up.
pub fn run<H: Host + 'static>(host: &mut H, options: &Options) -> Result<(), End> {
    let settings = Settings::of(options).map_err(End::Settings)?;
    let mut shipper = Shipper::new(settings, Box::new(H::sha256));
    if let Some(filter) = host.filter() {
        shipper = shipper.with_filter(filter);
    }
    let mut driver = Driver {
        host,
        shipper,
        exchanges: Vec::new(),
        counted: Counts::default(),
        answered: Answers::default(),
        counted_at: now(),
    };
    loop {
        driver.take_news();
        driver.take_answers();
        match driver.round() {
            Round::Waits(_) if driver.host.has_news() => {}
            Round::Waits(until) => driver.wait(until),
            Round::Ends(result) => {
                driver.count();
                return result.map_err(End::Failure);
            }
        }
    }
}

impl<H: Host> Driver<'_, H> {
    /// Hears what has happened at the host's end.
    fn take_news(&mut self) {
        let now = now();
        // Before the rest: what was opened before it changed is then seen, on a host that does so in another thread.
        let phase = self.host.phase(now);
        while let Some((id, opening)) = self.host.accept() {
            self.shipper.handle_opened(id, opening);
        }
        for id in self.host.ready() {
            self.shipper.handle_readable(id);
        }
        self.shipper.handle_phase(phase, now);
    }

    /// Takes requests, lookups and dead letters further.
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
        if let Some(found) = self.host.take_credentials() {
            self.shipper.handle_credentials(found, now);
        }
        for (id, result) in self.host.take_kept() {
            self.shipper.handle_kept(id, result, now);
        }
    }

    /// Does what the machine asks, until it has to wait.
    fn round(&mut self) -> Round {
        let mut now = now();
        loop {
            match self.shipper.poll_output(now) {
                Output::Read { source, max } => {
                    let read = self.host.read(source, max);
                    now = self::now();
                    match read {
                        Ok(bytes) => self.shipper.handle_bytes(source, &bytes, now),
                        Err(pause) => self.shipper.handle_pause(source, pause, now),
                    }
                }
                Output::Resume { source, taken } => {
                    if let Some(start) = self.host.resume(source, &taken) {
                        self.shipper.handle_resumed(source, start);
                    }
                }
                Output::Acknowledge { source, accepted } => self.host.acknowledge(source, &accepted),
                Output::Refused { source, events } => self.host.refuse(source, events),
                Output::Settle { source, fate } => self.host.settle(source, fate),
                Output::Release(source) => self.host.release(source),
                Output::Send(request) => {
                    let mut exchange = Exchange::start(self.shipper.settings().sites.own(), request);
                    let answer = exchange.advance();
                    now = self::now();
                    match answer {
                        Some(answer) => self.shipper.handle_answer(exchange.id, &answer, now),
                        None => self.exchanges.push(exchange),
                    }
                }
                Output::Keep { id, lines } => self.host.keep(id, &lines),
                Output::FetchCredentials { renew } => self.host.fetch_credentials(renew),
                Output::Tell(severity, text) => self.host.tell(severity, text),
                Output::Wait(until) => return Round::Waits(until),
                Output::Done(result) => return Round::Ends(result),
            }
        }
    }

    /// Waits for news, an answer, or a moment.
    fn wait(&mut self, until: Option<Timestamp>) {
        let now = now();
        let mut until = until;
        if self.counted != *self.shipper.counts() || self.answered != *self.shipper.answers() {
            let due = self.counted_at + COUNT_EVERY;
            if now >= due {
                self.count();
            } else {
                until = Some(until.map_or(due, |until| until.min(due)));
            }
        }
        let exchanges: Vec<_> = self.exchanges.iter().filter_map(Exchange::subscribe).collect();
        let timer = until.map(|until| monotonic_clock::subscribe_duration(until.since_exactly(now)));
        let mut pollables = self.host.pollables();
        pollables.extend(&exchanges);
        pollables.extend(&timer);
        poll(&pollables);
    }

    fn count(&mut self) {
        self.counted = *self.shipper.counts();
        self.answered.clone_from(self.shipper.answers());
        self.counted_at = now();
        self.host.count(&self.counted, &self.shipper.status());
    }
}

/// The time of now.
pub fn now() -> Timestamp {
    let now = wall_clock::now();
    let nanos = now.seconds.saturating_mul(1_000_000_000).saturating_add(now.nanoseconds.into());
    Timestamp::from_nanos(nanos)
}
