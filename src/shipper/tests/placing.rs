//! Where the sides of a container's log go, and containers that come to the same names.

use super::*;
use crate::lines::Side;
use crate::naming::{Collisions, NamingOptions, Overrides};

/// Opens the log of a container with an id, in Docker's frames.
fn open(world: &mut World, id: u32, name: &str, long_id: &str) -> SourceId {
    let source = SourceId(id);
    let container = Container { name: name.into(), id: long_id.repeat(8), ..Container::default() };
    let (framing, taken) = (Framing::Frames, Positions::default());
    let opening = Opening { framing, start: 0, taken, lost: None, terminal: false, container };
    world.shipper.handle_opened(source, opening);
    world.drain();
    source
}

fn frame(side: Side, text: &str) -> Vec<u8> {
    let stream = match side {
        Side::Stdout => 1,
        Side::Stderr => 2,
    };
    let mut frame = vec![stream, 0, 0, 0];
    frame.extend((text.len() as u32).to_be_bytes());
    frame.extend(text.as_bytes());
    frame
}

/// Accepts whatever is sent; what arrived, by log stream.
fn arrived(world: &mut World) -> BTreeMap<String, Vec<String>> {
    let mut arrived = BTreeMap::<String, Vec<String>>::new();
    world.pass(5_000);
    while let Some(request) = world.sent.front() {
        let body: serde_json::Value = serde_json::from_slice(request.body.bytes()).unwrap();
        let stream = body["logStreamName"].as_str().unwrap().to_owned();
        arrived.entry(stream).or_default().extend(world.accept());
    }
    arrived
}

fn said(world: &World, severity: Severity, words: &str) -> usize {
    world.said.iter().filter(|(how, text)| *how == severity && text.contains(words)).count()
}

#[test]
fn standard_error_goes_apart_and_each_side_is_acknowledged_for_itself() {
    let stderr_stream = Some("{{.Name}}/stderr".into());
    let naming = NamingOptions { stderr_stream, ..NamingOptions::default() };
    let mut world = World::with(Options { naming, ..options() });
    let web = open(&mut world, 1, "web", "0123456789abcdef");
    let frames =
        [frame(Side::Stdout, "out 1\n"), frame(Side::Stderr, "err 1\n"), frame(Side::Stdout, "out 2\n")];
    world.log(web, &frames.concat());
    world.pass(5_000);
    // Only the request of standard output is accepted.
    let stream = |request: &Request| String::from_utf8_lossy(request.body.bytes()).contains("web/stderr");
    assert_eq!(world.sent.iter().map(stream).collect::<Vec<_>>(), [false, true]);
    assert_eq!(world.accept(), ["out 1", "out 2"]);
    let accepted = world.acknowledged[&web];
    assert_eq!(accepted.stdout.map(|position| position.offset), Some(42));
    assert_eq!(accepted.stderr, None, "what is not accepted is not acknowledged");
    assert_eq!(world.accept(), ["err 1"]);
    assert_eq!(world.acknowledged[&web].stderr.map(|position| position.offset), Some(42));
    world.pause(web, Pause::Ended);
    assert_eq!(world.released, [web]);
}

#[test]
fn a_side_that_is_not_wanted_is_passed_over_and_holds_nothing_up() {
    for (only, wanted) in [(Side::Stdout, "out"), (Side::Stderr, "err")] {
        let mut world = World::with(Options { only: Some(only), ..options() });
        let web = open(&mut world, 1, "web", "0123456789abcdef");
        let other = if only == Side::Stdout { Side::Stderr } else { Side::Stdout };
        world.log(web, &frame(other, "unwanted\n"));
        let position =
            |positions: &Positions, side: Side| positions.get(side).map(|position| position.offset);
        assert_eq!(position(&world.acknowledged[&web], other), Some(17), "{only:?}");
        world.log(web, &frame(only, &format!("{wanted}\n")));
        assert_eq!(arrived(&mut world), BTreeMap::from([("web".into(), vec![wanted.to_owned()])]));
        assert_eq!(world.shipper.counts().events_read, 1);
        assert_eq!(position(&world.acknowledged[&web], only), Some(29), "{only:?}");
        world.pause(web, Pause::Ended);
        assert_eq!(world.released, [web]);
    }
}

