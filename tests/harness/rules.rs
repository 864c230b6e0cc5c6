//! Which events a container's bytes become: the rules, written down a second time for the comparison.

/// What one event may hold: a batch's 1,048,576 bytes less the 26 that each event is charged.
pub const EVENT_BYTES: usize = 1_048_550;
/// Docker cuts longer lines into pieces of this size.
pub const PIECE_BYTES: usize = 16_384;

/// Where the bytes pass through on their way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    /// Standard input, and Docker's log drivers that keep bytes as they are.
    Bytes,
    /// Docker's `json-file` driver: each piece of a line becomes a JSON string by itself.
    JsonFile,
    /// The same, of a container with a terminal: lines end in CR LF.
    Terminal,
}

/// The messages of the events that these bytes become.
pub fn messages(bytes: &[u8], way: Way) -> Vec<String> {
    let mut events = Vec::new();
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|rest| rest.is_empty()) {
        lines.pop();
    }
    for line in lines {
        let text = match way {
            Way::Bytes => decode(line),
            Way::JsonFile => line.chunks(PIECE_BYTES).map(decode).collect(),
            // The terminal has put a CR before the LF: it takes part in the cutting, and goes at the end.
            Way::Terminal => {
                let written = [line, b"\r"].concat();
                let text: String = written.chunks(PIECE_BYTES).map(decode).collect();
                text[..text.len() - 1].to_owned()
            }
        };
        split(text, &mut events);
    }
    events
}

/// Text as Go makes it: each byte that is not part of a character becomes U+FFFD.
pub fn decode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

fn split(text: String, events: &mut Vec<String>) {
    if text.is_empty() {
        return events.push(" ".to_owned());
    }
    let mut rest = text.as_str();
    while rest.len() > EVENT_BYTES {
        let cut = (0..=EVENT_BYTES).rev().find(|at| rest.is_char_boundary(*at)).expect("0 is one");
        let (head, tail) = rest.split_at(cut);
        events.push(head.to_owned());
        rest = tail;
    }
    events.push(rest.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_event_and_an_empty_one_a_space() {
        assert_eq!(messages(b"a\n\nb", Way::Bytes), ["a", " ", "b"]);
        assert_eq!(messages(b"a\r\n", Way::Bytes), ["a\r"]);
        assert_eq!(messages(b"a\n", Way::Terminal), ["a"]);
        assert!(messages(b"", Way::Bytes).is_empty());
    }

    #[test]
    fn every_invalid_byte_becomes_a_replacement_character() {
        assert_eq!(decode(b"\xf0\x9f\x99x\xff"), "\u{fffd}\u{fffd}\u{fffd}x\u{fffd}");
        assert_eq!(decode(b"\xed\xa0\x80"), "\u{fffd}\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_character_cut_at_a_piece_is_lost_in_json_files_alone() {
        let line = ["x".repeat(PIECE_BYTES - 1).as_bytes(), "ü\n".as_bytes()].concat();
        assert!(messages(&line, Way::Bytes)[0].ends_with("xü"));
        assert!(messages(&line, Way::JsonFile)[0].ends_with("x\u{fffd}\u{fffd}"));
    }

    #[test]
    fn long_lines_are_split_at_characters() {
        let events = messages("ü".repeat(EVENT_BYTES).as_bytes(), Way::Bytes);
        assert_eq!(events.iter().map(String::len).collect::<Vec<_>>(), [EVENT_BYTES, EVENT_BYTES]);
        let events = messages(format!("x{}", "ü".repeat(EVENT_BYTES / 2)).as_bytes(), Way::Bytes);
        assert_eq!(events.iter().map(String::len).collect::<Vec<_>>(), [EVENT_BYTES - 1, 2]);
    }
}
