//! PutLogEvents: what is refused as a whole, what is left out one by one, and what is stored.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::call::{Accepted, Context, Outcome, parsed};
use super::check::Violations;
use super::entity;
use super::limits::{
    BATCH_BYTES, BATCH_EVENTS, EVENT_BYTES, EVENT_OVERHEAD, SPAN_MILLIS, TOO_NEW_MILLIS, TOO_OLD_MILLIS,
};
use crate::clock::MILLIS_A_DAY;
use crate::refusal::Refusal;
use crate::store::batch::Packing;

pub fn put(body: &[u8], context: &Context<'_>) -> Result<Outcome, Refusal> {
    let input: Input<'_> = parsed(serde_json::from_slice(body))?;
    let mut violations = Violations::default();
    let group = violations.group(input.log_group_name.as_deref());
    let stream = violations.stream(input.log_stream_name.as_deref());
    let events = violations.required("logEvents", input.log_events.as_deref());
    if let Some(token) = &input.sequence_token {
        violations.length("sequenceToken", token, 1, usize::MAX);
    }
    check_members(&input, &mut violations);
    violations.finish()?;
    check_batch(events)?;
    refuse_poison(events, &context.put_faults.poison)?;

    let retention = context.store.retention(group, stream)?;
    let sieve = Sieve::new(events, retention, context);
    let kept = events.get(sieve.begin()..sieve.too_new.max(sieve.begin())).unwrap_or_default();
    check_span(kept)?;
    let entity_error = input.entity.as_ref().and_then(entity::refused);
    let mut accepted = sieve.accepted(events.len());
    accepted.entity_refused = entity_error.is_some();
    accepted.events = kept.len() as u64;

    let message_bytes = kept.iter().map(|event| event.message().len()).sum();
    accepted.bytes = message_bytes as u64;
    let mut packing = Packing::with_capacity(kept.len(), message_bytes);
    for event in kept {
        packing.push(event.time(), event.message());
    }
    if let Some(packed) = packing.finish() {
        accepted.evicted = context.store.append(group, stream, packed, context.now)?;
        let printed = kept.iter().map(|event| (event.time(), event.message()));
        context.print.batch(group, stream, printed);
    }
    let output = Output {
        next_sequence_token: (accepted.events > 0).then_some(NEXT_TOKEN),
        rejected_log_events_info: sieve.rejected(events.len()),
        rejected_entity_info: entity_error.map(|error_type| RejectedEntity { error_type }),
    };
    Ok(Outcome { accepted: Some(accepted), ..Outcome::json(&output)? })
}

/// The constraints on each event, reported like the service does: counted from one.
fn check_members(input: &Input<'_>, violations: &mut Violations) {
    let Some(events) = &input.log_events else { return };
    violations.size("logEvents", "[]", events.len(), 1, BATCH_EVENTS);
    for (nth, event) in (1..).zip(events) {
        match event.timestamp {
            None => violations.push_null(&format!("logEvents.{nth}.member.timestamp")),
            Some(timestamp) if timestamp < 0 => {
                let member = format!("logEvents.{nth}.member.timestamp");
                violations.range(&member, event.timestamp, 0, i64::MAX);
            }
            Some(_) => {}
        }
        match &event.message {
            None => violations.push_null(&format!("logEvents.{nth}.member.message")),
            Some(message) if message.is_empty() => {
                violations.length(&format!("logEvents.{nth}.member.message"), "", 1, usize::MAX);
            }
            Some(_) => {}
        }
    }
}

