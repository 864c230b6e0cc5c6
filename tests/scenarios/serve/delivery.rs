//! Much at once, by many, through faults, and past the end of the program.

use std::collections::BTreeSet;
use std::time::Duration;

use cloudspout_tests::peers::{Local, Reader, read_back};
use cloudspout_tests::process::eventually;
use cloudspout_tests::senders::{Load, acknowledged};
use cloudspout_tests::strict::Strict;

use crate::{GROUP, program, serve};

/// The numbers of the events that `message`s are.
fn numbers<'a>(messages: impl Iterator<Item = &'a String>) -> Vec<u64> {
    let number = |message: &String| {
        let event: serde_json::Value = serde_json::from_str(message).expect("an event is JSON");
        event["n"].as_u64().expect("a number")
    };
    messages.map(number).collect()
}

#[test]
fn every_event_of_many_clients_arrives_once_through_faults() {
    let faults = "throttle:0.1;500:3;503:0.05;reset-before:0.05";
    let local = Local::start(&["--fault", faults, "--seed", "7"]);
    let serving = serve(&local.url(), &[]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let journal = folder.path().join("journal");
    let options = ["--clients", "20", "--events", "100000", "--per-request", "500", "--gzip"];
    let said = Load::start(&serving.url("/events"), &journal, &options).finish();
    assert_eq!(said["broken"], 0, "{said}");
    let mut acknowledged = acknowledged(&journal);
    acknowledged.sort_unstable();
    assert!(acknowledged.iter().copied().eq(0..100_000), "{} acknowledged: {said}", acknowledged.len());
    serving.terminate().assert_code(0);
    let arrived = read_back(&local.url(), GROUP, Reader::GetLogEvents);
    let mut arrived = numbers(arrived.values().flatten().map(|event| &event.message));
    arrived.sort_unstable();
    assert!(arrived.iter().copied().eq(0..100_000), "{} arrived", arrived.len());
}

#[test]
fn nothing_that_was_acknowledged_is_missing_after_a_kill() {
    let strict = Strict::with_plan("put@%3=slow:50");
    let serving = serve(&strict.url(), &["--flush-after", "20ms"]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let journal = folder.path().join("journal");
    let options = ["--clients", "10", "--events", "1000000", "--per-request", "50", "--give-up"];
    let load = Load::start(&serving.url("/events"), &journal, &options);
    strict.wait_for_events(5_000, Duration::from_secs(60));
    serving.kill();
    load.finish();
    let acknowledged = acknowledged(&journal);
    assert!(acknowledged.len() > 1_000, "{} acknowledged", acknowledged.len());
    let streams = strict.stop().streams(GROUP);
    let arrived: BTreeSet<u64> =
        numbers(streams.values().flatten().map(|event| &event.message)).into_iter().collect();
    let missing = acknowledged.iter().filter(|number| !arrived.contains(number)).count();
    assert_eq!(missing, 0, "of {} acknowledged", acknowledged.len());
}

#[test]
fn many_small_requests_at_once_share_batches() {
    let strict = Strict::start();
    let serving = serve(&strict.url(), &[]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let journal = folder.path().join("journal");
    let options = ["--clients", "1000", "--events", "4000", "--per-request", "2", "--form", "array"];
    let said = Load::start(&serving.url("/"), &journal, &options).finish();
    assert_eq!(said["statuses"]["200"], 2_000, "{said}");
    serving.terminate().assert_code(0);
    let journal = strict.stop();
    let puts = journal.count("PutLogEvents");
    assert!(puts < 200, "{puts} requests for 2000");
    assert_eq!(journal.streams(GROUP).values().map(Vec::len).sum::<usize>(), 4_000);
}

#[test]
fn a_stop_answers_those_who_wait_once_what_they_sent_is_accepted() {
    let strict = Strict::with_plan("put@1=slow:1500");
    let mut serving = serve(&strict.url(), &["--flush-after", "1h"]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let journal = folder.path().join("journal");
    let options = ["--clients", "5", "--events", "50", "--per-request", "10", "--give-up"];
    let load = Load::start(&serving.url("/events"), &journal, &options);
    eventually("five requests", Duration::from_secs(30), || {
        (serving.counts()["waiting"]["requests"] == 5).then_some(())
    });
    serving.shipping().running().signal("TERM");
    let said = load.finish();
    assert_eq!(said["statuses"]["200"], 5, "{said}");
    serving.terminate().assert_code(0);
    assert_eq!(acknowledged(&journal).len(), 50);
    assert_eq!(strict.stop().streams(GROUP).values().map(Vec::len).sum::<usize>(), 50);
}

#[test]
fn a_stop_that_cannot_deliver_says_503() {
    let strict = Strict::with_plan("put@*=throttle");
    let mut serving = serve(&strict.url(), &["--stop-timeout", "1s"]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let journal = folder.path().join("journal");
    let options = ["--clients", "2", "--events", "20", "--per-request", "10", "--give-up"];
    let load = Load::start(&serving.url("/events"), &journal, &options);
    eventually("two requests", Duration::from_secs(30), || {
        (serving.counts()["waiting"]["requests"] == 2).then_some(())
    });
    serving.shipping().running().signal("TERM");
    let said = load.finish();
    assert_eq!(said["statuses"]["503"], 2, "{said}");
    serving.terminate().assert_code(9);
    assert!(acknowledged(&journal).is_empty());
}

#[test]
fn memory_is_bounded_while_the_endpoint_is_away() {
    let strict = Strict::with_plan("put@*=throttle");
    let options = ["--max-waiting", "16MiB", "--max-body", "4MiB", "--buffer", "8MiB"];
    let mut serving = crate::Serving::start(program(&strict.url()).args(&options));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let journal = folder.path().join("journal");
    // Twelve times what may wait.
    let options = ["--clients", "50", "--events", "200000", "--per-request", "2000", "--size", "1000"];
    let load = Load::start(&serving.url("/events"), &journal, &options);
    let refused = |counts: &serde_json::Value| counts["answers"]["unavailable"].as_u64().unwrap_or(0);
    eventually("requests that are turned away", Duration::from_secs(60), || {
        (refused(&serving.counts()) > 20).then_some(())
    });
    let waiting = serving.counts()["waiting"]["bytes"].as_u64().expect("a number");
    assert!(waiting <= 16 << 20, "{waiting} bytes wait");
    let peak = serving.shipping().peak_memory();
    assert!(peak < 200 << 20, "{peak} bytes of memory");
    // Once it is back, all of them are taken.
    strict.plan("");
    let said = load.finish();
    assert_eq!(said["statuses"]["200"], 100, "{said}");
    assert_eq!(acknowledged(&journal).len(), 200_000);
    serving.terminate().assert_code(0);
}
