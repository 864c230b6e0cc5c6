//! Scenarios: the machine in simulated time, against an imitation of the service.

use std::collections::BTreeMap;

use super::*;
use crate::batch::SourceId;
use crate::cloudwatch::Operation;
use crate::delivery::{Answer, Response};
use crate::lines::Position;
use crate::settings::{Compression, Options};
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
    released: Vec<SourceId>,
    said: Vec<(Severity, String)>,
    fetches: Vec<bool>,
    until: Option<Timestamp>,
    done: Option<Result<(), Failure>>,
}

fn options() -> Options {
    Options {
        region: "eu-central-1".into(),
        endpoint: None,
        group: "g".into(),
        stream: "{{.Name}}".into(),
        host_name: "h".into(),
        create_group: true,
        create_stream: true,
        flush_after: Millis(5_000),
        buffer_bytes: 8 << 20,
        compression: Compression::None,
        in_flight: 1,
        fail_fast: false,
        seed: 1,
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
            released: Vec::new(),
            said: Vec::new(),
            fetches: Vec::new(),
            until: None,
            done: None,
        };
        world.drain();
        assert_eq!(world.fetches, [false], "credentials are asked for early");
        world.credentials();
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
                Output::Release(source) => self.released.push(source),
                Output::Send(request) => self.sent.push_back(request),
                Output::FetchCredentials { renew } => self.fetches.push(renew),
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
        let source = SourceId(id);
        let container = Container { name: name.into(), ..Container::default() };
        let taken = Positions::default();
        let opening = Opening { framing: Framing::Lines, start: 0, taken, terminal: false, container };
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

#[test]
fn an_event_waits_for_others_and_then_leaves() {
    let mut world = World::new();
    let source = world.open(1, "web");
    assert!(world.log(source, b"one\n"));
    world.pass(4_999);
    assert!(world.sent.is_empty());
    world.log(source, b"two\n");
    world.pass(1);
    assert_eq!(world.accept(), ["one", "two"]);
    assert_eq!(world.offset_accepted(source), 8);
    assert_eq!(world.shipper.counts().events_accepted, 2);
    world.pass(100_000);
    assert!(world.sent.is_empty());
}

#[test]
fn a_full_batch_leaves_at_once() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, "x\n".repeat(10_001).as_bytes());
    assert_eq!(world.accept().len(), 10_000);
}

#[test]
fn nothing_is_acknowledged_before_it_is_accepted() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"one\nhalf");
    world.pass(5_000);
    assert_eq!(world.offset_accepted(source), 0);
    world.accept();
    assert_eq!(world.offset_accepted(source), 4, "the half line is not part of it");
}

#[test]
fn what_does_not_exist_is_made_and_the_same_batch_sent_again() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"one\n");
    world.pass(5_000);
    let body = world.sent[0].body.bytes().to_vec();
    assert_eq!(world.answer(code("ResourceNotFoundException")).0, Operation::PutLogEvents);
    assert_eq!(world.answer(code("ResourceNotFoundException")).0, Operation::CreateLogStream);
    assert_eq!(world.answer(status(200, "")).0, Operation::CreateLogGroup);
    assert_eq!(world.answer(code("ResourceAlreadyExistsException")).0, Operation::CreateLogStream);
    assert_eq!(world.sent[0].body.bytes(), body);
    assert_eq!(world.accept(), ["one"]);
}

#[test]
fn a_service_that_forgets_what_it_made_is_not_stormed() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"one\n");
    world.pass(5_000);
    let mut requests = 0;
    let begin = world.now;
    while world.now.since(begin) < Millis(60_000) {
        while let Some(request) = world.sent.front() {
            requests += 1;
            let answer = match request.operation {
                Operation::PutLogEvents => code("ResourceNotFoundException"),
                _ => status(200, ""),
            };
            world.answer(answer);
        }
        world.wake();
    }
    assert!(requests < 60, "{requests} requests in a minute");
}

