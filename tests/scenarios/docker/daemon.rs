//! The daemon itself: Docker's own `logs` command returns what the rules of the comparison foresee.

use cloudspout_tests::docker::Docker;
use cloudspout_tests::events::assert_same;
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::text::{lines, lines_at_every_edge, lines_of_odd_bytes};

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
