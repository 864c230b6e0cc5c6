//! How events gather, and leave: in which batches, when, in what order.

use super::*;

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
