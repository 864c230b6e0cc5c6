//! Events of several lines from containers: stack traces on both sides, in pieces, over restarts and kills.

use std::time::Duration;

use cloudspout_tests::docker::Docker;
use cloudspout_tests::events::{assert_both, assert_none_lost, assert_same, messages as of};
use cloudspout_tests::process::eventually;
use cloudspout_tests::program::Program;
use cloudspout_tests::strict::Strict;

use crate::{ARRIVAL, GROUP, SOURCES, run};

const FORMAT: [&str; 2] = ["--awslogs-datetime-format", r"\[%Y-%m-%d %H:%M:%S\]"];

/// Traces of a program in Java, with one line over 16 KiB in every tenth: what is written, and the events.
fn traces(label: &str, count: usize) -> (Vec<u8>, Vec<String>) {
    let trace = |number: usize| {
        let pad = "x".repeat(if number.is_multiple_of(10) { 40_000 } else { number % 50 });
        let time = format!("[2026-11-27 20:{:02}:{:02}]", number / 60 % 60, number % 60);
        let head = format!("{time} {label} {number} ERROR a \"request\" failed {pad}");
        let frames: String =
            (0..number % 7).map(|line| format!("\n\tat org.example.Größe.call(Größe.java:{line})")).collect();
        let cause = if number.is_multiple_of(3) { "\n\nCaused by: java.io.IOException: \\n" } else { "" };
        format!("{head}{frames}{cause}")
    };
    let events: Vec<_> = (0..count).map(trace).collect();
    ((events.join("\n") + "\n").into_bytes(), events)
}

fn joining(program: Program) -> Program {
    program.args(&FORMAT)
}

#[test]
fn stack_traces_on_both_sides_arrive_whole_and_apart() {
    let docker = Docker::exclusive();
    let ((stdout, out), (stderr, err)) = (traces("out", 600), traces("err", 500));
    docker.write("java", &[], &stdout, &stderr);
    let times = docker.times("java");
    for source in SOURCES {
        let strict = Strict::start();
        joining(run(&docker, source, &strict.url())).arg("--once").finish().assert_code(0);
        let journal = strict.stop();
        journal.assert_well_formed();
        let arrived = journal.stream(GROUP, "java");
        assert_both(source, &arrived, &out, &err);
        assert!(arrived.iter().all(|event| times.contains(&event.time)), "{source}: times of no line");
    }
}

#[test]
fn an_event_ends_with_the_life_of_its_container() {
    for source in SOURCES {
        let docker = Docker::exclusive();
        let strict = Strict::start();
        let shipping = joining(run(&docker, source, &strict.url())).start();
        let mut feed = docker.feed("java", &[]);
        feed.out(b"[2026-11-27 20:00:00] one\n two\n");
        feed.end(&docker);
        docker.docker(&["start", "java"]);
        let mut feed = docker.feed_again("java");
        feed.out(b" three\n[2026-11-27 20:00:01] four\n");
        strict.wait_for_events(3, ARRIVAL);
        feed.end(&docker);
        shipping.terminate().assert_code(0);
        let arrived = strict.stop().stream(GROUP, "java");
        let expected = ["[2026-11-27 20:00:00] one\n two", " three", "[2026-11-27 20:00:01] four"];
        assert_same(source, of(&arrived), &expected.map(str::to_owned));
    }
}

#[test]
fn a_kill_within_an_event_neither_loses_nor_tears_it() {
    const ROUNDS: usize = 3;
    for source in SOURCES {
        let docker = Docker::exclusive();
        let strict = Strict::start();
        let state = tempfile::tempdir().expect("a temporary folder");
        let program = || {
            let program = docker.program().args(&["--source", source, "--group", GROUP]).to(&strict.url());
            let state = state.path().to_str().expect("UTF-8");
            joining(program).args(&["--stream", "{{.Name}}", "--state-dir", state, "--flush-after", "3s"])
        };
        let mut feed = docker.feed("java", &[]);
        let (mut written, mut expected) = (0, Vec::new());
        for round in 0..ROUNDS {
            let shipping = program().start();
            let time = |second: usize| format!("[2026-11-27 20:{round:02}:{second:02}]");
            // What waits no longer for lines is delivered, and stays so.
            feed.out(format!("{} whole\n", time(0)).as_bytes());
            expected.push(format!("{} whole", time(0)));
            strict.wait_for_events(expected.len(), ARRIVAL);
            let begin = format!("{} begins\n\tat one\n\tat two", time(1));
            feed.out(format!("{begin}\n").as_bytes());
            written += 4;
            eventually("Docker's own log", ARRIVAL, || (docker.times("java").len() >= written).then_some(()));
            // Read by then, and held because more may follow.
            std::thread::sleep(Duration::from_millis(300));
            shipping.kill();
            feed.out(b"\tat three\n");
            written += 1;
            expected.push(format!("{begin}\n\tat three"));
        }
        feed.end(&docker);
        program().arg("--once").finish().assert_code(0);
        let journal = strict.stop();
        journal.assert_well_formed();
        let arrived = journal.stream(GROUP, "java");
        let doubled = assert_none_lost(source, of(&arrived), &expected);
        assert_eq!(doubled, 0, "{source}: nothing was under way at any kill");
    }
}

#[test]
fn a_container_says_by_a_label_where_its_events_begin() {
    let docker = Docker::exclusive();
    let log = b"BEGIN 1\n two\nthree\nBEGIN 4\n";
    docker.write("labelled", &["--label", "awslogs.multiline-pattern=^BEGIN"], log, b"");
    docker.write("dated", &["--label", r"awslogs.datetime-format=^BEGIN %w"], log, b"");
    docker.write("plain", &[], log, b"");
    let own = ["BEGIN 1\n two\nthree", "BEGIN 4"].map(str::to_owned);
    let each = ["BEGIN 1", " two", "three", "BEGIN 4"].map(str::to_owned);
    for source in SOURCES {
        let strict = Strict::start();
        let program = run(&docker, source, &strict.url()).args(&["--once", "--allow-overrides", "labels"]);
        program.finish().assert_code(0);
        let streams = strict.stop().streams(GROUP);
        for (name, expected) in [("labelled", &own[..]), ("dated", &own), ("plain", &each)] {
            assert_same(&format!("{source}, {name}"), of(&streams[name]), expected);
        }
    }
}
