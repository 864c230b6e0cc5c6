//! Many lines of many containers.

use std::thread;

use cloudspout_tests::docker::Docker;
use cloudspout_tests::events::{Streams, assert_both};
use cloudspout_tests::peers::{Local, Moto, Reader, read_back};
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

use crate::{ARRIVAL, GROUP, SOURCES, once, run};

const CONTAINERS: usize = 10;
const LINES: usize = 5_000;

fn name(number: usize) -> String {
    format!("container-{number}")
}

fn stdout(number: usize) -> Vec<u8> {
    lines(&format!("{number} out"), LINES)
}

fn stderr(number: usize) -> Vec<u8> {
    lines(&format!("{number} err"), LINES)
}

fn check(what: &str, streams: &Streams) {
    for number in 0..CONTAINERS {
        let what = format!("{what}, {}", name(number));
        let arrived = streams.get(&name(number)).map_or(&[][..], Vec::as_slice);
        let [stdout, stderr] = [stdout(number), stderr(number)].map(|bytes| messages(&bytes, Way::JsonFile));
        assert_both(&what, arrived, &stdout, &stderr);
    }
    assert_eq!(streams.len(), CONTAINERS, "{what}: {:?}", streams.keys());
}

#[test]
fn a_hundred_thousand_lines_of_ten_containers_arrive_with_once() {
    let docker = Docker::exclusive();
    for number in 0..CONTAINERS {
        docker.write(&name(number), &[], &stdout(number), &stderr(number));
    }
    for source in SOURCES {
        let strict = Strict::start();
        once(&docker, source, &strict.url());
        let journal = strict.stop();
        journal.assert_well_formed();
        check(source, &journal.streams(GROUP));
    }
    let moto = Moto::start();
    once(&docker, "auto", &moto.url());
    check("moto", &read_back(&moto.url(), GROUP, Reader::GetLogEvents));
    let local = Local::start(&[]);
    once(&docker, "auto", &local.url());
    check("local", &read_back(&local.url(), GROUP, Reader::GetLogEvents));
}

#[test]
fn a_hundred_thousand_lines_of_ten_containers_arrive_as_they_are_written() {
    for source in SOURCES {
        let docker = Docker::exclusive();
        let strict = Strict::start();
        let shipping = run(&docker, source, &strict.url()).start();
        let feeds: Vec<_> = (0..CONTAINERS).map(|number| docker.feed(&name(number), &[])).collect();
        thread::scope(|scope| {
            for (number, mut feed) in feeds.into_iter().enumerate() {
                let docker = &docker;
                scope.spawn(move || {
                    let (stdout, stderr) = (stdout(number), stderr(number));
                    for (out, err) in stdout.chunks(40_000).zip(stderr.chunks(40_000)) {
                        feed.out(out);
                        feed.err(err);
                    }
                    // The two are not equally long: what is left of either goes last.
                    let both = stdout.chunks(40_000).count().min(stderr.chunks(40_000).count()) * 40_000;
                    feed.out(stdout.get(both..).unwrap_or_default());
                    feed.err(stderr.get(both..).unwrap_or_default());
                    feed.end(docker);
                });
            }
        });
        strict.wait_for_events(CONTAINERS * 2 * LINES, ARRIVAL);
        shipping.terminate().assert_code(0);
        let journal = strict.stop();
        journal.assert_well_formed();
        check(source, &journal.streams(GROUP));
    }
}
