//! Lines of every kind and number on standard input.

use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cloudspout_tests::events::{assert_same, messages as of};
use cloudspout_tests::process::{Running, must};
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::{even_lines, line_of, lines, lines_at_every_edge, lines_of_odd_bytes};

use crate::{arrived, input, pipe};

/// Ships these bytes and compares what arrived.
fn check(what: &str, written: &[u8]) {
    let strict = Strict::start();
    pipe(&strict).input(input(written)).finish().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    assert_same(what, of(&arrived(&journal)), &messages(written, Way::Bytes));
}

#[test]
fn a_million_lines_arrive_once_and_in_order() {
    check("a million lines", &even_lines(1_000_000, 100));
}

#[test]
fn requests_share_a_connection() {
    let strict = Strict::start();
    pipe(&strict).input(input(&even_lines(30_000, 400))).finish().assert_code(0);
    let (requests, connections) = (strict.count("requests"), strict.count("connections"));
    assert!(requests > 12 && connections <= 2, "{requests} requests came over {connections} connections");
}

#[test]
fn lines_of_every_length_arrive_byte_for_byte() {
    check("edges", &lines_at_every_edge("edge", 3 << 20));
}

#[test]
fn bytes_that_are_not_utf_8_arrive_as_replacement_characters() {
    check("odd bytes", &lines_of_odd_bytes());
    check("everyday lines", &lines("everyday", 20_000));
}

#[test]
fn a_last_line_without_newline_is_an_event() {
    check("two lines", b"first\nlast");
    check("no newline at all", b"only");
    check("long", line_of("long", 3 << 20).trim_ascii_end());
}

#[test]
fn empty_lines_arrive_as_single_spaces() {
    check("empty lines", b"\n\n\nend\n\n");
    check("twenty thousand empty lines", &[b'\n'; 20_000]);
}

#[test]
fn empty_input_sends_no_events_and_succeeds() {
    let strict = Strict::start();
    pipe(&strict).finish().assert_code(0);
    assert_eq!(strict.stop().count("PutLogEvents"), 0);
}

#[test]
fn input_that_trickles_in_makes_the_same_events() {
    let written = [lines("trickle", 300), lines_of_odd_bytes(), b"no newline".to_vec()].concat();
    let strict = Strict::start();
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::io::Write::write_all(&mut file, &written).expect("the file takes them");
    // dd hands on 7,919 bytes a call, so that lines and characters come in pieces.
    let mut dd = Command::new("dd");
    dd.arg(format!("if={}", file.path().display())).args(["bs=7919", "status=none"]).stdout(Stdio::piped());
    let mut dd = Running::start("dd", &mut dd);
    let pipe_end = dd.child().stdout.take().expect("a pipe");
    pipe(&strict).input(pipe_end).finish().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    assert_same("trickling input", of(&arrived(&journal)), &messages(&written, Way::Bytes));
}

#[test]
fn a_line_is_sent_while_the_input_is_still_open() {
    let strict = Strict::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fifo = folder.path().join("input");
    must("mkfifo", Command::new("mkfifo").arg(&fifo), Duration::from_secs(10));
    // Open for reading too, so that opening waits for nobody and the other end stays open.
    let mut both = std::fs::OpenOptions::new().read(true).write(true).open(&fifo).expect("the pipe");
    let end = std::fs::File::open(&fifo).expect("the pipe");
    let before = now();
    let shipping = pipe(&strict).input(end).start();
    std::io::Write::write_all(&mut both, b"first\nsecond\nthi").expect("the pipe takes them");
    strict.wait_for_events(2, Duration::from_secs(30));
    std::io::Write::write_all(&mut both, b"rd").expect("the pipe takes it");
    drop(both);
    shipping.wait(Duration::from_secs(30)).assert_code(0);
    let events = arrived(&strict.stop());
    let expected = ["first", "second", "third"].map(str::to_owned);
    assert_same("lines as they come", of(&events), &expected);
    for event in &events {
        assert!((before..=now()).contains(&event.time), "{event:?} is not of now");
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64
}
