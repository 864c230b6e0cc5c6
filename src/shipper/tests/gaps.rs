//! Events that are missing are counted, and marked where they are missing; positions stay true.

use super::*;

fn marking() -> Options {
    Options { mark_gaps: true, ..options() }
}

/// What an event says of missing ones, if that is what it is.
fn marker(message: &str) -> Option<serde_json::Value> {
    serde_json::from_str(message).ok().filter(|value: &serde_json::Value| value["cloudspout"] == "gap")
}

fn is_marker(request: &Request) -> bool {
    messages(request).iter().all(|message| marker(message).is_some())
}

#[test]
fn what_was_refused_is_marked_where_it_is_missing_before_anything_later() {
    let mut world = World::with(marking());
    let source = world.open(1, "web");
    world.log(source, b"a\nb\nc\nd\n");
    world.pass(5_000);
    world.log(source, b"later\n");
    world.answer(status(
        200,
        r#"{"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":1,"tooNewLogEventStartIndex":3}}"#,
    ));
    assert_eq!(world.offset_accepted(source), 0, "the marker is not accepted yet");
    let told = world.accept();
    let [too_old, too_new] = told.as_slice() else { panic!("{told:?}") };
    let (too_old, too_new) = (marker(too_old).unwrap(), marker(too_new).unwrap());
    assert_eq!((&too_old["reason"], &too_old["events"]), (&"too-old".into(), &1.into()));
    assert_eq!((&too_new["reason"], &too_new["events"]), (&"too-new".into(), &1.into()));
    assert_eq!(too_new["from"], world.now.back(5_000_000_000).to_rfc3339());
    assert_eq!(world.offset_accepted(source), 8);
    world.pass(5_000);
    assert_eq!(world.accept(), ["later"]);
    let counts = world.shipper.counts();
    assert_eq!((counts.events_accepted, counts.events_read, counts.gaps_marked), (3, 5, 2));
}

