//! Whatever happens in whatever order, every line arrives, in order, and twice only if an answer was lost.
//!
//! Each byte is something that happens to a machine with a few sources; at the end, everything goes well.

#![no_main]

use std::collections::BTreeMap;

use cloudspout::batch::SourceId;
use cloudspout::cloudwatch::Operation;
use cloudspout::delivery::{Answer, Response};
use cloudspout::lines::Framing;
use cloudspout::naming::Container;
use cloudspout::settings::{Options, Settings};
use cloudspout::shipper::{CredentialsError, Opening, Output, Pause, Phase, Positions, Request, Shipper};
use cloudspout::sigv4::Credentials;
use cloudspout::time::{Millis, Timestamp};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;

fuzz_target!(|happenings: &[u8]| {
    let mut world = World::new();
    for happening in happenings.iter().take(200) {
        world.happen(*happening);
        world.drain();
    }
    world.end();
});

const SOURCES: u32 = 3;
const MINUTE: Millis = Millis(60_000);

struct World {
    shipper: Shipper,
    now: Timestamp,
    /// Log lines that a source has and the machine has not read.
    unread: BTreeMap<SourceId, Vec<u8>>,
    /// Lines written, by source.
    written: BTreeMap<SourceId, usize>,
    ending: bool,
    under_way: Vec<Request>,
    wants_credentials: bool,
    until: Option<Timestamp>,
    stored: Vec<(SourceId, usize)>,
    /// Stored without an answer: may come again.
    unanswered: usize,
    refused: usize,
    released: usize,
    done: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    log_events: Vec<LogEvent>,
}

#[derive(Deserialize)]
struct LogEvent {
    message: String,
}

impl World {
    fn new() -> World {
        let options = Options {
            region: "eu-central-1".into(),
            group: "g".into(),
            stream: "{{.Name}}".into(),
            host_name: "h".into(),
            flush_after: Millis(1_000),
            buffer_bytes: 4 << 20,
            seed: 1,
            ..Options::default()
        };
        let settings = Settings::of(&options).expect("good options");
        let mut world = World {
            shipper: Shipper::new(settings, Box::new(|_| [7; 32])),
            now: Timestamp::from_millis(1_800_000_000_000),
            unread: BTreeMap::new(),
            written: BTreeMap::new(),
            ending: false,
            under_way: Vec::new(),
            wants_credentials: false,
            until: None,
            stored: Vec::new(),
            unanswered: 0,
            refused: 0,
            released: 0,
            done: false,
        };
        for number in 1..=SOURCES {
            // Two of them share a log stream.
            let container = Container { name: format!("s{}", number / 2), ..Container::default() };
            let taken = Positions::default();
            let opening =
                Opening { framing: Framing::Lines, start: 0, taken, lost: None, terminal: false, container };
            world.shipper.handle_opened(SourceId(number), opening);
            world.unread.insert(SourceId(number), Vec::new());
            world.written.insert(SourceId(number), 0);
        }
        world.drain();
        world
    }

    fn happen(&mut self, happening: u8) {
        let argument = usize::from(happening >> 4);
        match happening & 15 {
            0..=3 => self.write(SourceId(1 + argument as u32 % SOURCES), argument + 1),
            4 => self.write(SourceId(1 + argument as u32 % SOURCES), 300),
            5 => self.now = self.now + Millis(50 * argument as u64),
            6 => self.sleep(),
            7 => self.give_credentials(argument % 4 != 0),
            8 | 9 => self.answer(argument, "ok"),
            10 => self.answer(argument, "throttle"),
            11 => self.answer(argument, "missing"),
            12 => self.answer(argument, "refuse"),
            13 => self.answer(argument, "not sent"),
            14 => self.answer(argument, "unanswered"),
            _ => self.answer(argument, "expired"),
        }
    }

    fn write(&mut self, source: SourceId, lines: usize) {
        let (Some(unread), Some(written)) = (self.unread.get_mut(&source), self.written.get_mut(&source))
        else {
            return;
        };
        for _ in 0..lines {
            unread.extend_from_slice(format!("{} {written}\n", source.0).as_bytes());
            *written += 1;
        }
        self.shipper.handle_readable(source);
    }

    fn sleep(&mut self) {
        if let Some(until) = self.until {
            self.now = self.now.max(until);
        }
    }

    fn give_credentials(&mut self, good: bool) {
        if !std::mem::take(&mut self.wants_credentials) {
            return;
        }
        let found = if good {
            Ok(Credentials::new("AKID".into(), "secret".into(), None, None))
        } else {
            Err(CredentialsError::Unavailable("nobody answers".into()))
        };
        self.shipper.handle_credentials(found, self.now);
    }

