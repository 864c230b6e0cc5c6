//! Scenarios: the machine in simulated time, against an imitation of the service.

mod answers;
mod batches;
mod bodies;
mod clock;
mod filtering;
mod gaps;
mod groups;
mod letters;
mod memory;
mod multiline;
mod placing;
mod ready;
mod signing;
mod sources;
mod standing;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::batch::SourceId;
use crate::cloudwatch::Operation;
use crate::delivery::{Answer, Response};
use crate::lines::Position;
use crate::settings::{Compression, Options, Signing, WhenFull};
use crate::sigv4::Credentials;
use crate::time::Millis;

/// The machine, the time, and everything it asked for.
struct World {
    shipper: Shipper,
    now: Timestamp,
    /// Requests whose answer is outstanding, oldest first.
    sent: VecDeque<Request>,
    reads: Vec<SourceId>,
    resumed: Vec<(SourceId, Positions)>,
    acknowledged: BTreeMap<SourceId, Positions>,
    refused: BTreeMap<SourceId, u64>,
    settled: BTreeMap<SourceId, Fate>,
    released: Vec<SourceId>,
    said: Vec<(Severity, String)>,
    /// Dead letters that were handed out.
    kept: Vec<(KeepId, Vec<u8>)>,
    fetches: Vec<bool>,
    until: Option<Timestamp>,
    done: Option<Result<(), Failure>>,
}

fn options() -> Options {
    Options {
        region: "eu-central-1".into(),
        group: "g".into(),
        stream: "{{.Name}}".into(),
        host_name: "h".into(),
        buffer_bytes: 8 << 20,
        seed: 1,
        ..Options::default()
    }
}

impl World {
    fn new() -> World {
        World::with(options())
    }

    fn with(options: Options) -> World {
        let settings = Settings::of(&options).unwrap();
        let mut world = World {
            shipper: Shipper::new(settings, Box::new(|_| [7; 32])),
            now: Timestamp::from_millis(1_800_000_000_000),
            sent: VecDeque::new(),
            reads: Vec::new(),
            resumed: Vec::new(),
            acknowledged: BTreeMap::new(),
            refused: BTreeMap::new(),
            settled: BTreeMap::new(),
            released: Vec::new(),
            said: Vec::new(),
            kept: Vec::new(),
            fetches: Vec::new(),
            until: None,
            done: None,
        };
        world.drain();
        match options.signing {
            Signing::Here => {
                assert_eq!(world.fetches, [false], "credentials are asked for early");
                world.credentials();
            }
            Signing::Elsewhere => assert!(world.fetches.is_empty(), "whoever signs has them"),
        }
        world
    }

    fn credentials(&mut self) {
        let credentials = Credentials::new("AKID".into(), "secret".into(), None, None);
        self.shipper.handle_credentials(Ok(credentials), self.now);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.shipper.poll_output(self.now) {
                Output::Read { source, .. } => self.reads.push(source),
                Output::Resume { source, taken } => self.resumed.push((source, taken)),
                Output::Acknowledge { source, accepted } => {
                    self.acknowledged.insert(source, accepted);
                }
                Output::Refused { source, events } => *self.refused.entry(source).or_default() += events,
                Output::Settle { source, fate } => {
                    assert_eq!(self.settled.insert(source, fate), None, "settled twice");
                }
                Output::Release(source) => self.released.push(source),
                Output::Send(request) => self.sent.push_back(request),
                Output::FetchCredentials { renew } => self.fetches.push(renew),
                Output::Keep { id, lines } => self.kept.push((id, lines.to_vec())),
                Output::Tell(severity, text) => self.said.push((severity, text)),
                Output::Wait(until) => {
                    self.until = until;
                    return;
                }
                Output::Done(result) => {
                    self.done = Some(result);
                    return;
                }
            }
        }
    }

    fn open(&mut self, id: u32, name: &str) -> SourceId {
        self.open_as(id, name, Framing::Lines)
    }

    fn open_as(&mut self, id: u32, name: &str, framing: Framing) -> SourceId {
        let source = SourceId(id);
        let container = Container { name: name.into(), ..Container::default() };
        let taken = Positions::default();
        let opening = Opening { framing, start: 0, taken, lost: None, terminal: false, container };
        self.shipper.handle_opened(source, opening);
        self.drain();
        source
    }

    /// Hands in a chunk of log, if the machine asks for it.
    fn log(&mut self, source: SourceId, bytes: &[u8]) -> bool {
        self.shipper.handle_readable(source);
        self.drain();
        let Some(at) = self.reads.iter().position(|read| *read == source) else { return false };
        self.reads.remove(at);
        self.shipper.handle_bytes(source, bytes, self.now);
        self.drain();
        // The machine reads on until there is nothing.
        while let Some(at) = self.reads.iter().position(|read| *read == source) {
            self.reads.remove(at);
            self.shipper.handle_bytes(source, b"", self.now);
            self.drain();
        }
        true
    }

    fn pass(&mut self, millis: u64) {
        self.now = self.now + Millis(millis);
        self.drain();
    }

    /// Lets time pass until the machine does something.
    fn wake(&mut self) {
        self.now = self.until.expect("nothing to wait for").max(self.now);
        self.drain();
    }

    /// Answers the oldest request; says what it was.
    fn answer(&mut self, answer: Answer) -> (Operation, Vec<String>) {
        let request = self.sent.pop_front().expect("nothing was sent");
        self.shipper.handle_answer(request.id, &answer, self.now);
        self.drain();
        (request.operation, messages(&request))
    }

    fn accept(&mut self) -> Vec<String> {
        self.answer(status(200, "{}")).1
    }

    /// Says what became of the oldest dead letters that were handed out; what they are.
    fn keep(&mut self, kept: Result<(), String>) -> Vec<serde_json::Value> {
        let (id, lines) = self.kept.remove(0);
        self.shipper.handle_kept(id, kept, self.now);
        self.drain();
        let lines = String::from_utf8(lines).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Has a source end in this way.
    fn pause(&mut self, source: SourceId, pause: Pause) {
        self.shipper.handle_readable(source);
        self.drain();
        self.reads.retain(|read| *read != source);
        self.shipper.handle_pause(source, pause, self.now);
        self.drain();
    }

    fn offset_accepted(&self, source: SourceId) -> u64 {
        self.acknowledged
            .get(&source)
            .and_then(|positions| positions.stdout)
            .map_or(0, |position| position.offset)
    }
}

fn status(status: u16, body: &str) -> Answer {
    Answer::Response(Response { status, body: body.as_bytes().to_vec(), ..Response::default() })
}

fn code(code: &str) -> Answer {
    status(400, &format!("{{\"__type\":\"{code}\"}}"))
}

fn messages(request: &Request) -> Vec<String> {
    let body: serde_json::Value = serde_json::from_slice(request.body.bytes()).unwrap();
    let events = body["logEvents"].as_array().cloned().unwrap_or_default();
    events.iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}
