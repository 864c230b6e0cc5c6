//! An endpoint that throttles, fails, breaks off, forgets, or has another clock.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use cloudspout_tests::events::{assert_none_lost, assert_same, messages as of};
use cloudspout_tests::program::{Program, TEMPORARY_KEY_ID, TEMPORARY_SECRET, TEMPORARY_TOKEN};
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::even_lines;

use crate::{GROUP, STREAM, arrived, input, pipe};

/// Twelve batches' worth.
fn written() -> Vec<u8> {
    even_lines(30_000, 400)
}

/// Ships through faults of which each is a definite refusal: all has to arrive once.
fn check_once(plan: &str) {
    let strict = Strict::with_plan(plan);
    pipe(&strict).input(input(&written())).finish().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    assert!(journal.0.iter().any(|request| request.fault.is_some()), "{plan}: no fault came");
    assert_same(plan, of(&arrived(&journal)), &messages(&written(), Way::Bytes));
}

/// Ships through faults that leave open what was stored: none may be lost, and what comes twice was never answered.
fn check_none_lost(plan: &str) {
    let strict = Strict::with_plan(plan);
    pipe(&strict).input(input(&written())).finish().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    let doubled = assert_none_lost(plan, of(&arrived(&journal)), &messages(&written(), Way::Bytes));
    let ambiguous = journal.ambiguous_events();
    assert!(doubled <= ambiguous, "{plan}: {doubled} came twice, {ambiguous} were stored without an answer");
}

#[test]
fn throttling_delays_and_loses_nothing() {
    check_once("put@1-4=throttle put@7=throttle:200 put@9-10=throttle");
}

#[test]
fn errors_of_the_service_are_tried_again() {
    check_once("put@1-3=error put@5=unavailable put@7=html put@9=empty");
}

#[test]
fn a_reset_before_anything_is_stored_loses_nothing() {
    check_once("put@1=reset-early put@4=reset-before put@5=reset-before put@9=reset-early");
}

#[test]
fn a_silent_endpoint_that_hangs_up_loses_nothing() {
    check_once("put@2=hang:1500 put@6=hang:500");
}

#[test]
fn a_slow_endpoint_gets_everything_once() {
    check_once("put@%2=slow:300");
}

#[test]
fn creating_group_and_stream_is_tried_again() {
    check_once("group@1-2=throttle group@3=error stream@1=reset-before stream@2=unavailable");
}

#[test]
fn a_group_and_a_stream_that_are_deleted_are_made_again() {
    check_once("put@3=forget-stream put@6=forget-group put@9=forget-stream");
}

#[test]
fn only_requests_that_were_never_answered_can_double() {
    check_none_lost("put@2=reset-after put@5=cut-after put@8=reset-after");
}

#[test]
fn the_endpoints_clock_is_followed() {
    for seconds in [3600, -3600] {
        let strict = Strict::start();
        strict.skew(seconds);
        pipe(&strict).input(input(&written())).finish().assert_code(0);
        let what = format!("a clock {seconds} seconds off");
        assert_same(&what, of(&arrived(&strict.stop())), &messages(&written(), Way::Bytes));
    }
}

#[test]
fn events_that_the_service_rejects_are_told_by_count_and_exit_code() {
    let strict = Strict::start();
    strict.skew(-3 * 3600);
    let outcome = pipe(&strict).input(input(b"one\ntwo\nthree\n")).finish().assert_code(8);
    assert!(outcome.stderr.contains('3'), "the count is not told:\n{}", outcome.stderr);
    assert!(arrived(&strict.stop()).is_empty());
}

#[test]
fn temporary_credentials_are_signed_with_their_token() {
    let strict = Strict::start();
    let program = Program::bare("pipe").args(&["--group", GROUP, "--stream", STREAM]).to(&strict.url());
    let program =
        program.env("AWS_ACCESS_KEY_ID", TEMPORARY_KEY_ID).env("AWS_SECRET_ACCESS_KEY", TEMPORARY_SECRET);
    program.env("AWS_SESSION_TOKEN", TEMPORARY_TOKEN).input(input(b"one\n")).finish().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    assert_eq!(arrived(&journal).len(), 1);
}

#[test]
fn expired_credentials_are_renewed_and_the_batch_is_sent_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (calls, process, config) =
        (folder.path().join("calls"), folder.path().join("process"), folder.path().join("config"));
    let answer = format!(
        r#"{{"Version":1,"AccessKeyId":"{TEMPORARY_KEY_ID}","SecretAccessKey":"{TEMPORARY_SECRET}","SessionToken":"{TEMPORARY_TOKEN}","Expiration":"2099-01-01T00:00:00Z"}}"#
    );
    let script = format!("#!/bin/sh\necho call >>{}\necho '{answer}'\n", calls.display());
    fs::write(&process, script).expect("a file");
    fs::set_permissions(&process, fs::Permissions::from_mode(0o755)).expect("permissions");
    fs::write(&config, format!("[default]\ncredential_process = {}\n", process.display())).expect("a file");

    let strict = Strict::with_plan("put@3=expired put@7=expired");
    let program = Program::bare("pipe").args(&["--group", GROUP, "--stream", STREAM]).to(&strict.url());
    let program = program.env("AWS_CONFIG_FILE", config.to_str().expect("UTF-8"));
    program.input(input(&written())).finish().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    assert_same("expired credentials", of(&arrived(&journal)), &messages(&written(), Way::Bytes));
    let calls = fs::read_to_string(calls).expect("the process was called").lines().count();
    assert!(calls >= 3, "the credentials were fetched {calls} times");
}
