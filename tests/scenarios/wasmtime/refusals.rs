//! Bad input: one clear line on stderr, the documented exit code, no trap and no secret.

use std::collections::BTreeMap;

use cloudspout_tests::authority::Authority;
use cloudspout_tests::peers::free_port;
use cloudspout_tests::program::{KEY_ID, Outcome, Program, REGION, SECRET};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::wasmtime::{bare, component};

use crate::{DESTINATION, input, ship};

fn to(url: &str) -> Program {
    component().args(&DESTINATION).to(url).input(input(b"a line\n"))
}

/// Panics unless it ended with this code, and its last words hold each of these.
#[track_caller]
fn assert_complaint(program: Program, code: i32, words: &[&str]) -> Outcome {
    let outcome = program.finish().assert_code(code);
    let last = outcome.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("cloudspout: "), "{last}");
    for word in words {
        assert!(last.contains(word), "{word:?} is not in: {last}");
    }
    outcome
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    assert_complaint(component().arg("--no-such"), 2, &["--no-such", "--help"]);
    assert_complaint(component().args(&["--group", "g"]), 2, &["--stream", "CLOUDSPOUT_STREAM"]);
    assert_complaint(component().args(&DESTINATION).args(&["--buffer", "much"]), 2, &["--buffer", "much"]);
}

#[test]
fn settings_that_cannot_be_used_end_with_3() {
    let strict = Strict::start();
    let endpoint = ["--endpoint-url", &strict.url()];
    let program = || component().args(&DESTINATION).args(&endpoint).input(input(b"a line\n"));
    assert_complaint(program(), 3, &["egion", "AWS_REGION"]);
    assert_complaint(program().args(&["--region", "Frankfurt"]), 3, &["Frankfurt"]);
    assert_complaint(to("ftp://127.0.0.1"), 3, &["endpoint"]);
    let template = component().args(&["--group", "{{.Name", "--stream", "s"]).to(&strict.url());
    assert_complaint(template, 3, &["template", "group"]);
    assert_eq!(strict.count("requests"), 0);
}

#[test]
fn credentials_that_are_missing_or_refused_end_with_5() {
    let strict = Strict::start();
    let without = || bare().args(&DESTINATION).to(&strict.url()).input(input(b"a line\n"));
    assert_complaint(without(), 5, &["AWS_ACCESS_KEY_ID", "inherit-env"]);
    let half = without().env("AWS_ACCESS_KEY_ID", KEY_ID);
    assert_complaint(half, 5, &["AWS_SECRET_ACCESS_KEY"]);
    assert_eq!(strict.count("requests"), 0);
    let wrong = without().env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", "wrong/of+the-tests");
    let outcome = assert_complaint(wrong, 5, &[]);
    assert!(!outcome.stderr.contains("wrong/of+the-tests"));
    let unknown = without().env("AWS_ACCESS_KEY_ID", "AKIDUNKNOWN").env("AWS_SECRET_ACCESS_KEY", SECRET);
    assert_complaint(unknown, 5, &[]);
}

#[test]
fn the_region_of_another_signature_is_told() {
    let strict = Strict::start();
    let program = component().args(&DESTINATION).args(&["--region", "us-east-1"]).input(input(b"a line\n"));
    assert_complaint(program.args(&["--endpoint-url", &strict.url()]), 5, &[REGION]);
}

#[test]
fn what_is_not_permitted_ends_with_6() {
    assert_complaint(to(&Strict::with_plan("put@*=denied").url()), 6, &["logs:PutLogEvents"]);
}

#[test]
fn an_endpoint_that_is_none_ends_with_7() {
    assert_complaint(to(&format!("http://127.0.0.1:{}", free_port())), 7, &["127.0.0.1"]);
    assert_complaint(to("http://no-such-host.invalid"), 7, &["no-such-host.invalid"]);
    assert_complaint(to(&Strict::with_plan("any@*=not-aws").url()), 7, &["127.0.0.1"]);
    assert_complaint(to(&Strict::start().url().replace("http:", "https:")), 7, &["TLS"]);
    let authority = Authority::make();
    assert_complaint(to(&Strict::with_tls(&authority.certificate()).url()), 7, &["certificate"]);
}

#[test]
fn events_that_are_refused_are_told_by_count_and_code_8() {
    let strict = Strict::start();
    strict.skew(-3 * 3600);
    let program = ship(&strict).input(input(b"one\ntwo\nthree\n"));
    assert_complaint(program, 8, &["3 events"]);
}

/// Options by name, with their defaults, as `--help` tells them; however it breaks lines.
fn options(help: &str) -> BTreeMap<String, Option<String>> {
    let words: Vec<_> = help.split_whitespace().collect();
    let text = words.join(" ");
    let (_, list) = text.split_once("Options:").expect("options are listed");
    let mut options = BTreeMap::new();
    for entry in list.split(" --").skip(1) {
        let name = entry.split([' ', ',']).next().expect("a first word");
        let default = entry.split_once("[default: ").and_then(|(_, rest)| rest.split(']').next());
        options.entry(format!("--{name}")).or_insert(default.map(str::to_owned));
    }
    options
}

#[test]
fn every_option_is_one_of_pipe_with_the_same_default() {
    let of_pipe = options(&Program::bare("pipe").arg("--help").finish().assert_code(0).stdout);
    let help = bare().arg("--help").finish().assert_code(0).stdout;
    let own = options(&help);
    assert!(own.len() > 10, "{help}");
    for (name, default) in &own {
        if name != "--version" {
            assert_eq!(of_pipe.get(name), Some(default), "{name}");
        }
    }
    let codes = |help: &str| help.split_once("Exit codes:").expect("they are listed").1.trim().to_owned();
    assert_eq!(codes(&help), codes(&Program::bare("--help").finish().assert_code(0).stdout));
    let version = |program: Program| program.arg("--version").finish().assert_code(0).stdout;
    assert_eq!(version(bare()), Program::bare("--version").finish().assert_code(0).stdout);
}