#[test]
fn a_retry_sends_the_same_bytes_and_counts_what_may_be_doubled() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"one\ntwo\n");
    world.pass(5_000);
    let body = world.sent[0].body.bytes().to_vec();
    for answer in [
        status(500, ""),
        code("ThrottlingException"),
        Answer::NotSent("refused".into()),
        Answer::Unanswered("cut".into()),
    ] {
        world.answer(answer);
        assert!(world.sent.is_empty(), "not at once");
        world.wake();
        assert_eq!(world.sent[0].body.bytes(), body);
    }
    assert_eq!(world.accept(), ["one", "two"]);
    let counts = world.shipper.counts();
    assert_eq!((counts.requests_sent, counts.requests_retried), (5, 4));
    assert_eq!((counts.requests_ambiguous, counts.events_possibly_doubled), (1, 2));
    assert_eq!(world.said.last().map(|(_, text)| text.contains("delivering again")), Some(true));
}

#[test]
fn one_destination_in_trouble_delays_no_other() {
    let mut world = World::new();
    let (bad, good) = (world.open(1, "bad"), world.open(2, "good"));
    world.log(bad, b"bad\n");
    world.pass(5_000);
    world.answer(code("AccessDeniedException"));
    world.log(good, b"good\n");
    world.pass(5_000);
    let sent: Vec<_> = world.sent.iter().map(messages).collect();
    assert!(sent.contains(&vec!["good".to_owned()]), "{sent:?}");
    assert!(
        world
            .said
            .iter()
            .any(|(severity, text)| *severity == Severity::Error && text.contains("not permitted"))
    );
}

#[test]
fn an_event_that_is_refused_is_found_and_the_rest_delivered() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"a\nb\nPOISON\nc\nd\n");
    world.pass(5_000);
    let mut delivered = Vec::new();
    while let Some(request) = world.sent.front() {
        let poisoned = messages(request).iter().any(|message| message == "POISON");
        match poisoned {
            true => drop(world.answer(code("InvalidParameterException"))),
            false => delivered.extend(world.accept()),
        }
    }
    assert_eq!(delivered, ["a", "b", "c", "d"]);
    assert_eq!(world.shipper.counts().events_invalid, 1);
    assert_eq!(world.offset_accepted(source), 15, "what was refused for good is done with too");
}

#[test]
fn rejected_events_are_counted_by_reason_and_told() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"a\nb\nc\nd\n");
    world.pass(5_000);
    world.answer(status(
        200,
        r#"{"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":1,"tooNewLogEventStartIndex":3}}"#,
    ));
    let counts = world.shipper.counts();
    assert_eq!((counts.events_accepted, counts.events_too_old, counts.events_too_new), (2, 1, 1));
    assert!(world.said.iter().any(|(_, text)| text.contains("2 events are not delivered")));
    assert_eq!(world.offset_accepted(source), 8);
}

#[test]
fn refused_credentials_are_renewed_and_the_batch_sent_again() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"one\n");
    world.pass(5_000);
    world.answer(code("ExpiredTokenException"));
    assert_eq!(world.fetches, [false, true]);
    assert!(world.sent.is_empty());
    world.credentials();
    assert_eq!(world.accept(), ["one"]);
}

#[test]
fn a_clock_that_is_off_is_corrected() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"one\n");
    world.pass(5_000);
    let ahead = world.now + Millis(3_600_000);
    let refused = Response {
        status: 400,
        body: br#"{"__type":"InvalidSignatureException"}"#.to_vec(),
        date: Some(ahead),
        ..Response::default()
    };
    world.answer(Answer::Response(refused));
    let date =
        |request: &Request| request.headers.iter().find(|(name, _)| *name == "x-amz-date").unwrap().1.clone();
    // 1,800,000,005 s is 2027-01-15T08:00:05Z.
    assert_eq!(date(&world.sent[0]), "20270115T090005Z");
    assert_eq!(world.accept(), ["one"]);
}

#[test]
fn two_refusals_correct_the_clock_once() {
    let mut world = World::new();
    let (one, two) = (world.open(1, "one"), world.open(2, "two"));
    world.log(one, b"one\n");
    world.log(two, b"two\n");
    world.pass(5_000);
    let ahead = world.now + Millis(3_600_000);
    for _ in 0..2 {
        let refused = Response {
            status: 400,
            body: br#"{"__type":"InvalidSignatureException"}"#.to_vec(),
            date: Some(ahead),
            ..Response::default()
        };
        world.answer(Answer::Response(refused));
    }
    assert_eq!(world.sent.len(), 2);
    for request in &world.sent {
        let date = request.headers.iter().find(|(name, _)| *name == "x-amz-date").unwrap();
        assert_eq!(date.1, "20270115T090005Z");
    }
}

