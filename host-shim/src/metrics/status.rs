//! How an instance stands, as JSON for people and their scripts.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::families::COUNTS;
use super::panel::{Look, Owner, State};

/// How whoever this is stands.
pub fn of(look: &Look, now: SystemTime) -> Value {
    let sum = |name| look.totals.count(name, None);
    let by_reason = |name| {
        let reasons = COUNTS.iter().filter(move |count| count.name == name);
        let sums = reasons
            .filter_map(|count| count.reason)
            .map(|reason| (reason.to_owned(), Value::from(look.totals.count(name, Some(reason)))));
        Value::Object(sums.collect())
    };
    let status = look.status.as_ref();
    let requests = look.totals.answered.iter().map(
        |((action, outcome), requests)| json!({ "action": action, "outcome": outcome, "requests": requests }),
    );
    let mut shown = json!({
        "state": state(&look.state, now),
        "restarts": look.restarts,
        "log_streams": look.streams,
        "events": {
            "read": sum("cloudspout_events_read"),
            "accepted": sum("cloudspout_events_accepted"),
            "pending": status.map_or(0, |status| status.events_pending),
            "rejected": by_reason("cloudspout_events_rejected"),
            "dropped": by_reason("cloudspout_events_dropped"),
            "possibly_doubled": sum("cloudspout_events_possibly_doubled"),
        },
        "dead_letters": sum("cloudspout_dead_letters"),
        "log_gaps": sum("cloudspout_log_gaps"),
        "lag_seconds": look.waited(now).map(seconds),
        "oldest_event_age_seconds": look.age(now).map(seconds),
        "requests": requests.collect::<Vec<_>>(),
        "requests_in_flight": status.map_or(0, |status| status.in_flight),
        "requests_refused_by_host": look.refused,
        "requests_held_back_by_host": look.held_back,
        "destinations": status.map_or(0, |status| status.destinations),
        "destinations_failing": status.map_or(0, |status| status.destinations_failing),
        "buffered_bytes": status.map_or(0, |status| status.bytes_held),
        "memory_bytes": look.memory,
        "credentials_remaining_seconds": look.credentials_last(now).map(seconds),
        "last_problem": look.problem.as_ref().map(|problem| json!({
            "seconds_ago": seconds(now.duration_since(problem.at).unwrap_or_default()),
            "severity": if problem.is_error { "error" } else { "warning" },
            "text": problem.text,
        })),
    });
    let own = match &look.owner {
        Owner::Program => None,
        Owner::Tenant(name) => Some(("tenant", Value::from(name.as_str()))),
        Owner::Route(number) => Some(("route", Value::from(*number))),
    };
    if let (Some(shown), Some((key, value))) = (shown.as_object_mut(), own) {
        shown.insert(key.to_owned(), value);
    }
    shown
}

fn state(state: &State, now: SystemTime) -> Value {
    match state {
        State::Starting => json!({ "is": "starting" }),
        State::Running => json!({ "is": "running" }),
        State::Restarting { problem, next } => json!({
            "is": "restarting",
            "problem": problem,
            "next_try_seconds": seconds(next.duration_since(now).unwrap_or_default()),
        }),
        State::Ended(problem) => json!({ "is": "ended", "problem": problem }),
    }
}

/// To the millisecond.
fn seconds(time: Duration) -> f64 {
    time.as_millis() as f64 / 1_000.0
}
