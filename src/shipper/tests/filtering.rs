//! Events that go through a filter: what it leaves out counts as delivered in its turn, and what it fails on is not
//! let by unseen.

use super::*;
use crate::naming::NamingOptions;
use crate::settings::FilterFailure;

/// Leaves out lines with "drop", cuts secrets out of others, adds who wrote it to those that ask, sends some where they
/// say; fails on "fail", and makes no sense of others.
struct Example;

impl Filter for Example {
    fn apply(&mut self, origin: &FilterOrigin, events: &mut FilterEvents) -> Result<FilterOutcome, String> {
        let mut outcome = FilterOutcome::default();
        let mut begin = 0;
        for (number, end) in (0..).zip(&events.ends) {
            let text = std::str::from_utf8(&events.texts[begin..*end as usize]).unwrap();
            begin = *end as usize;
            match text {
                "fail" => return Err("it said so".to_owned()),
                "backwards" => return Ok(FilterOutcome { kept: vec![7, 3], ends: vec![0, 0], ..outcome }),
                "none" => return Ok(FilterOutcome { kept: vec![number + 9], ends: vec![0], ..outcome }),
                "uneven" => return Ok(FilterOutcome { kept: vec![0], ..FilterOutcome::default() }),
                "bytes" => return Ok(kept_as(vec![0xFF])),
                "middle" => return Ok(FilterOutcome { ends: vec![1], ..kept_as("é".into()) }),
                "short" => return Ok(FilterOutcome { ends: vec![2], ..kept_as("more".into()) }),
                "long" => return Ok(kept_as(vec![b'x'; 1_048_551])),
                "much" => return Ok(kept_as(vec![b'x'; 5 << 20])),
                "lost" => return Ok(FilterOutcome { elsewhere: vec![(0, 1)], ..kept_as("x".into()) }),
                "dropped" => return Ok(FilterOutcome { elsewhere: vec![(3, 0)], ..kept_as("x".into()) }),
                text if text.contains("drop") => continue,
                _ => {}
            }
            if let Some((group, stream)) = text.strip_prefix("to ").and_then(|names| names.split_once('/')) {
                let given = |name: &str| (!name.is_empty()).then(|| name.to_owned());
                let at = u32::try_from(outcome.destinations.len()).unwrap();
                outcome.destinations.push((given(group), given(stream)));
                outcome.elsewhere.push((number, at));
            }
            let text = text.replace("secret", "***").replace("who", &origin.name);
            outcome.kept.push(number);
            outcome.texts.extend_from_slice(text.as_bytes());
            outcome.ends.push(u32::try_from(outcome.texts.len()).unwrap());
        }
        Ok(outcome)
    }
}

fn kept_as(texts: Vec<u8>) -> FilterOutcome {
    let ends = vec![u32::try_from(texts.len()).unwrap()];
    FilterOutcome { kept: vec![0], texts, ends, ..FilterOutcome::default() }
}

fn world_with(options: Options) -> World {
    let mut world = World::with(options);
    let idle = Shipper::new(Settings::of(&self::options()).unwrap(), Box::new(|_| [0; 32]));
    world.shipper = std::mem::replace(&mut world.shipper, idle).with_filter(Box::new(Example));
    world
}

fn world(failure: FilterFailure) -> World {
    world_with(Options { filter: Some(failure), ..options() })
}

/// The log group and stream, and the messages of each request under way.
fn under_way(world: &World) -> Vec<(String, String, Vec<String>)> {
    let of = |request: &Request| {
        let body: serde_json::Value = serde_json::from_slice(request.body.bytes()).unwrap();
        let name = |field: &str| body[field].as_str().unwrap().to_owned();
        (name("logGroupName"), name("logStreamName"), messages(request))
    };
    world.sent.iter().map(of).collect()
}

