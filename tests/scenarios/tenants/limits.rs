//! What one tenant does or suffers, and what its limits make of it, beside another that is to notice none of it.

use std::thread;
use std::time::{Duration, Instant};

use cloudspout_tests::docker::{ARRIVAL, Docker, Feed};
use cloudspout_tests::peers::Local;
use cloudspout_tests::process::eventually;
use cloudspout_tests::program::PATIENCE;
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

use crate::{Config, TOP};

fn tenant(name: &str, url: &str, rest: &str) -> String {
    format!(
        "[[tenant]]\nname = '{name}'\nmatch-name = ['{name}-*']\ngroup = '/t/{name}'\nendpoint-url = '{url}'\n{rest}\n"
    )
}

/// Writes one line after the other, each once the one before has arrived; the longest that one took.
fn slowest(feed: &mut Feed, strict: &Strict) -> Duration {
    let before = strict.count("stored");
    let mut slowest = Duration::ZERO;
    for number in 1..=12 {
        let began = Instant::now();
        feed.out(format!("line {number}\n").as_bytes());
        eventually("a line of the victim's", ARRIVAL, || {
            (strict.count("stored") >= before + number).then_some(())
        });
        slowest = slowest.max(began.elapsed());
    }
    slowest
}

#[test]
fn what_befalls_one_tenant_holds_up_no_other() {
    let docker = Docker::any();
    let (victim, bad, flooded) = (Strict::start(), Strict::start(), Local::start(&["--discard"]));
    let config = Config::new(&format!(
        "{TOP}{}{}{}",
        tenant("victim", &victim.url(), ""),
        tenant("bad", &bad.url(), "buffer = '4MiB'"),
        tenant("flood", &flooded.url(), "buffer = '16MiB'"),
    ));
    let mut feed = docker.feed("victim-1", &[]);
    let shipping = config.run(&docker).args(&["--stop-timeout", "1s"]).start();
    shipping.wait_for_words("3 tenants", PATIENCE);
    feed.out(b"the first\n");
    victim.wait_for_events(1, ARRIVAL);
    let alone = slowest(&mut feed, &victim);
    let mut table = format!("alone: {alone:?}\n");
    let bound = alone * 6 + Duration::from_millis(1_500);
    let written = lines("bad", 100_000);
    for plan in ["any@*=hang:600000", "any@*=expired", "any@*=denied"] {
        bad.plan(plan);
        let refused = bad.count("requests");
        docker.write(&format!("bad-{}", table.len()), &[], &written, b"");
        eventually("a request", ARRIVAL, || {
            (bad.count("requests") > refused || bad.count("busy") > 0).then_some(())
        });
        let beside = slowest(&mut feed, &victim);
        table.push_str(&format!("beside {plan}: {beside:?}\n"));
        assert!(beside < bound, "{table}");
    }
    // More than its buffer holds, as fast as Docker takes it.
    let flood = lines("flood", 600_000);
    thread::scope(|scope| {
        let flooding = scope.spawn(|| docker.write("flood-1", &[], &flood, b""));
        eventually("the flood", ARRIVAL, || {
            (flooded.stats()["body_bytes"].as_u64() > Some(1 << 20)).then_some(())
        });
        let beside = slowest(&mut feed, &victim);
        table.push_str(&format!("beside a flood: {beside:?}\n"));
        assert!(beside < bound, "{table}");
        flooding.join().expect("it is written");
    });
    eprintln!("the slowest of the victim's lines:\n{table}");
    // Who cannot deliver says at the end what is left.
    shipping.terminate().assert_code(9);
}

#[test]
fn requests_are_no_more_a_second_than_a_tenant_may_have() {
    let docker = Docker::any();
    let (slow, free) = (Strict::start(), Strict::start());
    let config = Config::new(&format!(
        "{TOP}{}{}",
        tenant("slow", &slow.url(), "flush-after = '20ms'\nmax-requests = 2"),
        tenant("free", &free.url(), "flush-after = '20ms'"),
    ));
    let mut feeds = ["slow-1", "free-1"].map(|name| docker.feed(name, &[]));
    let shipping = config.run(&docker).start();
    shipping.wait_for_words("2 tenants", PATIENCE);
    let began = Instant::now();
    for number in 0..100 {
        for feed in &mut feeds {
            feed.out(format!("line {number}\n").as_bytes());
        }
        thread::sleep(Duration::from_millis(60));
    }
    slow.wait_for_events(100, ARRIVAL);
    let seconds = began.elapsed().as_secs_f64();
    free.wait_for_events(100, ARRIVAL);
    drop(feeds);
    shipping.terminate().assert_code(0);
    let (slow, free) = (slow.stop(), free.stop());
    // Two a second, and what was not used before the first.
    let most = (seconds + 1.0) * 2.0 + 1.0;
    assert!((slow.0.len() as f64) <= most, "{} requests in {seconds} s", slow.0.len());
    assert!(free.count("PutLogEvents") > 2 * slow.count("PutLogEvents"), "{} of the other", free.0.len());
    assert_eq!(slow.stream("/t/slow", "slow-1").len(), 100);
    assert_eq!(free.stream("/t/free", "free-1").len(), 100);
}

#[test]
fn no_more_containers_are_followed_at_a_time_than_a_tenant_may_have() {
    let docker = Docker::any();
    let strict = Strict::start();
    let config = Config::new(&format!("{TOP}{}", tenant("few", &strict.url(), "max-containers = 1")));
    let mut first = docker.feed("few-1", &[]);
    let shipping = config.run(&docker).start();
    first.out(&lines("first", 10));
    strict.wait_for_events(10, ARRIVAL);
    docker.write("few-2", &[], &lines("second", 10), b"");
    shipping.wait_for_words("container few-2 waits", PATIENCE);
    first.end(&docker);
    docker.docker(&["rm", "few-1"]);
    strict.wait_for_events(20, ARRIVAL);
    shipping.terminate().assert_code(0);
    assert_eq!(strict.stop().stream("/t/few", "few-2").len(), 10);
}

#[test]
fn many_tenants_ship_each_its_own() {
    const TENANTS: usize = 24;
    let docker = Docker::any();
    let strict = Strict::start();
    let tenants: String = (0..TENANTS)
        .map(|number| tenant(&format!("t{number}"), &strict.url(), &format!("confine = '/t/t{number}'")))
        .collect();
    let config = Config::new(&format!("{TOP}{tenants}"));
    for number in 0..TENANTS {
        docker.write(&format!("t{number}-a"), &[], &lines(&format!("of t{number}"), 20), b"");
    }
    config.run(&docker).arg("--once").finish().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    for number in 0..TENANTS {
        let events = journal.stream(&format!("/t/t{number}"), &format!("t{number}-a"));
        assert_eq!(events.len(), 20, "t{number}");
        assert!(events.iter().all(|event| event.message.starts_with(&format!("of t{number} "))), "t{number}");
    }
}
