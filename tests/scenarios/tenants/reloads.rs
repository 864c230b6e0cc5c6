//! A file that changes while tenants are at work: nobody loses an event, and who is as before never notices.

use std::thread;
use std::time::Duration;

use cloudspout_tests::docker::{ARRIVAL, Docker};
use cloudspout_tests::events::{assert_same, messages as of};
use cloudspout_tests::program::PATIENCE;
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

use crate::{Config, TOP};

fn tenant(name: &str, rest: &str) -> String {
    format!("[[tenant]]\nname = '{name}'\nmatch-name = ['{name}-*']\n{rest}\n")
}

#[test]
fn only_changed_tenants_are_begun_again_and_no_event_is_lost_or_doubled() {
    for watched in [false, true] {
        let docker = Docker::any();
        docker.remove_all();
        let strict = Strict::with_plan("put@*=slow:20");
        let top = format!("{TOP}endpoint-url = '{}'\nwatch-config = {watched}\n", strict.url());
        let config = Config::new(&format!(
            "{top}{}{}{}",
            tenant("same", "group = '/t/same'"),
            tenant("moved", "group = '/t/before'"),
            tenant("gone", "group = '/t/gone'"),
        ));
        let written = lines("line", 60_000);
        let mut feeds: Vec<_> =
            ["same-1", "moved-1", "gone-1", "new-1"].iter().map(|name| docker.feed(name, &[])).collect();
        let mut shipping = config.run(&docker).start();
        shipping.wait_for_words("3 tenants", PATIENCE);
        thread::scope(|scope| {
            for feed in &mut feeds {
                let written = &written;
                scope.spawn(move || {
                    for part in written.chunks(written.len().div_ceil(60)) {
                        feed.out(part);
                        thread::sleep(Duration::from_millis(50));
                    }
                });
            }
            thread::sleep(Duration::from_secs(1));
            config.write(&format!(
                "{top}{}{}{}",
                tenant("same", "group = '/t/same'"),
                tenant("moved", "group = '/t/after'\nbuffer = '16MiB'"),
                tenant("new", "group = '/t/new'"),
            ));
            if !watched {
                shipping.running().signal("HUP");
            }
            shipping.wait_for_words("was read again", PATIENCE);
        });
        let stderr = shipping.stderr();
        assert!(
            stderr.contains("1 tenants as before, ended: [gone, moved], begun: [moved, new]"),
            "{stderr}"
        );
        let expected = messages(&written, Way::JsonFile);
        let enough = || {
            let journal = strict.journal();
            let count = |group: &str, name: &str| journal.stream(group, name).len();
            count("/t/same", "same-1") == 60_000
                && count("/t/before", "moved-1") + count("/t/after", "moved-1") >= 60_000
                && count("/t/new", "new-1") == 60_000
        };
        cloudspout_tests::process::eventually("all lines", ARRIVAL, || enough().then_some(()));
        drop(feeds);
        shipping.terminate().assert_code(0);
        let journal = strict.stop();
        journal.assert_well_formed();
        assert_same("same", of(&journal.stream("/t/same", "same-1")), &expected);
        assert_same("new", of(&journal.stream("/t/new", "new-1")), &expected);
        let mut moved = journal.stream("/t/before", "moved-1");
        assert!(!moved.is_empty(), "it changed in the middle");
        moved.extend(journal.stream("/t/after", "moved-1"));
        assert_same("moved", of(&moved), &expected);
        let gone = journal.stream("/t/gone", "gone-1");
        assert_same("gone", of(&gone), &expected[..gone.len()]);
    }
}

#[test]
fn what_takes_a_restart_is_said_by_name_and_the_rest_is_done() {
    let docker = Docker::any();
    let strict = Strict::start();
    let state = tempfile::tempdir().expect("a temporary folder");
    let top = |state_dir: &str| {
        let state_dir = state.path().join(state_dir);
        format!("{TOP}endpoint-url = '{}'\nstate-dir = '{}'\n", strict.url(), state_dir.display())
    };
    let config = Config::new(&format!("{}{}", top("one"), tenant("a", "group = '/t/a'")));
    let mut shipping = config.run(&docker).start();
    shipping.wait_for_words("1 tenants", PATIENCE);
    let (a, b) = (tenant("a", "group = '/t/a'"), tenant("b", "group = '/t/b'"));
    config.write(&format!("{}stop-timeout = '3s'\n{a}{b}", top("two")));
    shipping.running().signal("HUP");
    shipping.wait_for_words("1 tenants as before, ended: [], begun: [b]", PATIENCE);
    let stderr = shipping.stderr();
    let said: Vec<_> = stderr.lines().filter(|line| line.contains("takes a restart")).collect();
    assert!(matches!(said[..], [line] if line.ends_with(": state-dir, stop-timeout")), "{stderr}");
    docker.write("b-1", &[], &lines("line", 100), b"");
    strict.wait_for_events(100, ARRIVAL);
    shipping.terminate().assert_code(0);
    assert!(state.path().join("one").exists() && !state.path().join("two").exists());
}

#[test]
fn a_file_that_is_wrong_changes_nothing() {
    let docker = Docker::any();
    let strict = Strict::start();
    let top = format!("{TOP}endpoint-url = '{}'\n", strict.url());
    let config = Config::new(&format!("{top}{}", tenant("a", "group = '/t/a'")));
    let mut shipping = config.run(&docker).start();
    shipping.wait_for_words("1 tenants", PATIENCE);
    config.write(&format!("{top}{}", tenant("a", "grup = '/t/a'")));
    shipping.running().signal("HUP");
    shipping.wait_for_words("did you mean \"group\"?", PATIENCE);
    let many: String = (0..65).map(|number| tenant(&format!("t{number}"), "")).collect();
    config.write(&format!("{top}{many}"));
    shipping.running().signal("HUP");
    shipping.wait_for_words("it has 65 tenants", PATIENCE);
    docker.write("a-1", &[], &lines("line", 100), b"");
    strict.wait_for_events(100, ARRIVAL);
    shipping.terminate().assert_code(0);
    assert_eq!(strict.stop().stream("/t/a", "a-1").len(), 100);
}
