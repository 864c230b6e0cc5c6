//! What each answer leads to.

use super::*;

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
    assert_eq!(
        (counts.requests_ambiguous, counts.events_possibly_doubled),
        (2, 4),
        "a 500 without a code too"
    );
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
fn destinations_that_hang_leave_room_for_others() {
    let mut world = World::new();
    for id in 1..=100 {
        let source = world.open(id, &format!("bad-{id}"));
        world.log(source, format!("bad {id}\n").as_bytes());
    }
    world.pass(5_000);
    let mut failed = BTreeSet::new();
    while failed.len() < 100 {
        failed.extend(world.answer(Answer::Unanswered("no answer".into())).1);
    }
    // From here on the bad ones hang.
    world.pass(20_000);
    let under_way = world.sent.len();
    assert!((1..=MOST_PROBES).contains(&under_way), "{under_way} requests under way");
    let good = world.open(1_000, "good");
    world.log(good, b"good\n");
    world.pass(5_000);
    assert!(world.sent.iter().any(|request| messages(request) == ["good"]));
    // Each of the bad ones has its turn all the same.
    let mut delivered = 0;
    while !world.sent.is_empty() {
        world.accept();
        delivered += 1;
    }
    assert_eq!(delivered, 101);
}
