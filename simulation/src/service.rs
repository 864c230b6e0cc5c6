//! CloudWatch Logs, as strict as its documentation: what it takes, what it refuses, and with which answer.

use std::borrow::Cow;
use std::collections::BTreeMap;

use cloudspout::cloudwatch::Operation;
use cloudspout::delivery::Response;
use cloudspout::time::{Millis, Timestamp};
use serde::Deserialize;

use crate::docker::POISON;
use crate::model::Fate;
use crate::plan::SECOND;

/// The service, with what has been made in it.
#[derive(Debug, Default)]
pub struct Service {
    /// When each stream of each group was made.
    groups: BTreeMap<String, BTreeMap<String, u64>>,
    /// Days that events are kept; none: for ever.
    pub retention: Option<u64>,
    /// So long it does not find what it has just made, in nanoseconds.
    pub memory_lag: u64,
    /// Access keys from this one on are known, and not revoked.
    pub first_good_key: u64,
}

/// The body of a request to put events.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Put<'a> {
    pub log_group_name: String,
    pub log_stream_name: String,
    #[serde(borrow)]
    pub log_events: Vec<Event<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event<'a> {
    pub timestamp: u64,
    #[serde(borrow)]
    pub message: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Create {
    log_group_name: String,
    log_stream_name: Option<String>,
}

/// What a request says of itself.
pub struct Heading {
    pub operation: Operation,
    /// The service's time when it arrives, and the time it was signed with; in seconds since 1970.
    pub now: u64,
    pub signed: u64,
    pub key: u64,
}

/// What the service does with a request.
pub enum Deed {
    /// Each event's fate.
    Took(Vec<Fate>),
    /// Nothing was done with events.
    Answered,
}

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

impl Service {
    /// Carries a request out. `Err` if it breaks a limit that no request may break.
    pub fn handle(&mut self, heading: &Heading, body: &[u8]) -> Result<(Deed, Response), String> {
        let Heading { operation, now, signed, key } = heading;
        let refuse = |code: &str| Ok((Deed::Answered, self::refuse(code, *now)));
        if now.abs_diff(*signed) > 300 {
            return refuse("InvalidSignatureException");
        }
        if *key < self.first_good_key {
            return refuse(if key.is_multiple_of(2) {
                "ExpiredTokenException"
            } else {
                "UnrecognizedClientException"
            });
        }
        match operation {
            Operation::PutLogEvents => {
                let put: Put = serde_json::from_slice(body)
                    .map_err(|error| format!("sends what is no request: {error}"))?;
                check_limits(&put)?;
                self.put(&put, *now)
            }
            // No world asks for it.
            Operation::PutRetentionPolicy => Err("says how long to keep events, unasked".to_owned()),
            Operation::CreateLogStream | Operation::CreateLogGroup => {
                let create: Create = serde_json::from_slice(body)
                    .map_err(|error| format!("sends what is no request: {error}"))?;
                Ok((Deed::Answered, self.create(create, *now)))
            }
        }
    }

    fn put(&self, put: &Put, now: u64) -> Result<(Deed, Response), String> {
        let stream = self.groups.get(&put.log_group_name).and_then(|group| group.get(&put.log_stream_name));
        if stream.is_none_or(|made| now * SECOND < made.saturating_add(self.memory_lag)) {
            return Ok((Deed::Answered, refuse("com.amazonaws.logs#ResourceNotFoundException", now)));
        }
        if put.log_events.iter().any(|event| event.message.starts_with(POISON)) {
            return Ok((Deed::Answered, refuse("InvalidParameterException", now)));
        }
        let now_ms = now * 1_000;
        let old = now_ms - 14 * DAY_MS;
        let expired = self.retention.map_or(0, |days| now_ms - days * DAY_MS);
        let fate = |event: &Event| match event.timestamp {
            time if time < old => Fate::TooOld,
            time if time < expired => Fate::Expired,
            time if time > now_ms + 2 * HOUR_MS => Fate::TooNew,
            _ => Fate::Accepted,
        };
        let fates: Vec<_> = put.log_events.iter().map(fate).collect();
        let end = |kinds: &[Fate]| fates.iter().rposition(|fate| kinds.contains(fate)).map(|at| at + 1);
        let mut info = Vec::new();
        if let Some(end) = end(&[Fate::TooOld]) {
            info.push(format!("\"tooOldLogEventEndIndex\":{end}"));
        }
        if let Some(end) = end(&[Fate::Expired]) {
            info.push(format!("\"expiredLogEventEndIndex\":{end}"));
        }
        if let Some(start) = fates.iter().position(|fate| *fate == Fate::TooNew) {
            info.push(format!("\"tooNewLogEventStartIndex\":{start}"));
        }
        let body = match info.is_empty() {
            true => "{\"nextSequenceToken\":\"1\"}".to_owned(),
            false => format!("{{\"rejectedLogEventsInfo\":{{{}}}}}", info.join(",")),
        };
        Ok((Deed::Took(fates), answer(200, body, now)))
    }

    fn create(&mut self, create: Create, now: u64) -> Response {
        let Create { log_group_name, log_stream_name } = create;
        match (self.groups.get_mut(&log_group_name), log_stream_name) {
            (Some(group), Some(stream)) if group.contains_key(&stream) => {
                refuse("ResourceAlreadyExistsException", now)
            }
            (Some(group), Some(stream)) => {
                group.insert(stream, now * SECOND);
                answer(200, String::new(), now)
            }
            (None, Some(_)) => refuse("ResourceNotFoundException", now),
            (Some(_), None) => refuse("ResourceAlreadyExistsException", now),
            (None, None) => {
                self.groups.insert(log_group_name, BTreeMap::new());
                answer(200, String::new(), now)
            }
        }
    }

    /// Somebody deletes a stream, or the whole group.
    pub fn delete(&mut self, group: &str, stream: Option<&str>) {
        match stream {
            Some(stream) => {
                self.groups.get_mut(group).map(|group| group.remove(stream));
            }
            None => {
                self.groups.remove(group);
            }
        }
    }
}

/// A request that breaks one of these would be refused as a whole.
fn check_limits(put: &Put) -> Result<(), String> {
    let events = &put.log_events;
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        return Err("sends a request without events".to_owned());
    };
    if events.len() > 10_000 {
        return Err(format!("sends {} events at once", events.len()));
    }
    let bytes: usize = events.iter().map(|event| event.message.len() + 26).sum();
    if bytes > 1_048_576 {
        return Err(format!("sends {bytes} bytes at once"));
    }
    if events.iter().any(|event| event.message.is_empty()) {
        return Err("sends an empty event".to_owned());
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err("sends events out of order of time".to_owned());
    }
    if last.timestamp - first.timestamp > DAY_MS {
        return Err("sends events of more than a day at once".to_owned());
    }
    Ok(())
}

pub fn refuse(code: &str, now: u64) -> Response {
    let body = format!("{{\"__type\":\"{code}\",\"message\":\"simulated\"}}");
    answer(400, body, now)
}

pub fn answer(status: u16, body: String, now: u64) -> Response {
    Response {
        status,
        error_type: None,
        is_amz_json: true,
        date: Some(Timestamp::from_millis(now * 1_000)),
        retry_after: None,
        body: body.into_bytes(),
    }
}

/// An answer that asks for time.
pub fn throttle(asked: Option<u64>, now: u64) -> Response {
    Response { retry_after: asked.map(Millis), ..refuse("ThrottlingException", now) }
}
