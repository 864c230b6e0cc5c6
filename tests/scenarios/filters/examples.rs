//! The examples, built as their READMEs say.

use std::time::Duration;

use cloudspout_tests::events::assert_same;
use cloudspout_tests::filters::{redact, sample};
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

use crate::{GROUP, arrived, pipe};

/// Python is large: on a busy machine it takes a while to be compiled, and for its first words.
const COMPILES: Duration = Duration::from_secs(600);
const LONG: [&str; 2] = ["--filter-max-time", "60s"];

#[test]
fn redact_takes_out_cards_and_tokens_and_nothing_else() {
    let others = lines("line", 20_000);
    let written = [
        &b"card 4111 1111 1111 1111, Authorization: Bearer abcdef123456\n\
           no card 4111 1111 1111 1112, order 1234567890123456789012\n"[..],
        &others,
        b"paid with 5500-0000-0000-0004 basic dXNlcjpwYXNzd29yZA==\n",
    ]
    .concat();
    let strict = Strict::start();
    pipe(&strict, redact(), &written).finish().assert_code(0);
    let mut expected = messages(&others, Way::Bytes);
    expected.splice(
        0..0,
        [
            "card [card …1111], Authorization: Bearer [redacted]".to_owned(),
            "no card 4111 1111 1111 1112, order 1234567890123456789012".to_owned(),
        ],
    );
    expected.push("paid with [card …0004] basic [redacted]".to_owned());
    assert_same("redacted", &arrived(strict, GROUP), &expected);
}

#[test]
fn sample_in_python_leaves_out_and_sends_elsewhere() {
    let mut written = String::new();
    for number in 0..5_000 {
        let level = ["DEBUG", "INFO", "ERROR", "DEBUG"][number % 4];
        written += &format!("{level} line {number}\n");
    }
    let of = |level: &str| -> Vec<String> {
        written.lines().filter(|line| line.starts_with(level)).map(str::to_owned).collect()
    };
    let strict = Strict::start();
    let outcome =
        pipe(&strict, sample(), written.as_bytes()).args(&LONG).finish_within(COMPILES).assert_code(0);
    assert!(outcome.stderr.contains("5000 events read, 2750 accepted"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("2250 left out by the filter"), "{}", outcome.stderr);
    let journal = strict.stop();
    journal.assert_well_formed();
    let texts = |group: &str| -> Vec<String> {
        journal.stream(group, crate::STREAM).into_iter().map(|event| event.message).collect()
    };
    assert_same("errors", &texts("/errors"), &of("ERROR"));
    let kept = texts(GROUP);
    let debug: Vec<_> = of("DEBUG").into_iter().step_by(10).collect();
    assert_same("debug", kept.iter().filter(|text| text.starts_with("DEBUG")), &debug);
    assert_same("info", kept.iter().filter(|text| text.starts_with("INFO")), &of("INFO"));
}

#[test]
fn a_filter_sees_events_as_they_would_be_sent() {
    let written = b"DEBUG one\n  at a\n  at b\nINFO two\n  at c\nDEBUG three\n";
    let strict = Strict::start();
    let joining = ["--awslogs-multiline-pattern", "^[A-Z]", "--wrap", "json", "--wrap-fields", "stream"];
    pipe(&strict, sample(), written).args(&joining).args(&LONG).finish_within(COMPILES).assert_code(0);
    let expected = [
        r#"{"message":"DEBUG one\n  at a\n  at b","stream":"stdout"}"#.to_owned(),
        r#"{"message":"INFO two\n  at c","stream":"stdout"}"#.to_owned(),
    ];
    assert_same("joined", &arrived(strict, GROUP), &expected);
}
