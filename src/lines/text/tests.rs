use super::*;
use proptest::prelude::*;

fn appended(text: Text) -> (String, Taken) {
    let mut out = Vec::new();
    let taken = text.append_to(&mut out, usize::MAX, Rest::None);
    (String::from_utf8(out).unwrap(), taken)
}

fn parsed(escaped: &str) -> String {
    serde_json::from_str(&format!("\"{escaped}\"")).unwrap()
}

/// Go's rule: one U+FFFD for each byte that is not UTF-8.
fn as_go_reads(mut bytes: &[u8]) -> String {
    let mut text = String::new();
    while !bytes.is_empty() {
        match std::str::from_utf8(bytes) {
            Ok(valid) => {
                text.push_str(valid);
                break;
            }
            Err(error) => {
                text.push_str(std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap());
                text.push('\u{FFFD}');
                bytes = &bytes[error.valid_up_to() + 1..];
            }
        }
    }
    text
}

#[test]
fn raw_text_is_escaped() {
    for (raw, escaped) in [
        (&b""[..], ""),
        (b"plain", "plain"),
        (b"a\"b\\c", "a\\\"b\\\\c"),
        (b"\x00\x1f\x7f\t\r\n\x08\x0c", "\\u0000\\u001f\x7f\\t\\r\\n\\b\\f"),
        ("žluťoučký kůň 🐎".as_bytes(), "žluťoučký kůň 🐎"),
        (b"\xff", "\u{FFFD}"),
        (b"a\xF0\x9F\x99", "a\u{FFFD}\u{FFFD}\u{FFFD}"),
        (b"\xED\xA0\x80z", "\u{FFFD}\u{FFFD}\u{FFFD}z"),
        (b"0123456789abcdef\"0123456789abcdef0", "0123456789abcdef\\\"0123456789abcdef0"),
    ] {
        assert_eq!(appended(Text::Raw(raw)).0, escaped, "{raw:?}");
    }
}

#[test]
fn json_text_is_carried_over() {
    for (json, escaped, bytes) in [
        ("plain", "plain", 5),
        ("\\u003ca\\u003e", "<a>", 3),
        ("tab\\tline\\n", "tab\\tline\\n", 9),
        ("\\u2028\\u0000", "\u{2028}\\u0000", 4),
        ("\\ud83d\\udc0e", "🐎", 4),
        ("\\ud83d", "\u{FFFD}", 3),
        ("\\ud83d\\u0041", "\u{FFFD}A", 4),
        ("\\udc0ex", "\u{FFFD}x", 4),
        ("a\\/b", "a/b", 3),
    ] {
        let (text, taken) = appended(Text::Json(json.as_bytes()));
        assert_eq!((text.as_str(), taken.bytes, taken.read), (escaped, bytes, json.len()), "{json}");
    }
}

#[test]
fn broken_json_is_left_where_it_breaks() {
    for (json, read) in [("ab\"cd", 2), ("ab\\xcd", 2), ("ab\\u12g4", 2), ("ab\\", 2), ("ab\\u00", 2)] {
        assert_eq!(appended(Text::Json(json.as_bytes())).1.read, read, "{json}");
    }
}

#[test]
fn a_character_cut_off_is_left_for_the_next_piece() {
    let mut out = Vec::new();
    let taken = Text::Raw(b"a\xF0\x9F\x90").append_to(&mut out, usize::MAX, Rest::Follows);
    assert_eq!((taken.read, out.as_slice()), (1, &b"a"[..]));
}

#[test]
fn escapes_at_the_end_are_told_from_letters_after_backslashes() {
    for (json, stripped) in [
        ("a\\n", Some("a")),
        ("a\\\\n", None),
        ("a\\\\\\n", Some("a\\\\")),
        ("\\n", Some("")),
        ("n", None),
        ("", None),
    ] {
        assert_eq!(strip_escape(json.as_bytes(), b'n'), stripped.map(str::as_bytes), "{json}");
        let mut text = json.as_bytes().to_vec();
        assert_eq!(cut_escape(b'n', &mut text), stripped.is_some(), "{json}");
    }
}

