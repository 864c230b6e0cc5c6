//! A program that ships for many: each is seen apart, and nobody's secrets are.

use std::collections::BTreeSet;
use std::fs;

use cloudspout_tests::docker::{ARRIVAL, Docker};
use cloudspout_tests::metrics::{SHOW, Shown};
use cloudspout_tests::process::file;
use cloudspout_tests::program::{
    KEY_ID, PATIENCE, REGION, SECRET, Shipping, TEMPORARY_KEY_ID, TEMPORARY_SECRET, TEMPORARY_TOKEN,
};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;
use serde_json::Value;
use tempfile::TempDir;

/// Runs tenants, each as (its name, its endpoint, what else is said of it).
fn run(docker: &Docker, tenants: &[(&str, &str, &str)], options: &[&str]) -> (Shipping, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("cloudspout.toml");
    fs::write(&path, config(tenants)).expect("a file");
    let program = docker.program().args(&["--config", path.to_str().expect("UTF-8"), "--region", REGION]);
    let program = program
        .env("TEMPORARY_ID", TEMPORARY_KEY_ID)
        .env("TEMPORARY_SECRET", TEMPORARY_SECRET)
        .env("TEMPORARY_TOKEN", TEMPORARY_TOKEN);
    (program.args(&SHOW).args(options).start(), folder)
}

fn config(tenants: &[(&str, &str, &str)]) -> String {
    let tenant = |(name, url, rest): &(&str, &str, &str)| {
        format!(
            "[[tenant]]\nname = '{name}'\nmatch-name = ['{name}-*']\ngroup = '/t/{name}'\nendpoint-url = '{url}'\n\
             {rest}\n"
        )
    };
    let all: Vec<_> = tenants.iter().map(tenant).collect();
    format!("flush-after = '300ms'\nstream = '{{{{.Name}}}}'\nunhealthy-after = '1s'\n{}", all.concat())
}

const TEMPORARY: &str = "access-key-id-from = 'env:TEMPORARY_ID'\nsecret-access-key-from = 'env:TEMPORARY_SECRET'\n\
                         session-token-from = 'env:TEMPORARY_TOKEN'\n";

/// What is shown of a tenant.
fn of<'a>(status: &'a Value, name: &str) -> &'a Value {
    let mut all = status["shipping"].as_array().expect("a list").iter();
    all.find(|shown| shown["tenant"] == name).unwrap_or_else(|| panic!("no {name} in {status:#}"))
}

#[test]
fn a_tenant_whose_endpoint_is_down_is_named_and_the_others_are_well() {
    let docker = Docker::any();
    let (good, bad) = (Strict::start(), Strict::with_plan("any@*=error"));
    let tenants = [("good", good.url()), ("bad", bad.url())];
    let tenants: Vec<_> = tenants.iter().map(|(name, url)| (*name, url.as_str(), "")).collect();
    let (mut shipping, folder) = run(&docker, &tenants, &["--log-format", "json"]);
    let shown = Shown::following(&shipping);
    docker.write("good-1", &[], &lines("good", 100), b"");
    docker.write("bad-1", &[], &lines("bad", 40), b"");
    shown.wait_for("cloudspout_events_accepted_total", &[("tenant", "good")], 100.0);
    let complaint = shown.wait_for_health(503, PATIENCE);
    assert!(
        complaint.contains("tenant \\\"bad\\\": 40 events are read") && !complaint.contains("good"),
        "{complaint}"
    );
    assert_eq!(shown.page("/livez").0, 200);

    let metrics = shown.metrics();
    assert_eq!(metrics.values("tenant"), ["bad", "good"]);
    assert!(metrics.expect("cloudspout_delivery_lag_seconds", &[("tenant", "bad")]) > 1.0);
    assert_eq!(metrics.expect("cloudspout_delivery_lag_seconds", &[("tenant", "good")]), 0.0);
    assert!(metrics.expect("cloudspout_instance_cpu_seconds_total", &[("tenant", "good")]) > 0.0);
    let status = shown.status();
    let (of_bad, of_good) = (of(&status, "bad"), of(&status, "good"));
    assert_eq!((&of_bad["events"]["pending"], &of_bad["events"]["accepted"]), (&40.into(), &0.into()));
    assert!(of_bad["lag_seconds"].as_f64().expect("a number") > 1.0, "{of_bad:#}");
    assert!(of_bad["last_problem"]["text"].as_str().expect("text").contains("/t/bad"), "{of_bad:#}");
    assert_eq!(of_good["last_problem"], Value::Null, "{of_good:#}");

    bad.plan("");
    bad.wait_for_events(40, ARRIVAL);
    shown.wait_for_health(200, PATIENCE);

    // A tenant that is gone is seen no more; one that is begun again goes on with its counts.
    let changed = [("good", good.url().clone(), "buffer = '16MiB'")];
    let changed: Vec<_> = changed.iter().map(|(name, url, rest)| (*name, url.as_str(), *rest)).collect();
    fs::write(folder.path().join("cloudspout.toml"), config(&changed)).expect("a file");
    shipping.running().signal("HUP");
    shipping.wait_for_words("was read again", PATIENCE);
    let metrics = shown.metrics();
    assert_eq!(metrics.values("tenant"), ["good"]);
    assert_eq!(metrics.expect("cloudspout_events_accepted_total", &[("tenant", "good")]), 100.0);
    let outcome = shipping.terminate().assert_code(0);

    // Each line about a tenant says whose it is.
    let mut whose = BTreeSet::new();
    for line in outcome.stderr.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        let of_tenant = ["/t/", "counts"]
            .iter()
            .any(|words| line["message"].as_str().expect("a message").contains(words));
        if of_tenant {
            whose.insert(line["tenant"].as_str().unwrap_or_else(|| panic!("whose is {line}")).to_owned());
        }
    }
    assert_eq!(whose.into_iter().collect::<Vec<_>>(), ["bad", "good"]);
}

