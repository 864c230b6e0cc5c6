//! What cannot be used is refused by `envoy --mode validate`, with words; what is not permitted is told.

use std::fs;
use std::path::Path;

use cloudspout_tests::envoy::{Place, Setup};
use cloudspout_tests::peers::Local;
use serde_json::{Value, json};

use crate::{SOON, assert_arrived, settle};

#[test]
fn validating_is_linting() {
    for place in [Place::AccessLog, Place::HttpFilter] {
        let good = Setup { place, ..Setup::default() }.validate();
        assert!(good.status.success(), "{}", good.stderr);
    }
    for (fields, words) in [
        (json!({"grup": "x"}), "unknown field `grup`"),
        (json!({"region": "mars"}), "region: `mars` is not the name of an AWS Region"),
        (json!({"group": "my group"}), "group: `my group` is no name of a log group"),
        (json!({"stream": "{request.path}"}), "`request.path` cannot be in a name"),
        (json!({"stream": "{xds.node.locality.sub_zone}"}), "Envoy has no xds.node.locality.sub_zone"),
        (json!({"line": "{request.methd}"}), "line: byte 1: `request.methd` is no attribute"),
        (json!({"line": {"a": {"b": "%REQ(X)%"}}}), "line: a.b: `%REQ(` is of Envoy's format language"),
        (json!({"signing": "module"}), "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        (json!({"buffer": "1k"}), "buffer: at least 4MiB"),
    ] {
        let refused = Setup::default().with(fields.clone()).validate();
        assert!(!refused.status.success(), "{fields} is taken");
        let said = &refused.stderr;
        assert!(said.contains("cloudspout: configuration: ") && said.contains(words), "{fields}:\n{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    // As an operator might write it first.
    for any in [
        json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": {"region": "x"}}),
        Value::Null,
    ] {
        let setup = Setup { plugin: json!({"configuration": any}), ..Setup::default() };
        let refused = setup.validate();
        assert!(!refused.status.success());
        let said = &refused.stderr;
        assert!(said.contains("JSON in a google.protobuf.StringValue"), "{said}");
    }
}

#[test]
fn the_capabilities_that_are_documented_are_enough() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ENVOY.md");
    let page = fs::read_to_string(page).expect("the page");
    let list = page.split("allowed_capabilities:").nth(1).expect("a list of capabilities");
    let list = list.split("```").next().expect("its end");
    let names: Vec<_> = list
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|name| name.contains('_'))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    let restricted = |names: &[&str]| {
        let allowed: serde_json::Map<_, _> =
            names.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
        json!({"capability_restriction_config": {"allowed_capabilities": allowed}})
    };
    for place in [Place::AccessLog, Place::HttpFilter] {
        let local = Local::start(&[]);
        let setup = Setup { plugin: restricted(&names), place, ..Setup::default() };
        let envoy = setup.with(json!({"stream": "{worker}"})).start(local.port());
        let paths = envoy.requests("restricted", 500);
        settle(&envoy, paths.len());
        assert_arrived("restricted", &local, &paths);
        envoy.stop();
    }
}

#[test]
fn a_cluster_that_is_not_there_is_told() {
    let local = Local::start(&[]);
    let envoy = Setup::default().with(json!({"cluster": "elsewhere"})).start(local.port());
    envoy.requests("nowhere", 10);
    envoy.wait_for("requests_sent", 1, SOON);
    let said = envoy.stop();
    assert!(said.contains("Envoy has no cluster `elsewhere`"), "{said}");
}

#[test]
fn an_event_that_is_refused_for_good_is_counted_and_the_rest_delivered() {
    let local = Local::start(&["--fault", "invalid:/poison/3"]);
    let envoy = Setup::default().start(local.port());
    let mut paths = envoy.requests("poison", 10);
    envoy.wait_for("events_rejected_invalid", 1, SOON);
    envoy.wait_for("events_accepted", 9, SOON);
    paths.remove(3);
    assert_arrived("beside a poison event", &local, &paths);
    assert_eq!(envoy.stat("events_pending"), 0);
    assert!(envoy.stop().contains("1 invalid"), "nobody is told");
}
