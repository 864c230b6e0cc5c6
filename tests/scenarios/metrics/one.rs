//! A program that ships for one.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use cloudspout_tests::docker::{ARRIVAL, Docker};
use cloudspout_tests::metrics::{SHOW, Shown};
use cloudspout_tests::program::{PATIENCE, Program};
use cloudspout_tests::senders::Serving;
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

#[test]
fn counts_move_with_what_is_shipped_and_both_formats_say_the_same() {
    let docker = Docker::any();
    let strict = Strict::start();
    let shipping = docker.shipping("auto", &strict.url()).args(&SHOW).start();
    let shown = Shown::following(&shipping);
    let before = shown.metrics();
    for name in ["cloudspout_events_read_total", "cloudspout_events_accepted_total", "cloudspout_log_streams"]
    {
        assert_eq!(before.expect(name, &[]), 0.0, "{name}");
    }
    let put = [("action", "PutLogEvents"), ("outcome", "ok")];
    assert_eq!(before.expect("cloudspout_requests_total", &put), 0.0);

    let mut feed = docker.feed("web", &[]);
    feed.out(&lines("line", 700));
    strict.wait_for_events(700, ARRIVAL);
    let after = shown.wait_for("cloudspout_events_accepted_total", &[], 700.0);
    assert_eq!(after.expect("cloudspout_events_read_total", &[]), 700.0);
    assert!(after.expect("cloudspout_read_bytes_total", &[]) > 700.0);
    assert!(after.expect("cloudspout_sent_bytes_total", &[]) > 700.0);
    assert_eq!(after.expect("cloudspout_events_pending", &[]), 0.0);
    assert_eq!(after.expect("cloudspout_delivery_lag_seconds", &[]), 0.0);
    assert_eq!(after.expect("cloudspout_log_streams", &[]), 1.0);
    assert_eq!(after.expect("cloudspout_destinations", &[]), 1.0);
    assert_eq!(after.expect("cloudspout_running", &[]), 1.0);
    assert_eq!(after.expect("cloudspout_credentials_lookups_total", &[("outcome", "found")]), 1.0);
    assert!(after.expect("cloudspout_instance_memory_bytes", &[]) > 1e6);
    assert!(after.expect("process_resident_memory_bytes", &[]) > 1e6);
    let answered = after.expect("cloudspout_put_log_events_duration_seconds_count", &[]);
    let (ok, missing) = (
        after.expect("cloudspout_requests_total", &put),
        after.expect("cloudspout_requests_total", &[("action", "PutLogEvents"), ("outcome", "not-found")]),
    );
    assert!(ok >= 1.0 && missing >= 1.0, "the log group was not there");
    assert_eq!(answered, ok + missing);
    let created = [("action", "CreateLogGroup"), ("outcome", "ok")];
    assert_eq!(after.expect("cloudspout_requests_total", &created), 1.0);
    assert!(after.values("tenant").is_empty() && after.values("route").is_empty());

    let open = shown.metrics_as("application/openmetrics-text; version=1.0.0");
    assert_eq!(open.names(), after.names());
    assert_eq!(open.expect("cloudspout_events_accepted_total", &[]), 700.0);

    let status = shown.status();
    let shipper = &status["shipping"][0];
    assert_eq!((&shipper["state"]["is"], &shipper["events"]["accepted"]), (&"running".into(), &700.into()));
    assert_eq!((&shipper["log_streams"], &shipper["lag_seconds"]), (&1.into(), &serde_json::Value::Null));
    assert_eq!(shown.page("/healthz").0, 200);
    drop(feed);
    shipping.terminate().assert_code(0);
}

#[test]
fn what_waits_for_cloudwatch_is_seen_and_ends_no_program() {
    let docker = Docker::any();
    let strict = Strict::with_plan("put@*=throttle");
    let program = docker.shipping("auto", &strict.url()).args(&SHOW).args(&["--unhealthy-after", "1s"]);
    let shipping = program.start();
    let shown = Shown::following(&shipping);
    shown.wait_for_health(200, PATIENCE);
    docker.write("web", &[], &lines("line", 50), b"");
    let complaint = shown.wait_for_health(503, PATIENCE);
    assert!(complaint.contains("50 events are read and not in CloudWatch"), "{complaint}");
    assert_eq!(shown.page("/livez").0, 200, "a program that cannot help it is not to be ended");
    let metrics = shown.wait_for("cloudspout_destinations_failing", &[], 1.0);
    assert!(metrics.expect("cloudspout_delivery_lag_seconds", &[]) > 1.0);
    assert!(metrics.expect("cloudspout_oldest_event_age_seconds", &[]) > 1.0);
    let throttled = [("action", "PutLogEvents"), ("outcome", "throttled")];
    assert!(metrics.expect("cloudspout_requests_total", &throttled) >= 1.0);
    strict.plan("");
    strict.wait_for_events(50, ARRIVAL);
    shown.wait_for_health(200, PATIENCE);
    shipping.terminate().assert_code(0);
}

