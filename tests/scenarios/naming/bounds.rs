//! Names that are taken already, and names that are not allowed.

use cloudspout_tests::docker::{ARRIVAL, Docker, SOURCES};
use cloudspout_tests::strict::Strict;

use crate::{id, once};

#[test]
fn containers_that_share_a_log_stream_are_told_and_lose_nothing() {
    let docker = Docker::any();
    let strict = Strict::start();
    let options = ["--group", "g", "--stream", "app", "--flush-after", "300ms"];
    let mut first = docker.feed("first", &[]);
    let shipping = docker.program().args(&options).to(&strict.url()).start();
    first.out(b"1\n");
    strict.wait_for_events(1, ARRIVAL);
    for number in 2..4 {
        let mut other = docker.feed(&format!("container-{number}"), &[]);
        other.out(format!("{number}\n").as_bytes());
        strict.wait_for_events(number, ARRIVAL);
    }
    let outcome = shipping.terminate();
    let told =
        outcome.stderr.lines().filter(|line| line.contains("share log group g, log stream app")).count();
    assert_eq!(told, 1, "{}", outcome.stderr);
    outcome.assert_code(0);
    let streams = strict.stop().streams("g");
    let messages: Vec<&str> = streams["app"].iter().map(|event| event.message.as_str()).collect();
    assert_eq!(messages, ["1", "2", "3"]);
}

#[test]
fn containers_that_would_share_a_log_stream_are_kept_apart_where_that_is_wanted() {
    let docker = Docker::any();
    let strict = Strict::start();
    let options = ["--group", "g", "--stream", "app", "--on-collision", "distinct", "--flush-after", "300ms"];
    let mut first = docker.feed("first", &[]);
    let shipping = docker.program().args(&options).to(&strict.url()).start();
    first.out(b"1\n");
    strict.wait_for_events(1, ARRIVAL);
    let mut second = docker.feed("second", &[]);
    second.out(b"2\n");
    strict.wait_for_events(2, ARRIVAL);
    first.out(b"3\n");
    strict.wait_for_events(3, ARRIVAL);
    shipping.terminate().assert_code(0);
    let short = &id(&docker, "second")[..12];
    let streams = strict.stop().streams("g");
    let messages = |stream: &str| -> Vec<&str> {
        streams.get(stream).into_iter().flatten().map(|event| event.message.as_str()).collect()
    };
    assert_eq!(messages("app"), ["1", "3"]);
    assert_eq!(messages(&format!("app-{short}")), ["2"]);
}

#[test]
fn what_leaves_the_prefix_is_refused_and_waits() {
    for source in SOURCES {
        let docker = Docker::any();
        docker.write("good", &["--label", "awslogs.group=/team-a/good"], b"good\n", b"");
        docker.write("bad", &["--label", "awslogs.group=/team-b/bad"], &b"secret\n".repeat(50_000), b"");
        let confined = ["--allow-overrides", "labels", "--confine", "/team-a/", "--group", "/team-a/x"];
        let (arrived, outcome) = once(&docker, &[&confined[..], &["--source", source]].concat());
        arrived.assert(&[("good", "/team-a/good|good")]);
        outcome.assert_complaint(3, &["container bad (", "/team-b/bad", "/team-a/", "--confine"]);
    }
}

#[test]
fn a_refused_container_holds_up_no_other_and_is_shipped_once_it_is_allowed() {
    for source in SOURCES {
        let docker = Docker::any();
        let strict = Strict::start();
        let state = tempfile::tempdir().expect("a temporary folder");
        let state = state.path().to_str().expect("UTF-8");
        let program = |prefix: &str| {
            let options = ["--allow-overrides", "labels", "--group", "/a/x", "--confine", prefix];
            let program = docker.program().args(&options).args(&["--state-dir", state, "--source", source]);
            program.args(&["--flush-after", "300ms"]).to(&strict.url())
        };
        let mut bad = docker.feed("bad", &["--label", "awslogs.group=/b/y"]);
        let mut good = docker.feed("good", &[]);
        let shipping = program("/a/").start();
        bad.out(b"kept back\n");
        good.out(b"good 1\n");
        shipping.wait_for_words("is refused, and its logs wait", ARRIVAL);
        strict.wait_for_events(1, ARRIVAL);
        good.out(b"good 2\n");
        strict.wait_for_events(2, ARRIVAL);
        assert_eq!(shipping.terminate().assert_code(0).stderr.matches("is refused").count(), 1);
        let shipping = program("/").start();
        strict.wait_for_events(3, ARRIVAL);
        shipping.terminate().assert_code(0);
        let messages: Vec<_> =
            strict.stop().stream("/b/y", "bad").into_iter().map(|event| event.message).collect();
        assert_eq!(messages, ["kept back"]);
        bad.end(&docker);
        good.end(&docker);
    }
}
