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