#[test]
fn texts_are_changed_and_events_left_out() {
    let mut world = world(FilterFailure::Stop);
    let source = world.open(1, "web");
    world.log(source, b"one secret\ndrop 1\n\"quoted\" who\t\xFF\ndrop 2\n");
    world.wake();
    assert_eq!(world.accept(), ["one ***", "\"quoted\" web\t\u{FFFD}"]);
    assert_eq!(world.offset_accepted(source), 11 + 7 + 15 + 7, "with what was left out behind them");
    let counts = world.shipper.counts();
    assert_eq!((counts.events_read, counts.events_accepted, counts.events_filtered), (4, 2, 2));
}

#[test]
fn without_the_option_there_is_no_filter() {
    let mut world = world_with(options());
    let source = world.open(1, "web");
    world.log(source, b"secret\ndrop\n");
    world.wake();
    assert_eq!(world.accept(), ["secret", "drop"]);
}

#[test]
fn what_is_left_out_behind_events_on_their_way_waits_for_them() {
    let mut world = world(FilterFailure::Stop);
    let source = world.open(1, "web");
    world.log(source, b"one\n");
    world.wake();
    assert_eq!(world.sent.len(), 1);
    world.log(source, b"drop\n");
    assert_eq!(world.offset_accepted(source), 0, "the first is not accepted yet");
    assert_eq!(world.accept(), ["one"]);
    assert_eq!(world.offset_accepted(source), 9);
    // With nothing on its way it is taken at once.
    world.log(source, b"drop again\n");
    assert_eq!(world.offset_accepted(source), 20);
    assert!(world.sent.is_empty());
    world.pause(source, Pause::Ended);
    assert_eq!(world.released, [source]);
}

#[test]
fn events_go_where_the_filter_sends_them() {
    let mut world = world(FilterFailure::Stop);
    let source = world.open(1, "web");
    world.log(source, b"plain\nto errors/\nto /other\nto errors/\nto a b/c:d\nlast\n");
    world.wake();
    let to = |group: &str, stream: &str, messages: &[&str]| {
        let messages: Vec<_> = messages.iter().map(|&message| message.to_owned()).collect();
        (group.to_owned(), stream.to_owned(), messages)
    };
    let mut sent = under_way(&world);
    sent.sort();
    assert_eq!(
        sent,
        [
            to("a_b", "c_d", &["to a b/c:d"]),
            to("errors", "web", &["to errors/", "to errors/"]),
            to("g", "other", &["to /other"]),
            to("g", "web", &["plain", "last"]),
        ]
    );
    for _ in 0..3 {
        world.accept();
        assert_eq!(world.offset_accepted(source), 0, "not all of it is accepted");
    }
    world.accept();
    assert_eq!(world.offset_accepted(source), 54);
    world.pause(source, Pause::Ended);
    assert_eq!(world.released, [source]);
}

#[test]
fn places_move_on_while_there_is_always_something_on_its_way() {
    let mut world = world(FilterFailure::Stop);
    let source = world.open(1, "web");
    world.log(source, b"one\n");
    world.wake();
    for round in 1..=5 {
        // What comes meanwhile waits for its own batch.
        world.log(source, b"to x/y\none\n");
        let accepted = world.offset_accepted(source);
        while let Some(request) = world.sent.front() {
            let first = request.id;
            world.accept();
            assert!(world.sent.front().is_none_or(|request| request.id != first));
        }
        assert!(world.offset_accepted(source) > accepted, "round {round}");
        world.wake();
        assert!(!world.sent.is_empty());
    }
}

#[test]
fn a_group_outside_of_the_confinement_is_a_failure() {
    let naming = NamingOptions { confine: Some("g".into()), ..NamingOptions::default() };
    let mut world = world_with(Options { filter: Some(FilterFailure::Pass), naming, ..options() });
    let source = world.open(1, "web");
    world.log(source, b"to good/\n");
    world.log(source, b"to bad/\n");
    world.wake();
    let mut sent: Vec<_> = under_way(&world).into_iter().map(|(group, ..)| group).collect();
    sent.sort();
    assert_eq!(sent, ["g", "good"]);
    assert!(world.said.iter().any(|(_, text)| text.contains("log group bad") && text.contains("--confine")));
}

