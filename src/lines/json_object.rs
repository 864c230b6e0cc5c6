//! The fields of a JSON object as they stand in its text, found without reading it into anything.

/// The fields of one object, in order: the inside of each name, and the text of each value. What is not
/// well-formed ends them.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    left: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of the object that `text` begins with; `None` where there is none.
    pub fn of(text: &'a [u8]) -> Option<Fields<'a>> {
        Some(Fields { left: text.trim_ascii_start().strip_prefix(b"{")? })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.left.trim_ascii_start();
        let text = text.strip_prefix(b",").unwrap_or(text).trim_ascii_start();
        self.left = &[];
        let (name, text) = string(text)?;
        let text = text.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let (value, left) = text.split_at_checked(value_length(text)?)?;
        self.left = left;
        Some((name, value))
    }
}

/// The inside of the string that `text` begins with, and what follows it.
pub fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"\"")?;
    let end = string_end(text)?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// Where the closing quote of a string is whose inside `text` begins with.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', text.get(from..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
}

/// How many bytes the value takes that `text` begins with.
pub fn value_length(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'"' => Some(string_end(text.get(1..)?)? + 2),
        b'{' | b'[' => nested_length(text),
        _ => {
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
            text.iter().position(ends).filter(|length| *length > 0)
        }
    }
}

fn nested_length(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b'"' => at += string_end(text.get(at + 1..)?)? + 1,
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::any_json;
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn check(text: &str, expected: &[(&str, &str)]) {
        let found: Vec<_> = Fields::of(text.as_bytes()).into_iter().flatten().collect();
        let expected: Vec<_> =
            expected.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn fields_are_found_as_they_stand() {
        check("{}", &[]);
        check(r#"{"a":1}"#, &[("a", "1")]);
        check(
            " { \"a\" : \"x\\\"}\" , \"b\":{\"c\":[1,\"]\"]} ,\"d\":null}",
            &[("a", "\"x\\\"}\""), ("b", "{\"c\":[1,\"]\"]}"), ("d", "null")],
        );
    }

    #[test]
    fn what_is_not_well_formed_ends_them() {
        for text in
            ["", "[1]", "{", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":\"x", "{\"a\":[", "{a:1}", "{\"a\":}"]
        {
            check(text, &[]);
        }
        check("{\"a\":1,\"b\":tru", &[("a", "1")]);
        check("{\"a\":1}{\"b\":2}", &[("a", "1")]);
    }

    proptest! {
        #[test]
        fn every_object_reads_as_serde_reads_it(
            object in proptest::collection::btree_map("(?s).{0,6}", any_json(), 0..6), pretty in any::<bool>(),
        ) {
            let object = Value::Object(object.into_iter().collect());
            let text = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) };
            let text = text.unwrap();
            let mut found = serde_json::Map::new();
            for (name, value) in Fields::of(text.as_bytes()).unwrap() {
                let name: String = serde_json::from_slice(&[b"\"", name, b"\""].concat()).unwrap();
                found.insert(name, serde_json::from_slice(value).unwrap());
            }
            prop_assert_eq!(Value::Object(found), object);
        }

        #[test]
        fn any_text_is_survived(text in "(?s)\\{[\"\\\\,:{}\\[\\] a]{0,40}") {
            let found = Fields::of(text.as_bytes()).into_iter().flatten().count();
            prop_assert!(found <= text.len());
        }
    }
}
