//! Lines of every kind, log drivers that keep them differently, and containers with a terminal.

use cloudspout_tests::docker::Docker;
use cloudspout_tests::events::{assert_both, assert_same, messages as of};
use cloudspout_tests::rules::{EVENT_BYTES, Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::{line_of, lines, lines_at_every_edge, lines_of_odd_bytes};

use crate::{GROUP, SOURCES, once};

/// Has a container write these bytes and compares what arrives, from each of the sources.
fn check(options: &[&str], sources: &[&str], way: Way, stdout: &[u8], stderr: &[u8]) {
    let docker = Docker::exclusive();
    docker.write("writer", options, stdout, stderr);
    for source in sources {
        let strict = Strict::start();
        once(&docker, source, &strict.url());
        let journal = strict.stop();
        journal.assert_well_formed();
        let what = format!("{options:?} by {source}");
        let arrived = journal.stream(GROUP, "writer");
        assert_both(&what, &arrived, &messages(stdout, way), &messages(stderr, way));
    }
}

const LOCAL: [&str; 2] = ["--log-driver", "local"];

#[test]
fn lines_of_every_length_arrive_byte_for_byte() {
    let edges = lines_at_every_edge("edge", 3 << 20);
    check(&[], &SOURCES, Way::JsonFile, &edges, &lines("err", 500));
    check(&LOCAL, &["api", "auto"], Way::Bytes, &edges, &lines("err", 500));
    // Longer than what `local` keeps of a log by itself is not what this asks about.
    check(&["-t"], &SOURCES, Way::Terminal, &edges, b"");
}

#[test]
fn long_lines_of_stdout_and_stderr_at_once_do_not_mix() {
    let [stdout, stderr] =
        ["out", "err"].map(|label| lines_at_every_edge(label, 1 << 20)).map(without_short_events);
    check(&[], &SOURCES, Way::JsonFile, &stdout, &stderr);
    check(&LOCAL, &["api"], Way::Bytes, &stdout, &stderr);
}

#[test]
fn odd_bytes_arrive_as_the_log_driver_keeps_them() {
    let odd = lines_of_odd_bytes();
    check(&[], &SOURCES, Way::JsonFile, &odd, &lines("err", 100));
    check(&LOCAL, &["api"], Way::Bytes, &odd, &lines("err", 100));
    check(&["-t"], &SOURCES, Way::Terminal, &odd, b"");
}

#[test]
fn a_last_line_without_newline_is_an_event() {
    check(&[], &SOURCES, Way::JsonFile, b"first\nlast", b"error");
    check(&LOCAL, &["api"], Way::Bytes, b"first\nlast", b"error");
    check(&["-t"], &SOURCES, Way::Terminal, b"first\r\nlast", b"");
    let long = line_of("long", 100_000);
    check(&[], &SOURCES, Way::JsonFile, long.trim_ascii_end(), b"");
    let pieces = line_of("pieces", 2 * 16_384);
    check(&[], &SOURCES, Way::JsonFile, pieces.trim_ascii_end(), b"");
}

#[test]
fn labels_kept_with_each_line_change_nothing() {
    let options = ["--label", "team=w\"eb", "--log-opt", "labels=team", "--log-opt", "tag={{.Name}}"];
    check(&options, &SOURCES, Way::JsonFile, &lines("labelled", 500), b"");
}

#[test]
fn events_carry_the_times_that_docker_gave_the_lines() {
    let docker = Docker::exclusive();
    let written = lines("timed", 3_000);
    docker.write("timed", &[], &written, b"");
    let times = docker.times("timed");
    for source in SOURCES {
        let strict = Strict::start();
        once(&docker, source, &strict.url());
        let arrived = strict.stop().stream(GROUP, "timed");
        assert_same(source, of(&arrived), &messages(&written, Way::JsonFile));
        assert!(arrived.iter().map(|event| event.time).eq(times.iter().copied()), "{source}: other times");
    }
}

/// An event that is the same on stdout and stderr would hide a mix-up: no line of a few bytes, nor one that leaves a
/// few bytes for a second event.
fn without_short_events(bytes: Vec<u8>) -> Vec<u8> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines
        .filter(|line| (line.len() - 1) % EVENT_BYTES > 10 || line.len() == EVENT_BYTES + 1)
        .flatten()
        .copied()
        .collect()
}
