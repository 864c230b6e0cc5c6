//! Everything that can be sent: JSON in every form, text, OTLP by its own SDK, lines by TCP.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use cloudspout_tests::events::messages;
use cloudspout_tests::senders::{Load, acknowledged, otlp};
use cloudspout_tests::strict::Strict;
use serde_json::Value;

use crate::{GROUP, serve};

/// The stream of those without a name.
const STREAM: &str = "127.0.0.1";

#[test]
fn json_arrives_in_every_form() {
    for form in ["array", "lines", "stream"] {
        for gzip in [&[][..], &["--gzip"]] {
            let strict = Strict::start();
            let serving = serve(&strict.url(), &[]);
            let folder = tempfile::tempdir().expect("a temporary folder");
            let journal = folder.path().join("journal");
            let options = [&["--clients", "1", "--events", "100", "--form", form], gzip].concat();
            Load::start(&serving.url("/events"), &journal, &options).finish();
            assert_eq!(acknowledged(&journal).len(), 100, "{options:?}");
            serving.terminate().assert_code(0);
            let events = strict.stop().stream(GROUP, STREAM);
            for (number, event) in events.iter().enumerate() {
                let message: Value = serde_json::from_str(&event.message).expect("JSON");
                assert_eq!(message["n"], number, "{options:?}");
                assert_eq!(message["timestamp"], event.time, "{options:?}");
            }
            assert_eq!(events.len(), 100, "{options:?}");
        }
    }
}

#[test]
fn text_is_an_event_a_line() {
    let strict = Strict::start();
    let serving = serve(&strict.url(), &[]);
    let answer =
        serving.post("/events", &["Content-Type:text/plain; charset=utf-8"], b"one\n{\"two\":2}\nthree");
    assert_eq!((answer.status, answer.body.trim()), (200, "{\"accepted\":3}"));
    serving.terminate().assert_code(0);
    let events = strict.stop().stream(GROUP, STREAM);
    assert!(messages(&events).eq(["one", "{\"two\":2}", "three"]));
}

#[test]
fn opentelemetrys_own_sdk_is_understood() {
    for form in ["protobuf", "json"] {
        for gzip in [&[][..], &["--gzip"]] {
            let strict = Strict::start();
            let serving = serve(&strict.url(), &[]);
            let options = [&["--form", form, "--records", "1200"], gzip].concat();
            let said = otlp(&serving.url("/v1/logs"), &options);
            assert!(!said.is_empty() && said.iter().all(|result| result == "SUCCESS"), "{form}: {said:?}");
            serving.terminate().assert_code(0);
            let events = strict.stop().stream(GROUP, STREAM);
            assert_eq!(events.len(), 1_200, "{form}");
            for (number, event) in events.iter().enumerate() {
                let message: Value = serde_json::from_str(&event.message).expect("JSON");
                assert_eq!(message["body"], format!("record {number}"), "{message}");
                assert_eq!(message["severityText"], "WARN");
                assert_eq!(message["severityNumber"], 13);
                assert_eq!(message["attributes"]["number"], number);
                assert_eq!(message["attributes"]["ratio"], number as f64 / 2.0);
                assert_eq!(message["resource"]["attributes"]["service.name"], "shop");
                let nanos = message["timeUnixNano"].as_u64().expect("a time");
                assert_eq!(nanos / 1_000_000, event.time as u64);
            }
        }
    }
}

#[test]
fn opentelemetry_is_told_what_went_wrong() {
    let strict = Strict::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, "shop 0123456789abcdef\n").expect("a file");
    let serving = serve(&strict.url(), &["--token-file", tokens.to_str().expect("UTF-8")]);
    let url = serving.url("/v1/logs");
    assert_eq!(otlp(&url, &["--token", "wrong-wrong-wrong"]), ["FAILURE"]);
    assert_eq!(otlp(&url, &["--token", "0123456789abcdef"]), ["SUCCESS"]);
    let bearer = "Authorization:Bearer 0123456789abcdef";
    let answer = serving.post("/v1/logs", &[bearer, "Content-Type:application/x-protobuf"], b"\x0a\x7f");
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.body.contains("byte 2"), "{answer:?}");
    let old = br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1"},{}]}]}]}"#;
    let answer = serving.post("/v1/logs", &[bearer, "Content-Type:application/json"], old);
    assert_eq!(answer.status, 200, "{answer:?}");
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(body["partialSuccess"]["rejectedLogRecords"], "1", "{body}");
    serving.terminate().assert_code(0);
}

#[test]
fn lines_arrive_by_tcp_json_or_text() {
    let strict = Strict::start();
    let serving = serve(&strict.url(), &["--socket", "127.0.0.1:0", "--flush-after", "100ms"]);
    let address = serving.socket();
    // Vector opens a connection to see whether it can.
    drop(TcpStream::connect(&address).expect("it listens"));
    let mut connection = TcpStream::connect(&address).expect("it listens");
    connection.write_all(b"{\"n\":0,\"timestamp\":").expect("it reads");
    std::thread::sleep(Duration::from_millis(50));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let now = now.as_millis() as u64 - 5_000;
    connection.write_all(format!("{now}}}\nplain text\n").as_bytes()).expect("it reads");
    for number in 1..1_000 {
        connection.write_all(format!("{{\"n\":{number}}}\n").as_bytes()).expect("it reads");
    }
    connection.write_all(b"{\"half\":").expect("it reads");
    strict.wait_for_events(1_001, Duration::from_secs(30));
    serving.terminate().assert_code(0);
    let events = strict.stop().stream(GROUP, STREAM);
    assert_eq!(events.len(), 1_002);
    assert_eq!(events[0].time as u64, now);
    assert_eq!(events[1].message, "plain text");
    // What was half sent when it ended is not thrown away.
    assert_eq!(events[1_001].message, "{\"half\":");
}
