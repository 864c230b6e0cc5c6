//! Events that are missing for good: kept aside and sent again, marked where they are missing, counted.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use cloudspout_tests::events::messages as of;
use cloudspout_tests::program::Program;
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::even_lines;
use serde_json::Value;

use crate::{GROUP, STREAM, arrived, input, pipe};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as i64
}

/// A json-file log: lines of so many milliseconds ago.
fn log(lines: &[(&str, i64)]) -> Vec<u8> {
    let now = now();
    let line = |(text, ago): &(&str, i64)| {
        let millis = now - ago;
        let stamp = std::process::Command::new("date")
            .args(["-u", "-d", &format!("@{}.{:03}", millis / 1_000, millis % 1_000), "+%FT%T.%NZ"])
            .output()
            .expect("date");
        let stamp = String::from_utf8(stamp.stdout).expect("UTF-8");
        format!("{{\"log\":\"{text}\\n\",\"stream\":\"stdout\",\"time\":\"{}\"}}\n", stamp.trim())
    };
    lines.iter().map(line).collect::<String>().into_bytes()
}

/// Two of these are too old, one is too new.
fn mixed() -> Vec<u8> {
    log(&[("ancient", 20 * DAY), ("old", 20 * DAY - HOUR), ("fine", HOUR), ("good", 0), ("ahead", -5 * HOUR)])
}