const FAILING: [&str; 11] =
    ["fail", "backwards", "none", "uneven", "bytes", "middle", "short", "long", "much", "lost", "dropped"];

#[test]
fn what_a_filter_fails_on_goes_on_as_it_is_if_that_was_chosen() {
    for failing in FAILING {
        let mut world = world(FilterFailure::Pass);
        let source = world.open(1, "web");
        world.log(source, format!("{failing}\none secret\n").as_bytes());
        world.log(source, b"two secret\n");
        world.log(source, b"fail\n");
        world.wake();
        assert_eq!(world.accept(), [failing, "one secret", "two ***", "fail"]);
        assert_eq!(world.shipper.counts().events_unfiltered, 3, "{failing}");
        let told = world.said.iter().filter(|(_, text)| text.contains("the filter failed")).count();
        assert_eq!(told, 1, "{failing}");
    }
}

#[test]
fn else_nothing_goes_on_and_what_came_before_is_delivered() {
    for failing in FAILING {
        let mut world = world(FilterFailure::Stop);
        let (source, other) = (world.open(1, "web"), world.open(2, "db"));
        world.log(other, b"of another\n");
        world.log(source, b"one\n");
        world.log(source, format!("{failing}\ntwo\n").as_bytes());
        assert!(!world.log(source, b"three\n"), "nothing more is read");
        // At once: nothing more comes to it.
        let mut sent: Vec<_> = under_way(&world).into_iter().map(|(.., messages)| messages).collect();
        sent.sort();
        assert_eq!(sent, [["of another"], ["one"]]);
        assert_eq!(world.done, None);
        world.accept();
        world.accept();
        assert_eq!(world.offset_accepted(source), 4, "{failing}");
        let Some(Err(Failure::Filter(text))) = &world.done else { panic!("{failing}: {:?}", world.done) };
        assert!(text.starts_with("container web: the filter failed"), "{text}");
        assert!(world.released.is_empty());
    }
}

#[test]
fn a_side_whose_events_were_not_let_by_is_not_taken_for_read() {
    let entry = |side: &str, text: &str| {
        format!("{{\"log\":\"{text}\\n\",\"stream\":\"{side}\",\"time\":\"2027-01-15T08:00:00Z\"}}\n")
    };
    let mut world = world(FilterFailure::Stop);
    let source = world.open_as(1, "web", Framing::JsonFile);
    let first = entry("stdout", "one");
    world.log(source, first.as_bytes());
    world.log(source, format!("{}{}", entry("stderr", "fail"), entry("stdout", "two")).as_bytes());
    world.accept();
    world.pause(source, Pause::Ended);
    let accepted = world.acknowledged[&source];
    let read = first.len() as u64;
    assert_eq!(accepted.stdout.map(|position| position.offset), Some(read));
    assert!(accepted.stderr.is_none_or(|position| position.offset <= read), "{accepted:?}");
    assert!(world.released.is_empty());
}

#[test]
fn a_side_that_is_not_wanted_is_not_shown() {
    let naming = NamingOptions { stderr_stream: Some("e".into()), ..NamingOptions::default() };
    let only = Some(crate::lines::Side::Stdout);
    let mut world = world_with(Options { filter: Some(FilterFailure::Stop), naming, only, ..options() });
    let source = world.open_as(1, "web", Framing::JsonFile);
    let log = "{\"log\":\"fail\\n\",\"stream\":\"stderr\",\"time\":\"2027-01-15T08:00:00Z\"}\n\
               {\"log\":\"a secret\\n\",\"stream\":\"stdout\",\"time\":\"2027-01-15T08:00:00Z\"}\n";
    world.log(source, log.as_bytes());
    world.wake();
    assert_eq!(world.accept(), ["a ***"]);
    assert_eq!(world.offset_accepted(source), log.len() as u64);
}
