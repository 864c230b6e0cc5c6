//! What is held is bounded.

use super::*;

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

/// Logs to many destinations, of which each takes as much as it may, while nothing is answered.
fn fill(world: &mut World, destinations: u32) -> Vec<SourceId> {
    let chunk = format!("{}\n", "x".repeat(1_023)).repeat(64);
    let sources: Vec<_> = (1..=destinations).map(|id| world.open(id, &format!("container-{id}"))).collect();
    for _ in 0..40 {
        for source in &sources {
            world.log(*source, chunk.as_bytes());
        }
    }
    sources
}

#[test]
fn many_destinations_hold_little_more_than_the_buffer() {
    let mut world = World::with(Options { buffer_bytes: 4 << 20, ..options() });
    fill(&mut world, 100);
    let most = (4 << 20) + 100 * (128 << 10);
    assert!(world.shipper.held < most, "{} bytes held, more than {most}", world.shipper.held);
}

#[test]
fn a_destination_that_may_gather_little_delivers_it_at_once() {
    let mut world = World::with(Options { buffer_bytes: 8 << 20, ..options() });
    fill(&mut world, 20);
    let healthy = world.open(100, "healthy");
    let line = format!("{}\n", "y".repeat(1_023));
    let begin = world.now;
    let mut delivered = 0;
    for _ in 0..20 {
        while world.log(healthy, line.repeat(64).as_bytes()) {}
        let at = world.sent.iter().position(|request| messages(request)[0].starts_with('y'));
        let request = world.sent.remove(at.expect("what it gathered is sent")).unwrap();
        delivered += messages(&request).len();
        world.shipper.handle_answer(request.id, &status(200, "{}"), world.now);
        world.drain();
    }
    assert_eq!(world.now, begin);
    assert!(delivered >= 20 * 256, "{delivered} lines");
}

#[test]
fn half_lines_and_half_frames_count() {
    let mut world = World::with(Options { buffer_bytes: 4 << 20, ..options() });
    let (half, whole) = (world.open(1, "half"), world.open(2, "whole"));
    world.log(half, &[b'x'; 100_000]);
    assert!(world.shipper.held >= 100_000, "{} bytes held", world.shipper.held);
    world.log(half, b"\n");
    world.pass(5_000);
    world.accept();
    assert_eq!(world.shipper.held, 0);

    // What others hold of half lines leaves a destination with a batch under way no room.
    for id in 10..15 {
        let source = world.open(id, &format!("half-{id}"));
        world.log(source, &vec![b'x'; 1 << 20]);
    }
    world.log(whole, b"one\n");
    world.pass(5_000);
    assert!(!world.sent.is_empty());
    assert!(!world.log(whole, b"two\n"), "{} bytes held", world.shipper.held);

    let frames = SourceId(20);
    let opening = Opening {
        framing: Framing::FramesWithTimes,
        start: 0,
        taken: Positions::default(),
        lost: None,
        terminal: false,
        container: Container::default(),
    };
    world.shipper.handle_opened(frames, opening);
    let before = world.shipper.held;
    let mut frame = vec![1, 0, 0, 0, 0, 0, 0x40, 0];
    frame.resize(10_000, b'x');
    world.log(frames, &frame);
    assert!(world.shipper.held >= before + 10_000);
    world.shipper.handle_readable(frames);
    world.drain();
    world.shipper.handle_pause(frames, Pause::Ended, world.now);
    world.drain();
    assert_eq!(world.shipper.held, before, "what is gone holds nothing");
}