#[test]
fn a_marker_that_is_refused_is_not_marked() {
    for refusal in [
        code("InvalidParameterException"),
        status(200, r#"{"rejectedLogEventsInfo":{"expiredLogEventEndIndex":1}}"#),
    ] {
        let mut world = World::with(marking());
        let source = world.open(1, "web");
        world.log(source, b"POISON\n");
        world.pass(5_000);
        world.answer(code("InvalidParameterException"));
        assert!(is_marker(&world.sent[0]));
        world.answer(refusal);
        assert!(world.sent.is_empty());
        assert_eq!(world.offset_accepted(source), 7);
        let counts = world.shipper.counts();
        assert_eq!((counts.events_invalid, counts.events_expired, counts.gaps_marked), (1, 0, 0));
    }
}

#[test]
fn a_marker_is_retried_as_it_is() {
    let mut world = World::with(marking());
    let source = world.open(1, "web");
    world.log(source, b"POISON\n");
    world.pass(5_000);
    world.answer(code("InvalidParameterException"));
    let body = world.sent[0].body.bytes().to_vec();
    world.answer(Answer::Unanswered("cut".into()));
    world.wake();
    assert_eq!(world.sent[0].body.bytes(), body);
    world.accept();
    assert_eq!(world.shipper.counts().events_possibly_doubled, 0, "a marker is no event of the log");
}

#[test]
fn what_a_source_lost_is_marked_between_the_events_around_it() {
    let mut world = World::with(marking());
    let source = world.open_as(1, "web", Framing::JsonFile);
    let entry = |text: &str, second: u32| {
        format!(
            "{{\"log\":\"{text}\\n\",\"stream\":\"stdout\",\"time\":\"2027-01-15T08:00:{second:02}Z\"}}\n"
        )
    };
    let at = |second: u64| Timestamp::from_millis(1_800_000_000_000 + second * 1_000);
    world.log(source, entry("before", 1).as_bytes());
    world.pause(source, Pause::Lost(Loss { reason: Reason::Rotated, bytes: Some(70), before: Some(at(2)) }));
    assert_eq!(world.resumed.len(), 1, "it goes on");
    world.shipper.handle_resumed(source, 500);
    world.log(source, entry("after", 2).as_bytes());
    world.pass(5_000);
    let mut told = Vec::new();
    while !world.sent.is_empty() {
        told.extend(world.accept());
        world.pass(5_000);
    }
    assert_eq!((told[0].as_str(), told[2].as_str()), ("before", "after"));
    let gap = marker(&told[1]).unwrap();
    assert_eq!((&gap["reason"], &gap["bytes"]), (&"rotated".into(), &70.into()));
    assert_eq!(gap["from"], "2027-01-15T08:00:01.000Z");
    assert_eq!(gap["to"], "2027-01-15T08:00:02.000Z");
    assert_eq!((world.shipper.counts().log_gaps, world.shipper.counts().log_bytes_lost), (1, 70));
}

/// Logs far more than there is room for while the service is away, lets it come back, and gives what arrived.
fn flood(world: &mut World, source: SourceId, chunks: u32) -> Vec<String> {
    for chunk in 0..chunks {
        let lines: String =
            (0..256).map(|line| format!("{chunk:03} {line:03} {}\n", "x".repeat(1_000))).collect();
        assert!(world.log(source, lines.as_bytes()), "it stops reading");
        assert!(world.shipper.held < 7 << 20, "{} bytes held", world.shipper.held);
        if let Some(request) = world.sent.pop_front() {
            world.shipper.handle_answer(request.id, &Answer::NotSent("away".into()), world.now);
            world.drain();
        }
        world.pass(100);
    }
    let mut arrived = Vec::new();
    for _ in 0..100 {
        while !world.sent.is_empty() {
            arrived.extend(world.accept());
        }
        world.pass(5_000);
    }
    arrived
}

#[test]
fn without_room_events_are_dropped_as_was_chosen_and_each_is_accounted_for() {
    for (when_full, mark_gaps) in [
        (WhenFull::DropOldest, false),
        (WhenFull::DropOldest, true),
        (WhenFull::DropNewest, false),
        (WhenFull::DropNewest, true),
    ] {
        let mut world = World::with(Options {
            when_full,
            mark_gaps,
            buffer_bytes: 4 << 20,
            fail_fast: false,
            ..options()
        });
        let source = world.open(1, "web");
        let arrived = flood(&mut world, source, 100);
        let (markers, lines): (Vec<_>, Vec<_>) =
            arrived.iter().partition(|message| marker(message).is_some());
        let counts = *world.shipper.counts();
        let what = format!("{when_full:?}, marking {mark_gaps}");
        assert!(counts.dropped() > 15_000, "{what}: {counts:?}");
        assert_eq!(counts.events_read, 25_600, "{what}");
        assert_eq!(counts.events_accepted + counts.dropped(), 25_600, "{what}");
        assert_eq!(lines.len() as u64, counts.events_accepted, "{what}");
        assert!(lines.is_sorted(), "{what}: the order is kept");
        match when_full {
            WhenFull::DropOldest => {
                assert_eq!(counts.events_dropped_newest, 0);
                assert!(lines.last().unwrap().starts_with("099 255"), "{what}: the newest are there");
            }
            WhenFull::DropNewest => {
                assert_eq!(counts.events_dropped_oldest, 0);
                assert!(lines[0].starts_with("000 000"), "{what}: the oldest are there");
            }
            WhenFull::Wait => unreachable!(),
        }
        let told: u64 = markers.iter().map(|text| marker(text).unwrap()["events"].as_u64().unwrap()).sum();
        assert_eq!(told, if mark_gaps { counts.dropped() } else { 0 }, "{what}: {markers:?}");
        assert_eq!(world.offset_accepted(source), counts.bytes_read, "{what}");
        assert!(world.said.iter().any(|(_, text)| text.contains("dropped for want of room")), "{what}");
        world.pause(source, Pause::Ended);
        assert_eq!(world.released, [source], "{what}");
    }
}

#[test]
fn what_was_dropped_is_acknowledged_behind_what_was_not() {
    let mut world =
        World::with(Options { when_full: WhenFull::DropNewest, buffer_bytes: 4 << 20, ..options() });
    let source = world.open(1, "web");
    let line = format!("{}\n", "x".repeat(1_023));
    while world.shipper.counts().events_dropped_newest == 0 {
        world.log(source, line.repeat(256).as_bytes());
    }
    let kept = 1_024 * (world.shipper.counts().events_read - world.shipper.counts().events_dropped_newest);
    let mut last = 0;
    while !world.sent.is_empty() {
        world.accept();
        let accepted = world.offset_accepted(source);
        assert!(accepted <= kept || world.sent.is_empty(), "{accepted} of {kept}");
        last = accepted;
    }
    assert_eq!(last, world.shipper.counts().bytes_read);
}

#[test]
fn a_destination_that_is_well_loses_nothing_to_one_that_is_not() {
    for when_full in [WhenFull::DropOldest, WhenFull::DropNewest] {
        let mut world = World::with(Options { when_full, buffer_bytes: 4 << 20, ..options() });
        let (sick, well) = (world.open(1, "sick"), world.open(2, "well"));
        let mut arrived = 0;
        for round in 0..60 {
            world.log(sick, format!("s{}\n", "x".repeat(1_023)).repeat(256).as_bytes());
            world.log(well, format!("w{}\n", "y".repeat(1_023)).repeat(100).as_bytes());
            world.pass(5_000);
            let healthy = |request: &Request| messages(request)[0].starts_with('w');
            while let Some(at) = world.sent.iter().position(healthy) {
                let request = world.sent.remove(at).unwrap();
                arrived += messages(&request).len();
                world.shipper.handle_answer(request.id, &status(200, "{}"), world.now);
                world.drain();
            }
            assert_eq!(arrived, (round + 1) * 100, "{when_full:?}");
        }
        assert!(world.shipper.counts().dropped() > 5_000, "{when_full:?}: {:?}", world.shipper.counts());
    }
}

#[test]
fn a_short_lived_instance_says_that_something_is_missing() {
    let mut world = World::with(Options {
        when_full: WhenFull::DropOldest,
        buffer_bytes: 4 << 20,
        fail_fast: true,
        ..options()
    });
    let source = world.open(1, "web");
    let line = format!("{}\n", "x".repeat(1_023));
    while world.shipper.counts().dropped() == 0 {
        world.log(source, line.repeat(256).as_bytes());
    }
    world.pause(source, Pause::Ended);
    world.shipper.handle_phase(Phase::Finishing, world.now);
    world.drain();
    while !world.sent.is_empty() {
        world.accept();
    }
    let dropped = world.shipper.counts().dropped();
    assert_eq!(world.done, Some(Err(Failure::Rejected(dropped))));
}