#[test]
fn a_clock_that_is_stepped_back_holds_nothing_up() {
    let mut world = World::new();
    let (waiting, gathering) = (world.open(1, "one"), world.open(2, "two"));
    world.log(waiting, b"one\n");
    world.pass(5_000);
    world.answer(status(500, ""));
    world.log(gathering, b"two\n");
    world.now = world.now.shifted(-3_600_000);
    world.drain();
    let stepped = world.now;
    while world.sent.len() < 2 {
        world.wake();
    }
    assert!(world.now.since(stepped) <= Millis(5_000), "{:?}", world.now.since(stepped));
}

#[test]
fn credentials_about_to_end_are_no_reason_to_stay_awake() {
    let mut world = World::new();
    let soon = world.now + Millis(1_000);
    let credentials = Credentials::new("AKID".into(), "secret".into(), None, Some(soon));
    world.shipper.handle_credentials(Ok(credentials), world.now);
    for _ in 0..3 {
        world.pass(20_000);
        assert!(world.until.is_none_or(|until| until > world.now), "{:?}", world.until);
    }
}

#[test]
fn memory_is_bounded_while_the_service_is_away() {
    let mut world = World::new();
    let source = world.open(1, "web");
    let chunk = format!("{}\n", "x".repeat(1_023)).repeat(256);
    let mut chunks = 0;
    while world.log(source, chunk.as_bytes()) {
        chunks += 1;
        assert!(chunks < 100, "it never stops reading");
        if !world.sent.is_empty() {
            world.answer(Answer::NotSent("away".into()));
        }
    }
    assert!(world.shipper.held < 8 << 20, "{} bytes held", world.shipper.held);
    while !world.sent.is_empty() || world.reads.is_empty() {
        if world.sent.is_empty() {
            world.wake();
        } else {
            world.accept();
        }
    }
}

#[test]
fn an_interrupted_source_goes_on_behind_its_last_whole_line() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"one\nhalf");
    world.shipper.handle_readable(source);
    world.drain();
    world.shipper.handle_pause(source, Pause::Interrupted, world.now);
    world.drain();
    let (_, taken) = world.resumed.pop().unwrap();
    assert_eq!(taken.stdout.map(|position| position.offset), Some(4));
    world.shipper.handle_resumed(source, 0);
    world.log(source, b"one\nhalf line\n");
    world.pass(5_000);
    assert_eq!(world.accept(), ["one", "half line"]);
}

#[test]
fn an_ended_source_is_released_once_all_of_it_is_accepted() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"one\nno line end");
    world.shipper.handle_readable(source);
    world.drain();
    world.shipper.handle_pause(source, Pause::Ended, world.now);
    world.drain();
    assert!(world.released.is_empty());
    world.shipper.handle_phase(Phase::Finishing, world.now);
    world.drain();
    assert_eq!(world.accept(), ["one", "no line end"]);
    assert_eq!(world.released, [source]);
    assert_eq!(world.done, Some(Ok(())));
}

#[test]
fn stopping_delivers_what_was_read_and_says_what_was_not() {
    for answered in [true, false] {
        let mut world = World::new();
        let source = world.open(1, "web");
        world.log(source, b"one\n");
        let by = world.now + Millis(10_000);
        world.shipper.handle_phase(Phase::Stopping { by }, world.now);
        world.drain();
        if answered {
            world.accept();
            assert_eq!(world.done, Some(Ok(())));
        } else {
            world.wake();
            assert_eq!(world.done, Some(Err(Failure::Unfinished(1))));
        }
    }
}

