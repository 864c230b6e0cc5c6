//! A filter that loops, traps, allocates, waits, floods, or returns nonsense; and files that are none.

use std::fs;

use cloudspout_tests::events::assert_same;
use cloudspout_tests::filters::hostile;
use cloudspout_tests::program::target;
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::{lines, lines_at_every_edge, lines_of_odd_bytes};

use crate::{GROUP, arrived, pipe};

/// What it does, and what is said of that.
const MISDEEDS: [(&str, &str); 8] = [
    ("loop", "more than 500ms"),
    ("allocate", "more than the 16 MiB"),
    ("trap", "it broke down"),
    ("wait", "it waits for something"),
    ("refuse because of this", "because of this"),
    ("grow", ""),
    ("nonsense", "texts"),
    ("bytes", "not UTF-8"),
];

const BOUNDS: [&str; 4] = ["--filter-max-time", "500ms", "--filter-max-memory", "16MiB"];

#[test]
fn what_it_fails_on_stays_where_it_is_or_goes_on_as_it_is() {
    for (misdeed, words) in MISDEEDS {
        let bounds = if misdeed == "grow" { [BOUNDS[0], "10s", BOUNDS[2], "128MiB"] } else { BOUNDS };
        let written = format!("one\nfilter: {misdeed}\ntwo\n");
        let strict = Strict::start();
        let outcome = pipe(&strict, hostile(), written.as_bytes()).args(&bounds).finish().assert_code(10);
        let complaint = outcome.stderr.lines().last().unwrap_or_default().to_owned();
        assert!(
            complaint.contains("standard input: the filter failed") && complaint.contains(words),
            "{misdeed}: {complaint}"
        );
        assert!(arrived(strict, GROUP).is_empty(), "{misdeed}");

        let strict = Strict::start();
        let outcome = pipe(&strict, hostile(), written.as_bytes())
            .args(&bounds)
            .args(&["--filter-failure", "pass"])
            .finish()
            .assert_code(0);
        assert!(
            outcome.stderr.contains(words) && outcome.stderr.contains("3 let by unfiltered"),
            "{}",
            outcome.stderr
        );
        let expected: Vec<_> = written.lines().map(str::to_owned).collect();
        assert_same(misdeed, &arrived(strict, GROUP), &expected);
    }
}

#[test]
fn what_it_lets_by_arrives_byte_for_byte() {
    let written =
        [lines("everyday", 20_000), lines_of_odd_bytes(), lines_at_every_edge("edge", 2 << 20)].concat();
    let strict = Strict::start();
    pipe(&strict, hostile(), &written).finish().assert_code(0);
    assert_same("odd bytes", &arrived(strict, GROUP), &messages(&written, Way::Bytes));
}

#[test]
fn it_finds_nothing_of_the_machine() {
    let strict = Strict::start();
    pipe(&strict, hostile(), b"filter: look\n").env("SECRET", "x").finish().assert_code(0);
    let found = "variables 0, arguments 0, files false, sockets false, clock 0".to_owned();
    assert_same("found", &arrived(strict, GROUP), &[found]);
}

#[test]
fn what_is_no_filter_is_said_before_anything_is_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = folder.path().join("text.wasm");
    fs::write(&text, "no component").expect("a file");
    let missing = folder.path().join("missing.wasm");
    let shipper = target().join("component/wasm32-wasip2/component/cloudspout.wasm");
    for (file, words) in [
        (&text, "it is no WebAssembly component"),
        (&missing, "No such file"),
        (&shipper, "it does not export cloudspout:host/filtering@0.1.0"),
    ] {
        let strict = Strict::start();
        let path = file.to_str().expect("UTF-8");
        pipe(&strict, file, b"one\n").finish().assert_complaint(3, &["filter", path, words]);
        let config = folder.path().join("cloudspout.toml");
        let text = format!("[[tenant]]\nname = 'a'\ndefault = true\ngroup = 'g'\nfilter = '{path}'\n");
        fs::write(&config, text).expect("a file");
        let check = cloudspout_tests::program::Program::new("check").arg(config.to_str().expect("UTF-8"));
        let outcome = check.env("AWS_REGION", "eu-central-1").finish().assert_code(3);
        assert!(
            outcome.stdout.contains("tenant \"a\"") && outcome.stdout.contains(words),
            "{}",
            outcome.stdout
        );
    }
}
