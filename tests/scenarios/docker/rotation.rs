//! Logs that Docker rotates, compresses and removes, read from their files.

use std::time::Duration;

use cloudspout_tests::docker::Docker;
use cloudspout_tests::events::{Event, assert_same, messages as of};
use cloudspout_tests::process::eventually;
use cloudspout_tests::program::Program;
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

use crate::{ARRIVAL, GROUP, once, run};

/// `--log-opt` of each.
fn options<'a>(options: &[&'a str]) -> Vec<&'a str> {
    options.iter().flat_map(|option| ["--log-opt", option]).collect()
}

#[test]
fn a_late_start_reads_what_was_rotated_and_compressed() {
    let docker = Docker::exclusive();
    let written = lines("late", 20_000);
    docker.write("plain", &options(&["max-size=1m", "max-file=9"]), &written, b"");
    docker.write("packed", &options(&["max-size=1m", "max-file=9", "compress=true"]), &written, b"");
    let strict = Strict::start();
    once(&docker, "files", &strict.url());
    let journal = strict.stop();
    journal.assert_well_formed();
    for name in ["plain", "packed"] {
        assert_same(name, of(&journal.stream(GROUP, name)), &messages(&written, Way::JsonFile));
    }
}

#[test]
fn a_log_that_rotates_at_full_speed_is_read_whole() {
    let rotations: [&[&str]; 4] = [
        &["max-size=10m", "max-file=3"],
        &["max-size=5m"],
        &["max-size=5m", "max-file=2", "compress=true"],
        &["max-size=1m", "max-file=4", "compress=true"],
    ];
    let docker = Docker::exclusive();
    let strict = Strict::start();
    let shipping = run(&docker, "files", &strict.url()).start();
    let written = lines("rotating", 100_000);
    for (number, rotation) in rotations.iter().enumerate() {
        docker.write(&format!("fast-{number}"), &options(rotation), &written, b"");
    }
    strict.settle(rotations.len() * 100_000, ARRIVAL);
    let outcome = shipping.terminate().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    for (number, rotation) in rotations.iter().enumerate() {
        let arrived = journal.stream(GROUP, &format!("fast-{number}"));
        let what = format!("{rotation:?}; it said:\n{}\n", outcome.stderr);
        assert_same(&what, of(&arrived), &messages(&written, Way::JsonFile));
    }
}

#[test]
fn a_log_of_small_files_is_followed_from_one_to_the_next() {
    for rotation in [&["max-size=20k"][..], &["max-size=20k", "max-file=3", "compress=true"]] {
        let docker = Docker::exclusive();
        let strict = Strict::start();
        let shipping = run(&docker, "files", &strict.url()).start();
        let mut feed = docker.feed("small", &options(rotation));
        let mut expected = Vec::new();
        for round in 0..16 {
            // About one file each time, after a silence of this or that length.
            let part = lines(&format!("round {round}"), 120);
            feed.out(&part);
            expected.extend(messages(&part, Way::JsonFile));
            strict.wait_for_events(expected.len(), ARRIVAL);
            std::thread::sleep(Duration::from_millis(round * 25));
        }
        feed.end(&docker);
        shipping.terminate().assert_code(0);
        assert_same(&format!("{rotation:?}"), of(&strict.stop().stream(GROUP, "small")), &expected);
    }
}

fn with_state(docker: &Docker, strict: &Strict, state: &tempfile::TempDir) -> Program {
    run(docker, "files", &strict.url()).args(&["--state-dir", state.path().to_str().expect("UTF-8")])
}

#[test]
fn what_was_rotated_while_nobody_looked_is_read_by_the_next_run() {
    for compress in ["compress=false", "compress=true"] {
        let docker = Docker::exclusive();
        let strict = Strict::start();
        let state = tempfile::tempdir().expect("a temporary folder");
        let mut feed = docker.feed("writer", &options(&["max-size=100k", "max-file=9", compress]));
        let mut expected = Vec::new();
        for round in 0..6 {
            let shipping = with_state(&docker, &strict, &state).start();
            strict.wait_for_events(expected.len(), ARRIVAL);
            let seen = lines(&format!("seen {round}"), 100 * (round + 1));
            feed.out(&seen);
            expected.extend(messages(&seen, Way::JsonFile));
            strict.wait_for_events(expected.len(), ARRIVAL);
            shipping.terminate().assert_code(0);
            // Two files or three.
            let unseen = lines(&format!("unseen {round}"), 1_500);
            feed.out(&unseen);
            expected.extend(messages(&unseen, Way::JsonFile));
        }
        feed.end(&docker);
        let outcome = with_state(&docker, &strict, &state).arg("--once").finish().assert_code(0);
        assert!(!outcome.stderr.contains("missing"), "{}", outcome.stderr);
        assert_same(compress, of(&strict.stop().stream(GROUP, "writer")), &expected);
    }
}

#[test]
fn what_docker_threw_away_is_said_and_the_rest_arrives_once() {
    for rotation in [&["max-size=50k"][..], &["max-size=50k", "max-file=3", "compress=true"]] {
        let docker = Docker::exclusive();
        let strict = Strict::start();
        let state = tempfile::tempdir().expect("a temporary folder");
        let mut feed = docker.feed("writer", &options(rotation));
        let shipping = with_state(&docker, &strict, &state).start();
        let (seen, unseen) = (lines("seen", 100), lines("unseen", 5_000));
        feed.out(&seen);
        strict.wait_for_events(100, ARRIVAL);
        shipping.terminate().assert_code(0);
        feed.out(&unseen);
        feed.end(&docker);
        let outcome = with_state(&docker, &strict, &state).arg("--once").finish().assert_code(0);
        let said = "part of the log of container writer may be missing, between 20";
        assert!(outcome.stderr.contains(said), "{rotation:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("gone before they could be read: 1 ("), "{}", outcome.stderr);
        let arrived: Vec<Event> = strict.stop().stream(GROUP, "writer");
        let (before, after) = arrived.split_at(100);
        assert_same("before", of(before), &messages(&seen, Way::JsonFile));
        let expected = messages(&unseen, Way::JsonFile);
        assert!(after.len() > 100 && after.len() < expected.len(), "{rotation:?}: {}", after.len());
        assert_same("after", of(after), &expected[expected.len() - after.len()..]);
    }
}

#[test]
fn a_container_that_is_removed_before_its_log_was_read_arrives_whole() {
    let docker = Docker::exclusive();
    let strict = Strict::with_plan("any@*=reset-early");
    let shipping = run(&docker, "files", &strict.url()).args(&["--buffer", "1MiB"]).start();
    let mut first = docker.feed("first", &[]);
    first.out(b"begin\n");
    eventually("a try", ARRIVAL, || (strict.count("requests") > 0).then_some(()));
    let written = lines("removed", 100_000);
    docker.write("removed", &options(&["max-size=5m", "max-file=2"]), &written, b"");
    docker.docker(&["rm", "removed"]);
    strict.plan("");
    strict.settle(1 + 100_000, ARRIVAL);
    let outcome = shipping.terminate().assert_code(0);
    let what = format!("removed; it said:\n{}\n", outcome.stderr);
    assert_same(&what, of(&strict.stop().stream(GROUP, "removed")), &messages(&written, Way::JsonFile));
}
