//! FilterLogEvents: many streams as one, searched for a pattern.

use serde::{Deserialize, Serialize};

use super::arn;
use super::call::{Context, Outcome};
use super::check::Violations;
use super::limits::{FILTER_STREAMS, PAGE_EVENTS, PATTERN_LENGTH};
use super::pattern::Pattern;
use super::read::{Page, Token, message_of};
use crate::refusal::Refusal;
use crate::store::Streams;
use crate::store::merge::{Event, Window};
use crate::store::position::{Direction, Position};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
    start_from_head: Option<bool>,
}

pub fn filter(input: &Filter, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let mut violations = Violations::default();
    let group = arn::chosen_group(
        input.log_group_name.as_deref(),
        input.log_group_identifier.as_deref(),
        &mut violations,
    )?;
    input.check(&mut violations);
    violations.finish()?;
    let streams = input.streams()?;
    let pattern = Pattern::parse(input.filter_pattern.as_deref().unwrap_or_default())?;
    let (window, direction) = input.window()?;

    let mut page = Page::new(input.limit);
    let (mut scanned, mut next) = (0, None);
    for event in context.store.events(group, &streams, window, direction)? {
        let position = event.position;
        scanned += event.message.len();
        // A page ends where it is full, and where the search has gone far without filling it.
        let stop = scanned > SCANNED_BYTES || (pattern.fits(&event.message) && !page.take(event));
        if stop {
            let at = match direction {
                Direction::Forward => position,
                Direction::Backward => position.after(),
            };
            next = Some(Token { direction, at }.text());
            break;
        }
    }
    Outcome::json(&Output {
        events: page.events.iter().map(OutputEvent::of).collect(),
        // Empty in the service's answers since 2020.
        searched_log_streams: [],
        next_token: next,
    })
}

impl Filter {
    fn check(&self, violations: &mut Violations) {
        if let Some(names) = &self.log_stream_names {
            violations.size("logStreamNames", "[]", names.len(), 1, FILTER_STREAMS);
            for (nth, name) in (1..).zip(names) {
                violations.stream_name(&format!("logStreamNames.{nth}.member"), name);
            }
        }
        if let Some(prefix) = &self.log_stream_name_prefix {
            violations.stream_name("logStreamNamePrefix", prefix);
        }
        if let Some(pattern) = &self.filter_pattern {
            violations.length("filterPattern", pattern, 0, PATTERN_LENGTH);
        }
        violations.range("startTime", self.start_time, 0, i64::MAX);
        violations.range("endTime", self.end_time, 0, i64::MAX);
        violations.range("limit", self.limit, 1, PAGE_EVENTS);
    }

    fn streams(&self) -> Result<Streams, Refusal> {
        match (&self.log_stream_names, &self.log_stream_name_prefix) {
            (Some(_), Some(_)) => Err(Refusal::invalid(
                "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.",
            )),
            (Some(names), None) => Ok(Streams::Named(names.clone())),
            (None, Some(prefix)) => Ok(Streams::Prefixed(prefix.clone())),
            (None, None) => Ok(Streams::All),
        }
    }

    fn window(&self) -> Result<(Window, Direction), Refusal> {
        let mut window = Window {
            from: Position::at(self.start_time.unwrap_or(0)),
            // The end itself is included.
            until: Position::at(self.end_time.map_or(i64::MAX, |end| end.saturating_add(1))),
        };
        let Some(token) = &self.next_token else {
            let backward = self.start_from_head == Some(false);
            if backward && self.start_time.is_none_or(|start| start < BACKWARD_SINCE) {
                return Err(Refusal::invalid(
                    "startFromHead can be false only if startTime is on or after Jan 1, 2024 00:00:00 UTC.",
                ));
            }
            let direction = if backward { Direction::Backward } else { Direction::Forward };
            return Ok((window, direction));
        };
        let token = Token::parse(token)?;
        match token.direction {
            Direction::Forward => window.from = window.from.max(token.at),
            Direction::Backward => window.until = window.until.min(token.at),
        }
        Ok((window, token.direction))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    events: Vec<OutputEvent>,
    searched_log_streams: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputEvent {
    log_stream_name: String,
    timestamp: i64,
    message: String,
    ingestion_time: i64,
    event_id: String,
}

impl OutputEvent {
    fn of(event: &Event) -> OutputEvent {
        OutputEvent {
            log_stream_name: event.stream.to_string(),
            timestamp: event.position.timestamp,
            message: message_of(event),
            ingestion_time: event.ingested,
            event_id: event.position.to_string(),
        }
    }
}

/// Newest first is offered from 2024 on.
const BACKWARD_SINCE: i64 = 1_704_067_200_000;
/// Bytes of messages searched for one page.
const SCANNED_BYTES: usize = 64 << 20;
