//! An endpoint that fails for long, while containers go on logging.

use std::time::Duration;

use cloudspout_tests::docker::{ARRIVAL, Docker, GROUP};
use cloudspout_tests::events::{assert_same, messages as of};
use cloudspout_tests::peers::{Local, Reader, read_back};
use cloudspout_tests::process::eventually;
use cloudspout_tests::program::Shipping;
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::{even_lines, lines};

use crate::write_slowly;

/// Faults by which nothing is stored, and the source that reads meanwhile.
const FAULTS: [(&str, &str); 7] = [
    ("throttle", "files"),
    ("error", "api"),
    ("unavailable", "files"),
    ("html", "files"),
    ("reset-early", "api"),
    ("reset-before", "files"),
    ("hang:1500", "files"),
];
const CONTAINERS: usize = 3;
const LINES: usize = 10_000;
const WIDTH: usize = 1_000;
const BUFFER: u64 = 4 << 20;
/// What the program holds beside its buffer, with room to spare, and still too little for all that is written meanwhile.
const BESIDE: u64 = 48 << 20;

fn name(number: usize) -> String {
    format!("writer-{number}")
}

#[test]
fn an_endpoint_that_fails_for_long_gets_everything_once_and_memory_stays_bounded() {
    let docker = Docker::any();
    let parties: Vec<(&str, Strict, Shipping)> = FAULTS
        .iter()
        .map(|(fault, source)| {
            let strict = Strict::start();
            let program = docker.shipping(source, &strict.url());
            let shipping = program.args(&["--buffer", &BUFFER.to_string()]).start();
            (*fault, strict, shipping)
        })
        .collect();
    let mut feeds: Vec<_> = (0..CONTAINERS).map(|number| docker.feed(&name(number), &[])).collect();
    for feed in &mut feeds {
        feed.out(b"before\n");
    }
    for (fault, strict, _) in &parties {
        strict.wait_for_events(CONTAINERS, ARRIVAL);
        strict.plan(&format!("any@*={fault}"));
    }
    let written = even_lines(LINES, WIDTH);
    std::thread::scope(|scope| {
        for feed in &mut feeds {
            scope.spawn(|| write_slowly(feed, &written, 24, Duration::from_millis(250)));
        }
    });
    for (fault, strict, _) in &parties {
        eventually(&format!("{fault}: tries"), ARRIVAL, || {
            (strict.count("put") + 10 < strict.count("requests")).then_some(())
        });
        strict.plan("");
    }
    let mut expected = vec!["before".to_owned()];
    expected.extend(messages(&written, Way::JsonFile));
    for (fault, strict, shipping) in parties {
        strict.settle(CONTAINERS * expected.len(), ARRIVAL);
        let peak = shipping.peak_memory();
        shipping.terminate().assert_code(0);
        let journal = strict.stop();
        journal.assert_well_formed();
        for number in 0..CONTAINERS {
            assert_same(
                &format!("{fault}, {}", name(number)),
                of(&journal.stream(GROUP, &name(number))),
                &expected,
            );
        }
        eprintln!("{fault}: at most {} KiB resident", peak >> 10);
        assert!(peak < BUFFER + BESIDE, "{fault}: {peak} bytes of memory");
    }
}

#[test]
fn events_that_are_rejected_are_counted_and_the_others_arrive() {
    let docker = Docker::any();
    let local = Local::start(&["--fault", "reject-too-old:3@op=PutLogEvents@next=4"]);
    let written = lines("rejected", 60_000);
    docker.write("writer", &[], &written, b"");
    let outcome = docker.shipping("files", &local.url()).arg("--once").finish();
    let arrived = read_back(&local.url(), GROUP, Reader::GetLogEvents).remove("writer").unwrap_or_default();
    let written = messages(&written, Way::JsonFile);
    let rejected = written.len() - arrived.len();
    assert!(rejected > 0 && rejected.is_multiple_of(3), "{rejected} events are missing");
    outcome.assert_complaint(8, &[&format!("{rejected} events")]);
    let mut rest = arrived.iter();
    let missing: Vec<&String> = written
        .iter()
        .filter(|message| {
            !rest.as_slice().first().is_some_and(|event| event.message == **message && rest.next().is_some())
        })
        .collect();
    assert!(rest.as_slice().is_empty(), "the others arrive once and in order");
    assert_eq!(missing.len(), rejected);
}
