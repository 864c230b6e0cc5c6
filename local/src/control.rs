//! What tests and people may ask of the endpoint itself: counts, and other faults.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, ORIGIN};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::body;
use crate::fault::FaultPlan;
use crate::service::{Dropped, Reply, Service};
use crate::stats::Counts;
use crate::store::Streams;
use crate::store::merge::Window;
use crate::store::position::{Direction, Position};

/// A handle on a running endpoint for the process that runs it.
///
/// As long as one lives the data directory stays locked.
#[derive(Clone, Debug)]
pub struct Control(Arc<Service>);

impl Control {
    pub(crate) fn new(service: Arc<Service>) -> Control {
        Control(service)
    }

    pub fn stats(&self) -> Counts {
        self.0.stats.counts()
    }

    /// All events of a group, in the order in which readers see them; none if there is no such group.
    pub fn events(&self, group: &str) -> Vec<KeptEvent> {
        let window = Window { from: Position::at(0), until: Position::at(i64::MAX) };
        let Ok(events) = self.0.store.events(group, &Streams::All, window, Direction::Forward) else {
            return Vec::new();
        };
        let kept = events.map(|event| KeptEvent {
            stream: event.stream.to_string(),
            timestamp: event.position.timestamp,
            message: String::from_utf8_lossy(&event.message).into_owned(),
        });
        kept.collect()
    }

    /// Replaces the faults in force.
    pub fn set_faults(&self, plan: FaultPlan) {
        self.0.enforce(plan);
    }
}

/// An event that the endpoint keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptEvent {
    pub stream: String,
    /// Milliseconds since 1970, as sent.
    pub timestamp: i64,
    pub message: String,
}

/// Whether a request is for the endpoint itself.
pub fn concerns(request: &Request<Incoming>) -> bool {
    request.uri().path().starts_with("/_local/")
}

/// Answers such a request.
pub async fn answer(service: &Service, request: Request<Incoming>) -> Result<Reply, Dropped> {
    let (parts, incoming) = request.into_parts();
    // A web page must not steer the endpoint of whoever looks at it.
    if parts.headers.contains_key(ORIGIN) {
        return Ok(reply(StatusCode::FORBIDDEN, &json!({"error": "not for browsers"})));
    }
    let answered = match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/_local/health") => reply(StatusCode::OK, &json!({"status": "ok"})),
        (&Method::GET, "/_local/stats") => reply(StatusCode::OK, &stats(service)),
        (&Method::GET, "/_local/faults") => reply(StatusCode::OK, &faults(service)),
        (&Method::DELETE, "/_local/faults") => {
            service.enforce(FaultPlan::default());
            reply(StatusCode::OK, &faults(service))
        }
        (&(Method::POST | Method::PUT), "/_local/faults") => {
            let text = body::read(incoming, PLAN_BYTES).await.map_err(|_| Dropped)?;
            match String::from_utf8_lossy(&text).parse::<FaultPlan>() {
                Ok(plan) => {
                    service.enforce(plan);
                    reply(StatusCode::OK, &faults(service))
                }
                Err(error) => reply(StatusCode::BAD_REQUEST, &json!({"error": error.to_string()})),
            }
        }
        _ => reply(StatusCode::NOT_FOUND, &json!({"error": PATHS})),
    };
    Ok(answered)
}

fn stats(service: &Service) -> Value {
    let mut stats = serde_json::to_value(service.stats.counts()).unwrap_or_default();
    if let Some(stats) = stats.as_object_mut() {
        stats.insert("stored".to_owned(), json!(service.store.totals()));
    }
    stats
}

fn faults(service: &Service) -> Value {
    let in_force = service.in_force();
    let rules: Vec<Value> = in_force
        .faults
        .progress()
        .into_iter()
        .map(|(rule, seen, struck)| json!({"rule": rule, "seen": seen, "struck": struck}))
        .collect();
    json!({"plan": in_force.plan.to_string(), "rules": rules})
}

fn reply(status: StatusCode, value: &Value) -> Reply {
    let mut reply = Response::new(Full::from(Bytes::from(format!("{value}\n"))));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

const PATHS: &str = "known are GET /_local/health, GET /_local/stats, GET, POST and DELETE /_local/faults";
const PLAN_BYTES: usize = 64 << 10;