#[test]
fn two_containers_that_share_a_log_stream_are_told_once_or_kept_apart() {
    for collisions in [Collisions::Share, Collisions::Distinct] {
        let mut world = World::with(Options { stream: "app".into(), collisions, ..options() });
        let first = open(&mut world, 1, "first", "0123456789abcdef");
        let second = open(&mut world, 2, "second", "fedcba9876543210");
        let third = open(&mut world, 3, "third", "aaaabbbbccccdddd");
        for (source, text) in [(first, "1\n"), (second, "2\n"), (third, "3\n")] {
            world.log(source, &frame(Side::Stdout, text));
        }
        let arrived = arrived(&mut world);
        let streams: Vec<_> = arrived.keys().map(String::as_str).collect();
        match collisions {
            Collisions::Share => {
                assert_eq!(streams, ["app"]);
                assert_eq!(said(&world, Severity::Warning, "share log group g, log stream app"), 1);
                assert_eq!(said(&world, Severity::Warning, "container first (0123456789ab)"), 1);
            }
            Collisions::Distinct => {
                assert_eq!(streams, ["app", "app-aaaabbbbcccc", "app-fedcba987654"]);
                assert_eq!(said(&world, Severity::Warning, "share"), 0);
            }
        }
    }
}

#[test]
fn a_container_that_takes_the_place_of_one_that_ended_shares_nothing() {
    let mut world = World::with(Options { collisions: Collisions::Distinct, ..options() });
    let old = open(&mut world, 1, "web", "0123456789abcdef");
    world.log(old, &frame(Side::Stdout, "old\n"));
    world.pause(old, Pause::Ended);
    let new = open(&mut world, 2, "web", "fedcba9876543210");
    world.log(new, &frame(Side::Stdout, "new\n"));
    assert_eq!(arrived(&mut world), BTreeMap::from([("web".into(), vec!["old".into(), "new".into()])]));
}

#[test]
fn a_log_that_leaves_the_confines_is_let_go_of_and_the_others_are_shipped() {
    let naming = NamingOptions { confine: Some("/a/".into()), ..NamingOptions::default() };
    for fail_fast in [false, true] {
        let group = "/{{if eq .Name \"bad\"}}b{{else}}a{{end}}/x".into();
        let mut world = World::with(Options { group, fail_fast, naming: naming.clone(), ..options() });
        let bad = open(&mut world, 1, "bad", "0123456789abcdef");
        assert_eq!(world.released, [bad]);
        assert!(!world.log(bad, &frame(Side::Stdout, "secret\n")), "it is never read");
        assert_eq!(said(&world, Severity::Error, "container bad (0123456789ab) is refused"), 1);
        let good = open(&mut world, 2, "good", "fedcba9876543210");
        world.log(good, &frame(Side::Stdout, "fine\n"));
        assert_eq!(arrived(&mut world), BTreeMap::from([("good".into(), vec!["fine".into()])]));
        world.pause(good, Pause::Ended);
        world.shipper.handle_phase(Phase::Finishing, world.now);
        world.drain();
        match world.done {
            Some(Err(Failure::Settings(text))) => assert!(fail_fast && text.contains("--confine"), "{text}"),
            done => assert!(!fail_fast && done == Some(Ok(())), "{done:?}"),
        }
    }
}

#[test]
fn dead_letters_cannot_be_let_choose_within_confines() {
    let naming = NamingOptions { confine: Some("/a/".into()), ..NamingOptions::default() };
    let error = Settings::of(&Options { own_group: true, naming, ..options() }).unwrap_err();
    assert!(error.to_string().contains("--confine"), "{error}");
}

/// Opens the log of a container with labels.
fn open_labelled(world: &mut World, labels: &[(&str, &str)]) -> SourceId {
    open_named(world, 1, "web", labels)
}

fn open_named(world: &mut World, id: u32, name: &str, labels: &[(&str, &str)]) -> SourceId {
    let source = SourceId(id);
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let container = Container { name: name.into(), id: name.repeat(20), labels, ..Container::default() };
    let (framing, taken) = (Framing::Frames, Positions::default());
    let opening = Opening { framing, start: 0, taken, lost: None, terminal: false, container };
    world.shipper.handle_opened(source, opening);
    world.drain();
    source
}

fn with_labels() -> Options {
    let overrides = Overrides { labels: true, ..Overrides::NONE };
    Options { naming: NamingOptions { overrides, ..NamingOptions::default() }, ..options() }
}

#[test]
fn a_container_chooses_where_its_events_begin_and_how_long_they_wait() {
    let mut world = World::with(with_labels());
    let labels = [("awslogs.multiline-pattern", "^T"), ("awslogs.force-flush-interval-seconds", "1")];
    let web = open_labelled(&mut world, &labels);
    let text = frame(Side::Stdout, "T one\nmore\nT two\n");
    world.log(web, &text);
    world.pass(1_000);
    assert_eq!(world.accept(), ["T one\nmore"]);
}

