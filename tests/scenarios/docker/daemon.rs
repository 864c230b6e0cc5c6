//! The daemon itself: Docker's own `logs` command returns what the rules of the comparison foresee.

use cloudspout_tests::docker::Docker;
use cloudspout_tests::events::assert_same;
use cloudspout_tests::process::eventually;
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::text::{lines, lines_at_every_edge, lines_of_odd_bytes};

use crate::ARRIVAL;

#[test]
fn docker_logs_returns_what_the_rules_foresee() {
    let docker = Docker::exclusive();
    let written = [lines_at_every_edge("edge", 3 << 20), lines_of_odd_bytes(), lines("plain", 100)].concat();
    let logs_of = |name: &str, options: &[&str]| {
        docker.write(name, options, &written, b"");
        docker.docker(&["logs", name])
    };
    let read = messages(&logs_of("json-file", &[]), Way::Bytes);
    assert_same("json-file", &read, &messages(&written, Way::JsonFile));
    let read = messages(&without_cr(&logs_of("terminal", &["-t"])), Way::Bytes);
    assert_same("terminal", &read, &messages(&written, Way::Terminal));
    // Docker 20.10 forgets the newline after a line in pieces when it reads the `local` driver's log.
    let read = logs_of("local", &["--log-driver", "local"]);
    assert_eq!(without_newlines(&read), without_newlines(&written));
}

fn without_newlines(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| *byte != b'\n').collect()
}

fn without_cr(bytes: &[u8]) -> Vec<u8> {
    let lines = bytes.split(|byte| *byte == b'\n');
    let stripped: Vec<&[u8]> = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
    stripped.join(&b'\n')
}

#[test]
fn docker_keeps_what_was_written_before_and_after_it_was_ended() {
    for end in [Docker::stop_daemon, Docker::kill_daemon] {
        let mut docker = Docker::exclusive();
        let mut feed = docker.feed("writer", &[]);
        feed.out(b"before\n");
        eventually("the first line", ARRIVAL, || (docker.times("writer").len() == 1).then_some(()));
        end(&mut docker);
        drop(feed);
        docker.start_daemon();
        eventually("the container's end", ARRIVAL, || (!docker.is_running("writer")).then_some(()));
        docker.docker(&["start", "writer"]);
        let mut feed = docker.feed_again("writer");
        feed.out(b"after\n");
        feed.end(&docker);
        assert_eq!(docker.docker(&["logs", "writer"]), b"before\nafter\n");
    }
}
