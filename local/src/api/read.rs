//! GetLogEvents: one stream, page by page in either direction, with tokens that repeat at either end.

use serde::{Deserialize, Serialize};

use super::arn;
use super::call::{Context, Outcome};
use super::check::Violations;
use super::limits::{EVENT_OVERHEAD, PAGE_BYTES, PAGE_EVENTS};
use crate::refusal::Refusal;
use crate::store::Streams;
use crate::store::merge::{Event, Window};
use crate::store::position::{Direction, Position};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Get {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<i64>,
    start_from_head: Option<bool>,
}

pub fn get(input: &Get, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let mut violations = Violations::default();
    let group = arn::chosen_group(
        input.log_group_name.as_deref(),
        input.log_group_identifier.as_deref(),
        &mut violations,
    )?;
    let stream = violations.stream(input.log_stream_name.as_deref());
    violations.range("startTime", input.start_time, 0, i64::MAX);
    violations.range("endTime", input.end_time, 0, i64::MAX);
    violations.range("limit", input.limit, 1, PAGE_EVENTS);
    violations.finish()?;

    let mut window = Window {
        from: Position::at(input.start_time.unwrap_or(0)),
        // GetLogEvents leaves out the end itself; FilterLogEvents does not.
        until: Position::at(input.end_time.unwrap_or(i64::MAX)),
    };
    let token = input.next_token.as_deref().map(Token::parse).transpose()?;
    let direction = match token {
        Some(token) => token.direction,
        None if input.start_from_head == Some(true) => Direction::Forward,
        None => Direction::Backward,
    };
    match (token, direction) {
        (Some(token), Direction::Forward) => window.from = window.from.max(token.at),
        (Some(token), Direction::Backward) => window.until = window.until.min(token.at),
        (None, _) => {}
    }
    let streams = Streams::Named(vec![stream.to_owned()]);
    let mut page = Page::new(input.limit);
    for event in context.store.events(group, &streams, window, direction)? {
        if !page.take(event) {
            break;
        }
    }
    let mut events = page.events;
    if direction == Direction::Backward {
        events.reverse();
    }
    // An empty page leaves the reader where it was: that is the token that repeats.
    let stay = token.map_or(window.from, |token| token.at);
    let begin = events.first().map_or(stay, |event| event.position);
    let end = events.last().map_or(stay, |event| event.position.after());
    Outcome::json(&Output {
        events: events.iter().map(OutputEvent::of).collect(),
        next_forward_token: Token { direction: Direction::Forward, at: end }.text(),
        next_backward_token: Token { direction: Direction::Backward, at: begin }.text(),
    })
}

/// Events up to the limits of a page.
pub struct Page {
    pub events: Vec<Event>,
    limit: usize,
    bytes: usize,
}

impl Page {
    pub fn new(limit: Option<i64>) -> Page {
        Page {
            events: Vec::new(),
            limit: usize::try_from(limit.unwrap_or(PAGE_EVENTS)).unwrap_or(1),
            bytes: 0,
        }
    }

    /// Answers whether the event found room; the first always does.
    pub fn take(&mut self, event: Event) -> bool {
        let bytes = self.bytes + event.message.len() + EVENT_OVERHEAD;
        let fits = self.events.len() < self.limit && bytes <= PAGE_BYTES;
        if fits || self.events.is_empty() {
            self.bytes = bytes;
            self.events.push(event);
            return true;
        }
        false
    }
}

/// A boundary between events and the way to go from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub direction: Direction,
    pub at: Position,
}

impl Token {
    /// `f/`, 56 digits, `/s`, as the service's tokens look.
    pub fn text(self) -> String {
        let way = match self.direction {
            Direction::Forward => 'f',
            Direction::Backward => 'b',
        };
        format!("{way}/{}/s", self.at)
    }

    pub fn parse(text: &str) -> Result<Token, Refusal> {
        let invalid = || Refusal::invalid("The specified nextToken is invalid.");
        let (way, rest) = text.split_once('/').ok_or_else(invalid)?;
        let direction = match way {
            "f" => Direction::Forward,
            "b" => Direction::Backward,
            _ => return Err(invalid()),
        };
        let digits = rest.strip_suffix("/s").ok_or_else(invalid)?;
        let at = Position::parse(digits).ok_or_else(invalid)?;
        Ok(Token { direction, at })
    }
}

/// What was stored came from JSON and is UTF-8; should the file be damaged, the rest stays readable.
pub fn message_of(event: &Event) -> String {
    String::from_utf8_lossy(&event.message).into_owned()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    events: Vec<OutputEvent>,
    next_forward_token: String,
    next_backward_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputEvent {
    timestamp: i64,
    message: String,
    ingestion_time: i64,
}

impl OutputEvent {
    fn of(event: &Event) -> OutputEvent {
        OutputEvent {
            timestamp: event.position.timestamp,
            message: message_of(event),
            ingestion_time: event.ingested,
        }
    }
}