#[test]
fn a_container_chooses_whether_its_log_group_is_made() {
    let mut world = World::with(with_labels());
    let web = open_labelled(&mut world, &[("awslogs.create-group", "false")]);
    world.log(web, &frame(Side::Stdout, "line\n"));
    world.pass(5_000);
    world.answer(code("ResourceNotFoundException"));
    assert_eq!(world.sent.front().map(|request| request.operation), Some(Operation::CreateLogStream));
    let request = world.sent.pop_front().unwrap();
    world.shipper.handle_answer(request.id, &code("ResourceNotFoundException"), world.now);
    world.drain();
    assert_eq!(said(&world, Severity::Error, "log group g does not exist, and --create-group is off"), 1);
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_container_that_chooses_a_region_is_sent_and_signed_there() {
    let mut world = World::with(Options { stream: "app".into(), ..with_labels() });
    let here = open_named(&mut world, 1, "here", &[]);
    let there = open_named(&mut world, 2, "there", &[("awslogs.region", "us-east-1")]);
    for source in [here, there] {
        world.log(source, &frame(Side::Stdout, "line\n"));
    }
    // Of one name in two Regions, two log streams.
    assert_eq!(said(&world, Severity::Warning, "share"), 0);
    world.pass(5_000);
    let mut sites: Vec<_> = world
        .sent
        .iter()
        .map(|request| {
            let signed = header(request, "authorization").unwrap_or_default();
            let region = signed.split('/').nth(2).unwrap_or_default().to_owned();
            (region, request.site.as_ref().map(|site| site.url().to_owned()))
        })
        .collect();
    sites.sort();
    let elsewhere = Some("https://logs.us-east-1.amazonaws.com/".to_owned());
    assert_eq!(sites, [("eu-central-1".to_owned(), None), ("us-east-1".to_owned(), elsewhere)]);
    assert_eq!(arrived(&mut world), BTreeMap::from([("app".into(), vec!["line".to_owned(); 2])]));
    for source in [here, there] {
        world.pause(source, Pause::Ended);
    }
    assert_eq!(world.released, [here, there]);
}

#[test]
fn a_container_says_what_its_events_are_unless_they_are_changed() {
    let emf = [("awslogs.format", "json/emf")];
    let joined = [("awslogs.format", "json/emf"), ("awslogs.multiline-pattern", "^{")];
    for (labels, format) in [(&emf[..], Some("json/emf")), (&joined[..], None), (&[], None)] {
        let mut world = World::with(with_labels());
        let web = open_named(&mut world, 1, "web", labels);
        world.log(web, &frame(Side::Stdout, "{\"_aws\":{}}\n"));
        world.pause(web, Pause::Ended);
        world.pass(5_000);
        assert_eq!(world.sent.front().and_then(|request| header(request, "x-amzn-logs-format")), format);
        let passed_over = said(&world, Severity::Warning, "its awslogs.format is passed over");
        assert_eq!(passed_over, usize::from(labels.len() == 2), "{labels:?}");
    }
}

#[test]
fn a_container_that_need_not_wait_has_its_newest_events_dropped_and_others_wait() {
    let mut world = World::with(with_labels());
    let hasty = open_named(&mut world, 1, "hasty", &[("awslogs.mode", "non-blocking")]);
    let patient = open_named(&mut world, 2, "patient", &[]);
    let chunk = frame(Side::Stdout, &format!("{}\n", "x".repeat(1_000))).repeat(250);
    for _ in 0..30 {
        world.log(hasty, &chunk);
        world.log(patient, &chunk);
    }
    // Nothing has been accepted: what is held of either is bounded, and only one of them was read on.
    assert!(world.shipper.counts().events_dropped_newest > 2_000, "{:?}", world.shipper.counts());
    assert!(said(&world, Severity::Error, "log stream hasty") > 0);
    let arrived = arrived(&mut world);
    assert_eq!(said(&world, Severity::Error, "log stream patient"), 0);
    let events = |stream: &str| arrived.get(stream).map_or(0, Vec::len);
    assert!(
        events("patient") > 1_000 && events("hasty") > 2_000,
        "{} {}",
        events("patient"),
        events("hasty")
    );
}

#[test]
fn containers_that_are_read_one_after_the_other_share_too_where_all_are_there_at_once() {
    for (fail_fast, collisions, told) in
        [(true, Collisions::Share, 1), (true, Collisions::Distinct, 0), (false, Collisions::Share, 0)]
    {
        let mut world = World::with(Options { stream: "app".into(), fail_fast, collisions, ..options() });
        let mut streams = Vec::new();
        for (id, name, long_id) in [(1, "one", "0123456789abcdef"), (2, "two", "fedcba9876543210")] {
            let source = open(&mut world, id, name, long_id);
            world.log(source, &frame(Side::Stdout, "line\n"));
            world.pause(source, Pause::Ended);
            streams.extend(arrived(&mut world).into_keys());
            assert_eq!(world.released.last(), Some(&source));
        }
        assert_eq!(said(&world, Severity::Warning, "share log group g, log stream app"), told);
        let second = if collisions == Collisions::Distinct { "app-fedcba987654" } else { "app" };
        assert_eq!(streams, ["app", second]);
    }
}