/// The limits on sizes and order, which fail the call.
fn check_batch(events: &[InputEvent<'_>]) -> Result<(), Refusal> {
    let mut total = 0;
    for event in events {
        let size = event.message().len() + EVENT_OVERHEAD;
        if size > EVENT_BYTES {
            return Err(Refusal::invalid(format!(
                "Log event too large: {size} bytes exceeds limit of {EVENT_BYTES}"
            )));
        }
        total += size;
    }
    if total > BATCH_BYTES {
        return Err(Refusal::invalid(format!(
            "Upload too large: {total} bytes exceeds limit of {BATCH_BYTES}"
        )));
    }
    if !events.is_sorted_by_key(InputEvent::time) {
        return Err(Refusal::invalid(
            "Log events in a single PutLogEvents request must be in chronological order.",
        ));
    }
    Ok(())
}

fn check_span(kept: &[InputEvent<'_>]) -> Result<(), Refusal> {
    match (kept.first(), kept.last()) {
        (Some(first), Some(last)) if last.time() - first.time() > SPAN_MILLIS => Err(Refusal::invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        )),
        _ => Ok(()),
    }
}

fn refuse_poison(events: &[InputEvent<'_>], poison: &[String]) -> Result<(), Refusal> {
    for text in poison {
        let finder = memchr::memmem::Finder::new(text);
        if events.iter().any(|event| finder.find(event.message().as_bytes()).is_some()) {
            return Err(Refusal::invalid("A message was refused by a fault of this endpoint."));
        }
    }
    Ok(())
}

/// The three bounds between the events of a batch that are too old, expired, good, and too new.
struct Sieve {
    /// Exclusive ends; `too_old <= expired` does not hold if nothing is expired.
    too_old: usize,
    expired: usize,
    /// Inclusive start.
    too_new: usize,
}

impl Sieve {
    fn new(events: &[InputEvent<'_>], retention: Option<u32>, context: &Context<'_>) -> Sieve {
        let (now, faults) = (context.now.0, context.put_faults);
        let older_than = |limit: i64| events.partition_point(|event| event.time() < limit);
        let too_old = older_than(now - TOO_OLD_MILLIS).max(faults.too_old.min(events.len()));
        let expired = retention.map_or(0, |days| older_than(now - i64::from(days) * MILLIS_A_DAY));
        let too_new = events.partition_point(|event| event.time() <= now + TOO_NEW_MILLIS);
        Sieve {
            too_old,
            expired: expired.max(faults.expired.min(events.len())),
            too_new: too_new.min(events.len().saturating_sub(faults.too_new)),
        }
    }

    fn begin(&self) -> usize {
        self.too_old.max(self.expired)
    }

    fn accepted(&self, events: usize) -> Accepted {
        Accepted {
            too_old: self.too_old as u64,
            expired: self.begin().saturating_sub(self.too_old) as u64,
            too_new: events.saturating_sub(self.too_new.max(self.begin())) as u64,
            ..Accepted::default()
        }
    }

    fn rejected(&self, events: usize) -> Option<RejectedEvents> {
        let rejected = RejectedEvents {
            too_new_log_event_start_index: (self.too_new < events).then_some(self.too_new),
            too_old_log_event_end_index: (self.too_old > 0).then_some(self.too_old),
            // Events past the retention that are not too old anyway.
            expired_log_event_end_index: (self.expired > self.too_old).then_some(self.expired),
        };
        (rejected != RejectedEvents::default()).then_some(rejected)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input<'a> {
    #[serde(borrow)]
    log_group_name: Option<Text<'a>>,
    #[serde(borrow)]
    log_stream_name: Option<Text<'a>>,
    #[serde(borrow)]
    log_events: Option<Vec<InputEvent<'a>>>,
    #[serde(borrow)]
    sequence_token: Option<Text<'a>>,
    entity: Option<entity::Entity>,
}

#[derive(Deserialize)]
struct InputEvent<'a> {
    timestamp: Option<i64>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
}

impl InputEvent<'_> {
    /// Only called once the members are known to be there.
    fn time(&self) -> i64 {
        self.timestamp.unwrap_or_default()
    }

    fn message(&self) -> &str {
        self.message.as_deref().unwrap_or_default()
    }
}

/// A string that is borrowed from the request where it holds no escapes; `Option<Cow<str>>` alone never borrows.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_sequence_token: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_log_events_info: Option<RejectedEvents>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_entity_info: Option<RejectedEntity>,
}

#[derive(Serialize, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct RejectedEvents {
    #[serde(skip_serializing_if = "Option::is_none")]
    too_new_log_event_start_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    too_old_log_event_end_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_log_event_end_index: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RejectedEntity {
    error_type: &'static str,
}

/// Sequence tokens mean nothing to the service any more, which sends one all the same.
pub const NEXT_TOKEN: &str = "49650000000000000000000000000000000000000000000000000000";
