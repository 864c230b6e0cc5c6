//! What arrived, beside what was written: comparison event by event.

use std::collections::BTreeMap;

/// An event as an endpoint holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Milliseconds since 1970.
    pub time: i64,
    pub message: String,
}

/// The events of each log stream, in order of arrival or as a reader returned them.
pub type Streams = BTreeMap<String, Vec<Event>>;

/// Panics unless exactly these messages arrived, in this order.
pub fn assert_same<'a>(what: &str, arrived: impl IntoIterator<Item = &'a String>, written: &[String]) {
    let arrived: Vec<&String> = arrived.into_iter().collect();
    let differs = arrived.iter().zip(written).position(|(arrived, written)| *arrived != written);
    if differs.is_none() && arrived.len() == written.len() {
        return;
    }
    let at = differs.unwrap_or(arrived.len().min(written.len()));
    let show = |text: Option<&str>| text.map_or("nothing".to_owned(), brief);
    panic!(
        "{what}: {} events arrived of {} written; the first difference is event {at}:\n arrived: {}\n written: {}\n before it: {}",
        arrived.len(),
        written.len(),
        show(arrived.get(at).map(|text| text.as_str())),
        show(written.get(at).map(String::as_str)),
        show(at.checked_sub(1).and_then(|before| written.get(before)).map(String::as_str)),
    );
}

/// Panics unless stdout's and stderr's messages arrived once and in order, whatever the order between the two. Every
/// message of one has to differ from every message of the other.
pub fn assert_both(what: &str, arrived: &[Event], stdout: &[String], stderr: &[String]) {
    let of_stderr: std::collections::BTreeSet<&String> = stderr.iter().collect();
    let (errors, lines): (Vec<&String>, Vec<&String>) =
        arrived.iter().map(|event| &event.message).partition(|message| of_stderr.contains(message));
    assert_same(&format!("{what}, stdout"), lines, stdout);
    assert_same(&format!("{what}, stderr"), errors, stderr);
}

/// Panics unless every message arrived, in order of first arrival; returns how many came a second time.
pub fn assert_none_lost<'a>(
    what: &str,
    arrived: impl IntoIterator<Item = &'a String>,
    written: &[String],
) -> usize {
    let mut seen = std::collections::BTreeSet::new();
    let mut doubled = 0;
    let mut first = Vec::new();
    for message in arrived {
        if seen.insert(message) {
            first.push(message);
        } else {
            doubled += 1;
        }
    }
    assert_same(what, first, written);
    doubled
}

/// The messages alone.
pub fn messages(events: &[Event]) -> impl Iterator<Item = &String> {
    events.iter().map(|event| &event.message)
}

/// A text's length, beginning and end.
fn brief(text: &str) -> String {
    let head: String = text.chars().take(80).collect();
    let count = text.chars().count();
    let tail: String = text.chars().skip(count.saturating_sub(40)).collect();
    if count <= 120 { format!("{text:?}") } else { format!("{} bytes: {head:?} … {tail:?}", text.len()) }
}
