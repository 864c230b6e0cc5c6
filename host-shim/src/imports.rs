//! What the component imports, carried out.

use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use crate::bindings::cloudspout::host::{
    credentials, dead_letters, digest, filtering, lifecycle, logs, reports, settings,
};
use crate::credentials::{CredentialsFailure, Identity, Lookup};
use crate::dead_letters::Keeping;
use crate::driver::State;
use crate::streams::{Container, Fate, Framing, Hub, Loss, LossCause, Pause, Phase, Position, Positions};

/// A log stream, as the component holds it.
pub struct LogStream {
    id: u32,
    hub: Hub,
}

impl Drop for LogStream {
    fn drop(&mut self) {
        self.hub.release(self.id);
    }
}

/// Becomes ready when there is news on the hub.
struct News {
    hub: Hub,
}

#[wasmtime_wasi::async_trait]
impl Pollable for News {
    async fn ready(&mut self) {
        self.hub.news().await;
    }
}

impl logs::Host for State {
    fn accept(&mut self, max: u32) -> Result<Vec<Resource<LogStream>>> {
        let ids = self.hub.accept(max as usize);
        let streams = ids.into_iter().map(|id| self.table.push(LogStream { id, hub: self.hub.clone() }));
        streams.map(|stream| Ok(stream?)).collect()
    }

    fn ready(&mut self, max: u32) -> Result<Vec<u32>> {
        Ok(self.hub.ready(max as usize))
    }

    fn subscribe(&mut self) -> Result<Resource<DynPollable>> {
        let news = self.table.push(News { hub: self.hub.clone() })?;
        subscribe(&mut self.table, news)
    }
}

impl logs::HostLogStream for State {
    fn id(&mut self, stream: Resource<LogStream>) -> Result<u32> {
        Ok(self.table.get(&stream)?.id)
    }

    fn open(&mut self, stream: Resource<LogStream>) -> Result<logs::Opened> {
        let id = self.table.get(&stream)?.id;
        let Some(opening) = self.hub.opening(id) else {
            wasmtime::bail!("a log stream is opened twice");
        };
        Ok(logs::Opened {
            framing: framing(opening.framing),
            start: opening.start,
            taken: positions_in(&opening.taken),
            lost: opening.lost.map(loss),
            terminal: opening.terminal,
            container: container(opening.container),
        })
    }

    fn read(&mut self, stream: Resource<LogStream>, max: u32) -> Result<Result<Vec<u8>, logs::Pause>> {
        let id = self.table.get(&stream)?.id;
        let read = self.hub.read(id, max as usize);
        if read.as_ref().is_ok_and(|bytes| !bytes.is_empty()) {
            self.account.effect();
        }
        Ok(read.map_err(pause))
    }

    fn resume(&mut self, stream: Resource<LogStream>, taken: logs::Positions) -> Result<u64> {
        let id = self.table.get(&stream)?.id;
        Ok(self.hub.resume(id, positions_out(&taken)))
    }

    fn acknowledge(&mut self, stream: Resource<LogStream>, accepted: logs::Positions) -> Result<()> {
        let id = self.table.get(&stream)?.id;
        self.hub.acknowledge(id, &positions_out(&accepted));
        Ok(())
    }

    fn refuse(&mut self, stream: Resource<LogStream>, events: u64) -> Result<()> {
        let id = self.table.get(&stream)?.id;
        self.hub.refuse(id, events);
        Ok(())
    }

    fn settle(&mut self, stream: Resource<LogStream>, given: logs::Fate) -> Result<()> {
        let id = self.table.get(&stream)?.id;
        self.hub.settle(id, fate(given));
        Ok(())
    }

    fn drop(&mut self, stream: Resource<LogStream>) -> Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}

impl lifecycle::Host for State {
    fn current_phase(&mut self) -> Result<lifecycle::Phase> {
        Ok(match self.hub.phase() {
            Phase::Running => lifecycle::Phase::Running,
            Phase::Finishing => lifecycle::Phase::Finishing,
            Phase::Stopping { within_ms } => lifecycle::Phase::Stopping(within_ms),
        })
    }
}

impl credentials::Host for State {
    fn fetch(&mut self, renew: bool) -> Result<Resource<Lookup>> {
        Ok(self.table.push(Lookup::start(&self.credentials, renew))?)
    }
}

impl credentials::HostLookup for State {
    fn subscribe(&mut self, lookup: Resource<Lookup>) -> Result<Resource<DynPollable>> {
        subscribe(&mut self.table, lookup)
    }

    fn get(
        &mut self,
        lookup: Resource<Lookup>,
    ) -> Result<Option<Result<credentials::Identity, credentials::Failure>>> {
        let found = self.table.get_mut(&lookup)?.take();
        Ok(found.map(|found| found.map(identity).map_err(credentials_failure)))
    }

    fn drop(&mut self, lookup: Resource<Lookup>) -> Result<()> {
        self.table.delete(lookup)?;
        Ok(())
    }
}

impl digest::Host for State {
    fn sha256(&mut self, data: Vec<u8>) -> Result<Option<Vec<u8>>> {
        Ok(Some(sha256(&data)))
    }
}

/// SHA-256, by the instructions that the machine has for it.
pub fn sha256(data: &[u8]) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, data).as_ref().to_vec()
}