fn letters(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("the dead letters");
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn what_is_refused_is_kept_and_can_be_sent_again() {
    let strict = Strict::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("refused");
    let path = file.to_str().expect("UTF-8");
    let outcome = pipe(&strict)
        .args(&["--framing", "json-file", "--dead-letter", path])
        .input(input(&mixed()))
        .finish()
        .assert_code(8);
    assert!(outcome.stderr.contains("2 too old, 1 too new"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("3 kept as dead letters"), "{}", outcome.stderr);
    assert_eq!(of(&arrived(&strict.journal())).collect::<Vec<_>>(), ["fine", "good"]);
    let letters = letters(&file);
    let told: Vec<_> =
        letters.iter().map(|letter| (letter["message"].as_str(), letter["reason"].as_str())).collect();
    let expected = [("ancient", "too-old"), ("old", "too-old"), ("ahead", "too-new")];
    assert_eq!(told, expected.map(|(message, reason)| (Some(message), Some(reason))));
    for letter in &letters {
        assert_eq!((&letter["logGroupName"], &letter["logStreamName"]), (&GROUP.into(), &STREAM.into()));
    }

    // To an endpoint that lives when they were written, each by its own name and time.
    let again = |strict: &Strict, names: &[&str]| {
        let program = Program::new("pipe").args(&["--framing", "dead-letters"]).args(names).to(&strict.url());
        program.input(std::fs::File::open(&file).expect("the dead letters")).finish()
    };
    strict.skew(-19 * 24 * 3_600);
    let outcome = again(&strict, &[]).assert_code(8);
    assert!(outcome.stderr.contains("2 accepted, 1 rejected (1 too new)"), "{}", outcome.stderr);
    let arrived = arrived(&strict.journal());
    assert_eq!(of(&arrived[2..]).collect::<Vec<_>>(), ["ancient", "old"]);
    assert_eq!(arrived[2].time, letters[0]["timestamp"].as_i64().expect("a time"));
    again(&strict, &["--group", "/again", "--stream", "other"]).assert_code(8);
    assert_eq!(strict.stop().stream("/again", "other").len(), 2);
}

#[test]
fn dead_letters_that_cannot_be_kept_are_told() {
    let strict = Strict::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let missing = folder.path().join("no/such/folder/refused");
    pipe(&strict)
        .args(&["--dead-letter", missing.to_str().expect("UTF-8")])
        .input(input(b"one\n"))
        .finish()
        .assert_complaint(3, &["dead letters", "no/such/folder"]);
    assert_eq!(strict.count("requests"), 0);
    pipe(&strict)
        .args(&["--framing", "json-file", "--dead-letter", "/dev/full"])
        .input(input(&mixed()))
        .finish()
        .assert_complaint(1, &["cannot be kept", "/dev/full"]);
}

#[test]
fn dead_letters_are_not_read_from_where_they_are_written() {
    let strict = Strict::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("refused");
    std::fs::write(&file, "").expect("a file");
    Program::new("pipe")
        .args(&["--framing", "dead-letters", "--dead-letter", file.to_str().expect("UTF-8")])
        .to(&strict.url())
        .input(std::fs::File::open(&file).expect("the file"))
        .finish()
        .assert_complaint(3, &["refused", "move it away"]);
}

#[test]
fn the_log_stream_says_where_events_are_missing() {
    let strict = Strict::start();
    pipe(&strict)
        .args(&["--framing", "json-file", "--mark-gaps"])
        .input(input(&mixed()))
        .finish()
        .assert_code(8);
    let journal = strict.stop();
    journal.assert_well_formed();
    let markers: Vec<Value> = arrived(&journal)
        .iter()
        .filter_map(|event| serde_json::from_str(&event.message).ok())
        .filter(|value: &Value| value["cloudspout"] == "gap")
        .collect();
    let told: Vec<_> = markers.iter().map(|gap| (gap["reason"].as_str(), gap["events"].as_u64())).collect();
    assert_eq!(told, [(Some("too-old"), Some(2)), (Some("too-new"), Some(1))]);
}

#[test]
fn without_room_what_was_chosen_is_dropped_and_counted() {
    let written = even_lines(60_000, 1_000);
    for choice in ["drop-oldest", "drop-newest"] {
        let strict = Strict::with_plan("put@1-6=hang:1500");
        let outcome = pipe(&strict)
            .args(&["--when-full", choice, "--buffer", "4MiB", "--mark-gaps", "--log-format", "json"])
            .input(input(&written))
            .finish()
            .assert_code(8);
        let line = outcome.stderr.lines().find(|line| line.contains("\"counts\"")).expect("the counts");
        let counts: Value = serde_json::from_str(line).expect("a line of JSON");
        let count = |name: &str| counts[name].as_u64().unwrap_or_else(|| panic!("no {name} in {counts}"));
        let dropped =
            count(if choice == "drop-oldest" { "events_dropped_oldest" } else { "events_dropped_newest" });
        assert!(dropped > 10_000, "{choice}: {counts}");
        assert_eq!(count("events_read"), 60_000, "{choice}");
        assert_eq!(count("events_accepted") + dropped, 60_000, "{choice}");
        let events = arrived(&strict.stop());
        let (markers, lines): (Vec<_>, Vec<_>) =
            events.iter().partition(|event| event.message.starts_with("{\"cloudspout\":\"gap\""));
        assert_eq!(lines.len() as u64, count("events_accepted"), "{choice}");
        let told: u64 = markers
            .iter()
            .map(|event| serde_json::from_str::<Value>(&event.message).expect("JSON")["events"].as_u64())
            .map(|events| events.expect("a count"))
            .sum();
        assert_eq!(told, dropped, "{choice}");
    }
}

#[test]
fn counts_are_told_while_it_runs() {
    let strict = Strict::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fifo = folder.path().join("input");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo");
    assert!(made.success());
    let mut both = std::fs::OpenOptions::new().read(true).write(true).open(&fifo).expect("the pipe");
    let shipping = pipe(&strict)
        .args(&["--report-every", "1s", "--flush-after", "100ms", "--log-format", "json"])
        .input(std::fs::File::open(&fifo).expect("the pipe"))
        .start();
    let bound = std::time::Duration::from_secs(60);
    cloudspout_tests::process::eventually("counts", bound, || {
        std::io::Write::write_all(&mut both, b"a line\n").expect("the pipe takes it");
        let stderr = shipping.stderr();
        let counts = stderr.lines().find(|line| line.contains("\"message\":\"counts\""))?;
        let counts: Value = serde_json::from_str(counts).ok()?;
        counts["events_accepted"].as_u64().filter(|accepted| *accepted > 0)
    });
    shipping.terminate().assert_code(0);
}
