//! Misbehaves as the name of its log stream says, in the place of the component.

#![cfg(target_family = "wasm")]
// What exports a component is generated, and unsafe.
#![allow(unsafe_code)]

mod bindings {
    wit_bindgen::generate!({
        world: "shipper",
        path: "../../../wit",
        with: {
            "wasi:io/error@0.2.12": wasi::io::error,
            "wasi:io/poll@0.2.12": wasi::io::poll,
            "wasi:io/streams@0.2.12": wasi::io::streams,
            "wasi:clocks/wall-clock@0.2.12": wasi::clocks::wall_clock,
            "wasi:clocks/monotonic-clock@0.2.12": wasi::clocks::monotonic_clock,
            "wasi:http/types@0.2.12": wasi::http::types,
            "wasi:http/outgoing-handler@0.2.12": wasi::http::outgoing_handler,
        },
        generate_all,
    });
}

use bindings::cloudspout::host::{credentials, lifecycle, logs, reports, settings};
use bindings::{Failure, Guest};
use wasi::http::types::{ErrorCode, Fields, Method, OutgoingBody, OutgoingRequest, Scheme};

struct Hostile;

bindings::export!(Hostile with_types_in bindings);

impl Guest for Hostile {
    fn run() -> Result<(), Failure> {
        let options = settings::get();
        match options.log_stream_name.as_str() {
            "loop" => spin(),
            "poll" => poll_for_ever(),
            "nap" => nap_for_ever(),
            "allocate" => allocate(),
            "trap" => trap(),
            "resources" => resources(),
            "shout" => shout(),
            "deaf" => sleep_for_ever(),
            "elsewhere" => told(elsewhere(&options)),
            "environment" => told(environment()),
            other => return Err(Failure::Other(format!("does not know {other}"))),
        }
        while let lifecycle::Phase::Running = lifecycle::current_phase() {
            logs::subscribe().block();
        }
        Ok(())
    }
}

fn tell(text: String) {
    reports::tell(&reports::Message { severity: reports::Severity::Warning, text });
}

fn told(lines: Vec<String>) {
    for line in lines {
        tell(line);
    }
}

/// Computes for ever.
fn spin() {
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

/// Calls the host for ever, and waits for what is there already.
fn poll_for_ever() {
    loop {
        wasi::io::poll::poll(&[&wasi::clocks::monotonic_clock::subscribe_duration(0)]);
    }
}

/// Computes for ever, and waits for a moment from time to time.
fn nap_for_ever() {
    let mut number = 0_u64;
    loop {
        for _ in 0..10_000_000 {
            number = std::hint::black_box(number.wrapping_add(1));
        }
        wasi::clocks::monotonic_clock::subscribe_duration(1_000_000).block();
    }
}

fn sleep_for_ever() {
    loop {
        wasi::clocks::monotonic_clock::subscribe_duration(1_000_000_000).block();
    }
}

/// Takes memory for ever.
fn allocate() {
    let mut held = Vec::new();
    loop {
        held.push(vec![1_u8; 1 << 20]);
        std::hint::black_box(&held);
    }
}

fn trap() {
    tell("about to trap".to_owned());
    std::process::abort();
}

/// Has the host hold things for it, for ever.
fn resources() {
    let mut held = Vec::new();
    loop {
        held.push(logs::subscribe());
        std::mem::forget(credentials::fetch(false));
    }
}

/// Has people hear it, for ever.
fn shout() {
    loop {
        tell("x".repeat(10_000));
    }
}

/// Asks whoever it can think of for things; what came of each.
fn elsewhere(options: &settings::Options) -> Vec<String> {
    let endpoint = options.endpoint.clone().unwrap_or_default();
    let own = endpoint.trim_start_matches("http://").to_owned();
    let group = options.log_group_name.clone();
    let body = |group: &str| {
        format!(
            "{{\"logGroupName\":\"{group}\",\"logStreamName\":\"s\",\"logEvents\":[{{\"timestamp\":1,\"message\":\"m\"}}]}}"
        )
    };
    let twice = format!(
        "{{\"logGroupName\":\"{group}\",\"logStreamName\":\"s\",\"logGroupName\":\"/tenants/victim/a\",\"logEvents\":[]}}"
    );
    [
        ("another host", "127.0.0.2:80", "PutLogEvents", body(&group)),
        ("the metadata service", "169.254.169.254", "PutLogEvents", body(&group)),
        ("another action", own.as_str(), "DeleteLogGroup", body(&group)),
        ("another group", own.as_str(), "PutLogEvents", body("/tenants/victim/a")),
        ("two groups", own.as_str(), "PutLogEvents", twice),
        ("its own group", own.as_str(), "PutLogEvents", body(&group)),
    ]
    .into_iter()
    .map(|(what, authority, action, body)| format!("{what}: {}", ask(authority, action, &body)))
    .collect()
}

fn ask(authority: &str, action: &str, body: &str) -> String {
    let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    let headers = [
        header("content-type", "application/x-amz-json-1.1"),
        header("x-amz-target", &format!("Logs_20140328.{action}")),
        header("content-length", &body.len().to_string()),
    ];
    let request = OutgoingRequest::new(Fields::from_list(&headers).expect("headers"));
    request.set_method(&Method::Post).expect("a method");
    request.set_scheme(Some(&Scheme::Http)).expect("a scheme");
    request.set_authority(Some(authority)).expect("a host");
    request.set_path_with_query(Some("/")).expect("a path");
    let outgoing = request.body().expect("a body");
    {
        let stream = outgoing.write().expect("a stream");
        stream.blocking_write_and_flush(body.as_bytes()).expect("room");
    }
    OutgoingBody::finish(outgoing, None).expect("the length that was said");
    let response = match wasi::http::outgoing_handler::handle(request, None) {
        Ok(response) => response,
        Err(error) => return format!("{error:?}"),
    };
    response.subscribe().block();
    match response.get() {
        Some(Ok(Ok(response))) => format!("status {}", response.status()),
        Some(Ok(Err(ErrorCode::HttpRequestDenied))) => "denied".to_owned(),
        other => format!("{other:?}"),
    }
}

/// What it finds of the machine.
fn environment() -> Vec<String> {
    let root = std::fs::read_dir("/").map(|entries| entries.count());
    vec![
        format!("variables: {}", std::env::vars().count()),
        format!("arguments: {}", std::env::args().count()),
        format!("files: {}", root.is_ok()),
        format!("passwords: {}", std::fs::read("/etc/passwd").is_ok()),
        format!("sockets: {}", std::net::TcpStream::connect("127.0.0.1:1").is_ok()),
    ]
}
