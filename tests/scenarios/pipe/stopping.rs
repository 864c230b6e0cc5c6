//! Being told to stop while standard input is open.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cloudspout_tests::events::{assert_same, messages as of};
use cloudspout_tests::process::must;
use cloudspout_tests::program::Shipping;
use cloudspout_tests::strict::Strict;

use crate::{arrived, pipe};

/// Starts `pipe` with an input that stays open, and writes two lines.
fn start(strict: &Strict, folder: &Path, stop_timeout: &str) -> (Shipping, std::fs::File) {
    let fifo = folder.join("input");
    must("mkfifo", Command::new("mkfifo").arg(&fifo), Duration::from_secs(10));
    let mut both = OpenOptions::new().read(true).write(true).open(&fifo).expect("the pipe");
    let shipping = pipe(strict)
        .args(&["--stop-timeout", stop_timeout])
        .input(std::fs::File::open(&fifo).expect("the pipe"))
        .start();
    both.write_all(b"first\nsecond\n").expect("the pipe takes them");
    (shipping, both)
}

#[test]
fn what_was_read_is_delivered_before_it_stops() {
    let strict = Strict::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (shipping, mut input) = start(&strict, folder.path(), "10s");
    strict.wait_for_events(2, Duration::from_secs(30));
    input.write_all(b"third\n").expect("the pipe takes it");
    shipping.terminate().assert_code(0);
    let events = arrived(&strict.stop());
    assert_same("lines before the signal", of(&events[..2]), &["first", "second"].map(str::to_owned));
}

#[test]
fn a_second_signal_ends_at_once() {
    let strict = Strict::with_plan("put@*=hang:600000");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut shipping, _input) = start(&strict, folder.path(), "1h");
    cloudspout_tests::process::eventually("a request", Duration::from_secs(30), || {
        (strict.count("requests") > 0).then_some(())
    });
    // It could wait far longer than this test does.
    shipping.running().signal("INT");
    shipping.wait_for_words("told to stop", Duration::from_secs(30));
    shipping.running().signal("INT");
    let outcome = shipping.wait(Duration::from_secs(30)).assert_code(9);
    assert!(outcome.stderr.contains("a second time"), "{}", outcome.stderr);
    assert!(arrived(&strict.stop()).is_empty());
}

#[test]
fn a_stop_with_events_undelivered_is_told_by_exit_code_9() {
    let strict = Strict::with_plan("put@*=throttle");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (shipping, _input) = start(&strict, folder.path(), "10s");
    cloudspout_tests::process::eventually("a request", Duration::from_secs(30), || {
        (strict.journal().count("PutLogEvents") > 0).then_some(())
    });
    shipping.terminate().assert_code(9);
    assert!(arrived(&strict.stop()).is_empty());
}
