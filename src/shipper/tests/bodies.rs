//! Bodies of requests: taken as a whole or not at all, each event to where it belongs, and settled once.

use super::*;
use crate::naming::NamingOptions;

fn send(world: &mut World, id: u32, sender: &str, body: &str) -> SourceId {
    let source = world.open_as(id, sender, Framing::JsonBody);
    world.log(source, body.as_bytes());
    world.pause(source, Pause::Ended);
    source
}

fn settled(events: u64, refused: u64) -> Option<Fate> {
    Some(Fate::Settled { events, refused })
}

fn apart() -> Options {
    Options { stream: "{{.Name}}/{{.Event.service}}".into(), ..options() }
}

#[test]
fn a_body_is_settled_once_all_of_it_is_accepted() {
    let mut world = World::new();
    let source = send(&mut world, 1, "web", "[{\"a\":1,\"time\":1800000000000},{\"a\":2}]");
    assert_eq!(world.settled.get(&source), None);
    world.wake();
    assert_eq!(world.accept(), ["{\"a\":1,\"time\":1800000000000}", "{\"a\":2}"]);
    assert_eq!(world.settled.get(&source).cloned(), settled(2, 0));
    assert_eq!(world.released, [source]);
}

#[test]
fn bodies_share_a_batch() {
    let mut world = World::new();
    let sources: Vec<_> = (1..=100).map(|id| send(&mut world, id, "web", "{\"a\":1}\n{\"a\":2}")).collect();
    world.wake();
    assert_eq!(world.accept().len(), 200);
    assert_eq!(world.released, sources);
    assert!(world.settled.values().all(|fate| *fate == Fate::Settled { events: 2, refused: 0 }));
    assert!(world.sent.is_empty());
}

#[test]
fn a_body_without_events_is_settled_at_once() {
    for body in ["", "\n", "[]"] {
        let mut world = World::new();
        let source = send(&mut world, 1, "web", body);
        assert_eq!(world.settled.get(&source).cloned(), settled(0, 0), "{body}");
        assert_eq!(world.released, [source]);
    }
}

#[test]
fn nothing_is_taken_of_a_body_that_cannot_be_understood() {
    let mut world = World::with(apart());
    let source = send(&mut world, 1, "web", "{\"a\":1}\n{\"a\":2}\nplain text\n");
    let Some(Fate::Unreadable(problem)) = world.settled.get(&source) else { panic!("{:?}", world.settled) };
    assert!(problem.starts_with("line 3, column 1"), "{problem}");
    assert_eq!(world.released, [source]);
    world.pass(60_000);
    assert!(world.sent.is_empty());
}

#[test]
fn nothing_is_taken_of_a_body_whose_end_never_comes() {
    let mut world = World::new();
    let source = world.open_as(1, "web", Framing::JsonBody);
    world.log(source, b"{\"a\":1}\n");
    world.shipper.handle_phase(Phase::Stopping { by: world.now + Millis(1_000) }, world.now);
    world.drain();
    assert_eq!(world.done, Some(Ok(())));
    assert!(world.sent.is_empty() && world.settled.is_empty());
}

#[test]
fn each_event_goes_where_its_fields_say() {
    let mut world = World::with(apart());
    let body = "{\"service\":\"a\",\"n\":1}{\"service\":\"b\",\"n\":2}{\"service\":\"a\",\"n\":3}{\"n\":4}";
    let source = send(&mut world, 1, "web", body);
    let other = send(&mut world, 2, "db", "{\"service\":\"a\",\"n\":5}");
    world.wake();
    let mut sent = BTreeMap::new();
    while let Some(request) = world.sent.front() {
        let body: serde_json::Value = serde_json::from_slice(request.body.bytes()).unwrap();
        let stream = body["logStreamName"].as_str().unwrap().to_owned();
        let of_it = sent.keys().filter(|stream: &&String| stream.starts_with("web")).count();
        assert_eq!(world.settled.contains_key(&source), of_it == 3, "once all of it is accepted");
        sent.insert(stream, world.accept());
    }
    let of = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(sent["web/a"], of("{\"service\":\"a\",\"n\":1} {\"service\":\"a\",\"n\":3}"));
    assert_eq!(sent["web/b"], of("{\"service\":\"b\",\"n\":2}"));
    assert_eq!(sent["web/"], of("{\"n\":4}"));
    assert_eq!(sent["db/a"], of("{\"service\":\"a\",\"n\":5}"));
    assert_eq!(world.settled.get(&source).cloned(), settled(4, 0));
    assert_eq!(world.settled.get(&other).cloned(), settled(1, 0));
    // Names that nobody uses are forgotten with what went there.
    assert_eq!(world.shipper.by_destination.len(), 0);
}