    fn answer(&mut self, which: usize, how: &str) {
        if self.under_way.is_empty() {
            return;
        }
        let request = self.under_way.remove(which % self.under_way.len());
        let error = |status: u16, code: &str| {
            let body = format!(r#"{{"__type":"{code}","message":"m"}}"#).into_bytes();
            Answer::Response(Response { status, body, ..Response::default() })
        };
        let is_put = request.operation == Operation::PutLogEvents;
        let events = if is_put { lines_of(&request) } else { Vec::new() };
        let answer = match how {
            "ok" => {
                self.stored.extend(events);
                Answer::Response(Response { status: 200, body: b"{}".to_vec(), ..Response::default() })
            }
            "throttle" => error(400, "ThrottlingException"),
            "missing" if is_put => error(400, "ResourceNotFoundException"),
            "refuse" if is_put => error(400, "InvalidParameterException"),
            "not sent" => Answer::NotSent("refused".into()),
            "unanswered" => {
                self.unanswered += events.len();
                self.stored.extend(events);
                Answer::Unanswered("reset".into())
            }
            "expired" => error(400, "ExpiredTokenException"),
            _ => error(500, "InternalFailure"),
        };
        self.shipper.handle_answer(request.id, &answer, self.now);
    }

    fn drain(&mut self) {
        for _ in 0..100_000 {
            match self.shipper.poll_output(self.now) {
                Output::Read { source, max } => self.read(source, max as usize),
                Output::Resume { .. } => panic!("no source breaks off"),
                Output::Refused { events, .. } => self.refused += events as usize,
                Output::Acknowledge { .. } | Output::Tell(..) => {}
                Output::Keep { .. } => panic!("nothing is to be kept"),
                Output::Settle { .. } => {}
                Output::Release(_) => self.released += 1,
                Output::Send(request) => self.under_way.push(request),
                Output::FetchCredentials { .. } => self.wants_credentials = true,
                Output::Wait(until) => {
                    self.until = until;
                    return;
                }
                Output::Done(result) => {
                    assert_eq!(result, Ok(()));
                    self.done = true;
                    return;
                }
            }
        }
        panic!("the machine runs in circles");
    }

    fn read(&mut self, source: SourceId, max: usize) {
        let unread = self.unread.get_mut(&source).expect("a source");
        if unread.is_empty() && self.ending {
            return self.shipper.handle_pause(source, Pause::Ended, self.now);
        }
        let rest = unread.split_off(max.min(unread.len()));
        let bytes = std::mem::replace(unread, rest);
        self.shipper.handle_bytes(source, &bytes, self.now);
    }

    /// Nothing goes wrong any more, and every source ends.
    fn end(&mut self) {
        self.ending = true;
        self.shipper.handle_phase(Phase::Finishing, self.now);
        for number in 1..=SOURCES {
            self.shipper.handle_readable(SourceId(number));
        }
        for _ in 0..100_000 {
            self.drain();
            if self.done {
                return self.judge();
            }
            self.give_credentials(true);
            if self.under_way.is_empty() {
                self.sleep();
            }
            while !self.under_way.is_empty() {
                self.answer(0, "ok");
            }
            self.now = self.now + Millis(1);
        }
        panic!("the machine does not end; it waits until {:?} at {:?}", self.until, self.now);
    }

    fn judge(&self) {
        assert_eq!(self.released, SOURCES as usize, "sources that were let go");
        let mut arrived: BTreeMap<SourceId, Vec<usize>> = BTreeMap::new();
        let mut doubled = 0;
        for (source, line) in &self.stored {
            let lines = arrived.entry(*source).or_default();
            match lines.last() {
                Some(last) if line <= last => doubled += 1,
                _ => lines.push(*line),
            }
        }
        assert!(
            doubled <= self.unanswered,
            "{doubled} events came twice, {} were not answered",
            self.unanswered
        );
        let arrived: usize = arrived.values().map(Vec::len).sum();
        let written: usize = self.written.values().sum();
        let counts = self.shipper.counts();
        assert_eq!(counts.events_read as usize, written);
        assert_eq!(counts.rejected() as usize, self.refused);
        assert_eq!(counts.events_accepted as usize + counts.rejected() as usize, written);
        assert!(
            arrived + self.refused >= written,
            "{arrived} of {written} arrived, {} were refused",
            self.refused
        );
        assert!(self.now < Timestamp::from_millis(1_800_000_000_000) + Millis(MINUTE.0 * 60 * 24));
    }
}

/// What a request brings: of which source, and which of its lines.
fn lines_of(request: &Request) -> Vec<(SourceId, usize)> {
    let put: Put = serde_json::from_slice(request.body.bytes()).expect("a body is JSON");
    assert!((1..=10_000).contains(&put.log_events.len()));
    let line = |event: &LogEvent| {
        let (source, line) = event.message.split_once(' ').expect("a line of ours");
        (SourceId(source.parse().expect("a number")), line.parse().expect("a number"))
    };
    put.log_events.iter().map(line).collect()
}
