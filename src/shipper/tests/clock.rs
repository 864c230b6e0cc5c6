//! Clocks that are off, and stepped.

use super::*;

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