#[test]
fn standard_input_is_counted_like_any_log() {
    let strict = Strict::start();
    let (input, mut output) = std::io::pipe().expect("a pipe");
    let options = ["--group", "/tests/metrics", "--stream", "s", "--flush-after", "200ms"];
    let program = Program::new("pipe").args(&options).args(&SHOW).to(&strict.url());
    let shipping = program.input(Stdio::from(input)).start();
    let shown = Shown::of(&shipping);
    output.write_all(&lines("line", 30)).expect("it reads");
    shown.wait_for("cloudspout_events_accepted_total", &[], 30.0);
    drop(output);
    shipping.wait(PATIENCE).assert_code(0);
}

#[test]
fn routes_are_told_apart() {
    let docker = Docker::any();
    let strict = Strict::start();
    let routes = "cloudwatch://eu-central-1?filter.name=a*,cloudwatch://eu-central-1?filter.name=b*";
    let program = docker.program().args(&[routes, "--endpoint-url", &strict.url()]).env("NOEC2", "1");
    let shipping = program.args(&["--flush-after", "300ms"]).args(&SHOW).start();
    let shown = Shown::following(&shipping);
    let (mut one, mut two) = (docker.feed("a1", &[]), docker.feed("b1", &[]));
    one.out(&lines("a", 10));
    two.out(&lines("b", 20));
    shown.wait_for("cloudspout_events_accepted_total", &[("route", "1")], 10.0);
    let metrics = shown.wait_for("cloudspout_events_accepted_total", &[("route", "2")], 20.0);
    assert_eq!(metrics.values("route"), ["1", "2"]);
    std::thread::sleep(Duration::from_millis(1_500));
    let metrics = shown.metrics();
    assert_eq!(metrics.expect("cloudspout_events_read_total", &[("route", "1")]), 10.0);
    shipping.terminate().assert_code(0);
}

#[test]
fn a_daemon_that_goes_out_of_sight_is_seen() {
    let mut docker = Docker::exclusive();
    let strict = Strict::start();
    let shipping = docker.shipping("auto", &strict.url()).args(&SHOW).start();
    let shown = Shown::following(&shipping);
    docker.stop_daemon();
    let metrics = shown.wait_for("cloudspout_docker_losses_total", &[], 1.0);
    assert_eq!(metrics.expect("cloudspout_docker_up", &[]), 0.0);
    assert_eq!(shown.status()["docker"]["in_sight"], false);
    assert_eq!(shown.page("/livez").0, 200);
    docker.start_daemon();
    shown.wait_for("cloudspout_docker_up", &[], 1.0);
    shipping.terminate().assert_code(0);
}

#[test]
fn what_senders_are_answered_is_counted() {
    let strict = Strict::start();
    let program = Program::new("serve").args(&["--group", "/tests/metrics"]).args(&SHOW).to(&strict.url());
    let mut serving = Serving::start(program);
    let shown = Shown::of(serving.shipping());
    assert_eq!(serving.post("/events", &[], b"{\"a\":1}{\"a\":2}").status, 200);
    assert_eq!(serving.post("/events", &[], b"{\"a\":").status, 400);
    let metrics = shown.wait_for("cloudspout_events_accepted_total", &[], 2.0);
    assert_eq!(metrics.expect("cloudspout_serve_events_total", &[("fate", "accepted")]), 2.0);
    assert_eq!(metrics.expect("cloudspout_serve_requests_total", &[("answer", "ok")]), 1.0);
    assert_eq!(metrics.expect("cloudspout_serve_requests_total", &[("answer", "unreadable")]), 1.0);
    assert_eq!(shown.status()["serve"]["events"]["accepted"], 2);
    serving.terminate().assert_code(0);
}