#[test]
fn json_lines_are_kept_apart_too() {
    let mut world = World::with(apart());
    let source = world.open_as(1, "web", Framing::JsonLines);
    world.log(source, b"{\"service\":\"a\"}\nno object\n{\"service\":\"b\"}\n{\"service\":\"a\",\"n\":1}\n");
    world.wake();
    assert_eq!(world.sent.len(), 3);
    world.accept();
    world.accept();
    assert_eq!(world.offset_accepted(source), 0, "one of three is under way");
    world.accept();
    assert_eq!(world.offset_accepted(source), 64);
}

#[test]
fn events_that_are_refused_for_good_are_counted_for_their_sender() {
    let mut world = World::new();
    let source = send(&mut world, 1, "web", "{\"n\":1}{\"n\":2}{\"n\":3}");
    let other = send(&mut world, 2, "web", "{\"n\":4}");
    world.wake();
    world.answer(status(200, "{\"rejectedLogEventsInfo\":{\"tooOldLogEventEndIndex\":2}}"));
    assert_eq!(world.settled.get(&source).cloned(), settled(3, 2));
    assert_eq!(world.settled.get(&other).cloned(), settled(1, 0));
}

#[test]
fn a_great_body_leaves_memory_within_its_bounds() {
    let mut world = World::with(Options { buffer_bytes: 4 << 20, ..options() });
    let source = world.open_as(1, "web", Framing::JsonBody);
    // Small events take far more room than they bring.
    let body = "{}\n".repeat(1_000_000);
    for chunk in body.as_bytes().chunks(256 << 10) {
        world.log(source, chunk);
    }
    world.pause(source, Pause::Ended);
    let mut events = 0;
    while world.settled.is_empty() {
        assert!(world.shipper.held < 8 << 20, "{} bytes held", world.shipper.held);
        if world.sent.is_empty() {
            world.wake();
        }
        events += world.accept().len();
    }
    assert_eq!(events, 1_000_000);
    assert_eq!(world.settled.get(&source).cloned(), settled(1_000_000, 0));
    assert_eq!(world.shipper.held, 0);
}

#[test]
fn what_there_is_no_name_for_is_said_once() {
    let mut world = World::with(Options { stream: "{{.Name}}: {{.Event.service}}".into(), ..options() });
    for id in 1..=5 {
        send(&mut world, id, "web", "{\"service\":\"a\"}{\"service\":\"b\"}");
    }
    let warnings = world.said.iter().filter(|(severity, _)| *severity == Severity::Warning);
    assert_eq!(warnings.count(), 2, "{:?}", world.said);
}

#[test]
fn an_event_that_may_go_nowhere_is_refused_and_settles_nothing_else() {
    let naming = NamingOptions { confine: Some("/apps/".into()), ..NamingOptions::default() };
    let mut world = World::with(Options { group: "{{.Event.group}}".into(), naming, ..options() });
    let source = send(&mut world, 1, "web", "{\"group\":\"/apps/a\"}{\"group\":\"/other\"}");
    world.wake();
    assert_eq!(world.settled.get(&source), None);
    assert_eq!(world.accept(), ["{\"group\":\"/apps/a\"}"]);
    assert_eq!(world.settled.get(&source).cloned(), settled(2, 1));
    let other = send(&mut world, 2, "web", "{\"group\":\"/other\"}{\"group\":\"/other\"}");
    assert_eq!(world.settled.get(&other).cloned(), settled(2, 2));
    assert_eq!(world.released, [source, other]);
    let errors = world.said.iter().filter(|(severity, _)| *severity == Severity::Error);
    assert_eq!(errors.count(), 1, "{:?}", world.said);
}
