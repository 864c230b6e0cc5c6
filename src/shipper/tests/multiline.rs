//! Events of several lines: when they are whole, and what is acknowledged of them.

use super::*;
use crate::lines::LineOptions;

fn world() -> World {
    World::with(joining())
}

fn joining() -> Options {
    let lines = LineOptions { multiline_pattern: Some("^A".into()), ..LineOptions::default() };
    Options { lines, ..options() }
}

#[test]
fn an_event_leaves_at_once_when_no_further_line_comes_in_time() {
    let mut world = world();
    let source = world.open(1, "web");
    world.log(source, b"A1\n b\n");
    world.pass(3_000);
    world.log(source, b" c\n");
    world.pass(4_999);
    assert!(world.sent.is_empty());
    world.wake();
    assert_eq!(world.now, Timestamp::from_millis(1_800_000_008_000));
    assert_eq!(world.accept(), ["A1\n b\n c"]);
    assert_eq!(world.offset_accepted(source), 9);
}

#[test]
fn an_event_that_waits_for_lines_is_not_acknowledged() {
    let mut world = world();
    let source = world.open(1, "web");
    world.log(source, b"A1\nA2\n b\n");
    world.pass(4_000);
    // More of the second keeps it open while the first is sent.
    world.log(source, b" c\n");
    world.pass(1_000);
    assert_eq!(world.accept(), ["A1"]);
    assert_eq!(world.offset_accepted(source), 3);
    world.wake();
    assert_eq!(world.accept(), ["A2\n b\n c"]);
    assert_eq!(world.offset_accepted(source), 12);
}

#[test]
fn a_side_with_an_open_event_does_not_follow_the_other() {
    let mut world = world();
    let source = world.open_as(1, "web", Framing::JsonFile);
    let entry = |text: &str, side: &str| {
        format!("{{\"log\":\"{text}\\n\",\"stream\":\"{side}\",\"time\":\"2027-01-15T08:00:00Z\"}}\n")
    };
    world.log(
        source,
        [entry("A1", "stderr"), entry("A2", "stdout"), entry("A3", "stdout")].concat().as_bytes(),
    );
    world.pass(4_000);
    world.log(source, entry(" b", "stderr").as_bytes());
    world.pass(1_000);
    assert_eq!(world.accept(), ["A2", "A3"]);
    let accepted = world.acknowledged[&source];
    assert!(accepted.stdout.is_some() && accepted.stderr.is_none(), "{accepted:?}");
}

#[test]
fn whole_lines_are_events_when_the_machine_is_told_to_stop() {
    let mut world = world();
    let source = world.open_as(1, "web", Framing::JsonFile);
    world.log(source, b"{\"log\":\"A1\\n\",\"stream\":\"stdout\",\"time\":\"2027-01-15T08:00:00Z\"}\n");
    let by = world.now + Millis(10_000);
    world.shipper.handle_phase(Phase::Stopping { by }, world.now);
    world.drain();
    assert_eq!(world.accept(), ["A1"]);
    assert_eq!(world.done, Some(Ok(())));
}

#[test]
fn nothing_is_joined_over_the_end_of_a_life_or_a_gap() {
    let lost = Loss { reason: Reason::Rotated, bytes: None, before: None };
    for pause in [Pause::Stopped, Pause::Lost(lost)] {
        let mut world = world();
        let source = world.open(1, "web");
        world.log(source, b"A1\n");
        world.pause(source, pause);
        world.shipper.handle_resumed(source, 3);
        world.log(source, b" b\n");
        world.pass(5_000);
        assert_eq!(world.accept(), ["A1", " b"], "{pause:?}");
    }
}

#[test]
fn lines_join_over_an_interruption() {
    let mut world = world();
    let source = world.open(1, "web");
    world.log(source, b"A1\n b\n ha");
    world.pause(source, Pause::Interrupted);
    let (_, taken) = world.resumed.pop().unwrap();
    assert_eq!(taken.stdout.map(|position| position.offset), Some(6));
    world.shipper.handle_resumed(source, 3);
    world.log(source, b" b\n half\nA2\n");
    world.pass(5_000);
    assert_eq!(world.accept(), ["A1\n b\n half", "A2"]);
}