#[test]
fn a_short_lived_instance_gives_up_on_what_waiting_does_not_mend() {
    let end = |answers: &[Answer]| {
        let mut world = World::with(Options { fail_fast: true, ..options() });
        let source = world.open(1, "web");
        world.log(source, b"one\n");
        world.pass(5_000);
        for answer in answers {
            if world.sent.is_empty() && world.fetches.len() == 2 {
                world.credentials();
            }
            if world.sent.is_empty() {
                world.wake();
            }
            world.answer(answer.clone());
        }
        world.done
    };
    let is = |done: Option<Result<(), Failure>>, kind: fn(String) -> Failure| match done {
        Some(Err(failure)) => {
            std::mem::discriminant(&failure) == std::mem::discriminant(&kind(String::new()))
        }
        _ => false,
    };
    assert!(is(end(&[code("AccessDeniedException")]), Failure::Denied));
    assert!(is(end(&[status(200, "<html>")]), Failure::Endpoint));
    let unrecognized = code("UnrecognizedClientException");
    assert!(is(end(&[unrecognized.clone(), unrecognized]), Failure::Credentials));
    let away = Answer::NotSent("refused".into());
    assert!(is(end(&[away.clone(), away.clone(), away.clone(), away.clone()]), Failure::Endpoint));
    assert_eq!(end(&[away.clone(), away]), None);
    assert_eq!(end(&[status(500, ""), code("ThrottlingException")]), None);
}

#[test]
fn a_position_of_an_earlier_life_is_passed_over() {
    let mut world = World::new();
    let source = SourceId(1);
    let at = Position { offset: 8, ..Position::default() };
    let opening = Opening {
        framing: Framing::Lines,
        start: 0,
        taken: Positions { stdout: Some(at), stderr: None },
        terminal: false,
        container: Container::default(),
    };
    world.shipper.handle_opened(source, opening);
    world.drain();
    world.log(source, b"one\ntwo\nthree\n");
    world.pass(5_000);
    assert_eq!(world.accept(), ["three"]);
}

#[test]
fn requests_of_one_destination_are_acknowledged_in_order() {
    let mut world = World::with(Options { in_flight: 3, ..options() });
    let source = world.open(1, "web");
    world.log(source, "x\n".repeat(30_000).as_bytes());
    world.pass(5_000);
    assert_eq!(world.sent.len(), 3);
    let first = world.sent.pop_front().unwrap();
    world.accept();
    assert_eq!(world.offset_accepted(source), 0, "the first is not through");
    world.sent.push_front(first);
    world.accept();
    assert_eq!(world.offset_accepted(source), 40_000);
    world.accept();
    assert_eq!(world.offset_accepted(source), 60_000);
}

#[test]
fn a_compressed_body_is_what_is_hashed_and_sent_again() {
    let mut world = World::with(Options { compression: Compression::Gzip, ..options() });
    let source = world.open(1, "web");
    world.log(source, b"one\n");
    world.pass(5_000);
    let request = world.sent[0].clone();
    assert!(request.headers.contains(&("content-encoding", "gzip".to_owned())));
    let authorization = request.headers.iter().find(|(name, _)| *name == "authorization").unwrap();
    assert!(authorization.1.contains("content-encoding"), "it is signed");
    let mut plain = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(request.body.bytes()), &mut plain)
        .unwrap();
    assert!(plain.contains("\"message\":\"one\""), "{plain}");
    let request = world.sent.pop_front().unwrap();
    world.shipper.handle_answer(request.id, &status(500, ""), world.now);
    world.drain();
    world.wake();
    assert_eq!(world.sent[0].body.bytes(), request.body.bytes());
}

#[test]
fn a_thousand_destinations_are_no_storm_of_requests() {
    let mut world = World::new();
    for id in 1..=1_000 {
        let source = world.open(id, &format!("container-{id}"));
        world.log(source, b"one\n");
    }
    world.pass(5_000);
    let mut delivered = 0;
    while !world.sent.is_empty() {
        assert!(world.sent.len() <= MOST_UNDER_WAY, "{} requests under way", world.sent.len());
        world.accept();
        delivered += 1;
    }
    assert_eq!(delivered, 1_000);
}

#[test]
fn a_half_line_of_a_source_that_broke_off_and_is_gone_is_delivered() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"one\nhalf");
    for pause in [Pause::Interrupted, Pause::Ended] {
        world.shipper.handle_readable(source);
        world.drain();
        world.shipper.handle_pause(source, pause, world.now);
        world.drain();
        world.shipper.handle_resumed(source, 4);
    }
    world.pass(5_000);
    assert_eq!(world.accept(), ["one", "half"]);
    assert_eq!(world.released, [source]);
}