impl dead_letters::Host for State {
    fn keep(&mut self, lines: Vec<u8>) -> Result<Resource<Keeping>> {
        Ok(self.table.push(Keeping::start(self.dead_letters.clone(), lines))?)
    }
}

impl dead_letters::HostKeeping for State {
    fn subscribe(&mut self, keeping: Resource<Keeping>) -> Result<Resource<DynPollable>> {
        subscribe(&mut self.table, keeping)
    }

    fn get(&mut self, keeping: Resource<Keeping>) -> Result<Option<Result<(), dead_letters::Failure>>> {
        let kept = self.table.get_mut(&keeping)?.take();
        Ok(kept.map(|kept| kept.map_err(dead_letters::Failure::Unwritable)))
    }

    fn drop(&mut self, keeping: Resource<Keeping>) -> Result<()> {
        self.table.delete(keeping)?;
        Ok(())
    }
}

impl filtering::Host for State {
    async fn apply(
        &mut self,
        origin: filtering::Origin,
        events: filtering::Events,
    ) -> Result<Result<filtering::Outcome, filtering::Failure>> {
        Ok(match &mut self.filtering {
            Some(filtering) => filtering.apply(origin, events).await,
            None => Err(filtering::Failure::Broken("there is none".to_owned())),
        })
    }
}

impl settings::Host for State {
    fn get(&mut self) -> Result<settings::Options> {
        Ok(self.options.clone())
    }
}

impl reports::Host for State {
    fn tell(&mut self, message: reports::Message) -> Result<()> {
        self.reporter.tell(message.severity, &message.text);
        Ok(())
    }

    fn count(&mut self, counts: reports::Counts, status: reports::Status) -> Result<()> {
        self.reporter.count(&counts, &status);
        Ok(())
    }
}

fn framing(framing: Framing) -> logs::Framing {
    match framing {
        Framing::Lines => logs::Framing::Lines,
        Framing::LinesWithTimes => logs::Framing::LinesWithTimes,
        Framing::Frames => logs::Framing::Frames,
        Framing::FramesWithTimes => logs::Framing::FramesWithTimes,
        Framing::JsonFile => logs::Framing::JsonFile,
        Framing::JsonLines => logs::Framing::JsonLines,
        Framing::DeadLetters => logs::Framing::DeadLetters,
        Framing::JsonBody => logs::Framing::JsonBody,
        Framing::OtlpProtobuf => logs::Framing::OtlpProtobuf,
        Framing::OtlpJson => logs::Framing::OtlpJson,
    }
}

fn pause(pause: Pause) -> logs::Pause {
    match pause {
        Pause::Interrupted => logs::Pause::Interrupted,
        Pause::Stopped => logs::Pause::Stopped,
        Pause::Ended => logs::Pause::Ended,
        Pause::Lost(lost) => logs::Pause::Lost(loss(lost)),
    }
}

fn loss(loss: Loss) -> logs::Loss {
    let cause = match loss.cause {
        LossCause::Rotated => logs::LossCause::Rotated,
        LossCause::Compressed => logs::LossCause::Compressed,
        LossCause::Truncated => logs::LossCause::Truncated,
    };
    logs::Loss { cause, bytes: loss.bytes, before: loss.before }
}

fn fate(given: logs::Fate) -> Fate {
    match given {
        logs::Fate::Settled(logs::Tally { events, refused }) => Fate::Settled { events, refused },
        logs::Fate::Unreadable(problem) => Fate::Unreadable(problem),
    }
}

fn positions_in(positions: &Positions) -> logs::Positions {
    let position = |position: Position| logs::Position {
        offset: position.offset,
        time: position.time,
        ordinal: position.ordinal,
        into_line: position.into_line,
    };
    logs::Positions { stdout: positions.stdout.map(position), stderr: positions.stderr.map(position) }
}

fn positions_out(positions: &logs::Positions) -> Positions {
    let position = |position: logs::Position| Position {
        offset: position.offset,
        time: position.time,
        ordinal: position.ordinal,
        into_line: position.into_line,
    };
    Positions { stdout: positions.stdout.map(position), stderr: positions.stderr.map(position) }
}

pub fn container(container: Container) -> logs::Container {
    logs::Container {
        id: container.id,
        name: container.name,
        image_name: container.image_name,
        image_id: container.image_id,
        hostname: container.hostname,
        daemon_name: container.daemon_name,
        entrypoint: container.entrypoint,
        args: container.args,
        env: container.env,
        labels: container.labels,
        log_options: container.log_options,
        created: container.created,
        log_path: container.log_path,
        event: container.event,
    }
}

fn identity(identity: Identity) -> credentials::Identity {
    credentials::Identity {
        access_key_id: identity.access_key_id,
        secret_access_key: identity.secret_access_key,
        session_token: identity.session_token,
        expires: identity.expires,
    }
}

fn credentials_failure(failure: CredentialsFailure) -> credentials::Failure {
    match failure {
        CredentialsFailure::Missing(text) => credentials::Failure::Missing(text),
        CredentialsFailure::Invalid(text) => credentials::Failure::Invalid(text),
        CredentialsFailure::Unavailable(text) => credentials::Failure::Unavailable(text),
    }
}
