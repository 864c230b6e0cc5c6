//! Events that are refused for good are kept elsewhere, and can be sent again.

use super::*;

fn keeping() -> World {
    World::with(Options { dead_letters: true, ..options() })
}

/// The first too old, the last too new, of four.
fn first_and_last() -> Answer {
    status(200, r#"{"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":1,"tooNewLogEventStartIndex":3}}"#)
}

#[test]
fn what_is_refused_is_kept_before_it_is_acknowledged() {
    let mut world = keeping();
    let source = world.open(1, "web");
    world.log(source, b"a\nb \"quoted\"\nc\nd\n");
    world.pass(5_000);
    let logged = world.now.millis() - 5_000;
    world.answer(first_and_last());
    assert_eq!(world.offset_accepted(source), 0, "they are not kept yet");
    let letters = world.keep(Ok(()));
    let letter = |message: &str, reason: &str| {
        serde_json::json!({
            "logGroupName": "g", "logStreamName": "web", "timestamp": logged, "message": message,
            "reason": reason, "refused": world.now.to_rfc3339(), "source": "container web",
        })
    };
    assert_eq!(letters, [letter("a", "too-old"), letter("d", "too-new")]);
    assert_eq!(world.offset_accepted(source), 17);
    assert_eq!(world.shipper.counts().dead_letters, 2);
}

#[test]
fn letters_that_cannot_be_kept_hold_positions_back_and_are_tried_again() {
    let mut world = keeping();
    let source = world.open(1, "web");
    world.log(source, b"a\nb\nc\nd\n");
    world.pass(5_000);
    world.answer(first_and_last());
    for _ in 0..10 {
        assert_eq!(world.keep(Err("no space left".into())).len(), 2);
        assert_eq!(world.offset_accepted(source), 0);
        assert!(world.kept.is_empty(), "not at once");
        world.wake();
    }
    assert!(world.said.iter().any(|(_, text)| text.contains("cannot be kept") && text.contains("no space")));
    world.keep(Ok(()));
    assert_eq!(world.offset_accepted(source), 8);
    assert_eq!(world.shipper.counts().dead_letters, 2);
}

#[test]
fn a_short_lived_instance_gives_up_on_letters_that_cannot_be_kept() {
    let mut world = World::with(Options { dead_letters: true, fail_fast: true, ..options() });
    let source = world.open(1, "web");
    world.log(source, b"a\nb\nc\nd\n");
    world.pass(5_000);
    world.answer(first_and_last());
    while world.done.is_none() {
        world.keep(Err("read-only".into()));
        if world.kept.is_empty() && world.done.is_none() {
            world.wake();
        }
    }
    assert_eq!(world.done, Some(Err(Failure::DeadLetters("read-only".into()))));
    assert_eq!(world.offset_accepted(source), 0);
}

#[test]
fn an_invalid_event_is_kept_with_what_the_service_said() {
    let mut world = keeping();
    let source = world.open(1, "web");
    world.log(source, b"a\nb\nPOISON\nc\nd\n");
    world.pass(5_000);
    let mut letters = Vec::new();
    loop {
        while !world.kept.is_empty() {
            letters.extend(world.keep(Ok(())));
        }
        let Some(request) = world.sent.front() else { break };
        match messages(request).iter().any(|message| message == "POISON") {
            true => drop(world.answer(code("InvalidParameterException"))),
            false => drop(world.accept()),
        }
    }
    assert_eq!(letters.len(), 1);
    assert_eq!((&letters[0]["message"], &letters[0]["reason"]), (&"POISON".into(), &"invalid".into()));
    assert_eq!(letters[0]["error"], "InvalidParameterException");
    assert_eq!(letters[0]["source"], "container web", "in a half too");
    assert_eq!(world.offset_accepted(source), 15);
}

#[test]
fn nothing_ends_before_letters_are_kept() {
    let mut world = keeping();
    let source = world.open(1, "web");
    world.log(source, b"a\nb\nc\nd\n");
    world.pass(5_000);
    world.answer(first_and_last());
    let by = world.now + Millis(1_000);
    world.shipper.handle_phase(Phase::Stopping { by }, world.now);
    world.drain();
    assert_eq!(world.done, None);
    world.pass(1_000);
    assert_eq!(world.done, Some(Err(Failure::Unfinished(2))));
}

fn letter(group: &str, stream: &str, message: &str) -> String {
    format!(
        "{{\"logGroupName\":\"{group}\",\"logStreamName\":\"{stream}\",\"timestamp\":1800000000000,\
         \"message\":\"{message}\",\"reason\":\"too-old\"}}\n"
    )
}

#[test]
fn a_letter_goes_where_it_says_unless_told_otherwise() {
    for (own_group, own_stream, destinations) in [
        (true, true, [("a", "one"), ("b", "two")]),
        (false, true, [("g", "one"), ("g", "two")]),
        (true, false, [("a", "web"), ("b", "web")]),
    ] {
        let mut world = World::with(Options { own_group, own_stream, ..options() });
        let source = world.open_as(1, "web", Framing::DeadLetters);
        world.log(source, (letter("a", "one", "x") + &letter("b", "two", "y")).as_bytes());
        world.pass(5_000);
        let sent: Vec<_> =
            world.sent.iter().map(|request| String::from_utf8_lossy(request.body.bytes())).collect();
        for (group, stream) in destinations {
            let head = format!("{{\"logGroupName\":\"{group}\",\"logStreamName\":\"{stream}\"");
            assert!(sent.iter().any(|body| body.starts_with(&head)), "{head} of {sent:?}");
        }
        assert!(sent.iter().all(|body| body.contains("\"timestamp\":1800000000000")));
    }
}

#[test]
fn letters_are_acknowledged_once_each_destination_has_its_own() {
    let mut world = World::with(Options { own_group: true, own_stream: true, ..options() });
    let source = world.open_as(1, "", Framing::DeadLetters);
    let log = letter("a", "one", "x") + &letter("b", "two", "y") + &letter("a", "one", "z");
    world.log(source, log.as_bytes());
    world.pass(5_000);
    assert_eq!(world.sent.len(), 2);
    world.accept();
    assert_eq!(world.offset_accepted(source), 0, "the other destination has nothing yet");
    world.accept();
    assert_eq!(world.offset_accepted(source), log.len() as u64);
    world.pause(source, Pause::Ended);
    assert_eq!(world.released, [source]);
}

#[test]
fn letters_to_a_destination_without_room_wait() {
    let mut world =
        World::with(Options { own_group: true, own_stream: true, buffer_bytes: 4 << 20, ..options() });
    let source = world.open_as(1, "", Framing::DeadLetters);
    let text = "x".repeat(1_000);
    let chunk = letter("sick", "s", &text).repeat(200) + &letter("well", "s", "y");
    let mut chunks = 0;
    while world.log(source, chunk.as_bytes()) {
        chunks += 1;
        assert!(chunks < 100, "it never stops reading");
    }
    assert!(world.shipper.held < 6 << 20, "{} bytes held", world.shipper.held);
    while !world.sent.is_empty() {
        world.accept();
    }
    assert!(world.log(source, chunk.as_bytes()), "it goes on once there is room");
}
