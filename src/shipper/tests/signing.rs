//! Requests that somebody else signs.

use super::*;

fn elsewhere(options: Options) -> World {
    World::with(Options { signing: Signing::Elsewhere, ..options })
}

#[test]
fn what_is_signed_elsewhere_leaves_without_signature_or_credentials() {
    let mut world = elsewhere(options());
    let source = world.open(1, "web");
    world.log(source, b"one\n");
    world.pass(5_000);
    let request = world.sent.front().expect("a request");
    let names: Vec<_> = request.headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["content-type", "x-amz-target"]);
    world.answer(code("ResourceNotFoundException"));
    assert_eq!(world.answer(status(200, "")).0, Operation::CreateLogStream);
    assert_eq!(world.accept(), ["one"]);
    assert!(world.fetches.is_empty());
}

/// There are no credentials to renew, and no clock to set: people have to mend what signs.
#[test]
fn a_signature_of_somebody_else_that_is_refused_is_told_and_tried_again() {
    let off = Response { date: Some(Timestamp::from_millis(1_800_000_905_000)), ..Response::default() };
    let off = Answer::Response(Response {
        status: 400,
        body: br#"{"__type":"InvalidSignatureException"}"#.to_vec(),
        ..off
    });
    for (answer, told) in [
        (code("InvalidSignatureException"), "InvalidSignatureException"),
        (code("ExpiredTokenException"), "ExpiredTokenException"),
        (code("UnrecognizedClientException"), "UnrecognizedClientException"),
        (off, "its clock is off by -900 s"),
    ] {
        let mut world = elsewhere(options());
        let source = world.open(1, "web");
        world.log(source, b"one\n");
        world.pass(5_000);
        world.answer(answer.clone());
        let (severity, text) = world.said.last().expect("it is told");
        assert_eq!(*severity, Severity::Error);
        assert!(text.contains("what signs the requests is refused") && text.contains(told), "{text}");
        assert!(world.sent.is_empty() && world.fetches.is_empty());
        world.wake();
        assert_eq!(world.accept(), ["one"]);

        let mut world = elsewhere(Options { fail_fast: true, ..options() });
        let source = world.open(1, "web");
        world.log(source, b"one\n");
        world.pass(5_000);
        world.answer(answer);
        assert!(matches!(&world.done, Some(Err(Failure::Credentials(text))) if text.contains(told)));
    }
}