#[test]
fn secrets_are_nowhere() {
    let docker = Docker::any();
    // Credentials that are refused are what most is said about.
    let (good, bad) = (Strict::start(), Strict::with_plan("any@*=unrecognized"));
    let tenants = [("good", good.url(), TEMPORARY), ("bad", bad.url(), TEMPORARY), ("own", bad.url(), "")];
    let tenants: Vec<_> = tenants.iter().map(|(name, url, rest)| (*name, url.as_str(), *rest)).collect();
    let (shipping, _folder) = run(&docker, &tenants, &["--stop-timeout", "1s", "--log-level", "debug"]);
    let shown = Shown::following(&shipping);
    for name in ["good-1", "bad-1", "own-1"] {
        docker.write(name, &[], &lines("line", 20), b"");
    }
    shown.wait_for("cloudspout_events_accepted_total", &[("tenant", "good")], 20.0);
    for name in ["bad", "own"] {
        let refused = [("action", "PutLogEvents"), ("outcome", "credentials"), ("tenant", name)];
        shown.wait_for("cloudspout_requests_total", &refused, 1.0);
    }
    shown.wait_for_health(503, PATIENCE);
    for path in ["/metrics", "/status", "/healthz", "/livez", "/"] {
        let (_, page) = shown.page(path);
        for secret in [SECRET, TEMPORARY_SECRET, TEMPORARY_TOKEN, KEY_ID, TEMPORARY_KEY_ID] {
            assert!(!page.contains(secret), "{secret} is in {path}:\n{page}");
        }
    }
    // Its log is looked through as it ends.
    let _ = shipping.terminate();
}

#[test]
fn what_the_host_does_not_let_out_is_counted() {
    let docker = Docker::any();
    let strict = Strict::start();
    let url = strict.url();
    let tenants = [("fast", url.as_str(), ""), ("slow", url.as_str(), "max-bytes = '64KiB'")];
    let (shipping, _folder) = run(&docker, &tenants, &["--stop-timeout", "1s"]);
    let shown = Shown::following(&shipping);
    docker.write("fast-1", &[], &lines("fast", 10), b"");
    // Each is a request of a megabyte: all together take longer than one may wait.
    let line = [&[b'x'; 1_000][..], b"\n"].concat();
    for number in 0..8 {
        docker.write(&format!("slow-{number}"), &[], &line.repeat(1_100), b"");
    }
    let metrics = shown.wait_for("cloudspout_requests_held_back_total", &[("tenant", "slow")], 1.0);
    for name in ["cloudspout_requests_refused_total", "cloudspout_requests_held_back_total"] {
        assert_eq!(metrics.expect(name, &[("tenant", "fast")]), 0.0);
    }
    shown.wait_for("cloudspout_events_accepted_total", &[("tenant", "fast")], 10.0);
    let _ = shipping.terminate();
}

/// Names of metrics in a text.
fn named_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| letter != '_' && !letter.is_ascii_lowercase());
    words.filter(|word| word.starts_with("cloudspout_") && *word != "cloudspout_host").collect()
}

#[test]
fn what_is_written_of_metrics_is_what_is_shown() {
    let docker = Docker::any();
    let strict = Strict::start();
    let (shipping, _folder) = run(&docker, &[("a", &strict.url(), "")], &[]);
    let (_, page) = Shown::following(&shipping).page("/metrics");
    let families = page.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next());
    let families: BTreeSet<&str> = families.filter(|name| name.starts_with("cloudspout_")).collect();
    let read = |path: &str| fs::read_to_string(file(path)).expect("a file");
    let (page, alerts) = (read("../docs/OPERATE.md"), read("../deploy/prometheus/cloudspout.rules.yml"));
    for family in &families {
        assert!(named_in(&page).contains(family), "{family} is not explained");
    }
    for name in named_in(&page).union(&named_in(&alerts)) {
        let of_serve = name.starts_with("cloudspout_serve_");
        assert!(of_serve || families.contains(name), "{name} is not there");
    }
    shipping.terminate().assert_code(0);
}
