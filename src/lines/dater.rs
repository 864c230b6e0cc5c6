//! Gives lines the times that they say of themselves.

use std::sync::Arc;

use super::line_time::Places;
use super::rules::LineRules;
use super::text::unescape;
use super::{Event, EventText, Rest, Sides, Sink, Text};
use crate::time::Timestamp;

/// Where the times of a log stream's lines are looked for.
#[derive(Debug)]
pub struct Dater {
    rules: Arc<LineRules>,
    places: Places,
    /// The time of the line that each side is in, if it says one: the parts of a long line have it in common.
    line: Sides<Option<Timestamp>>,
    escaped: Vec<u8>,
    plain: Vec<u8>,
}

impl Dater {
    /// `None` where lines are not asked for their times.
    pub fn new(rules: &Arc<LineRules>) -> Option<Dater> {
        let places = rules.time.as_ref()?.places();
        Some(Dater {
            rules: Arc::clone(rules),
            places,
            line: Sides::default(),
            escaped: Vec::new(),
            plain: Vec::new(),
        })
    }

    fn time_of(&mut self, text: EventText<'_>, noted: Timestamp) -> Option<Timestamp> {
        let Dater { rules, places, escaped, plain, .. } = self;
        rules.time.as_ref()?.of(plain_text(text, escaped, plain), noted, places)
    }
}

/// What a program wrote, as UTF-8.
fn plain_text<'a>(text: EventText<'a>, escaped: &'a mut Vec<u8>, plain: &'a mut Vec<u8>) -> &'a [u8] {
    let (text, is_plain) = match text {
        EventText::Line(text @ Text::Raw(_)) => (text, true),
        EventText::Line(text @ Text::Json(json)) => (text, !json.contains(&b'\\')),
        EventText::Escaped(json, _) => (Text::Json(json), !json.contains(&b'\\')),
    };
    if is_plain && std::str::from_utf8(text.bytes()).is_ok() {
        return text.bytes();
    }
    escaped.clear();
    plain.clear();
    text.append_to(escaped, usize::MAX, Rest::None);
    unescape(escaped, plain);
    plain
}

/// Where lines are given their times on the way to `sink`.
pub struct Dating<'a, S> {
    dater: Option<&'a mut Dater>,
    sink: &'a mut S,
    goes_on: bool,
}

impl<'a, S> Dating<'a, S> {
    pub fn new(dater: Option<&'a mut Dater>, sink: &'a mut S) -> Dating<'a, S> {
        Dating { dater, sink, goes_on: false }
    }
}

impl<S: Sink> Sink for Dating<'_, S> {
    fn event(&mut self, event: Event<'_>) {
        let goes_on = std::mem::take(&mut self.goes_on);
        let mut time = event.time;
        if let Some(dater) = &mut self.dater {
            let said =
                if goes_on { *dater.line.get(event.side) } else { dater.time_of(event.text, event.time) };
            *dater.line.get_mut(event.side) = said;
            time = said.unwrap_or(time);
        }
        if goes_on {
            self.sink.rest_of_line();
        }
        self.sink.event(Event { time, ..event });
    }

    fn rest_of_line(&mut self) {
        self.goes_on = true;
    }

    hand_on!();
}
