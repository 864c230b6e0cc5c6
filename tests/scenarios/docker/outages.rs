//! The Docker daemon goes and comes back; so does the endpoint.

use std::time::Duration;

use cloudspout_tests::docker::Docker;
use cloudspout_tests::events::{assert_none_lost, assert_same, messages as of};
use cloudspout_tests::process::eventually;
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

use crate::{ARRIVAL, GROUP, SOURCES, run};

/// A container writes before and after the daemon's restart; the program lives through it.
fn check_restart(source: &str, end_daemon: fn(&mut Docker)) {
    let mut docker = Docker::exclusive();
    let strict = Strict::start();
    let shipping = run(&docker, source, &strict.url()).start();
    let mut written = Vec::new();
    for life in 0..2 {
        let text = lines(&format!("daemon {life}"), 1_000);
        let mut feed = if life == 0 {
            docker.feed("writer", &[])
        } else {
            docker.docker(&["start", "writer"]);
            docker.feed_again("writer")
        };
        feed.out(&text);
        written.extend(messages(&text, Way::JsonFile));
        strict.wait_for_events(written.len(), ARRIVAL);
        if life == 0 {
            end_daemon(&mut docker);
            drop(feed);
            docker.start_daemon();
            // A daemon that was killed finds its container gone only after a while.
            eventually("the container's end", ARRIVAL, || (!docker.is_running("writer")).then_some(()));
        } else {
            feed.end(&docker);
        }
    }
    docker.write("later", &[], b"a new container\n", b"");
    strict.wait_for_events(written.len() + 1, ARRIVAL);
    shipping.terminate().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    assert_same(source, of(&journal.stream(GROUP, "writer")), &written);
    assert_same(source, of(&journal.stream(GROUP, "later")), &["a new container".to_owned()]);
}

#[test]
fn a_restart_of_the_daemon_loses_and_doubles_nothing() {
    for source in SOURCES {
        check_restart(source, Docker::stop_daemon);
    }
}

#[test]
fn a_killed_daemon_loses_and_doubles_nothing() {
    for source in SOURCES {
        check_restart(source, Docker::kill_daemon);
    }
}

#[test]
fn an_endpoint_that_is_away_for_a_while_gets_everything_later() {
    for source in SOURCES {
        let docker = Docker::exclusive();
        let strict = Strict::start();
        let shipping = run(&docker, source, &strict.url()).start();
        let mut feed = docker.feed("writer", &[]);
        let written = lines("outage", 20_000);
        let expected = messages(&written, Way::JsonFile);
        let half = written.len() / 2;
        feed.out(&written[..half]);
        strict.wait_for_events(1, ARRIVAL);
        strict.plan("any@*=reset-early");
        feed.out(&written[half..]);
        let tries = strict.count("requests");
        eventually("requests that fail", ARRIVAL, || (strict.count("requests") > tries + 3).then_some(()));
        strict.plan("");
        strict.wait_for_events(expected.len(), ARRIVAL + Duration::from_secs(60));
        shipping.terminate().assert_code(0);
        let journal = strict.stop();
        journal.assert_well_formed();
        assert_same(source, of(&journal.stream(GROUP, "writer")), &expected);
        feed.end(&docker);
    }
}

#[test]
fn faults_of_every_kind_lose_nothing_of_a_container() {
    let docker = Docker::exclusive();
    let strict = Strict::with_plan(
        "put@2=throttle put@3=error put@5=reset-after put@6=html put@8=forget-stream put@9=cut-after",
    );
    let written = lines("faulty", 100_000);
    docker.write("writer", &[], &written, b"");
    run(&docker, "auto", &strict.url()).arg("--once").finish().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    let doubled =
        assert_none_lost("faults", of(&journal.stream(GROUP, "writer")), &messages(&written, Way::JsonFile));
    assert!(doubled <= journal.ambiguous_events(), "{doubled} came twice");
}
