//! What is read is delivered: many lines, lines of every kind, an endpoint with faults, a container that is followed.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use cloudspout_tests::docker::Docker;
use cloudspout_tests::events::{assert_none_lost, assert_same, messages as of};
use cloudspout_tests::peers::{Local, Reader, read_back};
use cloudspout_tests::process::Running;
use cloudspout_tests::program::PATIENCE;
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::{even_lines, lines, lines_at_every_edge, lines_of_odd_bytes};
use cloudspout_tests::wasmtime::component;

use crate::{DESTINATION, GROUP, STREAM, arrived, input, ship};

fn check(what: &str, written: &[u8]) {
    let strict = Strict::start();
    ship(&strict).input(input(written)).finish().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    assert_same(what, of(&arrived(&journal)), &messages(written, Way::Bytes));
}

#[test]
fn a_hundred_thousand_lines_arrive_once_and_in_order() {
    check("a hundred thousand lines", &even_lines(100_000, 100));
}

#[test]
fn lines_of_every_kind_arrive_byte_for_byte() {
    check("edges", &lines_at_every_edge("edge", 3 << 20));
    check("odd bytes", &lines_of_odd_bytes());
    check("no newline at the end", b"first\nlast");
}

#[test]
fn nothing_to_ship_is_nothing_wrong() {
    let strict = Strict::start();
    ship(&strict).finish().assert_code(0);
    assert!(strict.stop().0.is_empty());
}

#[test]
fn bodies_are_compressed_if_wanted() {
    let strict = Strict::start();
    let written = lines("compressed", 5_000);
    ship(&strict).args(&["--compression", "gzip"]).input(input(&written)).finish().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    assert_same("compressed", of(&arrived(&journal)), &messages(&written, Way::Bytes));
}

#[test]
fn definite_refusals_delay_and_each_line_arrives_once() {
    let written = even_lines(100_000, 100);
    let strict = Strict::with_plan(
        "group@1=throttle stream@1=unavailable put@1-2=throttle put@4=error put@6=html put@8=forget-group",
    );
    ship(&strict).input(input(&written)).finish().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    assert!(journal.0.iter().filter(|request| request.fault.is_some()).count() >= 7, "too few faults came");
    assert_same("definite refusals", of(&arrived(&journal)), &messages(&written, Way::Bytes));
}

#[test]
fn connections_that_break_lose_nothing_and_double_only_what_was_never_answered() {
    let written = even_lines(100_000, 100);
    let strict = Strict::with_plan(
        "put@1=reset-early put@3=reset-before put@5=reset-after put@7=cut-after put@9=hang:500",
    );
    let outcome = ship(&strict).input(input(&written)).finish().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    let doubled =
        assert_none_lost("broken connections", of(&arrived(&journal)), &messages(&written, Way::Bytes));
    let ambiguous = journal.ambiguous_events();
    assert!(ambiguous > 0, "no request was left without an answer");
    assert!(doubled <= ambiguous, "{doubled} came twice, {ambiguous} were stored without an answer");
    assert!(outcome.stderr.contains("sent again"), "nobody is told:\n{}", outcome.stderr);
}

#[test]
fn lines_leave_while_the_input_is_open() {
    let strict = Strict::start();
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let shipping = ship(&strict).args(&["--flush-after", "100ms"]).input(reader).start();
    writer.write_all(b"first\nsecond\n").expect("the pipe takes them");
    strict.wait_for_events(2, PATIENCE);
    writer.write_all(b"third\nhalf").expect("the pipe takes them");
    strict.wait_for_events(3, PATIENCE);
    drop(writer);
    shipping.wait(PATIENCE).assert_code(0);
    let expected = ["first", "second", "third", "half"].map(str::to_owned);
    assert_same("an open input", of(&arrived(&strict.stop())), &expected);
}

#[test]
fn a_container_is_followed_by_docker_logs() {
    let docker = Docker::exclusive();
    let written = lines("container", 2_000);
    docker.prepare("app", &written, b"");
    docker.launch("app", &[]);
    let mut logs = docker.command(&["logs", "--follow", "app"]);
    let mut logs = Running::start("docker logs", logs.stdin(Stdio::null()).stdout(Stdio::piped()));
    let stdout = logs.child().stdout.take().expect("a pipe");
    let strict = Strict::start();
    ship(&strict).input(stdout).finish().assert_code(0);
    assert!(logs.wait(Duration::from_secs(30)).success());
    assert_same("docker logs", of(&arrived(&strict.stop())), &messages(&written, Way::Bytes));
}

#[test]
fn a_newcomers_endpoint_holds_what_arrives() {
    let local = Local::start(&[]);
    let written = lines("local", 2_000);
    component().args(&DESTINATION).to(&local.url()).input(input(&written)).finish().assert_code(0);
    let arrived = read_back(&local.url(), GROUP, Reader::GetLogEvents).remove(STREAM).unwrap_or_default();
    assert_same("local", of(&arrived), &messages(&written, Way::Bytes));
}
