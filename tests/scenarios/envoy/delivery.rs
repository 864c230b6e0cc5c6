//! Every request becomes an event, whatever the endpoint does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use cloudspout_tests::envoy::{self, Envoy, GROUP, NODE, Place, Setup};
use cloudspout_tests::load;
use cloudspout_tests::peers::{Local, Reader, free_port, read_back};
use serde_json::json;

use crate::{SOON, arrived, assert_arrived, settle};

const MANY: usize = 100_000;
/// Many requests, on a machine that does something else besides.
const PATIENCE: Duration = Duration::from_secs(240);

#[test]
fn as_many_events_as_requests_through_definite_faults() {
    let faults = "throttle:3@op=CreateLogStream; 500:2@op=CreateLogGroup; throttle:10%@op=PutLogEvents; \
                  unavailable:3@op=PutLogEvents; missing-stream:1@after=4; reset-before:2@after=6; \
                  expired-token:1@after=8";
    let local = Local::start(&["--fault", faults]);
    let envoy = Setup::default().start(local.port());
    let paths = envoy.requests("definite", MANY);
    envoy.wait_for("events_accepted", MANY as u64, PATIENCE);
    assert_eq!(envoy.stat("events_pending"), 0);
    assert!(envoy.stat("requests_retried") >= 5, "too few faults came");
    assert_arrived("definite faults", &local, &paths);
    let stats = local.stats();
    assert!(stats["errors"]["InvalidSignatureException"].is_null(), "{stats}");
    envoy.stop();
}

#[test]
fn nothing_is_lost_by_broken_connections_and_doubled_only_what_was_never_answered() {
    let faults =
        "reset-before:1; reset-after:1@after=3; half:1@after=4; 504:1@after=5; late:2s@next=1@after=6";
    let local = Local::start(&["--fault", faults]);
    let setup = Setup::default().with(json!({"request_timeout": "1s"}));
    let envoy = setup.start(local.port());
    let paths = envoy.requests("broken", 20_000);
    envoy.wait_for("events_accepted", 20_000, PATIENCE);
    let arrived: Vec<_> = arrived(&local).into_iter().map(|event| event.message).collect();
    let distinct: BTreeSet<_> = arrived.iter().cloned().collect();
    assert_eq!(distinct, paths.into_iter().collect(), "something is lost");
    let doubled = (arrived.len() - distinct.len()) as u64;
    assert!(doubled > 0, "no request was kept and not answered");
    assert!(doubled <= envoy.stat("events_possibly_doubled"), "{doubled} came twice");
    assert!(envoy.stop().contains("sent again"), "nobody is told");
}

#[test]
fn an_http_filter_logs_as_an_access_logger_does() {
    let local = Local::start(&[]);
    let setup = Setup { place: Place::HttpFilter, ..Setup::default() };
    let envoy = setup.start(local.port());
    let paths = envoy.requests("filter", 5_000);
    settle(&envoy, paths.len());
    assert_arrived("an HTTP filter", &local, &paths);
    envoy.stop();
}

#[test]
fn each_worker_has_a_log_stream_of_its_own_if_wanted() {
    let local = Local::start(&[]);
    let stream = "{xds.node.cluster}/{xds.node.id}/{xds.node.locality.zone}/{xds.node.metadata.pod}/{worker}";
    let setup = Setup::default().with(json!({"stream": stream}));
    let envoy = setup.start(local.port());
    let paths = envoy.requests("workers", 2_000);
    settle(&envoy, paths.len());
    let streams = read_back(&local.url(), GROUP, Reader::GetLogEvents);
    let names: Vec<_> = streams.keys().map(String::as_str).collect();
    let name = |worker: usize| format!("edge/{NODE}/z1/pod-7/{worker}");
    assert_eq!(names, [name(0), name(1)]);
    envoy.stop();
}

#[test]
fn memory_is_bounded_and_what_there_is_no_room_for_is_counted_and_marked() {
    for (when_full, stat) in
        [("drop-oldest", "events_dropped_oldest"), ("drop-newest", "events_dropped_newest")]
    {
        let local = Local::start(&["--fault", "unavailable@op=PutLogEvents"]);
        let line = "{request.path} {request.headers.x-long}";
        let fields = json!({"buffer": "4MiB", "when_full": when_full, "mark_gaps": true, "line": line});
        let setup = Setup { workers: 1, ..Setup::default().with(fields) };
        let envoy = setup.start(local.port());
        let long = "x".repeat(30_000);
        for number in 0..400 {
            let request = format!("GET /{number} HTTP/1.1\r\nhost: shop\r\nx-long: {long}\r\n\r\n");
            assert!(load::exchange(envoy.port(), &request).is_some_and(|(status, _)| status == 200));
        }
        envoy.wait_for(stat, 100, SOON);
        local.plan("");
        envoy.wait_for("gaps_marked", 1, SOON);
        let dropped = envoy.stat(stat);
        envoy.wait_for("events_accepted", 400 - dropped, SOON);
        let arrived = arrived(&local);
        let marked: u64 = arrived
            .iter()
            .filter_map(|event| serde_json::from_str::<serde_json::Value>(&event.message).ok())
            .filter_map(|marker| marker["events"].as_u64())
            .sum();
        assert_eq!(marked, dropped, "{when_full}");
        assert!(envoy.stop().contains("dropped for want of room"), "nobody is told");
    }
}

#[test]
fn a_newcomers_configuration_works_as_it_stands() {
    let local = Local::start(&[]);
    let (port, admin) = (free_port(), free_port());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/envoy/envoy.yaml");
    let yaml = fs::read_to_string(file).expect("the configuration");
    let mut changed = yaml.clone();
    for (from, to) in [(4586, local.port()), (10000, port), (9901, admin)] {
        assert_eq!(yaml.matches(&format!("port_value: {from}")).count(), 1);
        changed = changed.replace(&format!("port_value: {from}"), &format!("port_value: {to}"));
    }
    let envoy = Envoy::of(&changed, port, admin);
    envoy.requests("newcomer", 10);
    settle(&envoy, 10);
    let line: serde_json::Value = serde_json::from_str(&arrived(&local)[0].message).expect("JSON");
    assert_eq!((line["method"].as_str(), line["status"].as_u64()), (Some("GET"), Some(200)));
    envoy.stop();
}

/// What is marked for AWS is a configuration that Envoy takes.
#[test]
fn a_newcomers_configuration_can_be_changed_for_aws() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/envoy/envoy.yaml");
    let yaml = fs::read_to_string(file).expect("the configuration");
    let local = "socket_address: { address: 127.0.0.1, port_value: 4586 }";
    let aws = "socket_address: { address: logs.eu-central-1.amazonaws.com, port_value: 443 }";
    assert!(yaml.contains(local) && yaml.contains(&aws.replace("socket_address:", "AWS:")));
    let tls = |line: &str| {
        let commented = line.strip_prefix("    # ").filter(|text| !text.starts_with("AWS:"));
        commented.map_or(line.to_owned(), |text| format!("    {text}"))
    };
    let changed: Vec<_> = yaml.replace(local, aws).lines().map(tls).collect();
    let changed = changed.join("\n");
    assert!(changed.contains("\n    transport_socket:"), "{changed}");
    let validated = envoy::validate(&changed);
    assert!(validated.status.success(), "{}", validated.stderr);
}
