//! Puts events into JSON objects, with fields of the container that they come from.

use serde::de::IgnoredAny;

use super::limit::Limit;
use super::text::unescape;
use super::{Event, EventText, Malformed, Rest, Sides, Sink, Text};
use crate::cloudwatch::limits::MAX_MESSAGE_BYTES;

/// Wraps the events of a log stream.
#[derive(Debug)]
pub struct Wrapper {
    /// What stands behind the text of an event, by its side.
    tails: Tails,
    /// Whether an event that is an object stands there as one.
    nests: bool,
    escaped: Vec<u8>,
    plain: Vec<u8>,
    /// The event as it is to be sent.
    wrapped: Vec<u8>,
}

/// What stands behind the text of an event, of each side: the closing of the object, with its fields.
pub(super) type Tails = Sides<Vec<u8>>;

/// What stands before the text of an event.
pub(super) const HEAD: &[u8] = br#"{"message":"#;

impl Wrapper {
    pub(super) fn new(tails: Tails, nests: bool) -> Wrapper {
        Wrapper { tails, nests, escaped: Vec::new(), plain: Vec::new(), wrapped: Vec::new() }
    }

    /// How long events may be, so that they fit once they are wrapped.
    pub fn limit(&self) -> Limit {
        let tail = self.tails.stdout.len().max(self.tails.stderr.len());
        // With a quote on either side.
        Limit::Escaped(MAX_MESSAGE_BYTES.saturating_sub(HEAD.len() + tail + 2))
    }

    fn wrap<'a>(&'a mut self, event: &Event<'_>, sink: &mut impl Sink) -> EventText<'a> {
        let Wrapper { tails, nests, escaped, plain, wrapped } = self;
        let escaped: &[u8] = match event.text {
            EventText::Line(text) => {
                escaped.clear();
                let taken = text.append_to(escaped, usize::MAX, Rest::None);
                if taken.read < text.len() {
                    sink.malformed(Malformed::Bytes((text.len() - taken.read) as u64));
                }
                escaped
            }
            EventText::Escaped(text, _) => text,
        };
        let tail = tails.get(event.side);
        wrapped.clear();
        let mut bytes = 0;
        let mut put = |text: &[u8]| {
            bytes += Text::Raw(text).append_to(wrapped, usize::MAX, Rest::None).bytes;
        };
        put(HEAD);
        plain.clear();
        if *nests && escaped.starts_with(b"{") {
            unescape(escaped, plain);
        }
        if serde_json::from_slice::<IgnoredAny>(plain).is_ok() {
            put(plain);
        } else {
            put(b"\"");
            put(escaped);
            put(b"\"");
        }
        put(tail);
        EventText::Escaped(wrapped, bytes)
    }
}

/// Where events are wrapped on the way to `sink`.
pub struct Wrapping<'a, S> {
    wrapper: Option<&'a mut Wrapper>,
    sink: &'a mut S,
}

impl<'a, S> Wrapping<'a, S> {
    pub fn new(wrapper: Option<&'a mut Wrapper>, sink: &'a mut S) -> Wrapping<'a, S> {
        Wrapping { wrapper, sink }
    }
}

impl<S: Sink> Sink for Wrapping<'_, S> {
    fn event(&mut self, event: Event<'_>) {
        match &mut self.wrapper {
            Some(wrapper) => {
                let text = wrapper.wrap(&event, self.sink);
                self.sink.event(Event { text, ..event });
            }
            None => self.sink.event(event),
        }
    }

    hand_on!();
}
