//! What has been taken and what has been turned away, since the start.

use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;
use serde_json::{Value, json};

use crate::metrics::{Kind, Page};

/// Each only grows, but for what waits.
#[derive(Debug, Default)]
pub struct Counts {
    connections: AtomicU64,
    requests: AtomicU64,
    body_bytes: AtomicU64,
    accepted_events: AtomicU64,
    refused_events: AtomicU64,
    /// Requests by how they were answered.
    ok: AtomicU64,
    unreadable: AtomicU64,
    unauthorized: AtomicU64,
    too_large: AtomicU64,
    unavailable: AtomicU64,
    other: AtomicU64,
    waiting: AtomicU64,
}

/// A request that waits for its answer, until it is dropped.
#[derive(Debug)]
pub struct Waiting<'a>(&'a Counts);

impl Counts {
    pub fn connection(&self) {
        add(&self.connections, 1);
    }

    pub fn request(&self) {
        add(&self.requests, 1);
    }

    pub fn body(&self, bytes: usize) {
        add(&self.body_bytes, bytes as u64);
    }

    pub fn settled(&self, events: u64, refused: u64) {
        add(&self.accepted_events, events.saturating_sub(refused));
        add(&self.refused_events, refused);
    }

    pub fn answered(&self, status: StatusCode) {
        let count = match status {
            StatusCode::OK => &self.ok,
            StatusCode::BAD_REQUEST => &self.unreadable,
            StatusCode::UNAUTHORIZED => &self.unauthorized,
            StatusCode::PAYLOAD_TOO_LARGE => &self.too_large,
            StatusCode::SERVICE_UNAVAILABLE => &self.unavailable,
            _ => &self.other,
        };
        add(count, 1);
    }

    pub fn wait(&self) -> Waiting<'_> {
        add(&self.waiting, 1);
        Waiting(self)
    }

    /// As a JSON object, with so many bytes waiting.
    pub fn to_json(&self, waiting_bytes: usize) -> Value {
        let answers = self.answers().map(|(answer, requests)| (answer.to_owned(), requests.into()));
        json!({
            "connections": of(&self.connections),
            "requests": of(&self.requests),
            "body_bytes": of(&self.body_bytes),
            "events": { "accepted": of(&self.accepted_events), "refused": of(&self.refused_events) },
            "answers": Value::Object(answers.into_iter().collect()),
            "waiting": { "requests": of(&self.waiting), "bytes": waiting_bytes },
        })
    }

    /// As metrics.
    pub fn write(&self, waiting_bytes: usize, page: &mut Page) {
        for (name, help, count) in [
            ("cloudspout_serve_connections", "Connections taken.", &self.connections),
            ("cloudspout_serve_received_bytes", "Bodies taken, uncompressed.", &self.body_bytes),
        ] {
            page.family(name, Kind::Counter, help);
            page.counter(name, &[], of(count));
        }
        let name = "cloudspout_serve_requests";
        page.family(name, Kind::Counter, "Requests by how they were answered.");
        for (answer, requests) in self.answers() {
            page.counter(name, &[("answer", answer)], requests);
        }
        let name = "cloudspout_serve_events";
        page.family(name, Kind::Counter, "Events of requests that were answered, by what became of them.");
        page.counter(name, &[("fate", "accepted")], of(&self.accepted_events));
        page.counter(name, &[("fate", "refused")], of(&self.refused_events));
        let name = "cloudspout_serve_waiting_requests";
        page.family(name, Kind::Gauge, "Requests whose events CloudWatch has not accepted.");
        page.gauge(name, &[], of(&self.waiting));
        let name = "cloudspout_serve_waiting_bytes";
        page.family(name, Kind::Gauge, "What they take of --max-waiting.");
        page.gauge(name, &[], waiting_bytes);
    }

    fn answers(&self) -> [(&'static str, u64); 6] {
        [
            ("ok", of(&self.ok)),
            ("unreadable", of(&self.unreadable)),
            ("unauthorized", of(&self.unauthorized)),
            ("too_large", of(&self.too_large)),
            ("unavailable", of(&self.unavailable)),
            ("other", of(&self.other)),
        ]
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn of(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

fn add(count: &AtomicU64, more: u64) {
    count.fetch_add(more, Ordering::Relaxed);
}
