//! Who signs: Envoy, or the module with credentials of its environment or of an endpoint.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cloudspout_tests::envoy::Setup;
use cloudspout_tests::load;
use cloudspout_tests::peers::Local;
use cloudspout_tests::process::eventually;
use cloudspout_tests::program::{KEY_ID, SECRET, TEMPORARY_KEY_ID, TEMPORARY_SECRET, TEMPORARY_TOKEN};
use serde_json::json;

use crate::{SOON, assert_arrived, settle};

#[test]
fn envoy_signs_and_the_module_holds_no_secret() {
    let local = Local::start(&[]);
    let envoy = Setup::default().start(local.port());
    let paths = envoy.requests("signed", 100);
    settle(&envoy, paths.len());
    assert_arrived("signed by Envoy", &local, &paths);
    assert!(!envoy.admin("/config_dump").contains(SECRET));
    envoy.stop();
}

/// What has to be escaped is twice as long on its way, and Envoy has to hold all of it to sign it.
#[test]
fn envoy_signs_what_is_larger_than_a_batch_of_plain_text() {
    let local = Local::start(&[]);
    let line = json!({"line": "{request.headers.x-quotes}", "flush_after": "2s"});
    let envoy = Setup { workers: 1, ..Setup::default().with(line) }.start(local.port());
    let quotes = "\"".repeat(50_000);
    for _ in 0..40 {
        let request = format!("GET / HTTP/1.1\r\nhost: shop\r\nx-quotes: {quotes}\r\n\r\n");
        assert!(load::exchange(envoy.port(), &request).is_some_and(|(status, _)| status == 200));
    }
    settle(&envoy, 40);
    assert!(envoy.stat("bytes_sent") / envoy.stat("requests_sent") > 1 << 20, "they are not large enough");
    envoy.stop();
}

#[test]
fn nobody_signs_and_it_is_told_until_somebody_does() {
    let local = Local::start(&["--fault", "bad-signature:2"]);
    let envoy = Setup::default().start(local.port());
    let paths = envoy.requests("unsigned", 10);
    settle(&envoy, paths.len());
    assert_arrived("refused at first", &local, &paths);
    let said = envoy.stop();
    assert!(said.contains("what signs the requests is refused"), "{said}");
}

#[test]
fn the_module_signs_with_what_its_environment_holds() {
    let local = Local::start(&[]);
    let mut setup = Setup { signer: false, ..Setup::default() };
    setup.variables =
        vec![("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()), ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned())];
    let endpoint = local.url();
    let envoy = setup.with(json!({"signing": "module", "endpoint": endpoint})).start(local.port());
    let paths = envoy.requests("module", 5_000);
    settle(&envoy, paths.len());
    assert_arrived("signed by the module", &local, &paths);
    envoy.stop();
}

#[test]
fn the_module_signs_with_what_an_endpoint_gives_and_asks_again_before_that_ends() {
    let local = Local::start(&[
        "--access-key-id",
        TEMPORARY_KEY_ID,
        "--secret-access-key",
        TEMPORARY_SECRET,
        "--session-token",
        TEMPORARY_TOKEN,
    ]);
    let (port, asked) = credentials_endpoint();
    let mut setup = Setup { signer: false, clusters: vec![("ecs", port)], ..Setup::default() };
    setup.variables = vec![("AWS_CONTAINER_AUTHORIZATION_TOKEN", "word".to_owned())];
    let credentials = json!({"cluster": "ecs", "path": "/v2/credentials/x"});
    let fields = json!({"signing": "module", "credentials": credentials, "endpoint": local.url()});
    let envoy = setup.with(fields).start(local.port());
    let mut paths = envoy.requests("endpoint", 500);
    settle(&envoy, paths.len());
    // What it gives ends within half a minute, and so is asked for anew with the next request.
    let first = asked.load(Ordering::Relaxed);
    eventually("credentials asked for again", SOON, || {
        let label = format!("again-{}", paths.len());
        paths.extend(envoy.requests(&label, 16));
        settle(&envoy, paths.len());
        (asked.load(Ordering::Relaxed) > first).then_some(())
    });
    assert_eq!(local.stats()["events_accepted"].as_u64(), Some(paths.len() as u64));
    envoy.stop();
}

/// An endpoint as containers on ECS have, that gives what ends soon; its port, and how often it was asked.
fn credentials_endpoint() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // It ends with the test program.
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            thread::spawn(move || give(&connection, &count));
        }
    });
    (port, asked)
}

fn give(mut connection: &TcpStream, asked: &AtomicUsize) {
    let mut reader = BufReader::new(connection);
    loop {
        let (mut line, mut head) = (String::new(), String::new());
        while reader.read_line(&mut line).is_ok_and(|read| read > 0) && line != "\r\n" {
            head.push_str(&line.to_ascii_lowercase());
            line.clear();
        }
        if line.is_empty() {
            return;
        }
        let known = head.starts_with("get /v2/credentials/x ") && head.contains("authorization: word");
        let body = json!({
            "AccessKeyId": TEMPORARY_KEY_ID, "SecretAccessKey": TEMPORARY_SECRET, "Token": TEMPORARY_TOKEN,
            "Expiration": in_seconds(35),
        });
        asked.fetch_add(1, Ordering::Relaxed);
        let (status, body) =
            if known { ("200 OK", body.to_string()) } else { ("403 Forbidden", String::new()) };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if connection.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// The time so many seconds from now, as RFC 3339 has it.
fn in_seconds(seconds: u32) -> String {
    let ahead = format!("+{seconds} seconds");
    let date = std::process::Command::new("date").args(["-u", "-d", &ahead, "+%Y-%m-%dT%H:%M:%SZ"]).output();
    String::from_utf8(date.expect("date").stdout).expect("UTF-8").trim().to_owned()
}
