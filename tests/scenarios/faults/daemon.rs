//! The Docker daemon restarted, and killed, while its containers log.

use std::thread;
use std::time::Duration;

use cloudspout_tests::docker::{ARRIVAL, Docker, Feed, GROUP, SOURCES};
use cloudspout_tests::events::{assert_same, messages as of};
use cloudspout_tests::process::eventually;
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

use crate::write_slowly;

const CONTAINERS: usize = 3;

fn name(number: usize) -> String {
    format!("writer-{number}")
}

/// Containers write until the daemon goes, and again after it is back. What a container hands to a daemon that is
/// killed may never get into Docker's log: all that did has to arrive, once and in order.
fn check(source: &str, end_daemon: fn(&mut Docker)) {
    let mut docker = Docker::any();
    let strict = Strict::start();
    let shipping = docker.shipping(source, &strict.url()).start();
    let mut feeds: Vec<Feed> = (0..CONTAINERS).map(|number| docker.feed(&name(number), &[])).collect();
    thread::scope(|scope| {
        for (number, feed) in feeds.iter_mut().enumerate() {
            let written = lines(&format!("{number} before"), 40_000);
            scope.spawn(move || write_slowly(feed, &written, 100, Duration::from_millis(20)));
        }
        strict.wait_for_events(CONTAINERS * 4_000, ARRIVAL);
        end_daemon(&mut docker);
        // What a killed daemon left running hangs until the next one ends it.
        docker.start_daemon();
    });
    drop(feeds);
    for number in 0..CONTAINERS {
        // A daemon that was killed finds its containers gone only after a while.
        eventually("the container's end", ARRIVAL, || (!docker.is_running(&name(number))).then_some(()));
        docker.docker(&["start", &name(number)]);
        let mut feed = docker.feed_again(&name(number));
        feed.out(&lines(&format!("{number} after"), 2_000));
        feed.end(&docker);
    }
    let kept: Vec<Vec<String>> = (0..CONTAINERS).map(|number| docker.kept(&name(number))).collect();
    strict.settle(kept.iter().map(Vec::len).sum(), ARRIVAL / 2);
    shipping.terminate().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    for (number, kept) in kept.iter().enumerate() {
        let after = messages(&lines(&format!("{number} after"), 2_000), Way::JsonFile);
        assert!(kept.len() > 2_000 && kept.ends_with(&after), "Docker kept {} lines", kept.len());
        assert_same(&format!("{source}, {}", name(number)), of(&journal.stream(GROUP, &name(number))), kept);
    }
}

#[test]
fn a_daemon_that_is_restarted_under_full_load_loses_and_doubles_nothing() {
    for source in SOURCES {
        check(source, Docker::stop_daemon);
    }
}

#[test]
fn a_daemon_that_is_killed_under_full_load_loses_and_doubles_nothing() {
    for source in SOURCES {
        check(source, Docker::kill_daemon);
    }
}
