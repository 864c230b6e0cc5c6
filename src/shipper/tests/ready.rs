//! Lines that were cut before they came here.

use super::*;

fn line(world: &mut World, source: SourceId, text: &[u8]) {
    world.shipper.handle_line(source, text, world.now);
}

#[test]
fn a_ready_line_is_an_event_as_it_stands() {
    let mut world = World::new();
    let source = world.open(1, "web");
    for text in [&b"one"[..], b"", b"two\nlines\r\n", b"odd \xff"] {
        line(&mut world, source, text);
    }
    world.drain();
    assert!(world.reads.is_empty() && world.sent.is_empty());
    world.pass(5_000);
    assert_eq!(world.accept(), ["one", " ", "two\nlines\r\n", "odd \u{fffd}"]);
    assert_eq!((world.shipper.counts().events_read, world.shipper.counts().events_accepted), (4, 4));
    assert!(world.acknowledged.contains_key(&source));
}

#[test]
fn a_ready_line_that_is_too_long_for_an_event_is_several() {
    let mut world = World::new();
    let source = world.open(1, "web");
    line(&mut world, source, &vec![b'x'; 1_500_000]);
    world.pass(5_000);
    let first = world.accept();
    world.pass(5_000);
    let lengths: Vec<_> = first.iter().chain(&world.accept()).map(String::len).collect();
    assert_eq!(lengths, [1_048_550, 1_500_000 - 1_048_550]);
}

#[test]
fn ready_lines_leave_when_it_stops() {
    let mut world = World::new();
    let source = world.open(1, "web");
    line(&mut world, source, b"last");
    let by = world.now + Millis(1_000);
    world.shipper.handle_phase(Phase::Stopping { by }, world.now);
    world.drain();
    assert_eq!(world.accept(), ["last"]);
    assert_eq!(world.done, Some(Ok(())));
}

/// Nobody can be made to wait, so what there is no room for has to go, between two looks at the machine too.
#[test]
fn ready_lines_stay_within_the_memory_allowed() {
    for when_full in [WhenFull::DropOldest, WhenFull::DropNewest] {
        let mut world = World::with(Options { when_full, buffer_bytes: 6 << 20, ..options() });
        let source = world.open(1, "web");
        let text = vec![b'x'; 50_000];
        for _ in 0..1_000 {
            line(&mut world, source, &text);
            assert!(world.shipper.held <= (6 << 20) + (3 << 20), "{when_full:?}: {}", world.shipper.held);
        }
        world.pass(5_000);
        while !world.sent.is_empty() {
            world.accept();
            world.pass(5_000);
        }
        let counts = world.shipper.counts();
        assert!(counts.dropped() > 0, "{when_full:?}");
        assert_eq!(counts.events_accepted + counts.dropped(), 1_000, "{when_full:?}");
    }
}