/// Bytes that meet in every way: plain runs, characters of each length, what is escaped, what is broken.
fn anything() -> impl Strategy<Value = Vec<u8>> {
    let pieces =
        ["plain text", "x", "\"", "\\", "\n", "\u{1}", "\u{7f}", "é", "ÿ", "你", "\u{800}", "\u{ffff}", "🐎"];
    let broken: [&[u8]; 8] = [
        b"\x80",
        b"\xC3",
        b"\xE4\xBD",
        b"\xF0\x9F\x90",
        b"\xC0\x80",
        b"\xED\xA0\x80",
        b"\xF4\x90\x80\x80",
        b"\xFF",
    ];
    let pieces = pieces.map(str::as_bytes).into_iter();
    // What is whole comes four times as often.
    let all: Vec<_> =
        pieces.clone().chain(pieces.clone()).chain(pieces.clone()).chain(pieces).chain(broken).collect();
    proptest::collection::vec(proptest::sample::select(all), 0..60).prop_map(|pieces| pieces.concat())
}

/// The inside of a JSON string as any encoder might write it, and what it stands for.
fn any_json() -> impl Strategy<Value = (String, String)> {
    let pieces = [
        ("plain text", "plain text"),
        ("x", "x"),
        ("\\\"", "\""),
        ("\\\\", "\\"),
        ("\\n", "\n"),
        ("\\t", "\t"),
        ("\\/", "/"),
        ("\\u003c", "<"),
        ("\\u0022", "\""),
        ("\\u2028", "\u{2028}"),
        ("\\ud83d\\udc0e", "🐎"),
        ("é", "é"),
        ("你", "你"),
        ("🐎", "🐎"),
        ("\\ud83d", "\u{FFFD}"),
        ("\u{7f}", "\u{7f}"),
    ];
    let pieces = proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..60);
    pieces.prop_map(|pieces| pieces.into_iter().unzip())
}

/// Appends a text bit by bit, with so much room each time.
fn in_bits(mut text: Text, room: usize) -> Result<String, TestCaseError> {
    let mut joined = String::new();
    while !text.is_empty() {
        let mut out = Vec::new();
        let taken = text.append_to(&mut out, room, Rest::None);
        let part = parsed(std::str::from_utf8(&out).unwrap());
        prop_assert!(taken.read > 0 && taken.bytes <= room && taken.bytes == part.len());
        joined.push_str(&part);
        text = text.skip(taken.read);
    }
    Ok(joined)
}

proptest! {
    #[test]
    fn raw_text_reads_back_as_go_would_write_it(raw in prop_oneof![anything(), proptest::collection::vec(any::<u8>(), 0..80)]) {
        let (escaped, taken) = appended(Text::Raw(&raw));
        let expected = as_go_reads(&raw);
        prop_assert_eq!(taken, Taken { read: raw.len(), bytes: expected.len() });
        prop_assert_eq!(parsed(&escaped), expected);
    }

    #[test]
    fn json_text_means_the_same_before_and_after((json, text) in any_json()) {
        let (escaped, taken) = appended(Text::Json(json.as_bytes()));
        prop_assert_eq!(taken, Taken { read: json.len(), bytes: text.len() });
        prop_assert_eq!(parsed(&escaped), text);
    }

    #[test]
    fn json_text_that_is_not_utf8_is_replaced_as_raw_text_is(raw in anything()) {
        let json: Vec<_> = raw.iter().copied().filter(|byte| !b"\"\\".contains(byte)).collect();
        prop_assert_eq!(appended(Text::Json(&json)), appended(Text::Raw(&json)));
    }

    #[test]
    fn pieces_within_any_room_join_to_the_whole(raw in anything(), (json, text) in any_json(), room in 4usize..80) {
        prop_assert_eq!(in_bits(Text::Raw(&raw), room)?, as_go_reads(&raw));
        prop_assert_eq!(in_bits(Text::Json(json.as_bytes()), room)?, text);
    }

    #[test]
    fn pieces_cut_anywhere_join_to_the_whole(raw in anything(), cut in any::<proptest::sample::Index>()) {
        let (first, second) = raw.split_at(cut.index(raw.len() + 1));
        let mut out = Vec::new();
        let taken = Text::Raw(first).append_to(&mut out, usize::MAX, Rest::Follows);
        let rest = [&first[taken.read..], second].concat();
        Text::Raw(&rest).append_to(&mut out, usize::MAX, Rest::None);
        prop_assert!(taken.read == first.len() || Text::Raw(&first[taken.read..]).is_cut_character());
        prop_assert_eq!(parsed(std::str::from_utf8(&out).unwrap()), as_go_reads(&raw));
    }
}
