//! Events of several lines on standard input.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;
use std::time::Duration;

use cloudspout_tests::events::{assert_same, messages as of};
use cloudspout_tests::process::must;
use cloudspout_tests::rules::EVENT_BYTES;
use cloudspout_tests::strict::Strict;

use crate::{arrived, input, pipe};

/// Ships a text with these options and compares the events.
fn check(options: &[&str], written: &str, expected: &[&str]) {
    let strict = Strict::start();
    pipe(&strict).args(options).input(input(written.as_bytes())).finish().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    let expected: Vec<_> = expected.iter().map(|event| (*event).to_owned()).collect();
    assert_same(&format!("{options:?}"), of(&arrived(&journal)), &expected);
}

#[test]
fn a_stack_trace_is_one_event() {
    let trace = "2026-11-27 20:00:01 ERROR it broke\njava.lang.IllegalStateException: no\n\tat a.B.c(B.java:7)\n\n\
                 Caused by: \"nothing\"";
    let log = format!("2026-11-27 20:00:00 INFO up\n{trace}\n2026-11-27 20:00:02 INFO on\n");
    let expected = ["2026-11-27 20:00:00 INFO up", trace, "2026-11-27 20:00:02 INFO on"];
    check(&["--awslogs-datetime-format", "%Y-%m-%d %H:%M:%S"], &log, &expected);
    check(&["--awslogs-multiline-pattern", r"^\d{4}-\d\d-\d\d "], &log, &expected);
    // Go's syntax: a brace that begins no repetition is a brace.
    check(&["--awslogs-multiline-pattern", "^{"], "{\n \"a\": 1\n}\n{}\n", &["{\n \"a\": 1\n}", "{}"]);
    check(&["--awslogs-multiline-pattern", ""], "a\n b\n", &["a", " b"]);
}

#[test]
fn an_event_of_lines_is_no_longer_than_an_event_may_be() {
    let line = "x".repeat(400_000);
    let long = "y".repeat(EVENT_BYTES + 10);
    let log = format!("A\n{line}\n{line}\n{line}\nA{long}\n tail\nA\n");
    let rest = format!("{}\n tail", &long[EVENT_BYTES - 1..]);
    let expected = [
        format!("A\n{line}\n{line}"),
        line.clone(),
        format!("A{}", &long[..EVENT_BYTES - 1]),
        rest,
        "A".into(),
    ];
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    check(&["--awslogs-multiline-pattern", "^A"], &log, &expected);
}

#[test]
fn an_event_leaves_when_its_next_line_does_not_come() {
    let strict = Strict::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fifo = folder.path().join("input");
    must("mkfifo", Command::new("mkfifo").arg(&fifo), Duration::from_secs(10));
    let mut both = OpenOptions::new().read(true).write(true).open(&fifo).expect("the pipe");
    let end = std::fs::File::open(&fifo).expect("the pipe");
    let options = ["--awslogs-multiline-pattern", "^A", "--flush-after", "1s"];
    let shipping = pipe(&strict).args(&options).input(end).start();
    let mut write = |bytes: &[u8]| both.write_all(bytes).expect("the pipe takes them");
    write(b"A1\n");
    std::thread::sleep(Duration::from_millis(300));
    write(b" b\n");
    strict.wait_for_events(1, Duration::from_secs(30));
    // Too late to join, and not to be held for ever.
    write(b" c\n");
    strict.wait_for_events(2, Duration::from_secs(30));
    write(b"A2\n d");
    drop(both);
    shipping.wait(Duration::from_secs(30)).assert_code(0);
    let events = arrived(&strict.stop());
    assert_same("slow lines", of(&events), &["A1\n b", " c", "A2\n d"].map(str::to_owned));
    assert!(events[1].time > events[0].time + 900, "a late line has its own time: {events:?}");
}

#[test]
fn rules_that_cannot_be_followed_are_named() {
    let strict = Strict::start();
    for (options, words) in [
        (
            &["--awslogs-multiline-pattern", "^A", "--awslogs-datetime-format", "%H"][..],
            &["awslogs-datetime-format and awslogs-multiline-pattern"][..],
        ),
        (&["--awslogs-multiline-pattern", "(a"], &["awslogs-multiline-pattern", "`(a`", "unclosed group"]),
        (&["--awslogs-datetime-format", "%H:%Q"], &["awslogs-datetime-format", "%Q is not known", "%H"]),
    ] {
        pipe(&strict).args(options).finish().assert_complaint(3, words);
    }
}
