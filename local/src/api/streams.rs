//! Log streams: created, described, deleted.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::arn;
use super::call::{Context, Outcome};
use super::check::Violations;
use super::limits::DESCRIBE_PAGE;
use super::put::NEXT_TOKEN;
use crate::refusal::Refusal;
use crate::store::StreamView;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Named {
    log_group_name: Option<String>,
    log_stream_name: Option<String>,
}

impl Named {
    fn checked(&self) -> Result<(&str, &str), Refusal> {
        let mut violations = Violations::default();
        let group = violations.group(self.log_group_name.as_deref());
        let stream = violations.stream(self.log_stream_name.as_deref());
        violations.finish()?;
        Ok((group, stream))
    }
}

pub fn create(input: &Named, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let (group, stream) = input.checked()?;
    context.store.create_stream(group, stream, context.now)?;
    Outcome::empty()
}

pub fn delete(input: &Named, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let (group, stream) = input.checked()?;
    context.store.delete_stream(group, stream)?;
    Outcome::empty()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Describe {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    descending: Option<bool>,
    next_token: Option<String>,
    limit: Option<i64>,
}

pub fn describe(input: &Describe, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let mut violations = Violations::default();
    let group = arn::chosen_group(
        input.log_group_name.as_deref(),
        input.log_group_identifier.as_deref(),
        &mut violations,
    )?;
    if let Some(prefix) = &input.log_stream_name_prefix {
        violations.stream_name("logStreamNamePrefix", prefix);
    }
    violations.one_of("orderBy", input.order_by.as_deref(), &["LogStreamName", "LastEventTime"]);
    violations.range("limit", input.limit, 1, DESCRIBE_PAGE);
    violations.finish()?;
    let by_time = input.order_by.as_deref() == Some("LastEventTime");
    let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
    if by_time && !prefix.is_empty() {
        return Err(Refusal::invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let mut streams = context.store.streams(group)?;
    streams.retain(|stream| stream.name.starts_with(prefix));
    let descending = input.descending == Some(true);
    match (by_time, descending) {
        // Names come sorted.
        (false, false) => {}
        (false, true) => streams.reverse(),
        (true, false) => streams.sort_by_key(|stream| stream.last.unwrap_or(0)),
        (true, true) => streams.sort_by_key(|stream| Reverse(stream.last.unwrap_or(0))),
    }
    // The token names the last stream of a page: streams may come and go between two pages.
    if let Some(token) = &input.next_token {
        let seen = streams
            .iter()
            .position(|stream| stream.name == *token)
            .ok_or_else(|| Refusal::invalid("The specified nextToken is invalid."))?;
        streams.drain(..=seen);
    }
    let limit = usize::try_from(input.limit.unwrap_or(DESCRIBE_PAGE)).unwrap_or(1);
    let more = streams.len() > limit;
    streams.truncate(limit);
    let group_arn = arn::of_group(group, context);
    Outcome::json(&Streams {
        next_token: streams.last().filter(|_| more).map(|last| last.name.clone()),
        log_streams: streams.into_iter().map(|stream| Described::of(stream, &group_arn)).collect(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Streams {
    log_streams: Vec<Described>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    arn: String,
    creation_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_event_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_ingestion_time: Option<i64>,
    log_stream_name: String,
    /// Zero for every stream since June 2019.
    stored_bytes: u64,
    upload_sequence_token: &'static str,
}

impl Described {
    fn of(stream: StreamView, group_arn: &str) -> Described {
        Described {
            arn: format!("{group_arn}:log-stream:{}", stream.name),
            creation_time: stream.created,
            first_event_timestamp: stream.first,
            last_event_timestamp: stream.last,
            last_ingestion_time: stream.last_ingested,
            log_stream_name: stream.name,
            stored_bytes: 0,
            upload_sequence_token: NEXT_TOKEN,
        }
    }
}
