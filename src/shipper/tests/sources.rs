//! How sources pause, go on and end, and what is left of them when the machine is told to stop.

use super::*;

#[test]
fn an_interrupted_source_goes_on_behind_its_last_whole_line() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"one\nhalf");
    world.shipper.handle_readable(source);
    world.drain();
    world.shipper.handle_pause(source, Pause::Interrupted, world.now);
    world.drain();
    let (_, taken) = world.resumed.pop().unwrap();
    assert_eq!(taken.stdout.map(|position| position.offset), Some(4));
    world.shipper.handle_resumed(source, 0);
    world.log(source, b"one\nhalf line\n");
    world.pass(5_000);
    assert_eq!(world.accept(), ["one", "half line"]);
}

#[test]
fn an_ended_source_is_released_once_all_of_it_is_accepted() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"one\nno line end");
    world.shipper.handle_readable(source);
    world.drain();
    world.shipper.handle_pause(source, Pause::Ended, world.now);
    world.drain();
    assert!(world.released.is_empty());
    world.shipper.handle_phase(Phase::Finishing, world.now);
    world.drain();
    assert_eq!(world.accept(), ["one", "no line end"]);
    assert_eq!(world.released, [source]);
    assert_eq!(world.done, Some(Ok(())));
}

#[test]
fn stopping_delivers_what_was_read_and_says_what_was_not() {
    for answered in [true, false] {
        let mut world = World::new();
        let source = world.open(1, "web");
        world.log(source, b"one\n");
        let by = world.now + Millis(10_000);
        world.shipper.handle_phase(Phase::Stopping { by }, world.now);
        world.drain();
        if answered {
            world.accept();
            assert_eq!(world.done, Some(Ok(())));
        } else {
            world.wake();
            assert_eq!(world.done, Some(Err(Failure::Unfinished(1))));
        }
    }
}

#[test]
fn a_position_of_an_earlier_life_is_passed_over() {
    let mut world = World::new();
    let source = SourceId(1);
    let at = Position { offset: 8, ..Position::default() };
    let opening = Opening {
        framing: Framing::Lines,
        start: 0,
        taken: Positions { stdout: Some(at), stderr: None },
        terminal: false,
        container: Container::default(),
    };
    world.shipper.handle_opened(source, opening);
    world.drain();
    world.log(source, b"one\ntwo\nthree\n");
    world.pass(5_000);
    assert_eq!(world.accept(), ["three"]);
}

#[test]
fn a_half_line_of_a_source_that_broke_off_and_is_gone_is_delivered() {
    let mut world = World::new();
    let source = world.open(1, "web");
    world.log(source, b"one\nhalf");
    for pause in [Pause::Interrupted, Pause::Ended] {
        world.shipper.handle_readable(source);
        world.drain();
        world.shipper.handle_pause(source, pause, world.now);
        world.drain();
        world.shipper.handle_resumed(source, 4);
    }
    world.pass(5_000);
    assert_eq!(world.accept(), ["one", "half"]);
    assert_eq!(world.released, [source]);
}
