//! How sources pause, go on and end, and what is left of them when the machine is told to stop.

use super::*;

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
fn a_position_of_an_earlier_life_is_passed_over() {
    let mut world = World::new();
    let source = SourceId(1);
    let at = Position { offset: 8, ..Position::default() };
    let opening = Opening {
        framing: Framing::Lines,
        start: 0,
        taken: Positions { stdout: Some(at), stderr: None },
        lost: None,
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

#[test]
fn events_are_named_by_their_fields_and_what_was_refused_is_said_to_their_source() {
    let options = Options {
        group: "/{{.Event.service}}".into(),
        stream: "{{or .Event.pod \"none\"}}".into(),
        ..options()
    };
    let mut world = World::with(options);
    assert_eq!(world.shipper.settings().event_fields, ["pod", "service"]);
    let mut open = |id, event: &str| {
        let source = SourceId(id);
        let container = Container { event: event.into(), ..Container::default() };
        let taken = Positions::default();
        let opening =
            Opening { framing: Framing::JsonLines, start: 0, taken, lost: None, terminal: false, container };
        world.shipper.handle_opened(source, opening);
        source
    };
    let first = open(1, r#"{"service":"shop","pod":null}"#);
    let second = open(2, r#"{"service":"shop","pod":null}"#);
    world.log(first, b"{\"time\":1,\"a\":1}\n{\"time\":3,\"a\":2}\n");
    world.log(second, b"{\"time\":2,\"b\":1}\n");
    world.pass(5_000);
    let body: serde_json::Value = serde_json::from_slice(world.sent[0].body.bytes()).unwrap();
    assert_eq!((&body["logGroupName"], &body["logStreamName"]), (&"/shop".into(), &"none".into()));
    world.answer(status(200, r#"{"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":2}}"#));
    assert_eq!(world.refused, BTreeMap::from([(first, 1), (second, 1)]));
    assert_eq!((world.offset_accepted(first), world.offset_accepted(second)), (34, 17));
}

#[test]
fn destinations_that_are_through_make_room_for_others() {
    let mut world = World::new();
    for id in 1..=100 {
        let source = world.open(id, &format!("web{id}"));
        world.log(source, b"one\n");
        world.pass(5_000);
        world.accept();
        world.shipper.handle_pause(source, Pause::Ended, world.now);
        world.drain();
        assert_eq!(world.released.last(), Some(&source));
    }
    assert_eq!((world.shipper.outlets.len(), world.shipper.by_destination.len()), (1, 0));
}
