//! What stands in a line is what Envoy knows of the request.

use cloudspout_tests::envoy::{Setup, WEB};
use cloudspout_tests::load;
use cloudspout_tests::peers::Local;
use serde_json::{Value, json};

use crate::{arrived, settle};

/// One request, and the line of it.
fn logged(line: &Value, request: &str) -> String {
    let local = Local::start(&[]);
    let clusters = vec![(WEB, local.port())];
    let setup = Setup { clusters, ..Setup::default() }.with(json!({"line": line}));
    let envoy = setup.start(local.port());
    load::exchange(envoy.port(), request).expect("an answer");
    settle(&envoy, 1);
    let message = arrived(&local).remove(0).message;
    envoy.stop();
    message
}

#[test]
fn an_object_holds_what_there_is_of_its_kind() {
    let line = json!({
        "method": "{request.method}", "path": "{request.path}", "url_path": "{request.url_path}",
        "query": "{request.query}", "host": "{request.host}", "scheme": "{request.scheme}",
        "protocol": "{request.protocol}", "agent": "{request.useragent}", "referer": "{request.referer}",
        "tenant": "{request.headers.x-tenant}", "status": "{response.code}", "flags": "{response.flags}",
        "details": "{response.code_details}", "took": "{request.duration}", "at": "{request.time}",
        "in": "{request.size}", "total": "{request.total_size}", "out": "{response.size}",
        "client": "{source.address}", "port": "{source.port}", "local": "{destination.address}",
        "connection": "{connection.id}", "mtls": "{connection.mtls}", "upstream": "{upstream.address}",
        "listener": "{xds.listener_direction}", "host_name": "{xds.virtual_host_name}",
        "node": "{xds.node.id}", "plugin": "{plugin_name}", "length": "{response.headers.content-length}",
        "team": "{xds.route_metadata.filter_metadata[\"team.a\"].name}",
        "team_size": "{xds.route_metadata.filter_metadata[\"team.a\"].size:number}",
        "team_on": "{xds.route_metadata.filter_metadata[\"team.a\"].on:bool}",
        "constant": 1, "text": "{request.method} {response.code}",
    });
    let request = "GET /missing/a?q=1 HTTP/1.1\r\nhost: shop\r\nuser-agent: test \"quoted\"\r\nx-tenant: b\\lue\r\n\r\n";
    let message = logged(&line, request);
    let line: Value = serde_json::from_str(&message).unwrap_or_else(|error| panic!("{error}: {message}"));
    for (name, expected) in [
        ("method", json!("GET")),
        ("path", json!("/missing/a?q=1")),
        ("query", json!("q=1")),
        ("host", json!("shop")),
        ("scheme", json!("http")),
        ("protocol", json!("HTTP/1.1")),
        ("agent", json!("test \"quoted\"")),
        ("tenant", json!("b\\lue")),
        ("status", json!(404)),
        ("details", json!("direct_response")),
        ("in", json!(0)),
        ("out", json!(0)),
        ("mtls", json!(false)),
        ("host_name", json!("all")),
        ("node", json!("edge-1")),
        ("plugin", json!("cloudspout")),
        ("team", json!("blue")),
        ("team_size", json!(3)),
        ("team_on", json!(true)),
        ("constant", json!(1)),
        ("text", json!("GET 404")),
        ("referer", Value::Null),
        ("upstream", Value::Null),
        ("flags", Value::Null),
    ] {
        assert_eq!(line[name], expected, "{name} in {message}");
    }
    assert!(line["took"].is_number() && line["total"].as_u64() > Some(0), "{message}");
    assert!(line["port"].is_u64() && line["connection"].is_u64(), "{message}");
    assert!(line["client"].as_str().is_some_and(|client| client.starts_with("127.0.0.1")), "{message}");
    assert!(line["at"].as_str().is_some_and(|at| at.starts_with("20") && at.ends_with('Z')), "{message}");
}

#[test]
fn a_text_holds_what_there_is_and_a_hyphen_for_what_there_is_not() {
    let line = json!("{request.method} {request.path} {response.code} {request.headers.x-none} {{}}");
    let message = logged(&line, "GET /a HTTP/1.1\r\nhost: shop\r\n\r\n");
    assert_eq!(message, "GET /a 200 - {}");
}

#[test]
fn what_went_wrong_is_written_as_envoys_own_logs_have_it() {
    let line = json!("{request.method} {response.code} {response.flags} {response.code_details}");
    let message = logged(&line, "GET /not a path HTTP/1.1\r\nhost: shop\r\n\r\n");
    assert_eq!(message, "- 400 DPE http1.codec_error");
}

#[test]
fn an_upstream_is_known_by_what_it_did() {
    let line = json!({
        "status": "{response.code}", "upstream": "{upstream.address}", "port": "{upstream.port}",
        "cluster": "{xds.cluster_name}", "route": "{xds.route_name}", "tries": "{upstream.request_attempt_count}",
        "waited": "{response.backend_latency}", "ready": "{upstream.cx_pool_ready_duration}",
        "server": "{response.headers.date}",
    });
    let message = logged(&line, "GET /web HTTP/1.1\r\nhost: shop\r\n\r\n");
    let line: Value = serde_json::from_str(&message).unwrap_or_else(|error| panic!("{error}: {message}"));
    for (name, expected) in
        [("status", json!(200)), ("cluster", json!("web")), ("route", json!("to-web")), ("tries", json!(1))]
    {
        assert_eq!(line[name], expected, "{name} in {message}");
    }
    let port = line["port"].as_u64().unwrap_or_else(|| panic!("no port in {message}"));
    assert_eq!(line["upstream"], json!(format!("127.0.0.1:{port}")), "{message}");
    assert!(
        line["waited"].is_number() && line["ready"].is_number() && line["server"].is_string(),
        "{message}"
    );
}
