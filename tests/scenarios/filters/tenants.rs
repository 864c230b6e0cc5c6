//! Tenants with filters: one that fails holds up its own tenant alone, and loses nothing.

use std::fs;
use std::path::Path;

use cloudspout_tests::docker::{ARRIVAL, Docker};
use cloudspout_tests::events::{assert_same, messages as of};
use cloudspout_tests::filters::{hostile, redact};
use cloudspout_tests::program::{PATIENCE, Program, REGION};
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

fn run(docker: &Docker, config: &Path) -> Program {
    docker.program().args(&["--config", config.to_str().expect("UTF-8"), "--region", REGION])
}

fn tenant(name: &str, rest: &str) -> String {
    format!(
        "[[tenant]]\nname = '{name}'\nmatch-name = ['{name}-*']\ngroup = '/t/{name}'\nconfine = '/t/{name}'\n{rest}\n"
    )
}

#[test]
fn a_filter_that_fails_holds_up_its_own_tenant_until_it_is_mended() {
    let docker = Docker::any();
    docker.remove_all();
    let strict = Strict::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let filter = folder.path().join("filter.wasm");
    fs::copy(hostile(), &filter).expect("a copy");
    let config = folder.path().join("cloudspout.toml");
    let state = folder.path().join("state");
    let text = format!(
        "flush-after = '300ms'\nstream = '{{{{.Name}}}}'\nendpoint-url = '{}'\nstate-dir = '{}'\n{}{}{}",
        strict.url(),
        state.display(),
        tenant("red", &format!("filter = '{}'\nfilter-max-time = '300ms'", filter.display())),
        tenant("blue", &format!("filter = '{}'", hostile().display())),
        tenant("plain", ""),
    );
    fs::write(&config, text).expect("a file");
    let mut shipping = run(&docker, &config).start();
    shipping.wait_for_words("3 tenants", PATIENCE);
    let good = lines("line", 2_000);
    docker.write("red-1", &[], &[&good, &b"filter: loop\ncard 4111111111111111\n"[..]].concat(), b"");
    docker.write("blue-1", &[], &good, b"");
    docker.write("plain-1", &[], &good, b"");
    shipping.wait_for_words("it is begun again", PATIENCE);
    let expected = messages(&good, Way::JsonFile);
    // What the filter never saw is nowhere; and the others go on.
    strict.wait_for_events(4_000, ARRIVAL);
    fs::copy(redact(), folder.path().join("new")).expect("a copy");
    fs::rename(folder.path().join("new"), &filter).expect("the same folder");
    shipping.running().signal("HUP");
    shipping.wait_for_words("2 tenants as before, ended: [red], begun: [red]", PATIENCE);
    strict.wait_for_events(6_002, ARRIVAL);
    let outcome = shipping.terminate().assert_code(0);
    assert!(outcome.stderr.contains("tenant=\"red\""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("more than 300ms"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("tenant=\"blue\" the filter"), "{}", outcome.stderr);
    let journal = strict.stop();
    journal.assert_well_formed();
    assert_same("blue", of(&journal.stream("/t/blue", "blue-1")), &expected);
    assert_same("plain", of(&journal.stream("/t/plain", "plain-1")), &expected);
    let mut red = expected;
    red.extend(["filter: loop".to_owned(), "card [card …1111]".to_owned()]);
    assert_same("red", of(&journal.stream("/t/red", "red-1")), &red);
}

#[test]
fn a_log_group_that_a_filter_chooses_is_within_the_confinement_or_a_failure() {
    let docker = Docker::any();
    docker.remove_all();
    let strict = Strict::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("cloudspout.toml");
    let text = format!(
        "flush-after = '300ms'\nstream = '{{{{.Name}}}}'\nendpoint-url = '{}'\nfilter = '{}'\nfilter-failure = 'pass'\n{}{}",
        strict.url(),
        hostile().display(),
        tenant("red", ""),
        tenant("blue", ""),
    );
    fs::write(&config, text).expect("a file");
    docker.write("red-1", &[], b"filter: group /t/blue/x\n", b"");
    docker.write("blue-1", &[], b"filter: group /t/blue/x\n", b"");
    let outcome = run(&docker, &config).arg("--once").finish().assert_code(0);
    assert!(outcome.stderr.contains("it chose log group /t/blue/x"), "{}", outcome.stderr);
    let journal = strict.stop();
    let sent = ["filter: group /t/blue/x".to_owned()];
    assert_same("red", of(&journal.stream("/t/red", "red-1")), &sent);
    assert_same("blue", of(&journal.stream("/t/blue/x", "chosen")), &sent);
}
