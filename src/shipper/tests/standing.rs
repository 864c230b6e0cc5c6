//! How the machine says that it stands.

use super::*;

#[test]
fn what_is_on_its_way_is_pending_since_it_was_read() {
    let mut world = World::new();
    let (one, two) = (world.open(1, "one"), world.open(2, "two"));
    assert_eq!(world.shipper.status().pending_since, None);
    let began = world.now;
    world.log(one, b"a\nb\n");
    world.pass(5_000);
    world.log(two, b"c\n");
    let standing = world.shipper.status();
    assert_eq!((standing.events_pending, standing.in_flight), (3, 1));
    assert_eq!((standing.pending_since, standing.earliest_pending), (Some(began), Some(began)));
    assert_eq!((standing.destinations, standing.destinations_failing), (2, 0));
    assert!(standing.bytes_held > 0);

    // The same batch, however often it is sent, and in whatever parts.
    world.answer(code("InvalidParameterException"));
    let halved = world.shipper.status();
    assert_eq!((halved.pending_since, halved.events_pending), (Some(began), 3));
    world.accept();
    world.accept();
    let standing = world.shipper.status();
    assert_eq!((standing.pending_since, standing.events_pending), (Some(began + Millis(5_000)), 1));
    world.pass(5_000);
    world.answer(status(500, ""));
    assert_eq!(world.shipper.status().destinations_failing, 1);
    world.wake();
    world.accept();
    let standing = world.shipper.status();
    assert_eq!((standing.pending_since, standing.earliest_pending), (None, None));
    assert_eq!((standing.events_pending, standing.in_flight, standing.destinations_failing), (0, 0, 0));
}

#[test]
fn a_step_back_of_the_clock_keeps_what_waits_as_old_as_it_is() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"one\n");
    world.pass(65_000);
    world.now = world.now.shifted(-3_600_000);
    world.drain();
    let since = world.shipper.status().pending_since.unwrap();
    assert_eq!(world.now.since(since), Millis(65_000));
}

#[test]
fn each_request_is_counted_with_what_came_of_it() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"one\n");
    world.pass(5_000);
    world.pass(40);
    world.answer(code("ResourceNotFoundException"));
    world.answer(code("ThrottlingException"));
    world.wake();
    world.answer(status(200, ""));
    world.accept();
    let standing = world.shipper.status();
    let requests: Vec<_> = standing.answers.requests().collect();
    assert_eq!(
        requests,
        [
            (Operation::PutLogEvents, Outcome::Ok, 1),
            (Operation::PutLogEvents, Outcome::NotFound, 1),
            (Operation::CreateLogStream, Outcome::Ok, 1),
            (Operation::CreateLogStream, Outcome::Throttled, 1),
        ]
    );
    let latency: Vec<_> = standing.answers.latency().filter(|(_, answers)| *answers > 0).collect();
    assert_eq!((latency, standing.answers.latency_sum()), (vec![(Some(5), 1), (Some(50), 1)], Millis(40)));
    assert_eq!((standing.answers.credentials_found, standing.answers.credentials_missed), (1, 0));
}

#[test]
fn the_end_of_the_credentials_is_told() {
    let mut world = World::new();
    assert_eq!(world.shipper.status().credentials_expire, None);
    let ends = world.now + Millis(3_600_000);
    let credentials = Credentials::new("AKID".into(), "secret".into(), None, Some(ends));
    world.shipper.handle_credentials(Ok(credentials), world.now);
    assert_eq!(world.shipper.status().credentials_expire, Some(ends));
    world.shipper.handle_credentials(Err(CredentialsError::Unavailable("away".into())), world.now);
    let standing = world.shipper.status();
    assert_eq!((standing.answers.credentials_found, standing.answers.credentials_missed), (2, 1));
}
