//! Accepted events as lines on standard output, for someone who watches.

use std::io::{self, Write};

use crate::clock::Timestamp;

/// Whether accepted events are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrintMode {
    #[default]
    Nothing,
    /// Each event as a line: group, stream, time, message.
    Events,
}

impl PrintMode {
    pub fn batch<'a>(self, group: &str, stream: &str, events: impl Iterator<Item = (i64, &'a str)>) {
        if self == PrintMode::Nothing {
            return;
        }
        let mut out = io::BufWriter::new(io::stdout().lock());
        for (timestamp, message) in events {
            // Nobody reads on: that is no reason to refuse events.
            if writeln!(out, "{}", line(group, stream, timestamp, message)).is_err() {
                return;
            }
        }
    }
}

/// Control characters are escaped: they could drive the terminal or look like another event.
fn line(group: &str, stream: &str, timestamp: i64, message: &str) -> String {
    let mut text = format!("{group} {stream} {} ", Timestamp(timestamp).rfc3339());
    let message = message.strip_suffix('\n').unwrap_or(message);
    for character in message.chars() {
        if character.is_control() && character != '\t' {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_it_holds() {
        assert_eq!(
            line("g", "s", 0, "a\nb\t\u{1b}[31mc\n"),
            "g s 1970-01-01T00:00:00.000Z a\\nb\t\\u{1b}[31mc"
        );
    }
}
