//! A body of JSON objects: one behind the other, or in arrays.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json_object::value_length;

/// Takes the objects of a body that has been [checked](check), in order.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    at: usize,
}

impl Objects {
    /// The next object, and where it ends.
    pub fn next<'a>(&mut self, body: &'a [u8]) -> Option<(&'a [u8], usize)> {
        let left = body.get(self.at..)?;
        // Between objects there is nothing but blanks, commas and the brackets of arrays.
        let start = self.at + memchr::memchr(b'{', left)?;
        let length = value_length(body.get(start..)?)?;
        self.at = start + length;
        Some((body.get(start..self.at)?, self.at))
    }
}

/// Whether a body is nothing but objects and arrays of objects.
///
/// # Errors
/// What is wrong with it, and in which line.
pub fn check(body: &[u8]) -> Result<(), String> {
    let mut values = serde_json::Deserializer::from_slice(body).into_iter::<TopLevel>();
    loop {
        match values.next() {
            None => return Ok(()),
            Some(Ok(TopLevel)) => {}
            Some(Err(error)) => return Err(said(&error)),
        }
    }
}

/// What serde says, with the place first: `line 17, column 4: expected value`.
pub fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&place).unwrap_or(&text);
    format!("line {}, column {}: {text}", error.line(), error.column())
}

/// An object, or an array of them.
struct TopLevel;

/// An object.
struct Object;

struct Kinds {
    arrays: bool,
}

impl<'de> Deserialize<'de> for TopLevel {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<TopLevel, D::Error> {
        from.deserialize_any(Kinds { arrays: true }).map(|()| TopLevel)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Object, D::Error> {
        from.deserialize_any(Kinds { arrays: false }).map(|()| Object)
    }
}

impl<'de> Visitor<'de> for Kinds {
    type Value = ();

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(if self.arrays { "an object, or an array of objects" } else { "an object" })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if !self.arrays {
            return Err(serde::de::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        }
        while items.next_element::<Object>()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::super::testing::any_json;
    use super::*;

    fn objects(body: &str) -> Result<Vec<String>, String> {
        check(body.as_bytes())?;
        let mut objects = Objects::default();
        let mut found = Vec::new();
        while let Some((object, end)) = objects.next(body.as_bytes()) {
            assert!(body.as_bytes()[..end].ends_with(object));
            found.push(String::from_utf8(object.to_vec()).unwrap());
        }
        Ok(found)
    }

    #[test]
    fn objects_stand_in_arrays_or_behind_each_other() {
        for body in [
            r#"{"a":1}{"b":"}{"}"#,
            "{\"a\":1}\n{\"b\":\"}{\"}\n",
            " {\"a\":1}\r\n\r\n{\"b\":\"}{\"}",
            r#"[{"a":1},{"b":"}{"}]"#,
            " [ {\"a\":1} ]\n[]\n{\"b\":\"}{\"}",
        ] {
            let expected = ["{\"a\":1}".to_owned(), "{\"b\":\"}{\"}".to_owned()];
            assert_eq!(objects(body).as_deref(), Ok(&expected[..]), "{body}");
        }
        for body in ["", " \n ", "[]", "[ ]\n"] {
            assert_eq!(objects(body), Ok(Vec::new()), "{body}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (body, said) in [
            ("{\"a\":1}\nplain text\n", "line 2, column 1: expected value"),
            ("{\"a\":1}\n\n{\"a\":tru}", "line 3, column 9: expected ident"),
            ("{\"a\":1", "line 1, column 6: EOF while parsing an object"),
            ("[{\"a\":1},\n1]", "line 2, column 1: invalid type: integer `1`, expected an object"),
            ("[{\"a\":1},\n[]]", "line 2, column 2: invalid type: sequence, expected an object"),
            ("[{}", "line 1, column 3: EOF while parsing a list"),
            ("[{},]", "line 1, column 5: trailing comma"),
            ("{},{}", "line 1, column 3: expected value"),
            (
                "\"text\"",
                "line 1, column 6: invalid type: string \"text\", expected an object, or an array of objects",
            ),
        ] {
            assert_eq!(objects(body), Err(said.to_owned()), "{body}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_found(
            written in proptest::collection::vec(
                proptest::collection::btree_map("(?s).{0,6}", any_json(), 0..4), 0..6),
            array in any::<bool>(), pretty in any::<bool>(),
        ) {
            let written: Vec<Value> =
                written.into_iter().map(|fields| Value::Object(fields.into_iter().collect())).collect();
            let text = |value: &Value| match pretty {
                true => serde_json::to_string_pretty(value).unwrap(),
                false => serde_json::to_string(value).unwrap(),
            };
            let body = match array {
                true => text(&Value::from(written.clone())),
                false => written.iter().map(text).collect(),
            };
            let found: Vec<Value> =
                objects(&body).unwrap().iter().map(|object| serde_json::from_str(object).unwrap()).collect();
            prop_assert_eq!(found, written);
        }

        #[test]
        fn any_text_is_survived(text in "(?s)[\\[{][\"\\\\,:{}\\[\\] a1]{0,40}") {
            let mut objects = Objects::default();
            let mut last = 0;
            while let Some((_, end)) = objects.next(text.as_bytes()) {
                prop_assert!(end > last);
                last = end;
            }
            let _ = check(text.as_bytes());
        }
    }
}