#[test]
fn an_event_is_not_torn_while_there_is_more_to_read() {
    let mut world = world();
    let source = world.open(1, "web");
    // Destinations that are away leave what follows unread, however long that takes.
    world.shipper.handle_readable(source);
    world.drain();
    world.reads.clear();
    world.shipper.handle_bytes(source, b"A1\n", world.now);
    world.drain();
    assert_eq!(world.reads, [source]);
    world.pass(60_000);
    assert!(world.sent.is_empty());
    world.shipper.handle_bytes(source, b" b\nA2\n", world.now);
    world.drain();
    world.shipper.handle_bytes(source, b"", world.now);
    world.pass(5_000);
    assert_eq!(world.accept(), ["A1\n b", "A2"]);
}

#[test]
fn a_clock_that_is_stepped_back_tears_and_holds_nothing() {
    let mut world = world();
    let source = world.open(1, "web");
    world.log(source, b"A1\n");
    world.pass(2_000);
    world.now = world.now.shifted(-3_600_000);
    world.drain();
    world.log(source, b" b\n");
    world.pass(4_999);
    assert!(world.sent.is_empty());
    world.pass(1);
    assert_eq!(world.accept(), ["A1\n b"]);
}

/// Opens a container with these labels.
fn labelled(world: &mut World, id: u32, labels: &[(&str, &str)]) -> SourceId {
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let container = Container { name: format!("web{id}"), labels, ..Container::default() };
    let (framing, taken) = (Framing::Lines, Positions::default());
    let opening = Opening { framing, start: 0, taken, lost: None, terminal: false, container };
    world.shipper.handle_opened(SourceId(id), opening);
    world.drain();
    SourceId(id)
}

#[test]
fn a_container_may_say_where_its_events_begin_if_it_is_let() {
    let overrides = crate::naming::Overrides { labels: true, ..Default::default() };
    for (overrides, labels, expected) in [
        (overrides, &[("awslogs.multiline-pattern", "^B")][..], &["A1\n b", "B1\n b\nA2"][..]),
        (overrides, &[("awslogs.datetime-format", "^B%w")], &["A1\n b", "B1\n b\nA2"]),
        (overrides, &[("awslogs.multiline-pattern", "")], &["A1\n b\nB1\n b", "A2"]),
        (Default::default(), &[("awslogs.multiline-pattern", "^B")], &["A1\n b\nB1\n b", "A2"]),
    ] {
        let naming = crate::naming::NamingOptions { overrides, ..Default::default() };
        let mut world = World::with(Options { naming, ..joining() });
        let source = labelled(&mut world, 1, labels);
        world.log(source, b"A1\n b\nB1\n b\nA2\n");
        world.pass(5_000);
        assert_eq!(world.accept(), expected, "{overrides:?} {labels:?}");
    }
}

#[test]
fn what_a_container_says_and_cannot_be_used_is_said_and_passed_over() {
    let overrides = crate::naming::Overrides { labels: true, ..Default::default() };
    let naming = crate::naming::NamingOptions { overrides, ..Default::default() };
    let mut world = World::with(Options { naming, ..joining() });
    for (id, labels, words) in [
        (1, &[("awslogs.multiline-pattern", "(")][..], "unclosed group"),
        (2, &[("awslogs.multiline-pattern", "a"), ("awslogs.datetime-format", "%H")], "cannot be given"),
    ] {
        let source = labelled(&mut world, id, labels);
        let (severity, text) = world.said.last().expect("a warning");
        assert!(*severity == Severity::Warning && text.contains(words), "{text}");
        assert!(
            text.starts_with(&format!("container web{id}: its label awslogs.multiline-pattern")),
            "{text}"
        );
        world.log(source, b"A1\n b\nA2\n");
        world.pass(5_000);
        assert_eq!(world.accept(), ["A1\n b", "A2"]);
    }
}

#[test]
fn containers_that_say_the_same_share_what_comes_of_it() {
    let overrides = crate::naming::Overrides { labels: true, ..Default::default() };
    let naming = crate::naming::NamingOptions { overrides, ..Default::default() };
    let mut world = World::with(Options { naming, ..options() });
    for id in 1..=100 {
        let source = labelled(&mut world, id, &[("awslogs.multiline-pattern", "^B")]);
        if id > 50 {
            labelled(&mut world, 1_000 + id, &[("awslogs.multiline-pattern", &format!("^{id}"))]);
            world.pause(SourceId(1_000 + id), Pause::Ended);
        }
        world.pause(source, Pause::Stopped);
    }
    assert!(world.shipper.own_rules.len() <= 2, "{}", world.shipper.own_rules.len());
}
