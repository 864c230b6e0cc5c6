//! Containers that come, go and come back while they are followed.

use cloudspout_tests::docker::Docker;
use cloudspout_tests::events::{assert_both, assert_same, messages as of};
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

use crate::{ARRIVAL, GROUP, SOURCES, once, run};

/// The sources, and how to run a container so that they have its last moments: what is removed at once takes
/// its log with it, but not the files that are held open.
const LAST_MOMENTS: [(&str, &[&str]); 2] = [("files", &["--rm"]), ("api", &[])];

#[test]
fn containers_that_live_for_a_moment_arrive_whole() {
    const CONTAINERS: usize = 30;
    for (source, options) in LAST_MOMENTS {
        let docker = Docker::exclusive();
        let strict = Strict::start();
        // A container from before tells that following has begun.
        let mut first = docker.feed("first", &[]);
        let shipping = run(&docker, source, &strict.url()).start();
        first.out(b"begin\n");
        strict.wait_for_events(1, ARRIVAL);
        let name = |number: usize| format!("brief-{number}");
        let ends = |number: usize| vec![format!("end of {number}")];
        for number in 0..CONTAINERS {
            docker.prepare(&name(number), &lines(&name(number), 50), &ends(number).concat().into_bytes());
            docker.launch(&name(number), options);
        }
        strict.settle(1 + CONTAINERS * (50 + ends(0).len()), ARRIVAL / 3);
        shipping.terminate().assert_code(0);
        let streams = strict.stop().streams(GROUP);
        for number in 0..CONTAINERS {
            let stdout = messages(&lines(&name(number), 50), Way::JsonFile);
            let what = format!("{source}, {}", name(number));
            let arrived = streams.get(&name(number)).map_or(&[][..], Vec::as_slice);
            assert_both(&what, arrived, &stdout, &ends(number));
        }
    }
}

#[test]
fn containers_of_before_and_after_are_followed() {
    for source in SOURCES {
        let docker = Docker::exclusive();
        let strict = Strict::start();
        docker.write("ended", &[], b"ended before\n", b"");
        let mut before = docker.feed("before", &[]);
        before.out(b"one\n");
        let shipping = run(&docker, source, &strict.url()).start();
        // What a container that has ended wrote before is for `--once`; what a running one wrote is followed.
        before.out(b"two\n");
        let mut after = docker.feed("after", &[]);
        after.out(b"three\n");
        before.err(b"four\n");
        let arrived = |name: &str| strict.journal().stream(GROUP, name);
        cloudspout_tests::process::eventually("the lines of both", ARRIVAL, || {
            (arrived("before").len() == 3 && arrived("after").len() == 1).then_some(())
        });
        shipping.terminate().assert_code(0);
        assert_both(source, &arrived("before"), &["one", "two"].map(str::to_owned), &["four".to_owned()]);
        assert_same(source, of(&arrived("after")), &["three".to_owned()]);
    }
}

#[test]
fn a_container_that_is_restarted_goes_on_in_its_log_stream() {
    for source in SOURCES {
        let docker = Docker::exclusive();
        let strict = Strict::start();
        let shipping = run(&docker, source, &strict.url()).start();
        let mut written = Vec::new();
        for life in 0..4 {
            let label = format!("life {life}");
            let mut feed = if life == 0 {
                docker.feed("phoenix", &[])
            } else {
                docker.docker(&["start", "phoenix"]);
                docker.feed_again("phoenix")
            };
            feed.out(&lines(&label, 500));
            // A life may end within a line, which is then complete.
            feed.out(b"the end");
            feed.end(&docker);
            written.extend(messages(&lines(&label, 500), Way::JsonFile));
            written.push("the end".to_owned());
        }
        strict.settle(written.len(), ARRIVAL / 3);
        shipping.terminate().assert_code(0);
        assert_same(source, of(&strict.stop().stream(GROUP, "phoenix")), &written);
    }
}

#[test]
fn containers_that_ask_for_it_are_left_out() {
    let docker = Docker::exclusive();
    docker.write("kept", &[], b"kept\n", b"");
    docker.write("ignored", &["-e", "LOGSPOUT=ignore"], b"ignored\n", b"");
    for source in SOURCES {
        let strict = Strict::start();
        once(&docker, source, &strict.url());
        let streams = strict.stop().streams(GROUP);
        assert_eq!(streams.keys().collect::<Vec<_>>(), ["kept"], "{source}");
    }
}

#[test]
fn logs_that_cannot_be_read_do_not_hold_up_the_others() {
    let docker = Docker::exclusive();
    docker.write("silent", &["--log-driver", "none"], b"nobody keeps this\n", b"");
    docker.write("empty", &[], b"", b"");
    docker.write("kept", &[], b"kept\n", b"");
    for source in SOURCES {
        let strict = Strict::start();
        once(&docker, source, &strict.url());
        assert_same(source, of(&strict.stop().stream(GROUP, "kept")), &["kept".to_owned()]);
    }
}

#[test]
fn without_containers_once_ends_at_once() {
    let docker = Docker::exclusive();
    let strict = Strict::start();
    once(&docker, "auto", &strict.url());
    assert_eq!(strict.count("requests"), 0);
}
