//! The library as another program uses it: the example, against an endpoint in this process.

#[allow(dead_code, reason = "an example has a `main` of its own")]
#[path = "../examples/embed.rs"]
mod embed;

use std::time::{SystemTime, UNIX_EPOCH};

use cloudspout_local::{Config, Control, Endpoint};

/// An endpoint with faults; its address and what it keeps.
async fn endpoint(faults: &str) -> (String, Control) {
    let config = Config { faults: faults.parse().unwrap(), ..Config::default() };
    let endpoint = Endpoint::bind(config).await.unwrap();
    let (url, control) = (format!("http://{}", endpoint.address()), endpoint.control());
    tokio::spawn(endpoint.serve(std::future::pending()));
    (url, control)
}

#[tokio::test]
async fn an_embedded_instance_uses_what_it_is_given() {
    let (url, control) = endpoint("throttle:3").await;
    let lines: Vec<_> = (0..30_000).map(|number| format!("line {number}")).collect();
    let shipped = embed::ship(&url, lines.clone()).await.unwrap();
    let events = control.events("/examples/embed");
    let messages: Vec<_> = events.iter().map(|event| event.message.clone()).collect();
    assert!(messages == lines, "{} events arrived", messages.len());
    assert!(events.iter().all(|event| event.stream == "embedded"));
    assert_eq!(shipped.counts.events_accepted, 30_000);
    assert_eq!(shipped.accepted, lines.iter().map(|line| line.len() as u64 + 1).sum::<u64>());
    // Three batches of 10,000; one refused for the lack of a log stream, one log stream refused for the
    // lack of a log group, both made; three throttled.
    assert!(shipped.requests >= 3 + 3 + 3, "{} requests", shipped.requests);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    assert!(events.iter().all(|event| event.timestamp <= now - 60_000), "another clock was used");
}

#[tokio::test]
async fn an_instance_that_gives_up_says_why() {
    let error = embed::ship("ftp://127.0.0.1", vec!["line".to_owned()]).await.err().unwrap();
    assert!(error.to_string().contains("ftp://"), "{error}");
}
